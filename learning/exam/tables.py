"""The table of NPCs × models, and where it stands in a document: between two marks, written anew each time."""

import re
from collections.abc import Sequence
from pathlib import Path

from learning.exam.errors import ExamImpossible
from learning.exam.scoring import Share, changed, score, wilson
from learning.exam.sitting import Sitting

BEGINS, ENDS = "<!-- exam table begins -->", "<!-- exam table ends -->"


def table(sittings: Sequence[Sitting]) -> str:
    """One table a speaker: a row for every NPC, right of asked, and all together with their interval.

    Two speakers stand in one table, before and after.
    """
    speakers: dict[tuple[str, str, str | None], list[Sitting]] = {}
    for one in sittings:
        speakers.setdefault((one.speaker, one.result.base, one.result.adapter), []).append(one)
    if len(speakers) == 2:
        return _of_two(*speakers.values())
    return "\n\n".join(_of_one(speaker, those) for (speaker, *_), those in speakers.items())


def _of_two(before: Sequence[Sitting], after: Sequence[Sitting]) -> str:
    first, second = [score(one.marks) for one in before], [score(one.marks) for one in after]
    measures = list(dict.fromkeys(name for found in (*first, *second) for name in found))
    rows = [f"Before: **{_named(before)}**. After: **{_named(after)}**.", "",
            "| NPC | " + " | ".join(measures) + " | tokens/s |", "|---|" + "---:|" * (len(measures) + 1)]  # fmt: skip
    for one, other, a, b in zip(before, after, first, second, strict=True):
        cells = [_step(a.get(name), b.get(name)) for name in measures]
        rows.append(f"| {one.name} | {' | '.join(cells)} | {_speed(one)} → {_speed(other)} |")
    sums = [[_sum([found[name] for found in those if name in found]) for name in measures] for those in (first, second)]
    both = list(zip(*sums, strict=True))
    rows.append("| **all** | " + " | ".join(f"**{a.share:.0%} → {b.share:.0%}**" for a, b in both) + " | |")
    spans = [f"{a.low:.0%}–{a.high:.0%} → {b.low:.0%}–{b.high:.0%}" for a, b in both]
    rows.append("| 95 % | " + " | ".join(spans) + " | |")
    steps = changed((one.marks, other.marks) for one, other in zip(before, after, strict=True))
    told = [f"{100 * steps[name][0]:+.0f}, {_chance(steps[name][1])}" if name in steps else "–" for name in measures]
    rows.append("| points, p | " + " | ".join(told) + " | |")
    return "\n".join(rows)


def _named(sittings: Sequence[Sitting]) -> str:
    return f"{sittings[0].speaker} ({sittings[0].result.base[:19]})"


def _step(a: Share | None, b: Share | None) -> str:
    if a is None or b is None:
        return "–"
    return f"{a.right} → {b.right} of {b.n}" if a.n == b.n else f"{a.right}/{a.n} → {b.right}/{b.n}"


def _chance(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _of_one(speaker: str, sittings: Sequence[Sitting]) -> str:
    scores = [score(one.marks) for one in sittings]
    measures = list(dict.fromkeys(name for found in scores for name in found))
    base = sittings[0].result.base
    rows = [f"**{speaker}** (`{base[:19]}`)", "", "| NPC | " + " | ".join(measures) + " | tokens/s |",
            "|---|" + "---:|" * (len(measures) + 1)]  # fmt: skip
    for sitting, found in zip(sittings, scores, strict=True):
        cells = [f"{found[name].right}/{found[name].n}" if name in found else "–" for name in measures]
        rows.append(f"| {sitting.name} | {' | '.join(cells)} | {_speed(sitting)} |")
    together = [_sum([found[name] for found in scores if name in found]) for name in measures]
    rows.append("| **all** | " + " | ".join(f"**{one.share:.0%}**" for one in together) + " | |")
    rows.append("| 95 % | " + " | ".join(f"{one.low:.0%}–{one.high:.0%}" for one in together) + " | |")
    return "\n".join(rows)


def _sum(shares: Sequence[Share]) -> Share:
    return wilson(sum(one.right for one in shares), sum(one.n for one in shares))


def _speed(sitting: Sitting) -> str:
    return f"{sitting.footprint.tokens_per_second:.0f}" if sitting.footprint else "–"


def write_into(file: Path, text: str) -> None:
    """Put a table between the marks of a document, or make a document of it.

    Raises:
        ExamImpossible: the document has no such marks.
    """
    between = f"{BEGINS}\n{text}\n{ENDS}"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# The exam of all shipped NPCs\n\n{between}\n", "utf-8")
        return
    known = file.read_text("utf-8")
    marked = re.compile(re.escape(BEGINS) + ".*?" + re.escape(ENDS), re.DOTALL)
    if not marked.search(known):
        raise ExamImpossible(f"{file} has no place for the table; write {BEGINS} and {ENDS} on two lines of it.")
    file.write_text(marked.sub(lambda _: between, known, count=1), "utf-8")
