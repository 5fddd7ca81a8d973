"""A campaign of any length, invented and written at once: for measurements of what must not slow down over the years.

Scenes of a hundred turns with two NPCs of six; people and NPCs take turns. Some lines have a reaction, as
tables give them: mostly thumbs, some corrections, a few that are taken back.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from db.models import Campaign, Feedback, Participant, PlaySession, Presence, SceneRow, Take, TurnRow
from db.store import Store

CAST = ("mira", "brug", "odo", "hedda", "sorrel", "wick")
_PEOPLE = (("local:gm", "You", "gm"), ("local:ana", "Ana", "player"), ("local:ben", "Ben", "player"))
_SCENE = 100  # turns
_BATCH = 50  # scenes
_BEGAN = datetime(2024, 1, 5, 20, 0, tzinfo=UTC)
_WORDS = (
    "the a of and to you it for is in that we have with what not this on are be at as so if me will would there "
    "which ale bread rope lantern bridge river wolf winter temple guard debt copper silver road bell stew song key "
    "know want give take keep tell ask pay carry follow remember forget sell buy fear trust open close wait drink walk"
).split()
_KINDS = ("thumbs_up", "thumbs_down", "edit", "retcon")
_SHARES = (60, 15, 20, 5)


@dataclass(frozen=True)
class Written:
    """What was written."""

    turns: int
    reactions: int
    campaign: int


async def write_long_campaign(store: Store, turns: int, share: float, seed: int = 7) -> Written:
    """Write a campaign into an empty database.

    Args:
        share: of all turns, how many have a reaction (they are lines of NPCs).
    """
    rng, scenes = random.Random(seed), -(-turns // _SCENE)
    evenings = [{"id": n + 1, "campaign_id": 1, "place": "", "started_at": _day(4 * n), "stopped_at": _day(4 * n)}
                for n in range(-(-scenes // 4))]  # fmt: skip
    people = [{"id": n, "campaign_id": 1, "key": key, "name": name, "role": role, "consent": "given"}
              for n, (key, name, role) in enumerate(_PEOPLE, 1)]  # fmt: skip
    reactions = 0
    async with store.engine.begin() as connection:
        await connection.execute(insert(Campaign), [{"id": 1, "name": "home", "created_at": _BEGAN}])
        await connection.execute(insert(PlaySession), evenings)
        await connection.execute(insert(Participant), people)
        for first in range(0, scenes, _BATCH):
            part = [
                rows for scene in range(first, min(first + _BATCH, scenes))
                for rows in _scene(rng, scene, min(_SCENE, turns - scene * _SCENE), share)
            ]  # fmt: skip
            for table, rows in zip((SceneRow, Presence, TurnRow, Take, Feedback), zip(*part, strict=True), strict=True):
                flat = [row for some in rows for row in some]
                if flat:
                    await connection.execute(insert(table), flat)
            reactions += sum(len(some[4]) for some in part)
    return Written(turns, reactions, 1)


Rows = list[dict[str, Any]]


def _scene(rng: random.Random, scene: int, turns: int, share: float) -> Iterator[tuple[Rows, Rows, Rows, Rows, Rows]]:
    """The rows of one scene: scene, presence, turns, takes, feedback."""
    cast, number, now = rng.sample(CAST, 2), scene + 1, _day(scene)
    place = f"room {scene % 50}"
    yield (
        [{"id": number, "session_id": scene // 4 + 1, "place": place, "started_at": now}],
        [{"scene_id": number, "who": who, "kind": "npc", "joined_at": now, "after": 0} for who in cast]
        + [{"scene_id": number, "who": key, "kind": "person", "joined_at": now, "after": 0} for key, _, _ in _PEOPLE],
        [], [], [],
    )  # fmt: skip
    for at in range(turns):
        turn = scene * _SCENE + at + 1
        if at % 2 == 0:
            yield [], [], [_turn(rng, turn, number, at, now)], [], []
            continue
        npc = cast[rng.random() < 0.3]
        said = {**_turn(rng, turn, number, at, now), "npc": npc, "speaker": npc.capitalize(), "source": "npc",
                "participant_id": None, "answers_id": turn - 1, "kept_take_id": 2 * turn}  # fmt: skip
        takes, feedback = [_take(2 * turn, turn, 1, said["text"], "npc", now)], Rows()
        if rng.random() < 2 * share:
            [kind] = rng.choices(_KINDS, _SHARES)
            if kind == "edit":
                takes.insert(0, _take(2 * turn - 1, turn, 1, _sentence(rng), "npc", now))
                takes[1].update(number=2, origin="gm")
            if kind == "retcon":
                said["retracted_at"] = now
            feedback = [{"turn_id": turn, "take_id": 2 * turn, "participant_id": rng.choice((1, 1, 2, 3)), "kind": kind,
                         "text": said["text"], "given_at": now}]  # fmt: skip
        yield [], [], [said], takes, feedback


def _turn(rng: random.Random, turn: int, scene: int, at: int, now: datetime) -> dict[str, Any]:
    who = rng.randrange(3)
    return {
        "id": turn, "scene_id": scene, "ordinal": at + 1, "source": "local", "speaker": _PEOPLE[who][1],
        "text": _sentence(rng), "npc": None, "participant_id": who + 1, "answers_id": None, "kept_take_id": None,
        "out_of_character": False, "retracted_at": None, "said_at": now,
    }  # fmt: skip


def _take(number: int, turn: int, ordinal: int, text: str, origin: str, now: datetime) -> dict[str, Any]:
    facts = [
        {"key": f"ware.{ware}", "text": f"{_WORDS[ware]}: {ware} copper", "source": "ware"}
        for ware in (number % 40, number // 40 % 40)
    ]
    return {
        "id": number, "turn_id": turn, "number": ordinal, "text": text, "state": "complete", "origin": origin,
        "prompt_hash": "", "template_hash": "", "sheet_version": "", "base_id": "", "adapter": None, "sampling": {},
        "timings": {}, "at_hand": facts, "frame": {}, "made_at": now,
    }  # fmt: skip


def _sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(5, 18))).capitalize() + "."


def _day(scene: int) -> datetime:
    return _BEGAN + timedelta(minutes=40 * scene)
