"""What the table's ears say: blind votes as a measure, also when they come after the night.

A candidate is judged at night and listened to by day. Votes given then are put into its verdict:
enough of them hold a candidate that passed, and let one pass that was held for want of a reason.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from learning.gate.measures import EXAM, NOTHING_BETTER, GateVerdict, Measure, conclude

NAME = "blind votes"
_TOLERANCE = 0.16  # 42 votes of 100 are not worse: that many fall so by chance between equals


def votes_measure(won: int, lost: int) -> Measure | None:
    """The share of the decided votes that each of the two has; None where nobody voted."""
    n = won + lost
    return Measure(NAME, won / n, lost / n, n, tolerance=_TOLERANCE, target=True) if n else None


def judged_again(report: Mapping[str, Any], votes: Measure | None) -> GateVerdict:
    """The verdict of a report with tonight's votes in the place of those before.

    A candidate that was held for a fault, or because time was short, stays held whatever is voted; so does one
    that votes kept from its exam.
    """
    asked = [_measure(row) for row in report["measures"] if row["name"] != NAME]
    found = (*asked, votes) if votes else tuple(asked)
    wanting = not report["passed"] and report["reason"].endswith(NOTHING_BETTER)
    if report["passed"] or wanting or _voted_down(report):
        return conclude(found)
    return GateVerdict(False, report["reason"], found)


def _voted_down(report: Mapping[str, Any]) -> bool:
    """Whether votes hold it and nothing else: they hold one at night before its exam, which then nobody has asked."""
    by_votes = str(report["reason"]).startswith(f"held: {NAME} ")
    return by_votes and any(row["name"].startswith(EXAM) for row in report["measures"])


def sentence(measures: Iterable[Mapping[str, Any]]) -> str:
    """The votes among stored measures: "blind votes: 7 of 9 for it"; "" where nobody voted."""
    for row in measures:
        if row["name"] == NAME:
            return f"{NAME}: {round(row['candidate'] * row['n'])} of {row['n']} for it"
    return ""


def _measure(row: Mapping[str, Any]) -> Measure:
    """A measure as the database keeps it; what follows from its numbers is left out."""
    return Measure(**{name: value for name, value in row.items() if name not in {"decides", "passed"}})
