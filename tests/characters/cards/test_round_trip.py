"""Every card we have comes in and goes out again with nothing lost."""

import base64
import json
from pathlib import Path

import pytest

from characters.cards import Card, card_json, card_to_sheet, read_card, write_charx, write_png
from characters.cards import png as pictures
from characters.errors import CardError

CARDS = Path(__file__).resolve().parents[4] / "shared" / "data" / "cards"
FILES = sorted(p for p in CARDS.rglob("*") if p.suffix in {".png", ".json", ".yaml"}) if CARDS.exists() else []
needs_cards = pytest.mark.skipif(not FILES, reason="shared/data/cards is not beside the project")


def chunk_card(raw: dict, keyword: str = "chara") -> bytes:
    value = base64.b64encode(json.dumps(raw).encode())
    return pictures.with_texts(pictures.plain_picture("x", 8, 8), [(keyword, value)])


def v2(**data) -> dict:
    fields = {"name": "Mira", "description": "{{char}} is an innkeeper.", "first_mes": "Welcome."}
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**fields, "extensions": {}, **data}}


def v3(**data) -> dict:
    return {**v2(group_only_greetings=[], **data), "spec": "chara_card_v3", "spec_version": "3.0"}


def without_spec(card: Card) -> dict:
    return {k: v for k, v in card.raw.items() if k not in {"spec", "spec_version"}}


@needs_cards
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_card_comes_back_whole_from_json_png_and_charx(file):
    card = read_card(file.read_bytes(), file.name)
    assert read_card(card_json(card), "again.json").raw == card.raw
    back = read_card(write_png(card), "again.png")
    for key, value in card.data.items():
        assert back.data[key] == value
    for key, value in without_spec(card).items():
        assert back.raw[key] == value or key == "data"
    archived = read_card(write_charx(card), "again.charx")
    for key, value in card.data.items():
        assert archived.data[key] == value or key == "assets"


@needs_cards
@pytest.mark.parametrize("file", [f for f in FILES if f.suffix == ".png"], ids=lambda file: file.name)
def test_a_picture_keeps_every_byte_of_its_other_parts(file):
    data = file.read_bytes()
    card = read_card(data, file.name)
    assert pictures.without_texts(write_png(card)) == pictures.without_texts(data)
    if card.version == 2:
        assert read_card(write_png(card), "again.png").beside == card.raw


def test_v3_json_in_a_chara_chunk_is_v3():
    assert read_card(chunk_card(v3(nickname="Mi")), "x.png").version == 3


@pytest.mark.parametrize("keyword", ["chara", "Chara", "CHARA", "ccv3", "CCv3"])
def test_the_keyword_may_be_in_any_case(keyword):
    assert read_card(chunk_card(v2(), keyword), "x.png").name == "Mira"


def test_the_chunk_may_stand_before_the_picture():
    after = chunk_card(v2())
    parts = [after[begin - 8 : end + 4] for _, begin, end in pictures.chunks(after)]
    before = pictures.SIGNATURE + parts[0] + parts[2] + parts[1] + parts[3]
    assert before != after
    assert read_card(before, "x.png").name == "Mira"


def test_v3_wins_where_both_are_side_by_side_and_both_go_out_again():
    both = pictures.with_texts(
        chunk_card(v2(name="Old")), [("ccv3", base64.b64encode(json.dumps(v3(name="New")).encode()))]
    )
    card = read_card(both, "x.png")
    assert (card.name, card.version) == ("New", 3)
    again = read_card(write_png(card), "x.png")
    assert again.raw == card.raw
    assert again.beside == v2(name="Old")


def test_unknown_keys_and_extensions_survive_in_both_chunks():
    raw = v2(extensions={"risuai": {"x": [1, None, 2.5]}}, my_key={"a": 1}) | {"outer": [True]}
    card = read_card(write_png(read_card(chunk_card(raw), "x.png")), "x.png")
    assert card.beside == raw
    assert card.data["extensions"] == raw["data"]["extensions"]
    assert (card.data["my_key"], card.raw["outer"]) == ({"a": 1}, [True])


def test_a_card_without_spec_is_read_by_its_shape():
    flat = {"name": "Mira", "description": "An innkeeper.", "extra": 1}
    nested = {"data": {"name": "Mira", "description": "An innkeeper."}}
    assert read_card(json.dumps(flat).encode(), "a.json").version == 1
    assert read_card(json.dumps(nested).encode(), "a.json").version == 2
    assert read_card(chunk_card(flat), "a.png").raw == flat


def test_the_field_names_of_older_programs_are_known():
    old = {"char_name": "Mira", "char_persona": "An innkeeper.", "char_greeting": "Hm.", "example_dialogue": "x"}
    card = read_card(json.dumps(old).encode(), "a.json")
    assert (card.name, card.text("description"), card.greetings) == ("Mira", "An innkeeper.", ("Hm.",))


def test_crlf_survives_in_the_card_and_is_gone_in_the_view():
    raw = v2(description="One.\r\nTwo.")
    data = json.dumps(raw, indent=2).replace("\n", "\r\n").encode("utf-8-sig")
    card = read_card(data, "a.json")
    assert card.raw == raw
    assert card.text("description") == "One.\nTwo."
    assert read_card(card_json(card), "a.json").raw == raw


def test_148_kilobytes_with_34_lore_entries_come_back_whole():
    entries = [
        {"keys": [f"key {n}", f"{n} é"], "content": f"Entry {n}. " + "lore " * 830, "extensions": {"depth": n},
         "enabled": True, "insertion_order": n, "use_regex": False, "id": n}
        for n in range(34)
    ]  # fmt: skip
    raw = v3(character_book={"extensions": {}, "entries": entries})
    data = json.dumps(raw).encode()
    assert 145_000 < len(data) < 152_000
    card = read_card(chunk_card(raw, "ccv3"), "big.png")
    assert read_card(write_png(card), "big.png").raw == raw
    assert len(card.book["entries"]) == 34


def test_the_v2_copy_of_a_v3_card_says_so_and_has_no_decorators():
    book = {"extensions": {}, "entries": [{"keys": ["a"], "content": "@@depth 2\n@@@role user\nText.", "extensions": {}}]}
    card = read_card(json.dumps(v3(character_book=book, creator_notes="Mine.")).encode(), "a.json")
    copy = read_card(write_png(card), "a.png").beside
    assert copy["spec"] == "chara_card_v2"
    assert copy["data"]["creator_notes"].endswith("Mine.")
    assert copy["data"]["creator_notes"] != "Mine."
    assert copy["data"]["character_book"]["entries"][0]["content"] == "Text."
    assert card.book["entries"][0]["content"].startswith("@@depth")


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (pictures.plain_picture("x", 4, 4), "face.png", "without a character card"),
        (pictures.SIGNATURE + b"\0\0\0\x0dIHDR", "cut.png", "incomplete"),
        (chunk_card({"name": "M"})[:-20] + b"\0", "cut.png", "incomplete"),
        (pictures.with_texts(pictures.plain_picture("x", 4, 4), [("chara", b"!!!")]), "x.png", "no base64"),
        (b"\xff\xd8\xff\xe0 jpeg", "x.jpg", "JPEG"),
        (b"{", "x.json", "no JSON"),
        (b"[1]", "x.json", "not one object"),
        (b'{"a": NaN}', "x.json", "NaN"),
        (b"\xff\xfe\x00", "x.json", "UTF-8"),
        (b'{"hello": 1}', "x.json", "no character card"),
        (b'{"description": "x"}', "x.json", "no name"),
        (b'{"name": "x", "a": ' + b"[" * 90 + b"]" * 90 + b"}", "x.json", "nested"),
        (b'{"name": "' + b"x" * (1 << 20) + b'"}', "x.json", "larger than 1 MB"),
        (pictures.SIGNATURE + b"\0" * (11 << 20), "x.png", "larger than 10 MB"),
        (b"name: [", "x.yaml", "cannot be read as YAML"),
        (b"PK\x03\x04nothing", "x.charx", "zip"),
    ],
)
def test_what_is_no_card_is_refused_in_one_sentence(data, name, says):
    with pytest.raises(CardError) as refused:
        read_card(data, name)
    assert says in str(refused.value)
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nothing_in_a_path_is_taken_for_the_name_of_the_file():
    with pytest.raises(CardError, match=r"^x\.json") as refused:
        read_card(b"{", "/home/somebody/secret/x.json")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["a\\xb", "\\1", "(?P<x>", "Mira\u202e", "[", "{{char}}"])
def test_any_name_makes_a_sheet(name):
    card = read_card(json.dumps(v2(nickname=name, description="He is a man. She loves eel. He was born here.")).encode(), "a.json")
    assert card_to_sheet(card).sheet.name == "Mira"
