"""A long campaign made up here, and how fast and how well it is remembered (`understudy bench memory`).

The campaign is talk out of patterns: questions, greetings, haggling, and statements about the same
kinds of things people remember, so that the right memory has thousands of likely neighbours.
"""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.table.associating import make_vectors
from bot.table.likeness import like
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.starter import STARTER
from characters.messages import Scene
from characters.remembering import stems
from db.queries import lines, memories, play, presence
from db.store import Store
from db.values import StoredTurn

CAST = ("mira", "brug", "eel", "odo")
_SPEAKERS = ("Ana", "Bram", "Corin", "Dagny")
_SCENE = 50  # turns
_VECTORS = 64  # at once
_BEGAN = datetime(2026, 1, 1, 20, 0, tzinfo=UTC)
_NAMES = (
    "Anwen Bress Corvin Dara Eskil Fenna Garth Hild Ivo Jessamy Kell Lorn Maren Nessa Orrin Perrin Quill Rhosyn Sander "
    "Tamsa Ulric Vesna Yarrow Aldous Brin Cade Delphie Emrys Fitch Gwenna Hobb Isolde Jarek Lisbet Morwen Neville"
).split()
_PLACES = (
    "mill|harbour|market|chapel|old tower|north road|quarry|tavern|bridge|cellar|forest|castle|river|abbey|stable"
    "|forge|graveyard|library|square|well|lighthouse|orchard|inn|temple|prison"
).split("|")
_THINGS = (
    "key|ring|horse|sword|map|lantern|barrel|letter|rope|shield|cart|goat|candle|book|boat|cloak|chest|knife|lute|bell"
    "|necklace|coin|bread|wine|apple|dog|owl|potion|hammer|saddle"
).split("|")
_PATTERNS = (
    "{n} bought a {t} from {m} for {k} silver.",
    "I saw {n} near the {p} last night.",
    "{n} lost a {t} at the {p}.",
    "The {t} by the {p} belongs to {n}.",
    "{n} owes {m} {k} copper since the fair.",
    "There was a fight at the {p}, and {n} was hurt.",
    "I promise I will bring {n} the {t} tomorrow.",
    "{n} is afraid of the {p}, everybody says so.",
    "The {p} will be closed for {k} days.",
    "{n} and {m} were married at the {p}.",
    "Someone stole the {t} of {n}.",
    "We hid the {t} under the {p}.",
    "{n} sings at the {p} every evening.",
    "My brother {n} works at the {p}.",
    "The guard at the {p} is called {n}.",
    "{n} found {k} coins in the {t}.",
    "{n} has been ill for {k} weeks.",
    "The {t} broke when {n} fell at the {p}.",
    "{m} hates {n} because of the {t}.",
    "They buried {n} behind the {p}.",
    "A ship with {k} barrels came to the {p}.",
    "{n} taught {m} to read at the {p}.",
    "The priest of the {p} sold his {t}.",
    "{n} lives alone above the {p} with {k} cats.",
    "I gave {n} my {t}, and I want it back.",
    "It rained at the {p} for {k} days.",
)
_TALK = (
    "What does the {t} cost?",
    "Good evening!",
    "Where is the {p}?",
    "Who is {n}?",
    "I'll take {k}, thank you.",
    "Any news?",
    "That is too much.",
    "Tell me about the {p}.",
    "And {n}?",
    "Two ales, please.",
    "Goodbye.",
    "How are you?",
)


@dataclass(frozen=True)
class Probe:
    """Something that is said once, who says it, and a question for it."""

    speaker: str
    said: str
    asked: str
    group: str

    @property
    def shared(self) -> set[str]:
        """The telling words that question and memory have in common."""
        return set(stems(self.asked)) & set(stems(f"{self.speaker} said: {self.said}"))


@dataclass
class Measured:
    """Ranks of the right memories (0 is first, None not offered), by group, and milliseconds a query."""

    turns: int
    memories: int
    ranks: dict[str, list[int | None]] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The figures."""
        offered = {group: sum(rank is not None for rank in ranks) / len(ranks) for group, ranks in self.ranks.items()}
        every = [rank for ranks in self.ranks.values() for rank in ranks]
        slowest = sorted(self.waits)[int(0.95 * (len(self.waits) - 1))]
        return {
            "turns": self.turns, "memories": self.memories, "probes": len(every), "offered": offered,
            "offered_all": sum(rank is not None for rank in every) / len(every) if every else None,
            "first_all": sum(rank == 0 for rank in every) / len(every) if every else None,
            "median_ms": statistics.median(self.waits), "p95_ms": slowest,
        }  # fmt: skip


def read_probes(file: Path) -> list[Probe]:
    """Probes from a YAML file: lists of [speaker, said, asked] under names of groups."""
    groups = yaml.safe_load(file.read_text("utf-8"))
    return [Probe(speaker, said, asked, group) for group, entries in groups.items() for speaker, said, asked in entries]


def talk(rng: random.Random) -> Iterator[str]:
    """Talk without end, about two thirds of it statements."""
    while True:
        pattern = rng.choice(_PATTERNS if rng.random() < 0.65 else _TALK)
        first, second = rng.sample(_NAMES, 2)
        yield pattern.format(n=first, m=second, p=rng.choice(_PLACES), t=rng.choice(_THINGS), k=rng.randint(2, 40))


async def measure(
    url: str, turns: int, probes: Sequence[Probe], seed: int = 1, embedder: Path | None = None
) -> Measured:  # fmt: skip
    """Play a made-up campaign into a fresh database, and ask for everything it is to remember.

    Args:
        embedder: a GGUF that makes vectors of all memories, and of every question within its time.
    """
    store, engine = await Store.open(url), LlamaCppEngine(STARTER, embedder=embedder)
    try:
        campaign, heard_by = await _play(store, turns, probes, random.Random(seed))
        model = (await engine.capabilities()).embedding if embedder else None
        while model and await make_vectors(store, engine, campaign, model, _VECTORS):
            pass
        async with store.session() as session:
            found = Measured(turns, sum([len(await memories.shown(session, campaign, npc)) for npc in CAST]))
        asked: list[tuple[str, str, Probe | None]] = [(probe.asked, heard_by[probe.said], probe) for probe in probes]
        pairs = () if probes else zip(_NAMES, _THINGS, strict=False)
        asked += [(f"What of {name} and the {thing}?", CAST[0], None) for name, thing in pairs]
        for question, npc, probe in asked:
            async with store.session() as session:
                began = time.perf_counter()
                near = await like(engine, model, question)
                offered = await memories.find(session, campaign, npc, question, like=near)
                found.waits.append((time.perf_counter() - began) * 1000)
            if probe is not None:
                texts = [one.fact.text for one in offered]
                right = f"{probe.speaker} said: {probe.said}"
                found.ranks.setdefault(probe.group, []).append(texts.index(right) if right in texts else None)
        return found
    finally:
        await engine.close()
        await store.close()


async def _play(
    store: Store, turns: int, probes: Sequence[Probe], rng: random.Random
) -> tuple[int, dict[str, str]]:
    """Scenes of fifty turns, two NPCs in each; the probes' sentences lie anywhere among them."""
    places = dict(zip(rng.sample(range(turns), len(probes)), probes, strict=True))
    chatter, heard_by = talk(rng), dict[str, str]()
    async with store.session() as session:
        campaign = await play.campaign_id(session, "bench", _BEGAN)
        evening = await play.start_session(session, campaign, _BEGAN)
    for start in range(0, turns, _SCENE):
        now = _BEGAN + timedelta(minutes=start)
        here = rng.sample(CAST, 2)
        async with store.session() as session:
            scene = await play.start_scene(session, evening, Scene(place=f"the {rng.choice(_PLACES)}"), now)
            for npc in here:
                await presence.enter(session, scene, npc, "npc", now)
            for place in range(start, min(turns, start + _SCENE)):
                probe = places.get(place)
                speaker, text = (probe.speaker, probe.said) if probe else (rng.choice(_SPEAKERS), next(chatter))
                await lines.add_turn(session, scene, StoredTurn(0, speaker, text, None, "local"), now)
                if probe:
                    heard_by[probe.said] = rng.choice(here)
    return campaign, heard_by
