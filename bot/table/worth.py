"""Which lines are most worth the GM's time: where the table disagrees, near a secret, far from the sheet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from characters.sheet import Sheet
from characters.words import terms
from characters.world import World

_NEAR = 0.5  # of a secret's words
_FAR = 0.5  # of a line's words are nowhere in the sheet
_FEW = 4  # words of a line that say nothing yet


@dataclass(frozen=True)
class Worth:
    """How much a line is worth looking at, and why; 0 where nothing stands out."""

    score: float
    why: str = ""


NOTHING = Worth(0.0)


class Judge:
    """Judges the lines of one NPC."""

    def __init__(self, sheet: Sheet, world: World) -> None:
        known = f"{sheet.model_dump_json()} {world.model_dump_json()}"
        self._known = frozenset(terms(known))
        self._secrets = [(secret.text, frozenset(terms(secret.text))) for secret in sheet.secrets]

    def worth(self, line: str, asked: str, votes: tuple[int, int]) -> Worth:
        """Judge one line.

        Args:
            votes: how many liked and how many disliked it.
        """
        said = _terms(line)
        found = [self._torn(votes), self._near(said), self._far(said, asked)]
        if not any(one.score for one in found):
            return NOTHING
        best = [one for one in sorted(found, key=lambda one: -one.score) if one.score]
        return Worth(sum(one.score for one in best), "; ".join(one.why for one in best))

    def _torn(self, votes: tuple[int, int]) -> Worth:
        up, down = votes
        if not min(votes):
            return NOTHING
        return Worth(3.0 * min(up, down) / max(up, down), f"the table disagrees: {up} for it, {down} against")

    def _near(self, said: frozenset[str]) -> Worth:
        shares = [(len(said & secret) / len(secret), text) for text, secret in self._secrets if secret]
        share, text = max(shares, default=(0.0, ""))
        return Worth(3.0 * share, f"near a secret: “{text[:90]}”") if share >= _NEAR else NOTHING

    def _far(self, said: frozenset[str], asked: str) -> Worth:
        strange = said - self._known - _terms(asked)
        if len(said) < _FEW or len(strange) / len(said) < _FAR:
            return NOTHING
        return Worth(len(strange) / len(said), f"far from the sheet: {len(strange)} of {len(said)} words are not in it")


@lru_cache(maxsize=4096)
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def most_worth(judged: Iterable[tuple[str, Worth]], most: int) -> list[str]:
    """The keys most worth a look, best first."""
    ranked = sorted(((worth.score, key) for key, worth in judged if worth.score > 0), reverse=True)
    return [key for _, key in ranked[:most]]


def votes_of(counted: Mapping[int, tuple[int, int]], turn: int | None) -> tuple[int, int]:
    """The votes on a line."""
    return counted.get(turn or 0, (0, 0))
