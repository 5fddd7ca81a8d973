"""Blind votes: kept beside the story, counted between two voices, and never twice for one person."""

from datetime import UTC, datetime

import pytest

from characters.messages import Scene
from db.queries import adapters, lines, play, votes
from db.queries.adapters import Version
from db.queries.votes import Compared, Tally
from db.store import Store
from db.values import StoredTurn, TakeMade

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)


class Listening:
    """A campaign where Mira answered a few questions, and a short way to vote."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def begin(self, questions: int) -> "Listening":
        self.lines: list[int] = []
        async with self.store.session() as session:
            self.campaign = await play.campaign_id(session, "home", NOW)
            evening = await play.start_session(session, self.campaign, NOW)
            scene = await play.start_scene(session, evening, Scene(), NOW)
            self.gm = (await play.person(session, self.campaign, "local:gm", "You", "gm")).id
            for number in range(questions):
                asked = await lines.add_turn(session, scene, StoredTurn(0, "Ana", f"{number}?", None, "local"), NOW)
                line = await lines.add_turn(session, scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
                take = await lines.add_take(session, line, TakeMade(), NOW, text=f"{number}.", state="complete")
                await lines.keep_take(session, line, take)
                self.lines.append(line)
        return self

    async def prefers(self, line: int, better: str | None, other: str | None, equal: bool = False) -> None:
        both = [(f"I am {voice}.", TakeMade(adapter=voice, sampling={"temperature": 0.0})) for voice in (better, other)]
        async with self.store.session() as session:
            await votes.vote(session, Compared(self.lines[line], self.gm, "?", both[0], both[1], equal), NOW)

    async def tally(self, first: str | None, second: str | None) -> Tally:
        async with self.store.session() as session:
            return votes.tally(await votes.votes(session, self.campaign, "mira"), first, second)


@pytest.fixture
async def listening(store: Store) -> Listening:
    return await Listening(store).begin(4)


async def test_votes_are_counted_between_two_voices_and_for_no_third(listening: Listening) -> None:
    await listening.prefers(0, "new", None)
    await listening.prefers(1, None, "new")
    await listening.prefers(2, "new", None)
    await listening.prefers(3, "new", None, equal=True)
    await listening.prefers(3, "new", "old")
    assert await listening.tally("new", None) == Tally(2, 1, 1)
    assert await listening.tally(None, "new") == Tally(1, 2, 1)
    assert await listening.tally("new", "old") == Tally(1, 0, 0)
    assert str(await listening.tally("new", None)) == "blind votes: 2 of 3 for it, 1 equal"
    assert str(await listening.tally("old", None)) == "no blind votes"


async def test_a_second_vote_on_the_same_two_lines_replaces_the_first(listening: Listening) -> None:
    await listening.prefers(0, "new", None)
    await listening.prefers(0, None, "new")
    assert await listening.tally("new", None) == Tally(0, 1, 0)


async def test_the_lines_that_were_compared_are_no_takes_of_the_story(listening: Listening) -> None:
    await listening.prefers(0, "new", None)
    async with listening.store.session() as session:
        told = await lines.turn(session, listening.lines[0])
        kept = [take for take in await lines.takes(session, listening.lines[0]) if take.state in {"complete", "cut"}]
    assert told is not None
    assert (told.text, [take.text for take in kept]) == ("0.", ["0."])


async def test_an_adapter_that_is_trained_again_has_the_later_verdict_unless_it_has_spoken(listening: Listening) -> None:
    async with listening.store.session() as session:
        for adapter, first in (("a", "held"), ("b", "candidate"), ("c", "active"), ("d", "rolled_back"), ("e", "blocked")):
            for state, reason in ((first, "the time was over"), ("held" if first == "candidate" else "candidate", "judged whole")):
                version = Version(adapter, "mira", "", "base", state, {"reason": reason}, NOW)
                await adapters.add_version(session, listening.campaign, version)
        found = {v.adapter: (v.state, v.report["reason"]) for v in await adapters.versions(session, listening.campaign, "mira")}
    assert (found["a"], found["b"]) == (("candidate", "judged whole"), ("held", "judged whole"))
    assert [found[name] for name in "cde"] == [(state, "the time was over") for state in ("active", "rolled_back", "blocked")]


async def test_a_later_verdict_holds_or_frees_a_candidate_and_silences_nobody(listening: Listening) -> None:
    async with listening.store.session() as session:
        for adapter, state in (("a", "candidate"), ("b", "held"), ("c", "active"), ("d", "blocked")):
            await adapters.add_version(session, listening.campaign, Version(adapter, "mira", "", "base", state, {}, NOW))
            await adapters.judge_again(session, adapter, "held" if adapter != "b" else "candidate", {"reason": f"votes on {adapter}"})
        found = await adapters.versions(session, listening.campaign, "mira")
    assert {v.adapter: v.state for v in found} == {"a": "held", "b": "candidate", "c": "active", "d": "blocked"}
    assert {v.report["reason"] for v in found} == {f"votes on {name}" for name in "abcd"}
