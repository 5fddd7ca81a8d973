"""The table of NPCs × models, and where it stands in a document: between two marks, written anew each time."""

import re
from collections.abc import Sequence
from pathlib import Path

from learning.exam.errors import ExamImpossible
from learning.exam.scoring import Share, score, wilson
from learning.exam.sitting import Sitting

BEGINS, ENDS = "<!-- exam table begins -->", "<!-- exam table ends -->"


def table(sittings: Sequence[Sitting]) -> str:
    """One table a speaker: a row for every NPC, right of asked, and all together with their interval."""
    speakers = dict.fromkeys(sitting.speaker for sitting in sittings)
    return "\n\n".join(_of_one(speaker, [one for one in sittings if one.speaker == speaker]) for speaker in speakers)


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
