"""What an NPC brings to its next line from play: memories that bear on it, open secrets, summaries, whom it knows.

Everything here comes from the ledger and from the NPC's own memories; what it did not witness and
was not told cannot come in. What was at hand once and is gone by now (a retcon, a forgotten
person, a secret that was closed) goes out of the transcript, too.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.table.likeness import like
from bot.table.state import State
from characters.conditions import is_open, key_of
from characters.confiding import confided
from characters.intents import intents
from characters.knowing import has_come
from characters.knowledge import index_of
from characters.lorebook.timing import Timers
from characters.messages import Fact, Turn
from characters.prompt import Part
from characters.remembering import FEW, IN_SIGHT, OFFERED, called, choose, extract, familiarity, statements
from db.queries import lines, memories, presence, secrets
from db.values import StoredTurn, facts_to_json

_SUMMARIES = 3
_SMALL_TALK = frozenset({"greeting", "farewell", "thanks", "wellbeing"})
_LEAST_TURNS = 3  # of a scene, to be worth a summary
_MOST = 280  # characters of a summary


@dataclass(frozen=True)
class Recollection:
    """What comes from play, and the transcript as it may be shown.

    Attributes:
        facts: for right before the reply.
        summaries: of earlier scenes, for the system text.
        familiarity: how well the NPC knows who is there; "" where the GM set it, or where it knows nobody.
        timers: how long lore stays from here on, if this prompt is spoken from; None where nothing changes.
    """

    turns: tuple[Turn, ...] = ()
    facts: tuple[Fact, ...] = ()
    summaries: tuple[Fact, ...] = ()
    familiarity: str = ""
    timers: Timers | None = None

    @property
    def frame(self) -> dict[str, Any]:
        """What the system text holds of it, as it is stored with a take."""
        kept = {"memory": facts_to_json(self.summaries), "familiarity": self.familiarity}
        return {name: value for name, value in kept.items() if value}


async def recollect(  # noqa: PLR0913  (what the prompt is built from, by name)
    session: Any, state: State, part: Part, heard: Sequence[StoredTurn], also: Sequence[Turn],
    *, small: bool, before: int | None = None, embedding: str | None = None,
) -> Recollection:  # fmt: skip
    """Gather what an NPC remembers for its next line.

    Args:
        part: the NPC, its sheet whole.
        heard: the turns of the scene it witnessed.
        also: turns that are not said yet.
        small: the model was made for short prompts.
        before: nothing of this turn, or later, is remembered yet.
        embedding: the model that makes vectors of memories, if one does.
    """
    taken = await secrets.steps(session, state.campaign, part.slug) if part.sheet.secrets else []
    opened = _opened(part, taken)
    said = [turn.turn for turn in heard]
    shown = {fact.key for turn in said for fact in turn.at_hand}
    standing = await memories.standing(session, state.campaign, part.slug, shown)
    turns = [*state.earlier, *_as_it_stands(part, said, {*standing, *opened}), *also]
    question = " ".join(_unanswered(part.slug, turns))
    without = [turn.id for turn in heard[-IN_SIGHT:]]
    asks = question and ("?" in question or not intents(question) & _SMALL_TALK)
    asked = question if asks else ""
    near = await like(state.engine, embedding, asked)
    find = memories.find(session, state.campaign, part.slug, asked, without=without, before=before, like=near)
    calendar = part.world.calendar if part.world else None
    found = [one for one in await find if has_come(one.since, part.when, calendar)]
    beside = index_of(part.sheet, part.world, part.slug, part.when).search(question, turns) if found else ()
    facts = choose(found, beside, FEW if small else OFFERED)
    told = _confided(state, part, heard, question, taken, opened)
    count = 1 if small else _SUMMARIES
    told_before = await memories.summaries(session, state.campaign, part.slug, state.scene_id, count)
    summaries = tuple(Fact(f"memory.{one.id}", one.text, "memory") for one in told_before)
    return Recollection(tuple(turns), (*told, *facts), summaries, await _familiar(session, state, part.slug))


def _unanswered(npc: str, turns: Sequence[Turn]) -> list[str]:
    """What others said since the last line of the NPC, or of another that answered it; the last of it first."""
    texts: list[str] = []
    for turn in reversed(turns):
        if turn.npc == npc or (turn.npc and texts) or len(texts) == 2:
            break
        texts.append(turn.text)
    return texts


def _as_it_stands(part: Part, turns: Sequence[Turn], standing: set[str]) -> list[Turn]:
    """The transcript without what was at hand and is not known any more."""
    known = {fact.fact.key for fact in index_of(part.sheet, part.world, part.slug, part.when).facts}

    def stands(fact: Fact) -> bool:
        if fact.key.startswith(("memory.", "secret.", "told.")):
            return fact.key in standing
        return fact.source not in {"sheet", "world"} or fact.key in known

    return [
        turn if all(stands(fact) for fact in turn.at_hand)
        else dataclasses.replace(turn, at_hand=tuple(fact for fact in turn.at_hand if stands(fact)))
        for turn in turns
    ]  # fmt: skip


def _opened(part: Part, taken: Sequence[secrets.Step]) -> dict[str, str]:
    """The NPC's secrets that may be told: text by key."""
    return {
        key_of(secret): secret.text for secret in part.sheet.secrets
        if is_open(secret, [step.part for step in taken if step.secret == key_of(secret)])
    }  # fmt: skip


def _confided(
    state: State, part: Part, heard: Sequence[StoredTurn], question: str, taken: Sequence[secrets.Step],
    opened: dict[str, str],
) -> tuple[Fact, ...]:  # fmt: skip
    """Open secrets for this reply: those that opened since the NPC's last line, and those it is asked about."""
    if not opened:
        return ()
    last = max((turn.id for turn in heard if turn.npc == part.slug), default=0)
    here = {turn.id for turn in heard if turn.id > last}
    fresh = {step.secret for step in taken if step.turn in here} | state.loosened.get(part.slug, set())
    return confided(opened, fresh, question)


async def _familiar(session: Any, state: State, npc: str) -> str:
    """How well an NPC knows the people who are there, from the scenes before this one."""
    if state.scene.familiarity:
        return ""
    met = await memories.acquaintances(session, state.campaign, npc, state.scene_id)
    known = [(name, familiarity(*met[name])) for name in dict.fromkeys(state.people.values()) if name in met]
    return "; ".join(f"{called(name, within=True)}: {how}" for name, how in known[:3] if how)


async def close_scene(session: Any, state: State) -> None:
    """Keep what the scene was for everybody who was there: a few turns in the words that were said.

    A model that is fit to may write it anew afterwards (`bot.table.recounting`).
    """
    for npc in await _everybody(session, state):
        heard = await lines.transcript(session, state.scene_id, witness=npc)
        if len(heard) < _LEAST_TURNS:
            continue
        others = [turn for turn in heard if turn.npc != npc]  # what it said itself is its own affair
        chosen = [others[place] for place in extract([(turn.speaker, turn.text) for turn in others])]
        if chosen:
            await memories.summarise(session, state.campaign, npc, state.scene_id, _digest(state, npc, chosen),
                                     [turn.id for turn in chosen], state.clock())  # fmt: skip


async def _everybody(session: Any, state: State) -> list[str]:
    known = set(state.library.slugs())
    return [npc for npc in await presence.ever_present(session, state.scene_id, "npc") if npc in known]


def _digest(state: State, npc: str, chosen: Sequence[StoredTurn]) -> str:
    """Some turns as one line of memory, the NPC's own as "you"."""
    where = f"At {state.scene.place}: " if state.scene.place else ""
    told: list[str] = []
    length = 0
    for turn in chosen:
        said = f"{'You' if turn.npc == npc else called(turn.speaker)} said: {' '.join(statements(turn.text))}"
        if told and length + len(said) > _MOST:
            break
        told.append(said[:_MOST])
        length += len(said)
    return where + " ".join(told)
