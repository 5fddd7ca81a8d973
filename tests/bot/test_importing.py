"""Cards and lore come into the home and go out again, whole or not at all."""

import base64
import json
from pathlib import Path

import pytest

from bot.errors import TableError
from bot.table.importing import Wishes, bring_in, hand_out, original_of, slug_of
from characters.cards import card_to_sheet, png, read_card
from characters.errors import CardError
from characters.library import Library
from db.home import Home
from tests.bot.conftest import Command

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "cards"
FILES = sorted(p for p in SHARED.rglob("*") if p.suffix in {".png", ".json", ".yaml"}) if SHARED.exists() else []


def card_file(**data: object) -> bytes:
    fields = {
        "name": "Old Bessa", "first_mes": '*She looks up.* "Evening, {{user}}. Mind the step."',
        "description": "{{char}} is a ferrywoman who never sleeps. She loves smoked eel. She was born on a raft.\n"
                       "The last ferry leaves at midnight from Gull Stairs.",
        "personality": "gruff, patient, sly", "mes_example": "<START>\n{{user}}: How much to cross?\n{{char}}: Two copper, *spits* or swim.",
        "alternate_greetings": ["Back again?"], "extensions": {"talkativeness": "0.8", "other": {"x": 1}},
        "character_book": {"extensions": {"kept": True}, "entries": [
            {"keys": ["midnight"], "content": "At midnight {{char}} rings twice.", "extensions": {}, "enabled": True,
             "insertion_order": 5, "use_regex": False}]},
        **data,
    }  # fmt: skip
    return json.dumps({"spec": "chara_card_v3", "spec_version": "3.0", "data": fields}).encode()


@pytest.fixture
def at_home(tmp_path: Path) -> tuple[Home, Library]:
    return Home(tmp_path), Library(tmp_path)


def test_a_card_becomes_an_npc_with_its_lore_its_face_and_its_original_beside(at_home):
    home, library = at_home
    picture = png.with_texts(png.plain_picture("b", 8, 8), [("ccv3", base64.b64encode(card_file()))])
    done = bring_in(home, library, picture, "bessa.png")
    assert (done.kind, done.slug, done.lore) == ("npc", "old-bessa", 1)
    sheet = library.get("old-bessa")
    assert (sheet.name, sheet.description, sheet.talkativeness) == ("Old Bessa", "a ferrywoman", 0.8)
    assert sheet.greeting == "Evening, friend. Mind the step."
    assert [e.model_dump() for e in sheet.speech.examples] == [
        {"context": "a greeting", "line": "Back again?"},
        {"context": "How much to cross?", "line": "Two copper, or swim."},
    ]
    assert sheet.speech.voice.startswith("Gruff, patient and sly.")
    assert [(o.topic, o.view) for o in sheet.opinions] == [("smoked eel", "I love smoked eel.")]
    assert sheet.backstory == "Old Bessa was born on a raft."
    assert "Gull Stairs" in sheet.knowledge[-1].text
    assert (home.root / "sheets" / "old-bessa.card.png").read_bytes() == picture
    assert png.texts((home.root / "avatars" / sheet.avatar).read_bytes()) == []
    assert [book.name for book in library.lorebooks("old-bessa", "saltmere")] == ["old-bessa"]
    assert library.lorebooks("mira", "saltmere") == ()


@pytest.mark.skipif(not FILES, reason="shared/data/cards is not beside the project")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_card_we_have_becomes_a_playable_npc_and_goes_out_as_it_came(at_home, file):
    home, library = at_home
    done = bring_in(home, library, file.read_bytes(), file.name)
    assert [f for f in library.check(done.path) if f.level == "fault"] == []
    sheet = library.get(done.slug)
    assert sheet.greeting or sheet.speech.examples
    before = read_card(file.read_bytes(), file.name)
    assert read_card(hand_out(home, library, done.slug, "json"), "x.json").raw == before.raw
    after = read_card(hand_out(home, library, done.slug, "png"), "x.png")
    assert {k: after.data.get(k) for k in before.data} == before.data or before.version == 1


def test_only_what_its_author_changed_changes_in_the_card(at_home):
    home, library = at_home
    done = bring_in(home, library, card_file(), "bessa.json")
    text = done.path.read_text("utf-8").replace("Mind the step.", "Mind the dog.")
    done.path.write_text(text, "utf-8")
    raw = read_card(hand_out(home, library, done.slug, "json"), "x.json").raw
    was = json.loads(card_file())
    assert raw["data"]["first_mes"] == "Evening, friend. Mind the dog."
    assert raw["data"]["extensions"]["other"] == {"x": 1}
    changed = {key for key in was["data"] if raw["data"][key] != was["data"][key]}
    assert changed == {"first_mes", "extensions"}


def test_an_npc_of_ours_comes_back_as_the_same_sheet_and_keeps_its_secrets_here(at_home):
    home, library = at_home
    mira = library.get("mira")
    for form in ("png", "json", "charx"):
        card = read_card(hand_out(home, library, "mira", form, secrets=True), f"mira.{form}")
        assert card_to_sheet(card, mira.world).sheet == mira
    public = hand_out(home, library, "mira", "json")
    assert mira.secrets
    assert not any(secret.text in public.decode() for secret in mira.secrets)
    keys = {entry["keys"][0] for entry in read_card(public, "m.json").book["entries"]}
    assert {ware.name.removeprefix("the ") for ware in mira.wares} <= keys


def test_prose_that_was_edited_elsewhere_wins_over_the_sheet_in_the_card(at_home):
    home, library = at_home
    raw = json.loads(hand_out(home, library, "mira", "json"))
    raw["data"]["first_mes"] = "Something new."
    assert card_to_sheet(read_card(json.dumps(raw).encode(), "m.json")).sheet.greeting == "Something new."


def test_nothing_is_written_over_and_nothing_is_left_behind(at_home):
    home, library = at_home
    with pytest.raises(TableError, match="already"):
        bring_in(home, library, card_file(name="Mira"), "m.json")
    with pytest.raises(CardError):
        bring_in(home, library, b"{}", "m.json")
    with pytest.raises(TableError, match="cannot name a file"):
        bring_in(home, library, card_file(), "m.json", Wishes(slug="../evil"))
    assert [path for path in home.root.rglob("*") if path.is_file()] == []
    bring_in(home, library, card_file(), "m.json")
    bring_in(home, library, card_file(first_mes="Again."), "m.json", Wishes(replace=True))
    assert library.get("old-bessa").greeting == "Again."
    assert original_of(home, "old-bessa").text("first_mes") == "Again."


@pytest.mark.parametrize(("name", "slug"), [("Ünal Çelik", "unal-celik"), ("../../etc", "etc"), ("龍", "npc"), ("a" * 90, "a" * 40)])
def test_a_name_becomes_a_file_name(name, slug):
    assert slug_of(name) == slug


def test_the_commands_import_explain_and_export(home, tmp_path, command: Command):
    file = tmp_path / "bessa.json"
    file.write_bytes(card_file())
    done = command("sheet", "import", file, "--as", "bessa", "--greeting", "2", "--json")
    assert json.loads(done.out)["slug"] == "bessa"
    assert "Back again?" in (home / "sheets" / "bessa.yaml").read_text("utf-8").split("greeting:")[-1]
    told = command("sheet", "explain", "bessa", "What happens at midnight?")
    assert "fires: midnight (bessa): said: 'midnight' → at hand" in told.out
    assert "lore: At midnight Old Bessa rings twice." in told.out
    found = json.loads(command("sheet", "explain", "bessa", "Hm.", "--json").out)
    assert [(row["fires"], row["why"]) for row in found["lore"]] == [(False, "none of its keys was said")]
    out = tmp_path / "out.charx"
    assert command("sheet", "export", "bessa", out).status == 0
    assert read_card(out.read_bytes(), "out.charx").name == "Old Bessa"
    broken = command("sheet", "import", tmp_path)
    assert broken.status == 1
    assert "no Markdown note" in broken.err


def test_a_lorebook_and_a_folder_of_notes_are_one_command_each(home, tmp_path, command: Command):
    book = {"entries": {"0": {"uid": 0, "key": ["bell"], "content": "The bell sank.", "order": 5, "position": 4, "depth": 2}}}
    file = tmp_path / "Town.json"
    file.write_text(json.dumps(book), "utf-8")
    assert "1 entries" in command("sheet", "import", file, "--for-world", "saltmere").out
    vault = tmp_path / "My Vault"
    vault.mkdir()
    (vault / "Gull Rock.md").write_text("A rock.\n\n## Lighthouse\nDark for [[Years|seven years]]. %% the keeper hides %%", "utf-8")
    assert "2 entries" in command("sheet", "import", vault, "--for", "mira").out
    told = command("sheet", "explain", "mira", "Tell me of the lighthouse and the bell").out
    assert "fires: Gull Rock, Lighthouse (my-vault)" in told
    assert "2 messages before the end, as system" in told
    assert "Dark for seven years." in told
    assert "keeper hides" not in told
    assert json.loads((home / "lore" / "town.json").read_text("utf-8"))["data"]["entries"] == book["entries"]
    assert command("sheet", "import", file).status == 1
