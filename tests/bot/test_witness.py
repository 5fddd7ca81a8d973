"""The witness test: three NPCs, five scenes, forty facts told in different company, and who may know which."""

import random
import re
from collections import defaultdict

import pytest

from bot.table.table import Table
from characters.messages import Turn
from db.models import Memory
from tests.bot.conftest import OpenTable
from tests.fakes.hearing import rows, said, typed

CAST = ("mira", "brug", "eel")
COMPANY = (
    ("mira",), ("brug",), ("eel",), ("mira", "brug"), ("mira", "eel"), ("brug", "eel"), ("mira", "brug", "eel"), ("brug", "mira"),
)  # fmt: skip
PLACES = ("the taproom", "the quay", "the old mill", "the cellar", "the market")
THINGS = ("chest", "barrel", "map", "ring", "saddle", "goose", "violin", "helmet")


class Played:
    """Forty facts, eight a scene; each has a word of its own that nobody else ever says."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.words: dict[str, tuple[str, int]] = {}
        self.told: dict[str, set[str]] = {npc: set() for npc in CAST}

    async def company(self, present: tuple[str, ...]) -> None:
        for npc in list(self.table.state.present):
            if npc not in present:
                await self.table.dismiss(npc)
        for npc in present:
            if npc not in self.table.state.present:
                await self.table.summon(npc)

    async def play(self) -> None:
        for scene, place in enumerate(PLACES):
            await self.table.set_scene({"place": place})
            for number, present in enumerate(COMPANY):
                await self.company(present)
                word = f"zarl{'bcdfg'[scene]}{'aeiouyab'[number]}{'kmnpqrst'[number]}"
                fact = f"The {THINGS[number]} of {word} lies under the {'north south east west inner'.split()[scene]} arch."
                line = await said(self.table, fact, to=present[0])
                self.words[word] = (THINGS[number], line.line_id - 1)
                for npc in present:
                    self.told[npc].add(word)

    async def known(self, npc: str) -> set[str]:
        """Every word of its own kind in all that the NPC reads when it is asked for each of the facts."""
        await self.company((npc,))
        await self.table.set_scene({"place": f"a room with {npc}"})
        found: set[str] = set()
        for word in self.words:
            asked = f"What lies under the arch, and what of {word}?"
            prompt, _, _ = await self.table.speaking.prompt(npc, also=(Turn("Ana", asked),))
            found |= set(re.findall(r"zarl\w+", prompt.text.replace(asked, "")))
        return found


@pytest.fixture
async def played(open_table: OpenTable) -> Played:
    table = await open_table(npc=None)
    played = Played(table)
    await played.play()
    return played


async def test_every_prompt_holds_exactly_what_its_npc_may_know_before_and_after_a_retcon(played: Played) -> None:
    assert len(played.words) == 40
    assert {npc: len(words) for npc, words in played.told.items()} == {"mira": 25, "brug": 25, "eel": 20}
    for npc in CAST:
        assert await played.known(npc) == played.told[npc]
    taken_back = random.Random(4).sample(sorted(played.words), 8)
    for word in taken_back:
        await typed(played.table, f"/retcon {played.words[word][1]}")
    for npc in CAST:
        assert await played.known(npc) == played.told[npc] - set(taken_back)
    left = defaultdict(set)
    for memory in await rows(played.table, Memory):
        left[memory.npc] |= set(re.findall(r"zarl\w+", memory.text))
    assert all(left[npc] == played.told[npc] - set(taken_back) for npc in CAST)


async def test_what_was_said_before_one_came_or_after_one_left_is_not_in_its_transcript(open_table: OpenTable) -> None:
    table = await open_table(npc=None)
    await table.summon("mira")
    await said(table, "The first heron is grey.", to="mira")
    await table.summon("brug")
    await said(table, "The second heron is white.", to="mira")
    await table.dismiss("brug")
    await said(table, "The third heron is black.", to="mira")
    await table.summon("brug")
    await said(table, "Well?", to="brug")
    read = table.state.engine.history[-1].prompt
    assert "second heron" in read
    assert "first heron" not in read
    assert "third heron" not in read


async def test_npcs_hear_one_another_and_a_corrected_line_is_remembered_as_it_stands(open_table: OpenTable) -> None:
    table = await open_table("The toll bridge opens at dawn.", npc=None)
    await table.summon("brug")
    await table.summon("mira")
    line = await said(table, "When does it open?", to="brug")
    await typed(table, f"/edit {line.line_id} The toll bridge opens at dusk.")
    await said(table, "What did he say?", to="mira")
    assert "Brug Copperkettle: The toll bridge opens at dusk." in table.state.engine.history[-1].prompt
    await table.set_scene({"place": "the cellar"})
    await said(table, "When does the toll bridge open?", to="mira")
    assert "[You know: Brug Copperkettle said: The toll bridge opens at dusk.]" in table.state.engine.history[-1].prompt
    await said(table, "And you, when does the toll bridge open?", to="brug")
    assert "[You know: Brug" not in table.state.engine.history[-1].prompt


async def test_a_memory_is_shown_edited_and_forgotten_for_one_head_alone(open_table: OpenTable) -> None:
    table = await open_table(npc=None)
    await table.summon("mira")
    await table.summon("brug")
    await said(table, "The goose of Fenwick lays silver eggs.", to="mira")
    shown = await typed(table, "/memory show mira goose")
    [memory] = shown.data["memories"]
    assert (memory["text"], memory["turns"]) == ("Ana said: The goose of Fenwick lays silver eggs.", [1])
    await typed(table, f"/memory edit {memory['id']} The goose of Fenwick lays golden eggs.")
    await typed(table, f"/memory forget {(await typed(table, '/memory show brug goose')).data['memories'][0]['id']}")
    await table.set_scene({"place": "the cellar"})
    for npc, known in (("mira", True), ("brug", False)):
        await said(table, "What of the goose of Fenwick?", to=npc)
        assert ("golden eggs" in table.state.engine.history[-1].prompt) is known
    await typed(table, "/retcon 1")
    assert (await typed(table, "/memory show mira goose")).data["memories"] == []


async def test_what_the_gm_tells_is_known_by_one_or_by_all_and_from_when_it_is_time(open_table: OpenTable) -> None:
    table = await open_table(npc=None)
    await table.summon("mira")
    await typed(table, "/npc tell mira The lighthouse keeper is a forger.")
    await typed(table, "/lore add since=the second of Embers; The regent has fled the city.")
    await typed(table, "/npc summon brug")
    asked = {"mira": "What of the lighthouse keeper, and the regent?", "brug": "What of the lighthouse keeper, and the regent?"}
    for npc, question in asked.items():
        await said(table, question, to=npc)
        read = table.state.engine.history[-1].prompt
        assert ("is a forger" in read) is (npc == "mira")
        assert "has fled" not in read
    await table.set_scene({"date": "the third of Embers"})
    await said(table, "Has the regent fled?", to="mira")
    assert "The regent has fled the city." in table.state.engine.history[-1].prompt
