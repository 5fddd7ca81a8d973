"""Prices as people say them: "3 silver", "2 gold and 5 silver".

Only what haggling at a table needs: reading a price, multiplying it, and saying it again.
"""

import re
from dataclasses import dataclass

_COPPERS = {"copper": 1, "silver": 10, "gold": 100, "platinum": 1000}
_SHORT = {"cp": "copper", "sp": "silver", "gp": "gold", "pp": "platinum"}
_PART = re.compile(
    r"\b(\d{1,6})\s*(?:pieces? of )?(copper|silver|gold|platinum|cp|sp|gp|pp)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Price:
    """An amount of one coin, in the coin it was named in."""

    amount: int
    coin: str

    @classmethod
    def find(cls, text: str) -> "Price | None":
        """Read the first price a text names, or None."""
        found = _PART.search(text)
        if not found:
            return None
        coin = found[2].casefold()
        return cls(int(found[1]), _SHORT.get(coin, coin))

    def times(self, count: int) -> "Price":
        """The price of several."""
        return Price(self.amount * count, self.coin)

    @property
    def coppers(self) -> int:
        """The value in copper pieces, the smallest coin."""
        return self.amount * _COPPERS[self.coin]

    def __str__(self) -> str:
        return f"{self.amount} {self.coin}"


def total_sentence(count: int, name: str, price: Price) -> str:
    """Say what several of a thing cost together."""
    return f"{count} {name} together: {price.times(count)}."


def amount(coppers: int) -> str:
    """Say a sum of copper pieces in coins: "1 gold, 2 silver and 8 copper"."""
    said = []
    for coin in ("gold", "silver", "copper"):
        count, coppers = divmod(coppers, _COPPERS[coin])
        if count:
            said.append(f"{count} {coin}")
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) or "nothing"
