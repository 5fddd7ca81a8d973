"""The remaining commands, autocomplete, refusals, languages, and how the commands are made known."""

import json
import re
from pathlib import Path

import discord
import pytest
import yaml

from bot.discord_app import catalogue
from bot.discord_app.menus import MENUS
from characters.library import Library
from db.models import Memory
from tests.bot.discord.conftest import Begin, wrong_requests
from tests.fakes import discord_contract as contract

WORDS = Path(catalogue.__file__).parent / "words"
SOURCES = sorted(Path(catalogue.__file__).parent.rglob("*.py"))


async def test_every_command_of_the_bot_is_known_to_discord(begin: Begin) -> None:
    evening = await begin()
    known = set(evening.gm.available_commands(evening.channel))
    wanted = {
        "talk", "regen", "roll", "privacy", "help", "mydata export", "mydata forget", "scene set", "scene show", "scene end",
        "session start", "session stop", "session recap", "lore search", "lore add", "memory show", "memory forget",
        "nights status", "nights run", "nights report",
        *(f"npc {verb}" for verb in "summon switch dismiss list info say tell hush improvise compare rollback".split()),
        *(f"gm {verb}" for verb in "screen mode listen roles limit direct secrets".split()),
    }  # fmt: skip
    assert wanted <= known


async def test_names_are_completed_and_what_is_typed_is_checked_again(begin: Begin) -> None:
    evening = await begin()
    offered = await evening.ana.autocomplete(evening.channel, "npc summon", "name", "mir")
    assert [choice["value"] for choice in offered] == ["mira"]
    everybody = await evening.ana.autocomplete(evening.channel, "npc summon", "name", "")
    assert 0 < len(everybody) <= 25
    await evening.summon()
    here = await evening.ana.autocomplete(evening.channel, "talk", "npc", "", text="hello")
    assert [choice["value"] for choice in here] == ["mira"]
    refused = await evening.ana.slash(evening.channel, "npc summon", name="nobody at all")
    assert "There is no NPC called" in refused.response.content


GM_ONLY: dict[str, dict[str, object]] = {
    "npc say": {"text": "Free ale!"}, "npc tell": {"name": "mira", "fact": "The duke is dead."}, "npc improvise": {"who": "Pell, dockhand"},
    "npc banter": {"first": "mira", "second": "brug", "about": "The bill."}, "npc compare": {}, "npc rollback": {"name": "mira"},
    "scene set": {"place": "the cellar"}, "scene end": {}, "session start": {}, "session stop": {"learn": "now"},
    "lore add": {"text": "Ana is queen."}, "memory show": {"name": "mira"}, "memory forget": {"number": 1},
    "nights run": {}, "nights report": {"name": "mira"}, "gm mode": {"mode": "auto"}, "gm listen": {"on": True},
    "gm roles": {"names": "everybody"}, "gm limit": {"kind": "line", "text": "spiders"},
    "gm direct": {"name": "mira", "direction": "gives all away"}, "gm secrets": {"name": "mira"},
}  # fmt: skip


async def test_what_is_the_gms_alone_is_refused_to_a_player_in_one_sentence(begin: Begin) -> None:
    evening = await begin()
    await evening.summon()
    before = evening.channel.history()
    for command, options in {**GM_ONLY, "gm screen": {"channel": evening.channel}}.items():
        refused = await evening.ana.slash(evening.channel, command, **options)
        assert refused.ephemeral, command
        assert refused.response.content.startswith("Only the GM may do that"), command
    assert [message.id for message in evening.channel.history()] == [message.id for message in before]


async def test_help_names_every_command_and_the_gms_only_to_a_gm(begin: Begin) -> None:
    evening = await begin()
    told = (await evening.gm.slash(evening.channel, "help")).response.content
    for command in set(evening.gm.available_commands(evening.channel)) - {"help"}:
        for word in command.split():
            assert word in told, command
    for menu in MENUS:
        assert menu.name in told
    assert len(told) < 2000
    assert "improvise" not in (await evening.ana.slash(evening.channel, "help")).response.content


async def test_a_hush_is_anybodys_and_the_newest_line_is_said_anew(begin: Begin) -> None:
    evening = await begin("One.", "Two.")
    await evening.summon()
    assert "No NPC has said anything" in (await evening.ana.slash(evening.channel, "regen")).response.content
    await evening.ana.slash(evening.channel, "talk", text="Hello?")
    assert (await evening.bo.slash(evening.channel, "npc hush")).response.content == "Hush."
    again = await evening.bo.slash(evening.channel, "regen")
    assert again.response.content == "Another take is there."
    assert evening.spoken[-1].content.endswith("Two.")


async def test_what_discord_forbids_is_one_sentence(begin: Begin) -> None:
    evening = await begin()
    await evening.forbid(send_messages=True)
    told = await evening.gm.slash(evening.channel, "scene set", place="the cellar")
    assert told.response.content.startswith("Discord does not let me do that here")


async def test_an_improvised_npc_is_offered_known_and_called_in_again_like_any_other(begin: Begin) -> None:
    evening = await begin("I saw nothing.")
    await evening.gm.slash(evening.channel, "npc improvise", who="Pell, nervous dockhand")
    await evening.gm.slash(evening.channel, "npc dismiss", name="pell")
    offered = await evening.ana.autocomplete(evening.channel, "npc summon", "name", "pel")
    assert [choice["value"] for choice in offered] == ["pell"]
    assert "nervous dockhand" in (await evening.ana.slash(evening.channel, "npc info", name="pell")).response.content
    assert "Pell is here" in (await evening.ana.slash(evening.channel, "npc summon", name="pell")).response.content


async def test_npcs_come_get_the_word_and_leave(begin: Begin) -> None:
    evening = await begin("Aye.")
    await evening.summon("mira")
    await evening.summon("brug")
    switched = await evening.ana.slash(evening.channel, "npc switch", name="mira")
    assert switched.response.content == "Mira Dunmore has the word."
    listed = await evening.ana.slash(evening.channel, "npc list")
    assert "● **Mira Dunmore**" in listed.response.content
    assert "○ **" in listed.response.content
    info = await evening.ana.slash(evening.channel, "npc info", name="mira")
    assert Library().get("mira").description in info.response.content
    assert not any(secret.text in info.response.content for secret in Library().get("mira").secrets)
    gone = await evening.ana.slash(evening.channel, "npc dismiss")
    assert gone.response.content == "Mira Dunmore leaves."


async def test_a_fact_goes_into_one_head_and_comes_out_again(begin: Begin) -> None:
    evening = await begin("So they say.", "Hm?", "No idea.")
    await evening.summon("mira")
    await evening.summon("brug")
    await evening.gm.slash(evening.channel, "npc tell", name="mira", fact="The duke is dead.")
    await evening.ana.slash(evening.channel, "talk", text="What of the duke?", npc="mira")
    assert "[You know: The duke is dead.]" in evening.engine.history[-1].prompt
    await evening.ana.slash(evening.channel, "talk", text="What of the duke?", npc="brug")
    assert "[You know: The duke is dead.]" not in evening.engine.history[-1].prompt
    (fact,) = await evening.rows(Memory)
    shown = await evening.gm.slash(evening.channel, "memory show", name="mira")
    assert f"`{fact.id}` The duke is dead." in shown.response.content
    await evening.gm.slash(evening.channel, "memory forget", number=fact.id)
    assert await evening.rows(Memory) == []
    missing = await evening.gm.slash(evening.channel, "memory forget", number=fact.id)
    assert "There is no fact" in missing.response.content


async def test_lore_is_found_by_its_words(begin: Begin) -> None:
    evening = await begin()
    await evening.gm.slash(evening.channel, "lore add", text="The old mill drowned in the flood.")
    found = await evening.ana.slash(evening.channel, "lore search", words="mills")
    assert "The old mill drowned" in found.response.content
    assert "No lore" in (await evening.ana.slash(evening.channel, "lore search", words="dragon")).response.content
    assert "Only the GM" in (await evening.ana.slash(evening.channel, "lore add", text="Ana is queen.")).response.content


async def test_lore_of_lorebooks_is_found_and_what_has_owners_by_the_gm_alone(begin: Begin, home: Path) -> None:
    evening = await begin("Noon, they say.")
    entries = [{"keys": ["ferry"], "content": "The ferry leaves at noon."},
               {"keys": ["ferry"], "content": "The ferry smuggles.", "extensions": {"understudy": {"known_by": ["brug"]}}}]  # fmt: skip
    (home / "lore").mkdir()
    (home / "lore" / "town.json").write_text(json.dumps({"entries": entries}), "utf-8")
    await evening.summon("mira")
    seen = (await evening.ana.slash(evening.channel, "lore search", words="ferries")).response.content
    assert seen == "📖 The ferry leaves at noon.  (lorebook town)"
    assert "smuggles" in (await evening.gm.slash(evening.channel, "lore search", words="ferries")).response.content
    await evening.ana.slash(evening.channel, "talk", text="When is the ferry?")
    assert "The ferry leaves at noon." in evening.engine.history[-1].prompt


async def test_an_improvised_npc_plays_at_once_survives_a_restart_and_is_kept_as_a_draft(begin: Begin, home: Path) -> None:
    evening = await begin("I saw nothing.")
    made = await evening.gm.slash(evening.channel, "npc improvise", who="Pell, nervous dockhand")
    assert "Pell, nervous dockhand, is here." in made.response.content
    await evening.ana.slash(evening.channel, "talk", text="What did you see?")
    assert evening.spoken[-1].author.name == "Pell"
    assert "You are Pell, nervous dockhand" in evening.engine.history[-1].prompt
    await evening.gm.click(made.response.message, label="Keep")
    draft = yaml.safe_load((home / "sheets" / "pell.yaml").read_text("utf-8"))
    assert draft["name"] == "Pell"
    assert not [finding for finding in Library(home).check(home / "sheets" / "pell.yaml") if finding.level == "fault"]
    (home / "sheets" / "pell.yaml").unlink()
    await evening.restart("Still nothing.")
    await evening.ana.slash(evening.channel, "talk", text="And now?", npc="pell")
    assert evening.spoken[-1].content.endswith("Still nothing.")


async def test_without_a_name_one_of_the_worlds_names_is_given(begin: Begin) -> None:
    evening = await begin()
    made = await evening.gm.slash(evening.channel, "npc improvise", who="gruff ferryman")
    world = Library().world(Library().get("mira").world)
    assert any(made.response.content.startswith(name) for name in world.names)


async def test_dice_are_rolled_before_everybody_and_the_npc_knows(begin: Begin) -> None:
    evening = await begin("Lucky you.")
    await evening.summon()
    rolled = await evening.ana.slash(evening.channel, "roll", dice="1d1+4")
    assert rolled.response.content == "You rolled 5."
    assert "🎲 **ana**" in evening.channel.last_message.content
    await evening.ana.slash(evening.channel, "talk", text="Did you see that?", npc="mira")
    assert "ana: rolls 1d1+4: 5" in evening.engine.history[-1].prompt
    wrong = await evening.ana.slash(evening.channel, "roll", dice="lots of dice")
    assert "Nobody can roll" in wrong.response.content


async def test_a_sheet_for_grown_ups_plays_in_age_restricted_channels_only(begin: Begin, home: Path) -> None:
    (home / "sheets").mkdir()
    text = Library().path("mira").read_text("utf-8")
    (home / "sheets" / "vex.yaml").write_text(text.replace("name: Mira Dunmore", "name: Vex") + "\nnsfw: true\n", "utf-8")
    evening = await begin()
    refused = await evening.gm.slash(evening.channel, "npc summon", name="vex")
    assert refused.response.content == "Vex is for age-restricted channels only."
    channel = evening.bot.get_channel(evening.channel.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True  # SimCord models no such field
    assert "Vex is here" in (await evening.gm.slash(evening.channel, "npc summon", name="vex")).response.content


async def test_whoever_asks_too_soon_waits(begin: Begin) -> None:
    evening = await begin("One.", "Two.", cooldown=30)
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="Hello?")
    refused = await evening.ana.slash(evening.channel, "talk", text="Hello??")
    assert "One moment" in refused.response.content
    assert "answered" in (await evening.bo.slash(evening.channel, "talk", text="And me?", npc="mira")).response.content


async def test_a_fault_of_ours_is_one_sentence_to_the_asker_and_no_trace(begin: Begin) -> None:
    evening = await begin()
    await evening.summon()
    evening.env.inject_error("POST", "/webhooks/*", status=500)
    told = await evening.ana.slash(evening.channel, "talk", text="Hello?")
    assert told.response.content.startswith("Something went wrong that is our fault")
    assert await evening.transcript() == ["Hello?"]  # what nobody could hear was not said
    evening.env.errors  # noqa: B018  (looked at: it was meant to go wrong)


async def test_commands_are_made_known_again_only_when_they_changed(begin: Begin) -> None:
    evening = await begin()

    def syncs() -> int:
        return len([request for request in evening.env.http_requests if request.method == "PUT" and request.path.endswith("/commands")])

    first = syncs()
    assert first == 1
    await evening.restart()
    assert syncs() == first


@pytest.mark.skipif(contract.WHERE is None, reason="Discord's openapi.json does not lie beside the project")
async def test_what_discord_would_not_understand_is_found(begin: Begin) -> None:
    evening = await begin("Four copper.")
    await evening.summon()
    await evening.ana.slash(evening.channel, "talk", text="What does the ale cost?")
    assert len(evening.env.http_requests) > 5
    assert wrong_requests(evening.env) == []
    wrong = [
        ("POST", "/channels/1/messages", {"content": "x" * 2001, "allowed_mentions": {"parse": []}}),
        ("POST", "/channels/1/messages", {"content": "@everyone"}),
        ("POST", "/channels/1/messages", {"content": 5, "allowed_mentions": {"parse": []}}),
        ("POST", "/webhooks/1/token", {"content": "x", "username": "Clyde", "allowed_mentions": {"parse": []}}),
        ("PUT", "/applications/1/commands", [{"name": "Two Words", "description": "x", "type": 1}]),
        ("GET", "/no/such/path", None),
    ]  # fmt: skip
    assert all(contract.check_request(*request) for request in wrong)


# --- languages ---------------------------------------------------------------------------------


def test_italian_says_everything_english_says_with_the_same_blanks() -> None:
    english, italian = (catalogue.languages()[name] for name in ("en", "it"))
    assert set(english) == set(italian)
    for key, text in english.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", italian[key])), key


def test_every_sentence_is_used_and_every_sentence_used_is_there() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES)
    known = catalogue.languages()["en"]
    used = set(re.findall(r"[\"']((?:[a-z_]+\.)+[a-z_]+)[\"']", code))
    families = tuple(re.findall(r"f\"((?:[a-z_]+\.)+)\{", code))
    assert not [key for key in known if key not in used and not key.startswith(families) and not key.startswith("opt.")]
    described = set(re.findall(r"described\(\"([a-z_.]+)\"\)", code))
    said = set(re.findall(r"(?:\.words|\.say|Refusal)\(\s*\"([a-z_.]+)\"", code))
    assert not sorted((described | said) - set(known))


def test_the_check_list_for_a_real_token_quotes_the_programs_own_words() -> None:
    text = (Path(catalogue.__file__).parents[2] / "docs" / "discord.md").read_text("utf-8")
    steps = text[text.index("7. `/npc summon") : text.index("If something differs from this list")]
    quoted = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", " ".join(steps.split()))
    said = [*catalogue.languages()["en"].values(), *(menu.name for menu in MENUS)]
    assert len(quoted) > 8
    assert [words for words in quoted if not any(words in sentence.replace("**", "") for sentence in said)] == []


def test_descriptions_fit_where_discord_shows_them() -> None:
    for words in catalogue.languages().values():
        assert not [key for key, text in words.items() if key.startswith(("cmd.", "opt.")) and len(text) > 100]


def test_a_language_without_a_catalogue_is_english() -> None:
    assert catalogue.words("it", "npc.hushed") == "Silenzio."
    assert catalogue.words("pt-BR", "npc.hushed") == "Hush."
