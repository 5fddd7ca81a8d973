"""Prices as people say them: "3 silver", "2 gold and 5 silver".

Only what haggling at a table needs: reading a price, multiplying it, and saying it again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COPPERS = {"copper": 1, "silver": 10, "gold": 100, "platinum": 1000}
_SHORT = {"cp": "copper", "sp": "silver", "gp": "gold", "pp": "platinum"}
_COIN = r"(copper|silver|gold|platinum|cp|sp|gp|pp)\b"
_NUMBER = r"(\d{1,3}(?:,\d{3})+|\d{1,6})"
# No part of "1.5 gp" or "1/2 gp" is a price: no sum is better than a wrong one.
_PART = re.compile(rf"(?<![\d.,/]){_NUMBER}\s*(?:pieces? of )?{_COIN}", re.IGNORECASE)
_MORE = re.compile(rf"(?:,|,? and)? {_NUMBER}\s*{_COIN}", re.IGNORECASE)


@dataclass(frozen=True)
class Price:
    """An amount of one coin, in the coin it was named in."""

    amount: int
    coin: str

    @classmethod
    def find(cls, text: str) -> "Price | None":
        """Read the first price a text names, or None; "2 gold and 5 silver" is 25 silver."""
        found = _PART.search(text)
        if not found:
            return None
        price = cls._of(found)
        while (more := _MORE.match(text, found.end())) and _COPPERS[cls._of(more).coin] < _COPPERS[price.coin]:
            small = cls._of(more)
            price, found = cls((price.coppers + small.coppers) // _COPPERS[small.coin], small.coin), more
        return price

    @classmethod
    def _of(cls, found: re.Match[str]) -> "Price":
        coin = found[2].casefold()
        return cls(int(found[1].replace(",", "")), _SHORT.get(coin, coin))

    def times(self, count: int) -> "Price":
        """The price of several."""
        return Price(self.amount * count, self.coin)

    @property
    def coppers(self) -> int:
        """The value in copper pieces, the smallest coin."""
        return self.amount * _COPPERS[self.coin]

    def __str__(self) -> str:
        return f"{self.amount} {self.coin}"


def amount(coppers: int) -> str:
    """Say a sum of copper pieces in coins: "1 gold, 2 silver and 8 copper"."""
    said = []
    for coin in ("gold", "silver", "copper"):
        count, coppers = divmod(coppers, _COPPERS[coin])
        if count:
            said.append(f"{count} {coin}")
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) or "nothing"


def together(parts: Sequence[tuple[int, str, Price]]) -> str:
    """Say what some things cost together, as in "2 brown ale and bath together: 28 copper", in the largest coins.

    Args:
        parts: how many, of what, and the price of one.
    """
    *names, last = [f"{count} {name}" if count > 1 else name for count, name, _ in parts]
    had = f"{', '.join(names)} and {last}" if names else last
    if names:
        return f"{had} together: {amount(sum(count * price.coppers for count, _, price in parts))}."
    return f"{had} together: {parts[0][2].times(parts[0][0])}."
