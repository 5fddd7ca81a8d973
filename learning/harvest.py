"""From what a table heard and thought of it to candidate rows: one pure function.

| event | becomes |
|---|---|
| the GM edits a line, or speaks as the NPC | a target (weight 3); an edit also beats the original |
| that edit is edited again, or another take is kept | nothing of the earlier edit |
| the GM approves a line | a target (weight 1), and a label: of the words that were approved, whatever take came later |
| another take is kept | the kept one beats the one before it |
| of two voices heard blind one is preferred | its line beats the other's |
| another take is asked for and none kept, 👎, retcon, ✖ | a label: not like this |

Provenance decides over the answered turn; an earlier turn that may not be trained on cuts the
context after it, never leaves a hole in it. What is left out is left out with its reason.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from characters.knowing import When
from characters.messages import Fact, Scene, Turn
from db.provenance import Policy, shares_words, verdict
from db.tonight import OVER_THE_CAP
from db.values import GivenReaction, HeardLine, HeardTurn
from learning.recalling import NOTHING, Recalled, recall, without_memories

Kind = Literal["sft", "pair", "label"]
TOO_ALIKE = 0.05
_CAPPED_FROM = 3
_UNCAPPED = frozenset({"retcon", "safety_x"})  # table safety is no vote
_AGAINST = frozenset({"thumbs_down", "regen", "safety_x"})  # all that a line out of the story still teaches
_NIGHTS_STOPPED = 5  # that a player's ✖ is asked for
_MOST_REGRESSIONS = 200
_IDENTIFIER = re.compile(
    r"https?://\S+|www\.\S+|<[@#!&:]\S+?>|@\w[\w.]*|[\w.+-]+@[\w-]+\.\w[\w.-]*|\b\d{9,}\b|\+\d[\d ()-]{7,}\d"
)

_MAY_IDENTIFY = re.compile(r"[@/<\d]|www\.")  # every identifier has one of these, and few turns do


@dataclass(frozen=True)
class Candidate:
    """A row that could be learnt from.

    Attributes:
        kind: "sft" (completion), "pair" (completion ≻ rejected) or "label" (completion, label).
        signal: the event it came from.
        source: who wrote the completion (`db.provenance`).
        turns: the context, oldest first; the last turn is answered.
        conversation: (scene, npc); whole conversations go to one split.
        people: keys of everybody whose words are in it, for forgetting.
        voter: key of the player whose vote or take it is; "" for the GM, whom no cap binds.
        nights: how many whole nights have begun since.
        recalled: what its prompt held of memory, lore and open secrets, as far as it may be learnt from.
        when: how far the story had come, for facts that are known since.
        trainable: the verdict; `reason` says why or why not.
        at_hand: what stands right before the line; None looks it up as serving would.
    """

    kind: Kind
    signal: str
    source: str
    line: int
    conversation: str
    scene: Scene
    turns: tuple[Turn, ...]
    people: tuple[str, ...]
    completion: str
    rejected: str = ""
    label: bool = True
    weight: int = 1
    trainable: bool = True
    reason: str = ""
    voter: str = ""
    nights: int = 0
    at_hand: tuple[Fact, ...] | None = None
    recalled: Recalled = NOTHING
    when: When = When()


def harvest(heard: Iterable[HeardLine], policy: Policy) -> list[Candidate]:
    """Turn heard lines into candidates, those that may not be used included."""
    return _capped([candidate for line in heard for candidate in _of_line(line, policy)])


def _capped(found: list[Candidate]) -> list[Candidate]:
    """From three voters on, nobody has more than max(20 %, 1.5 / voters) of the players' votes; the newest count."""
    votes = [c for c in found if c.voter and c.trainable and c.signal not in _UNCAPPED]
    voters = {c.voter for c in votes}
    if len(voters) < _CAPPED_FROM:
        return found
    most = max(1, int(len(votes) * max(0.2, 1.5 / len(voters))))
    over = {id(c) for voter in voters for c in [c for c in votes if c.voter == voter][:-most]}
    return [replace(c, trainable=False, reason=OVER_THE_CAP) if id(c) in over else c for c in found]


def scrub(text: str) -> str:
    """Remove addresses, links, mentions and long numbers; what is left is plain speech."""
    return " ".join((_IDENTIFIER.sub(" ", text) if _MAY_IDENTIFY.search(text) else text).split())


def differ(one: str, other: str) -> float:
    """How different two texts are, 0 (equal) to 1, by matching characters."""
    return 1.0 - difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def too_alike(one: str, other: str) -> bool:
    """Whether two texts differ by less than `TOO_ALIKE`; quick bounds decide for most."""
    pair = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return all(1.0 - ratio() < TOO_ALIKE for ratio in (pair.real_quick_ratio, pair.quick_ratio, pair.ratio))


@dataclass(frozen=True)
class _Context:
    turns: tuple[Turn, ...]
    people: tuple[str, ...]
    trainable: bool
    reason: str


class _Judge:
    """What of a line may be used; several rows of it ask the same."""

    def __init__(self, line: HeardLine, policy: Policy) -> None:
        self.policy = policy
        self._line, self._contexts = line, dict[str | None, _Context]()
        self._barred = _barred(line, policy)

    def context(self, asked: str | None) -> _Context:
        """What the line answers, as far as it may be used."""
        if asked not in self._contexts:
            self._contexts[asked] = _context(self._line, self.policy, self._barred, asked)
        return self._contexts[asked]

    def quotes_the_untrainable(self, text: str) -> bool:
        """Whether a text carries eight words in a row of something said before it that may not be trained on."""
        return any(shares_words(text, said) for said in self._barred)


def _context(line: HeardLine, policy: Policy, barred: Sequence[str], asked: str | None) -> _Context:
    """What the line answers, as far as it may be used; `asked` is the GM's own wording of it."""
    if asked is not None and any(shares_words(asked, said) for said in barred):
        return _Context((), (), False, "what it answers repeats words that may not be learnt from")
    if asked is not None:
        return _Context((Turn("GM", scrub(asked)),), (), True, "asked and answered by the GM")
    if not line.before:
        return _Context((), (), False, "answers nothing that still stands")
    answered = line.before[-1]
    judged = verdict(answered.said.source, answered.consent, policy)
    if not judged.trainable:
        return _Context((), (), False, f"what it answers: {judged.reason}")
    if any(shares_words(answered.said.text, said) for said in barred):
        return _Context((), (), False, "what it answers repeats words that may not be learnt from")
    usable = _after_barred(line, policy, barred) if barred else line.before
    turns = tuple(without_memories(_scrubbed(turn), line, policy) for turn in usable)
    if not turns or not turns[-1].text:
        return _Context((), (), False, "nothing is left of the question without addresses and links")
    people = tuple(sorted({turn.person for turn in usable if turn.person}))
    return _Context(tuple(turn for turn in turns if turn.text), people, True, judged.reason)


def _after_barred(line: HeardLine, policy: Policy, barred: Sequence[str]) -> Sequence[HeardTurn]:
    """The turns since the last that may not be trained on, or has words of one."""
    usable: list[HeardTurn] = []
    cut = False
    for turn in line.before:
        own = turn.said.npc is not None
        if not own and not verdict(turn.said.source, turn.consent, policy).trainable:
            usable, cut = [], True
        elif any(shares_words(turn.said.text, said) for said in barred):
            usable = []
        elif not (own and cut):  # an NPC's answer to a barred turn may carry its words
            usable.append(turn)
            cut = False
    return usable


def _scrubbed(heard: HeardTurn) -> Turn:
    said = heard.said
    return Turn(said.speaker, scrub(said.text), said.npc, said.at_hand)


def _of_line(line: HeardLine, policy: Policy) -> list[Candidate]:
    judge = _Judge(line, policy)
    original = next((take.text for take in line.takes if take.origin == "npc" and take.text), "")
    found = [
        candidate
        for reaction in line.reactions
        if not line.retracted or reaction.kind in _AGAINST
        for candidate in _of_reaction(line, reaction, original, judge)
    ]  # fmt: skip
    if line.retracted and not _only_stopped(line):
        undone = _undone(line)
        found.append(_row(line, judge, "label", "retcon", completion=original or line.text, label=False, weight=2,
                          voter=undone.person if undone else "", nights=undone.nights if undone else 0))  # fmt: skip
    return [candidate for candidate in found if candidate.completion]


def _only_stopped(line: HeardLine) -> bool:
    """Whether a line is out of the story by ✖ alone; that is a row of its own."""
    kinds = {given.kind for given in line.reactions}
    return "safety_x" in kinds and "retcon" not in kinds


def _undone(line: HeardLine) -> GivenReaction | None:
    """The player's retcon of a line; None where the GM's stands too, for that is the stronger."""
    given = [reaction for reaction in line.reactions if reaction.kind == "retcon"]
    return None if any(one.role == "gm" for one in given) or not given else given[-1]


def _of_reaction(line: HeardLine, given: GivenReaction, original: str, judge: _Judge) -> list[Candidate]:
    by_gm = given.role == "gm"
    voter = "" if by_gm else given.person
    if given.kind == "edit":
        return _of_edit(line, given, original, judge)
    if given.kind == "gm_line":
        return [_row(line, judge, "sft", "gm_line", source="gm", completion=line.text, weight=3)]
    if given.kind == "thumbs_up":
        liked = given.text or line.text
        label = _row(line, judge, "label", "thumbs_up", completion=liked, weight=2 if by_gm else 1, voter=voter)
        return [_row(line, judge, "sft", "thumbs_up", completion=liked), label] if by_gm else [label]
    if given.kind in {"thumbs_down", "safety_x"}:
        disliked, weight = given.text or line.text, 2 if by_gm or given.kind == "safety_x" else 1
        return [_row(line, judge, "label", given.kind, completion=disliked, label=False, weight=weight,
                     voter=voter, nights=given.nights)]  # fmt: skip
    if given.kind == "keep":
        other = _take_before(line, given.take)
        kept = next((take.text for take in line.takes if take.id == given.take), "")
        if other in {"", kept}:
            return []
        return [_row(line, judge, "pair", "keep", completion=kept, rejected=other, voter=voter)]
    if given.kind == "vote":
        return _of_vote(line, given, judge, voter)
    if given.kind == "regen" and not _stands_by(line, given.text):
        return [_row(line, judge, "label", "regen", completion=given.text, label=False, voter=voter)]
    return []


def _stands_by(line: HeardLine, text: str) -> bool:
    """Whether somebody chose among a line's takes, or likes this one: then asking for another is no dislike."""
    if any(given.kind in {"keep", "edit"} for given in line.reactions):
        return True
    liked = {given.text or line.text for given in line.reactions if given.kind == "thumbs_up"}
    return text in liked and not line.retracted


def _of_edit(line: HeardLine, given: GivenReaction, original: str, judge: _Judge) -> list[Candidate]:
    if given.take not in {None, line.kept}:
        return []  # corrected once more, or undone by the take that is kept
    by_gm = given.role == "gm"
    take = next((take for take in line.takes if take.id == given.take), None)
    text, source = (take.text, take.origin) if take else (line.text, "local")
    judged = verdict("gm" if by_gm else source, given.consent, judge.policy)
    question = line.before[-1].said.text if line.before else ""
    asked = given.asked if by_gm and given.asked not in {"", question} else None
    common = {"source": "gm" if by_gm else source, "completion": text, "asked": asked, "written": judged}
    rows = [_row(line, judge, "sft", "edit", weight=3 if by_gm else 1, **common)]
    if original and not too_alike(text, original):
        rows.append(_row(line, judge, "pair", "edit", rejected=original, **common))
    return rows


def _of_vote(line: HeardLine, given: GivenReaction, judge: _Judge, voter: str) -> list[Candidate]:
    takes = {take.id: take for take in line.takes}
    better = takes.get(given.take or 0)
    other = takes.get(better.made.sampling.get("beside", 0)) if better else None
    if better is None or other is None or not (better.text and other.text):
        return []  # one of the two is forgotten
    return [_row(line, judge, "pair", "vote", completion=better.text, rejected=other.text, voter=voter)]


def _take_before(line: HeardLine, kept: int | None) -> str:
    """The take a kept one was preferred to: the newest other that was spoken."""
    others = [take.text for take in line.takes if take.id != kept and take.text and take.origin == "npc"]
    return others[-1] if others else ""


def _row(line: HeardLine, judge: _Judge, kind: Kind, signal: str, **fields: Any) -> Candidate:
    """A candidate of a line.

    Args:
        fields: those of Candidate, `asked` where the GM rewrote the question, and `written`, the verdict on
            words somebody wrote for the NPC.
    """
    context, written = judge.context(fields.pop("asked", None)), fields.pop("written", None)
    if context.trainable and written is not None and not written.trainable:
        context = _Context((), (), False, f"the words written for it: {written.reason}")
    if context.trainable and judge.quotes_the_untrainable(fields["completion"]):
        context = _Context((), (), False, "it repeats words that may not be learnt from")
    recalled = recall(line, judge.policy, context.turns, fields["completion"]) if context.trainable else NOTHING
    if recalled.reason:
        context = _Context((), (), False, recalled.reason)
    fields["completion"], fields["rejected"] = scrub(fields["completion"]), scrub(fields.get("rejected", ""))
    return Candidate(
        kind=kind, signal=signal, source=fields.pop("source", "npc"), line=line.id,
        conversation=f"{line.scene_id}/{line.npc}", scene=line.scene, turns=context.turns,
        people=tuple(sorted({*context.people, *recalled.people})), trainable=context.trainable, reason=context.reason,
        recalled=recalled, when=line.when, **fields,
    )  # fmt: skip


def _barred(line: HeardLine, policy: Policy) -> list[str]:
    """What people said before a line that may not be trained on."""
    return [
        turn.said.text for turn in line.before
        if turn.said.npc is None and not verdict(turn.said.source, turn.consent, policy).trainable
    ]  # fmt: skip


def regression_set(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The lines an NPC must not say again: what the GM took back for good, what a player stopped for five nights.

    Two hundred at most, the GM's before players', newer before older.
    """
    cases = [c for c in candidates if c.trainable and not c.label and c.signal in {"retcon", "safety_x"}]
    lasting = [c for c in cases if not c.voter][-_MOST_REGRESSIONS:]
    passing = [c for c in cases if c.voter and c.nights < _NIGHTS_STOPPED]
    return [*lasting, *passing[max(0, len(passing) + len(lasting) - _MOST_REGRESSIONS) :]]


def counts(candidates: Sequence[Candidate]) -> dict[str, int]:
    """How many rows of each kind may be used, and how many were left out."""
    found = {"sft": 0, "pair": 0, "label": 0, "left_out": 0}
    for candidate in candidates:
        found[candidate.kind if candidate.trainable else "left_out"] += 1
    return found
