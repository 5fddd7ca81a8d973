"""CHARX archives: assets stay, and what a hostile archive tries is refused."""

import io
import json
import struct
import zipfile

import pytest

from characters.cards import png as pictures
from characters.cards import read_card, write_charx
from characters.cards.charx import Archive, pack
from characters.errors import CardError

ICON = pictures.plain_picture("icon", 8, 8)


def card(**data) -> bytes:
    fields = {"name": "Mira", "description": "An innkeeper.", "extensions": {}, **data}
    return json.dumps({"spec": "chara_card_v3", "spec_version": "3.0", "data": fields}).encode()


def test_the_icon_out_of_the_archive_is_the_picture_and_all_assets_stay():
    assets = [
        {"type": "icon", "uri": "embeded://assets/icon/images/other.png", "name": "other", "ext": "png"},
        {"type": "icon", "uri": "embeded://assets/icon/images/a.png", "name": "main", "ext": "png"},
        {"type": "x_sound", "uri": "embeded://assets/x_sound/audio/b.mp3", "name": "bell", "ext": "mp3"},
    ]
    files = {"card.json": card(assets=assets), "assets/icon/images/a.png": ICON,
             "assets/x_sound/audio/b.mp3": b"sound", "app.json": b"{}"}  # fmt: skip
    read = read_card(pack(files), "mira.charx")
    assert read.picture == ICON
    again = Archive(write_charx(read))
    assert {name: again.read(name) for name in again.names if name != "card.json"} == {
        name: content for name, content in files.items() if name != "card.json"
    }
    assert read_card(again.data, "mira.charx").raw == read.raw


def test_a_remote_icon_is_not_fetched_and_stays_an_address():
    assets = [{"type": "icon", "uri": "https://example.invalid/a.png", "name": "main", "ext": "png"}]
    read = read_card(pack({"card.json": card(assets=assets)}), "mira.charx")
    assert read.picture is None
    assert "not fetched" in read.notes[-1]
    assert read_card(write_charx(read), "m.charx").data["assets"] == assets


@pytest.mark.parametrize("name", ["../evil.png", "/etc/passwd", "a/../../b", "C:\\x.png", "..\\x", "a//b", "./a"])
def test_a_path_out_of_the_archive_is_refused(name):
    with pytest.raises(CardError, match="do not trust it"):
        read_card(pack({"card.json": card(), name: b"x"}), "mira.charx")


def test_a_bomb_is_refused_before_it_is_unpacked():
    with pytest.raises(CardError, match="far too much"):
        read_card(pack({"card.json": card(), "assets/a.png": b"\0" * (9 << 20)}), "mira.charx")


def test_a_member_that_lies_about_its_size_is_not_read_to_its_end():
    data = bytearray(pack({"card.json": b" " * (3 << 20) + card()}))
    directory = data.rindex(b"PK\x01\x02")
    struct.pack_into("<II", data, directory + 20, 40_000, 60_000)
    with pytest.raises(CardError):
        read_card(bytes(data), "mira.charx")


def test_an_encrypted_archive_is_refused():
    data = bytearray(pack({"card.json": card()}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    with pytest.raises(CardError, match="encrypted"):
        read_card(bytes(data), "mira.charx")


def test_an_archive_without_a_card_says_so():
    with pytest.raises(CardError, match=r"has no 'card\.json'"):
        read_card(pack({"other.json": b"{}"}), "mira.charx")


def test_thousands_of_files_are_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(2100):
            archive.writestr(f"{number}.txt", "")
    with pytest.raises(CardError, match="more than 2000 files"):
        read_card(out.getvalue(), "mira.charx")
