"""What tonight takes of the rows, and what it wants before it trains: said alike by the review desk and the night.

The desk shows a row's own verdict together with what a person decided; the night obeys both. Were the
rule written down twice, a GM would read one thing in the evening and find another in the morning.
"""

from collections.abc import Mapping

ACCEPTED, REJECTED = "accept", "reject"
OVER_THE_CAP = "its voter has as many votes in as one may have"
FIRST_TRAINING = 8
FIRST_PAIRS, FIRST_LABELS = 30, 60

_SAID = {ACCEPTED: "accepted at the review desk", REJECTED: "rejected at the review desk"}


def decided(trains: bool, reason: str, human: str | None, *, taught: bool) -> tuple[bool, str]:
    """Whether a row is learnt from, and why or why not, with a person's verdict beside its own.

    A rejected row is not learnt from. Accepting brings back what a filter or a cap left out; but nobody
    at the desk can consent for somebody else, so a table's row left out for its source stays out.

    Args:
        human: `ACCEPTED`, `REJECTED` or None.
        taught: a teacher made it; then nobody's consent bears on it.
    """
    if human == REJECTED:
        return False, _SAID[REJECTED]
    if human == ACCEPTED and not trains and (taught or reason == OVER_THE_CAP):
        return True, _SAID[ACCEPTED]
    return trains, reason


def enough(lines: int, taught: int) -> bool:
    """Whether an NPC trains tonight: so many lines of the table, so many rows by teachers."""
    return lines + taught >= FIRST_TRAINING


def what_is_missing(found: Mapping[str, int]) -> str:
    """What the table would have to give for the next tier."""
    if found["sft"] < FIRST_TRAINING:
        lines = FIRST_TRAINING - found["sft"]
        return (f"{lines} more line{'' if lines == 1 else 's'} that you approve, edit or speak yourself, "
                "and the NPC trains; until then it follows your examples from its prompt")  # fmt: skip
    more_pairs, more_labels = max(0, FIRST_PAIRS - found["pair"]), max(0, FIRST_LABELS - found["label"])
    if not (more_pairs and more_labels):
        return "nothing; all three stages have what they need"
    return (f"{more_pairs} more pairs (edits, kept takes, blind votes) or {more_labels} more votes "
            "for a preference stage")  # fmt: skip
