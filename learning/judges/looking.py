"""What a judge is shown: the prompt an NPC read, and the line that came of it.

Only rows that may be learnt from are ever shown to a judge, wherever it sits.
"""

from collections.abc import Iterable, Sequence

from characters.messages import Scene, Turn
from characters.prompt import Budget, Part, at_hand_lines, build_prompt
from characters.words import terms
from learning.harvest import Candidate
from learning.judges.agreement import Standing, Vote, among, sides, standing
from learning.judges.criteria import Seen
from learning.judges.judging import Judge, Judged, like_length

_BUDGET = Budget(context=16_384, reply=400, system=4000)
_MOST = 200  # votes; more cost and tell little
_LORE = 3  # facts
_CONTEXT = 6  # turns before a line


def seen_line(part: Part, turns: Sequence[Turn], scene: Scene, line: str, lore: Sequence[str] = ()) -> Seen:
    """A line as a judge sees it, with what the NPC's prompt carried.

    Args:
        lore: what the NPC was told besides its sheet; what bears on the question or the line is shown.
    """
    about = set(terms(f"{turns[-1].text if turns else ''} {line}"))
    near = sorted((text for text in lore if about & set(terms(text))), key=lambda text: -len(about & set(terms(text))))
    prompt = build_prompt(part, turns, scene=scene, budget=_BUDGET)
    examples = (*(e.line for e in part.sheet.speech.examples), *(e.line for e in part.style))
    return Seen(
        part.sheet.name, prompt.messages[0].content, "\n".join([*at_hand_lines(prompt.at_hand), *near[:_LORE]]),
        tuple(f"{turn.speaker}: {turn.text}" for turn in turns[-_CONTEXT:]), line, examples,
    )  # fmt: skip


def votes_of(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The thumbs and pairs a judge may be held against, the newest."""
    usable = [c for c in candidates if c.trainable and c.turns and c.kind in {"label", "pair"}]
    return usable[-_MOST:]


async def hold_against(judge: Judge, part: Part, candidates: Iterable[Candidate]) -> Standing:
    """Hold a judge against what people thought of lines: thumbs and pairs.

    Args:
        candidates: harvested; those that may not be learnt from are not shown.
    """
    votes: list[Vote] = []
    rows: list[list[int | None]] = []
    for number, candidate in enumerate(votes_of(candidates)):
        one = seen_line(part, candidate.turns, candidate.scene, candidate.completion)
        judged = await judge.score(one)
        rows.append([judged.of(criterion.name) for criterion in judge.criteria])
        if candidate.kind == "label":
            votes.append(Vote("good" if candidate.label else "bad", _word(judged.score)))
            continue
        other = seen_line(part, candidate.turns, candidate.scene, candidate.rejected)
        human, against = sides(number)
        preferred = await judge.prefer(one, other)
        said = human if preferred > 0 else against if preferred < 0 else "undecided"
        votes.append(Vote(human, said, like_length(one.line, other.line)))
    return standing(judge.name, part.slug, votes, among(rows))


async def judge_lines(judge: Judge, seen: Sequence[Seen]) -> list[Judged]:
    """Scores of lines, in their order."""
    return [await judge.score(one) for one in seen]


def _word(score: float) -> str:
    return "good" if score > 0 else "bad" if score < 0 else "undecided"
