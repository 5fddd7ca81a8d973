"""Whether a judge may decide: its verdicts beside people's own votes.

Votes are thumbs (a line was liked or not) and pairs (of two lines one was preferred). Below 70 % agreement,
below a κ of 0.4, or with fewer than thirty votes it only advises.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

AGREEMENT, KAPPA, ENOUGH = 0.70, 0.40, 30


@dataclass(frozen=True)
class Vote:
    """What people said of a line, or of two, and what the judge says: good, bad or undecided.

    Attributes:
        matched: of two lines, whether they are of like length.
    """

    human: str
    judge: str
    matched: bool = True


@dataclass(frozen=True)
class Standing:
    """How a judge stands beside people.

    Attributes:
        n: votes of lines of like length; the others do not count, for the longer is liked too easily.
        among: how far the evaluators agree with each other, mean over pairs of them; None for one alone.
    """

    judge: str
    npc: str
    n: int
    agreement: float
    kappa: float
    all_votes: int = 0
    all_agreement: float = 0.0
    among: float | None = None

    @property
    def decides(self) -> bool:
        """Whether it may decide anything."""
        return self.n >= ENOUGH and self.agreement >= AGREEMENT and self.kappa >= KAPPA

    def __str__(self) -> str:
        told = f"agreement with people {self.agreement:.0%}, κ {self.kappa:.2f} (n = {self.n})"
        if self.decides:
            return f"{told}: it may decide"
        why = f"fewer than {ENOUGH} votes" if self.n < ENOUGH else f"below {AGREEMENT:.0%} or κ {KAPPA}"
        return f"{told}: it only advises ({why})"


def standing(judge: str, npc: str, votes: Sequence[Vote], among: float | None = None) -> Standing:
    """Hold a judge against votes."""
    counted = [vote for vote in votes if vote.matched]
    return Standing(judge, npc, len(counted), agreed(counted), kappa(counted), len(votes), agreed(votes), among)


def agreed(votes: Sequence[Vote]) -> float:
    """The share of votes the judge gives as well; undecided is no agreement."""
    return sum(vote.human == vote.judge for vote in votes) / len(votes) if votes else 0.0


def kappa(votes: Sequence[Vote]) -> float:
    """Cohen's κ: agreement beyond what chance would bring, given how often each says what."""
    if not votes:
        return 0.0
    people, judge = Counter(vote.human for vote in votes), Counter(vote.judge for vote in votes)
    chance = sum(people[word] * judge[word] for word in people) / len(votes) ** 2
    return (agreed(votes) - chance) / (1 - chance) if chance < 1 else 0.0


def among(scores: Iterable[Sequence[int | None]]) -> float | None:
    """How often two evaluators give the same score, over all pairs of them and all lines."""
    same = [
        row[one] == row[other] for row in scores for one in range(len(row)) for other in range(one)
        if row[one] is not None and row[other] is not None
    ]  # fmt: skip
    return sum(same) / len(same) if same else None


def sides(number: int) -> tuple[str, str]:
    """What "the first is better" and "the second is better" are called for a pair.

    Which line counts as the first is drawn, or the preferred one would always be it and chance agreement 1.
    """
    return ("good", "bad") if random.Random(number).random() < 0.5 else ("bad", "good")


def keep(folder: Path, campaign: int, found: Standing) -> None:
    """Keep how a judge stands beside a campaign's people, so that gate and exam know it."""
    file = _file(folder, campaign, found.judge, found.npc)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(found), ensure_ascii=False, indent=1), "utf-8")
    partial.replace(file)


def known(folder: Path, campaign: int, judge: str, npc: str) -> Standing:
    """The standing of a judge for a campaign's NPC; one never held against that campaign's votes has none to show."""
    try:
        return Standing(**json.loads(_file(folder, campaign, judge, npc).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return Standing(judge, npc, 0, 0.0, 0.0)


def _file(folder: Path, campaign: int, judge: str, npc: str) -> Path:
    return folder / str(campaign) / f"standing-{npc}-{hashlib.sha256(judge.encode()).hexdigest()[:12]}.json"
