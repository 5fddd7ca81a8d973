"""What of an NPC's memory a training row may carry: the same facts its prompt had, as far as they may be learnt from.

A row that rests on a memory trains only with that memory in its prompt. Where the memory is gone by
now, or was made of words that may not be learnt from, a line that has its words is left out, and any
other line trains without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from characters.messages import Fact, Turn
from characters.remembering import called, stems
from db.provenance import Policy, verdict
from db.values import HeardLine, HeardMemory


@dataclass(frozen=True)
class Recalled:
    """What a row carries of memory.

    Attributes:
        facts: for right before the reply; open secrets among them.
        summaries: for the system text.
        familiarity: whom of those who speak in the row the NPC knew, and how well.
        people: keys of those whose words are in it.
        names: of the same, to be replaced.
        reason: why the row may not be learnt from; "" where it may.
    """

    facts: tuple[Fact, ...] = ()
    summaries: tuple[str, ...] = ()
    familiarity: str = ""
    people: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    reason: str = ""


NOTHING = Recalled()


def usable(memory: HeardMemory | None, policy: Policy) -> bool:
    """Whether a memory stands, and everything it was made of may be learnt from."""
    return memory is not None and all(verdict(o.source, o.consent, policy).trainable for o in memory.origins)


def without_memories(turn: Turn, line: HeardLine, policy: Policy) -> Turn:
    """An earlier turn without what was at hand for it from memory and may not be learnt from, or is gone."""
    if not turn.at_hand:
        return turn
    kept = tuple(fact for fact in turn.at_hand if _carried(fact, line, policy))
    return turn if kept == turn.at_hand else Turn(turn.speaker, turn.text, turn.npc, kept)


def _carried(fact: Fact, line: HeardLine, policy: Policy) -> bool:
    if not fact.key.startswith("memory."):
        return True  # of a file: sheet, world, lorebook, a secret of the sheet
    memory = line.memories.get(fact.key)
    return memory is not None and memory.fact.text == fact.text and usable(memory, policy)


def recall(line: HeardLine, policy: Policy, turns: Iterable[Turn], completion: str) -> Recalled:
    """What a row of a line carries of memory.

    Args:
        turns: the row's context.
    """
    context = list(turns)
    facts = tuple(fact for fact in line.recalled if _carried(fact, line, policy))
    lost = [fact for fact in line.recalled if fact not in facts]
    if lost and _rests_on(completion, lost, [*(turn.text for turn in context), *(fact.text for fact in facts)]):
        return Recalled(reason="it rests on a memory that is gone or may not be learnt from")
    summaries = [Fact(one["key"], one["text"], "memory") for one in line.frame.get("memory", ())]
    kept = [fact for fact in summaries if _carried(fact, line, policy)]
    standing = [line.memories[fact.key] for fact in (*facts, *kept) if fact.key in line.memories]
    origins = {origin for memory in standing for origin in memory.origins}
    return Recalled(
        facts, tuple(fact.text for fact in kept), _known(str(line.frame.get("familiarity", "")), context),
        tuple(sorted({origin.person for origin in origins if origin.person})),
        tuple(sorted({origin.name for origin in origins if origin.name})),
    )  # fmt: skip


def _known(familiarity: str, turns: Iterable[Turn]) -> str:
    """Whom of those who speak the NPC knew."""
    if not familiarity:
        return ""
    speakers = {called(turn.speaker, within=True) for turn in turns}
    return "; ".join(part for part in familiarity.split("; ") if part.rpartition(": ")[0] in speakers)


def _rests_on(completion: str, lost: Iterable[Fact], told: Iterable[str]) -> bool:
    """Whether a line has words of what is lost that it cannot have from anywhere else."""
    known, own = {word for text in told for word in stems(text)}, set(stems(completion))
    return any(own & set(stems(fact.text)) - known for fact in lost)
