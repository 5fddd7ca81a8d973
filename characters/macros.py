"""The macros of character cards: ``{{char}}``, ``{{user}}``, ``{{random:…}}`` and their kin.

As the Character Card specifications define them, with the spellings SillyTavern adds (``::`` between
choices, ``{{roll:2d6+1}}``). Chance comes from a seed, so that the same place in a conversation always
reads the same. What is not known stays as it was written.
"""

import random
import re
from dataclasses import dataclass

_ANGLED = re.compile(r"<(char|bot|user)>", re.IGNORECASE)
_INNERMOST = re.compile(r"\{\{([^{}]{0,4000})\}\}")
_DICE = re.compile(r"\s*(?:(\d{0,2})d)?(\d{1,4})(?:\s*([+-])\s*(\d{1,4}))?\s*", re.IGNORECASE)
_DEPTH = 8  # of macros within macros
_TEXT = 200_000  # characters; a card's longest field is far below


@dataclass(frozen=True)
class Names:
    """Who ``{{char}}`` and ``{{user}}`` are; `original` is what ``{{original}}`` stands for."""

    char: str
    user: str = "the visitor"
    original: str = ""


def expand(text: str, names: Names, seed: object = 0, *, scanning: bool = False) -> str:
    """Replace the macros of a text.

    Args:
        seed: the same seed and text give the same choices.
        scanning: keep the words of ``{{hidden_key:…}}``, which are matched and never shown.
    """
    if "{{" not in text and "<" not in text:
        return text
    text = _ANGLED.sub(lambda found: names.user if found[1].casefold() == "user" else names.char, text[:_TEXT])
    rng = random.Random(f"{seed}")
    for _ in range(_DEPTH):
        before = text
        text = _INNERMOST.sub(lambda found: _value(found, names, rng, scanning), text)
        if text == before or len(text) > _TEXT:
            break
    return text


def _value(found: re.Match[str], names: Names, rng: random.Random, scanning: bool) -> str:
    body = found[1].strip()
    if body.startswith("//"):
        return ""
    name, _, rest = body.partition(":")
    name, rest = name.strip().casefold(), rest.removeprefix(":")
    plain = {"char": names.char, "bot": names.char, "charifnotgroup": names.char, "user": names.user,
             "original": names.original, "newline": "\n", "trim": "", "noop": "", "comment": ""}  # fmt: skip
    if name in plain:
        return plain[name]
    if name == "hidden_key":
        return rest if scanning else ""
    if name == "reverse":
        return rest[::-1]
    if name in {"random", "pick"}:
        return rng.choice(_choices(rest))
    rolled = _roll(rest or name.removeprefix("roll"), rng) if name.startswith("roll") else None
    return found[0] if rolled is None else rolled


def _choices(text: str) -> list[str]:
    if "::" in text:
        return [part.strip() for part in text.split("::")]
    return [part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", text)]


def _roll(dice: str, rng: random.Random) -> str | None:
    found = _DICE.fullmatch(dice)
    if found is None or int(found[2]) < 1:
        return None
    total = sum(rng.randint(1, int(found[2])) for _ in range(int(found[1] or 1)))
    bonus = int(found[4]) if found[4] else 0
    return str(total - bonus if found[3] == "-" else total + bonus)
