"""Sheets and worlds are found and read, the user's before the shipped, and every fault is told with its remedy."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from characters.errors import SheetError, UnderstudyError
from characters.library import MAX_BYTES, SHIPPED, Finding, Library, parse, read_yaml
from characters.sheet import Kind, Sheet
from characters.world import World

MIRA = (SHIPPED / "sheets" / "mira.yaml").read_text("utf-8")
SALTMERE = (SHIPPED / "worlds" / "saltmere.yaml").read_text("utf-8")


@pytest.fixture
def sheets(home: Path) -> Path:
    (home / "sheets").mkdir(parents=True)
    return home / "sheets"


def fault(text: str | bytes, sheets: Path) -> str:
    """The sentence with which a sheet is refused."""
    (sheets / "ana.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SheetError) as refused:
        Library(sheets.parent).get("ana")
    assert str(refused.value).startswith("ana.yaml: ")
    assert "\n" not in str(refused.value)
    return str(refused.value).removeprefix("ana.yaml: ")


# --- finding ---------------------------------------------------------------------------------


def test_a_sheet_in_the_home_wins_over_the_shipped_one(sheets: Path) -> None:
    library = Library(sheets.parent)
    assert library.get("mira").name == "Mira Dunmore"
    shipped = library.slugs()
    (sheets / "mira.yaml").write_text(MIRA.replace("Mira Dunmore", "Mira the Second"), "utf-8")
    (sheets / "zora.yaml").write_text(MIRA.replace("Mira Dunmore", "Zora Vane"), "utf-8")
    assert library.get("mira").name == "Mira the Second"
    assert library.path("mira") == sheets / "mira.yaml"
    assert library.slugs() == [*shipped, "zora"]
    assert (library.find("zora vane"), library.find("ZORA")) == ("zora", "zora")


def test_a_world_in_the_home_wins_too(home: Path) -> None:
    (home / "worlds").mkdir(parents=True)
    (home / "worlds" / "saltmere.yaml").write_text(SALTMERE.replace("name: Saltmere", "name: Saltmere Reborn", 1), "utf-8")
    assert Library(home).world("saltmere").name == "Saltmere Reborn"
    assert Library(None).world("saltmere").name == "Saltmere"


def test_a_file_that_changes_is_read_again_and_one_that_does_not_is_not(sheets: Path) -> None:
    own = sheets / "mira.yaml"
    own.write_text(MIRA, "utf-8")
    library = Library(sheets.parent)
    first = library.get("mira")
    assert library.get("mira") is first
    own.write_text(MIRA.replace("4 copper", "9 copper"), "utf-8")  # the same size: only the time tells
    os.utime(own, ns=(1, 1))
    assert library.get("mira").wares[0].price == "9 copper"
    own.write_text("name: [", "utf-8")
    with pytest.raises(SheetError):
        library.get("mira")
    own.unlink()
    assert library.get("mira").wares[0].price == "4 copper"


@pytest.mark.parametrize(
    ("slug", "kind", "sentence"),
    [
        ("mirra", "sheets", "There is no NPC called 'mirra'; did you mean 'mira'?"),
        ("Saltmeer", "worlds", "There is no world called 'Saltmeer'; did you mean 'saltmere'?"),
        ("q" * 500, "sheets", f"There is no NPC called '{'q' * 60}'; `understudy sheet list` shows who there is."),
        ("../sheets/mira", "sheets", "There is no NPC called '../sheets/mira'; `understudy sheet list` shows who there is."),
    ],
)
def test_a_slug_that_is_none_is_refused_with_the_nearest(slug: str, kind: str, sentence: str) -> None:
    with pytest.raises(SheetError) as refused:
        Library().path(slug, kind)
    assert str(refused.value) == sentence


def test_a_file_nobody_can_be_called_by_is_left_out_of_the_list_and_reported(sheets: Path) -> None:
    (sheets / "my npc.yaml").write_text(MIRA, "utf-8")
    (sheets / ".#mira.yaml").write_text("a lock file of an editor", "utf-8")
    library = Library(sheets.parent)
    assert library.slugs() == Library().slugs()
    assert [str(found) for found in library.check(sheets / "my npc.yaml")] == [
        "my npc.yaml: nobody can be called by this name; use letters, digits, - and _."
    ]


# --- faults: file, field, remedy -------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("name: Mira Dunmore", "nmae: Mira", "name: missing; add it. (1 more)"),
        ("greeting:", "greting:", "greting: no such field; did you mean 'greeting'?"),
        ("  voice:", "  voise: x\n  voice:", "speech.voise: no such field; did you mean 'voice'?"),
        ("price: 4 copper", "prize: 4 copper, price: 4 copper", "wares[0].prize: no such field; did you mean 'price'?"),
        ("greeting:", "zzz: 1\ngreeting:", "zzz: no such field; remove it."),
        ("description: innkeeper of the Lantern Rest", "description: 7", "description: must be text, not 7; write it in quotes."),
        ("description: innkeeper of the Lantern Rest", "description: ''",
         "description: string should have at least 1 character; got '', correct it."),
        ("kind: shopkeeper", "kind: king",
         "kind: input should be 'conversational', 'quest giver', 'shopkeeper', 'lore keeper' or 'tutorial guide'; got 'king', correct it."),
        ("talkativeness: 0.6", "talkativeness: 6", "talkativeness: input should be less than or equal to 1; got '6', correct it."),
        ("name: eel stew", "name: Brown Ale", "the sheet: wares lists 'Brown Ale' twice; keep one of the two."),
        ("values: [", "values: [[],", "values[0]: must be text, not []; write it in quotes."),
        ("kind: shopkeeper", "kind: shopkeeper\nkind: king", "line 4: the key 'kind' stands twice; correct the YAML there."),
        ("values: [", "values: &v [", None),
        ("kind: shopkeeper", "kind: *v", "line 3: aliases (*name) are not allowed here; correct the YAML there."),
        ("kind: shopkeeper", "kind: [", "line 5: expected ',' or ']', but got ':'; correct the YAML there."),
        ("kind: shopkeeper", "kind: !!python/name:os.system ''",
         "line 3: could not determine a constructor for the tag 'tag:yaml.org,2002:python/name:os.system'; correct the YAML there."),
        ("kind: shopkeeper", "kind: 2024-13-45", "line 3: '2024-13-45' cannot be read as a value; correct the YAML there."),
        ("kind: shopkeeper", "kind: !!int many", "line 3: 'many' cannot be read as a value; correct the YAML there."),
        ("kind: shopkeeper", "[a, b]: king", "line 3: a key must be plain text; correct the YAML there."),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_the_field_and_the_remedy(sheets: Path, old: str, new: str, sentence: str | None) -> None:
    assert old in MIRA
    broken = MIRA.replace(old, new, 1)
    if sentence is None:  # an anchor that nothing refers to is harmless
        (sheets / "ana.yaml").write_text(broken, "utf-8")
        assert Library(sheets.parent).get("ana").values
    else:
        assert fault(broken, sheets) == sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "holds no fields; start from `understudy sheet new`."),
        (b"- a\n- b\n", "holds no fields; start from `understudy sheet new`."),
        (b"\xff\xfe\x00binary\x00rubbish", "not readable as YAML text; save it as plain UTF-8 YAML."),
        (b"name: \x00\n", "not readable as YAML text; save it as plain UTF-8 YAML."),
        (b"a: " + b"[" * 1000, "not readable as YAML text; save it as plain UTF-8 YAML."),
        (b"a: " + b"x" * MAX_BYTES, "larger than 256 KiB; split it or shorten it."),
    ],
    ids=["empty", "list", "binary", "control", "deep", "large"],
)
def test_a_file_that_is_no_sheet_at_all_is_refused_with_a_remedy(sheets: Path, content: bytes, sentence: str) -> None:
    assert fault(content, sheets) == sentence


def test_all_faults_of_a_sheet_are_told_at_once(sheets: Path) -> None:
    broken = MIRA.replace("name: Mira Dunmore", "nmae: Mira").replace("talkativeness: 0.6", "talkativeness: loud")
    (sheets / "ana.yaml").write_text(broken, "utf-8")
    found = Library(sheets.parent).check(sheets / "ana.yaml")
    assert {finding.field for finding in found} == {"name", "nmae", "talkativeness"}
    assert {(finding.level, finding.file) for finding in found} == {("fault", "ana.yaml")}


def test_a_check_of_everything_reads_the_home_and_what_ships(sheets: Path) -> None:
    (sheets / "ana.yaml").write_text(MIRA.replace("world: saltmere", "world: saltmeer"), "utf-8")
    [found] = Library(sheets.parent).check()
    assert found == Finding("fault", "ana.yaml", "world", "There is no world called 'saltmeer'; did you mean 'saltmere'?")


def test_a_check_knows_a_world_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SALTMERE, "utf-8")
    assert Library().check(tmp_path) == []
    (tmp_path / "mine.yaml").write_text(SALTMERE.replace("calendar:", "kalendar:"), "utf-8")
    assert {finding.field for finding in Library().check(tmp_path)} == {"calendar", "kalendar"}


def _lean(**changes: Any) -> dict[str, Any]:
    lean = {"name": "Ana", "kind": "conversational", "description": "ferrywoman", "world": "saltmere",
            "speech": {"voice": "Gruff.", "mottos": ["Aye."], "examples": [{"context": "a greeting", "line": "Hm."}]}}  # fmt: skip
    return {**lean, **changes}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"speech": {"voice": "Gruff.", "mottos": ["Aye."]}}, "speech.examples"),
        ({"speech": {"voice": "Gruff.", "examples": [{"context": "a greeting", "line": "Hm."}]}}, "speech.mottos"),
        ({"opinions": [{"topic": "the temple"}]}, "opinions[0].view"),
        ({"backstory": "word " * 151}, "backstory"),
        ({"kind": "shopkeeper"}, "wares"),
        ({"kind": "quest giver"}, "quests"),
        ({"kind": "lore keeper"}, "knowledge"),
    ],
)
def test_what_makes_a_weak_character_is_a_warning(sheets: Path, changes: dict[str, Any], field: str) -> None:
    (sheets / "ana.yaml").write_text(yaml.safe_dump(_lean()), "utf-8")
    assert Library(sheets.parent).check(sheets) == []
    (sheets / "ana.yaml").write_text(yaml.safe_dump(_lean(**changes)), "utf-8")
    [found] = Library(sheets.parent).check(sheets)
    assert (found.level, found.file, found.field) == ("warning", "ana.yaml", field)


# --- anything at all -------------------------------------------------------------------------

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("x" * 10_000) | st.dates() | st.binary(max_size=9)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3), max_leaves=8
)
_FIELDS = st.sampled_from([*Sheet.model_fields, *World.model_fields, "nmae", ""])


def _only_ours(read: Any, *arguments: Any) -> None:
    """Whatever is wrong is told in one of our sentences, of a bearable length."""
    sentence = ""
    try:
        read(*arguments)
    except UnderstudyError as error:
        sentence = str(error)
    assert len(sentence) < 500
    assert "\n" not in sentence


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_FIELDS, _VALUES, max_size=6), st.sampled_from([Sheet, World]))
def test_no_content_whatever_raises_anything_but_our_errors(content: dict[str, Any], model: type[Sheet | World]) -> None:
    whole = yaml.safe_load(MIRA if model is Sheet else SALTMERE)
    _only_ours(parse, model, content, "ana.yaml")
    _only_ours(parse, model, {**whole, **content}, "ana.yaml")


_RUBBISH = st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.lists(
    st.sampled_from(["a: ", "- ", "? ", "[", "]", "{", "}", ",", "\n", "  ", "'", '"', "&x ", "*x", "<<: ", "!!int ", "!!set ", "!!map ",
                     "!!timestamp ", "!!bool ", "!!omap ", "!!binary ", "2024-02-31", "0x_", "1e999", "b", "# ", "---\n", "\t", "|\n", ">\n", "%"]),
    max_size=30,
).map(lambda parts: "".join(parts).encode())  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(_RUBBISH)
def test_no_file_whatever_raises_anything_but_our_errors(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish.yaml"
    path.write_bytes(content)
    _only_ours(read_yaml, path)
    _only_ours(Library().check, path)


@pytest.mark.parametrize("field", [name for name, info in Sheet.model_fields.items() if info.annotation is str])
def test_ten_thousand_characters_in_a_field_are_refused_in_a_short_sentence(sheets: Path, field: str) -> None:
    content = {**yaml.safe_load(MIRA), field: "x" * 10_000}
    sentence = fault(yaml.safe_dump(content), sheets)
    assert sentence.startswith(f"{field}: string should have at most ")
    assert len(sentence) < 200


# --- what ships ------------------------------------------------------------------------------


def test_everything_that_ships_is_without_fault_or_weakness() -> None:
    assert Library().check() == []


def test_what_ships_is_a_whole_cast() -> None:
    library = Library()
    cast = {slug: library.get(slug) for slug in library.slugs()}
    assert len(cast) >= 10
    assert {sheet.kind for sheet in cast.values()} == set(Kind.__args__)  # type: ignore[attr-defined]
    assert len({sheet.world for sheet in cast.values()}) >= 2
    assert cast["odo"].recipes
    assert "socrates" in cast
    assert len(list((SHIPPED / "worlds").glob("*.yaml"))) >= 2
    for slug, sheet in cast.items():
        assert library.find(sheet.name) == library.find(sheet.first_name) == slug


def test_a_shipped_sheet_moves_into_the_home_unchanged(sheets: Path) -> None:
    for slug in Library().slugs():
        shutil.copy(SHIPPED / "sheets" / f"{slug}.yaml", sheets)
        assert Library(sheets.parent).get(slug).version == Library().get(slug).version
