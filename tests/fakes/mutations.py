"""Broken and hostile cards, archives, sheets and lorebooks, endlessly, from a seed."""

import base64
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from characters.cards import png
from characters.cards.charx import pack

SHEETS = Path(__file__).resolve().parents[2] / "characters" / "sheets"
_PROSE = (
    "{{char}} is a ferrywoman who never sleeps. She loves smoked eel; she was born on a raft.\n[Mira = tall; likes(eel, "
    'rain); eyes("grey" + "sad")]\n{{user}}: Hello?\n{{char}}: *nods* "Evening."'
)
CARD: dict[str, Any] = {
    "spec": "chara_card_v3", "spec_version": "3.0", "extra": [1, None, {"a": 2.5}],
    "data": {
        "name": "Bessa", "description": _PROSE, "personality": "gruff, sly", "scenario": "A ferry at night.",
        "first_mes": '"Get in," she says.', "mes_example": "<START>\n{{user}}: How much?\n{{char}}: Two copper.",
        "alternate_greetings": ["Back?"], "tags": ["npc"], "creator_notes": "x", "system_prompt": "", "nickname": "Bess",
        "extensions": {"talkativeness": "0.5", "depth_prompt": {"prompt": "", "depth": 4}}, "group_only_greetings": [],
        "assets": [{"type": "icon", "uri": "embeded://assets/icon/images/main.png", "name": "main", "ext": "png"}],
        "character_book": {"name": "b", "scan_depth": 3, "token_budget": 300, "recursive_scanning": True, "extensions": {},
                           "entries": [
            {"keys": ["ferry", "/fe(r+)y/i"], "secondary_keys": ["night"], "selective": True, "content": "@@depth 2\nThe ferry.",
             "enabled": True, "insertion_order": 5, "use_regex": False, "id": 1, "constant": False,
             "extensions": {"sticky": 2, "cooldown": 1, "probability": 50, "group": "g", "delay_until_recursion": 1}}]},
    },
}  # fmt: skip
WORLD_INFO: dict[str, Any] = {"entries": {str(n): {
    "uid": n, "key": ["bell", "/(a+)+$/"], "keysecondary": [], "content": "bell {{random:a,b}} {{roll:d6}}", "order": n,
    "position": n % 8, "depth": 1, "role": 0, "sticky": 1, "scanDepth": 2, "group": "a,b", "disable": False} for n in range(4)}}  # fmt: skip
_HOSTILE: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, -(2**63), 10**40, "", " ", "\u0000", "\ud800", "\r\n", "../../etc/passwd", "C:\\x", "a" * 5000,
    "{{" * 400, "{{random:" * 60, "[" * 300, "(" * 3000, "*" * 3000, '"' * 3000, "@@depth 9\n" * 90, "<START>\n" * 300,
    "/(a*)*b/", "/(?=x)/", "/[/", "/a{1000}{1000}/", "{{reverse:{{reverse:x}}}}", "{{roll:9999d9999}}", "龍" * 300, "\u202e\u200b",
    [], {}, [[]], ["a", 1, None], {"a": {"b": []}}, "https://example.invalid/x.png", "data:image/png;base64,!!!", "embeded://../x",
    "chara_card_v2", "chara_card_v9", "likes: " + "a, " * 500, "a; b: c; " * 300, "Name is a " * 300, "I. " * 1500,
)  # fmt: skip
_TOKENS = (b"{", b"}", b"[", b"]", b'"', b"\\", b"\x00", b"\xff", b"tEXt", b"IEND", b"chara\x00", b"PK\x03\x04", b"../", b": ",
           b"\n", b"- ", b"&a ", b"*a", b"!!python/object:os.system", b"\xff\xff\xff\xff", b"9" * 400)  # fmt: skip


def mutations(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """(file name, content) pairs; equal seeds give equal pairs."""
    rng = random.Random(seed)
    sheets = [path.read_bytes() for path in sorted(SHEETS.glob("*.yaml"))]
    makers = (_png, _png, _json, _charx, _lorebook)
    for number in range(count):
        if number % 12 == 11:  # sheets are YAML, which is slow to read
            yield "sheet.yaml", _bytes(rng.choice(sheets), rng)
        else:
            yield makers[number % len(makers)](rng)


def _png(rng: random.Random) -> tuple[str, bytes]:
    values = [(rng.choice(("chara", "ccv3", "Chara", "CCV3")), base64.b64encode(_dumped(_tree(CARD, rng), rng)))
              for _ in range(rng.choice((1, 1, 2)))]  # fmt: skip
    data = png.with_texts(_PICTURE, values[:1])
    data = png.with_texts(data, values[1:]) if len(values) > 1 and values[1][0].lower() != values[0][0].lower() else data
    return "card.png", data if rng.random() < 0.6 else _bytes(data, rng)


def _json(rng: random.Random) -> tuple[str, bytes]:
    tree = _tree(CARD if rng.random() < 0.7 else CARD["data"], rng)
    if isinstance(tree, dict) and rng.random() < 0.2:
        tree.pop("spec", None)
    data = _dumped(tree, rng)
    return rng.choice(("card.json", "card.yaml")), data if rng.random() < 0.7 else _bytes(data, rng)


def _charx(rng: random.Random) -> tuple[str, bytes]:
    files = {"card.json": _dumped(_tree(CARD, rng), rng), "assets/icon/images/main.png": _PICTURE}
    if rng.random() < 0.3:
        files[rng.choice(("../x", "/x", "a/../../b", "a\\..\\b", "C:/x", "é", "a" * 300, "x/"))] = b"0" * rng.choice((0, 9, 99_999))
    data = pack(files)
    return "card.charx", data if rng.random() < 0.5 else _bytes(data, rng)


def _lorebook(rng: random.Random) -> tuple[str, bytes]:
    book = rng.choice((WORLD_INFO, {"spec": "lorebook_v3", "data": CARD["data"]["character_book"]}))
    data = _dumped(_tree(book, rng), rng)
    return "lore.json", data if rng.random() < 0.7 else _bytes(data, rng)


def _dumped(tree: Any, rng: random.Random) -> bytes:
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.8, indent=rng.choice((None, 2)))
    return (text.replace("\n", "\r\n") if rng.random() < 0.2 else text).encode("utf-8", "replace")


def _tree(tree: Any, rng: random.Random) -> Any:
    """Swap, drop or add values anywhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        spot = tree
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(spot[key], (dict, list)) and spot[key] and rng.random() < 0.75:
                spot = spot[key]
                continue
            act = rng.random()
            if act < 0.7:
                spot[key] = copy.deepcopy(rng.choice(_HOSTILE))
            elif act < 0.85 and isinstance(spot, dict):
                del spot[key]
            elif isinstance(spot, list):
                spot += [copy.deepcopy(spot[key])] * rng.choice((1, 3, 60))
            break
    return tree


def _bytes(data: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat or insert bytes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(out) + 1)
        act = rng.random()
        if act < 0.3 and out:
            out[place % len(out)] ^= 1 << rng.randrange(8)
        elif act < 0.6:
            out[place:place] = rng.choice(_TOKENS)
        elif act < 0.75:
            del out[place : place + rng.choice((1, 4, 40))]
        elif act < 0.9:
            del out[place:]
        else:
            out[place:place] = out[place : place + rng.choice((4, 40, 400))]
    return bytes(out)


_PICTURE = png.plain_picture("bessa", 8, 8)
