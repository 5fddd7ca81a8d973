"""The shelf of base models: a file is there whole and checked, or not at all."""

import json
from pathlib import Path

import pytest

from bot.models.errors import ShelfError
from bot.models.shelf import Shelf, sha256_of
from characters.inference.errors import ModelCorrupt, ModelMissing
from characters.inference.starter import STARTER


def no_check(path: Path) -> None:
    pass


def shelf_in(folder: Path, in_force: Path = STARTER) -> Shelf:
    folder.mkdir(exist_ok=True)
    return Shelf(folder, in_force)


def gguf(path: Path, rest: bytes = b"a model") -> Path:
    path.write_bytes(b"GGUF" + rest)
    return path


def test_a_file_is_copied_with_a_card_that_says_what_it_is(tmp_path: Path) -> None:
    file = gguf(tmp_path / "mine.gguf")
    taken = shelf_in(tmp_path / "models").take(file, "mine.gguf", no_check, licence="mit")
    assert taken.path.read_bytes() == file.read_bytes()
    assert (taken.card.sha256, taken.card.licence, taken.card.source) == (sha256_of(file), "mit", "import")
    assert [one.card for one in shelf_in(tmp_path / "models").models()][1:] == [taken.card]
    assert not list((tmp_path / "models" / "unfinished").iterdir())


def test_what_fails_its_check_leaves_nothing_behind(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise ModelCorrupt("llama.cpp cannot read it")

    with pytest.raises(ModelCorrupt):
        shelf_in(tmp_path / "models").take(gguf(tmp_path / "mine.gguf"), "mine", refuse)
    assert not list((tmp_path / "models").glob("*.gguf*"))
    assert not list((tmp_path / "models" / "unfinished").iterdir())


def test_another_file_of_the_same_name_is_never_overwritten(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path / "models")
    shelf.take(gguf(tmp_path / "a.gguf"), "one", no_check)
    shelf.take(gguf(tmp_path / "a.gguf"), "one", no_check)
    with pytest.raises(ShelfError, match="--as"):
        shelf.take(gguf(tmp_path / "b.gguf", b"another"), "one", no_check)
    assert (tmp_path / "models" / "one.gguf").read_bytes() == b"GGUFa model"


def test_what_is_no_model_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"<html>")
    with pytest.raises(ModelCorrupt):
        shelf_in(tmp_path / "models").take(tmp_path / "x.gguf", "x", no_check)
    with pytest.raises(ModelMissing):
        shelf_in(tmp_path / "models").take(tmp_path / "none.gguf", "x", no_check)


def test_the_disk_is_asked_before_it_is_filled(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="make room"):
        shelf_in(tmp_path / "models").room_for(10**18)


def test_the_list_says_which_one_speaks_wherever_it_lies(tmp_path: Path) -> None:
    elsewhere = gguf(tmp_path / "elsewhere.gguf")
    gguf(shelf_in(tmp_path / "models").folder / "bare.gguf")
    found = shelf_in(tmp_path / "models", elsewhere).models()
    assert [(one.path.name, one.speaks) for one in found] == [
        ("starter.gguf", False), ("bare.gguf", False), ("elsewhere.gguf", True),
    ]  # fmt: skip
    assert json.loads(json.dumps(found[1].as_json()))["source"] == "unknown"


def test_a_model_is_found_by_name_by_path_and_the_starter_by_its_own(tmp_path: Path) -> None:
    shelf = shelf_in(tmp_path / "models")
    here = gguf(shelf.folder / "bare.gguf")
    assert shelf.find("bare") == shelf.find("bare.gguf") == shelf.find(str(here)) == here
    assert shelf.find("starter") == STARTER
    with pytest.raises(ShelfError, match="model list"):
        shelf.find("nobody")
