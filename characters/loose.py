"""Reads JSON that others wrote, and values out of it: what has the wrong type is nothing, never a fault.

Cards in the wild carry numbers as text, `""` where a list belongs, and null nearly everywhere.
"""

import json
import math
import unicodedata
from typing import Any, NoReturn

from characters.errors import CardError

MAX_JSON = 1024 * 1024
_MOST_DEPTH = 64
_MOST_TEXTS = 2000


def text_of(value: Any, default: str = "") -> str:
    """A text; numbers are written out, line ends become one kind, what UTF-8 cannot carry is replaced."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e18:
        return str(value)
    if not isinstance(value, str):
        return default
    return value.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def texts_of(value: Any) -> tuple[str, ...]:
    """The texts of a list that are not empty; a lone text counts as a list of its comma-separated parts."""
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
    found = (text_of(item).strip() for item in items[:_MOST_TEXTS])
    return tuple(item for item in found if item)


def number_of(value: Any, default: float, low: float, high: float) -> float:
    """A number within bounds, also when it is written as text."""
    if isinstance(value, str) and len(value) <= 30:
        try:
            value = float(value)
        except ValueError:
            return default
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    if isinstance(value, float) and not math.isfinite(value):
        return default
    return float(min(max(value, low), high))


def whole_of(value: Any, default: int, low: int = 0, high: int = 1_000_000) -> int:
    """A whole number within bounds."""
    return int(number_of(value, default, low, high))


def flag_of(value: Any, default: bool) -> bool:
    """A yes or no; 0 and 1 count."""
    if isinstance(value, (bool, int)):
        return bool(value)
    return default


def maybe_flag(value: Any) -> bool | None:
    """A yes, a no, or neither was said."""
    return bool(value) if isinstance(value, (bool, int)) else None


def dict_of(value: Any) -> dict[str, Any]:
    """A mapping, empty where there is none."""
    return value if isinstance(value, dict) else {}


def plain(text: str) -> str:
    """A text on one line, without control characters and invisible marks."""
    return " ".join("".join(" " if unicodedata.category(ch)[0] in "CZ" else ch for ch in text).split())


def parse_json(data: bytes, shown: str, most: int = MAX_JSON) -> dict[str, Any]:
    """Read one JSON object, within bounds.

    Raises:
        CardError: too large, too deep, no JSON, no object, or with numbers JSON does not have.
    """
    if len(data) > most:
        raise CardError(f"{shown}: its JSON is larger than {most >> 20} MB; shorten it.")
    try:
        text = data.decode("utf-8-sig")
        value = json.loads(text, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise CardError(f"{shown} is neither a picture with a card nor text in UTF-8; choose a card.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise CardError(f"{shown} is no JSON ({error.msg.lower()} at {where}); get the card again.") from error
    except (RecursionError, ValueError) as error:
        raise CardError(f"{shown}: its JSON holds what no card needs ({str(error)[:60]}); get it again.") from error
    if not isinstance(value, dict):
        raise CardError(f"{shown}: its JSON is no card, for it is not one object with fields.")
    _bounded(value, shown)
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def _bounded(value: Any, shown: str) -> None:
    """Refuse JSON that is nested so deep that other programs, and ours, would trip over it."""
    layer = [value]
    for _ in range(_MOST_DEPTH):
        layer = [
            child for item in layer if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]  # fmt: skip
        if not layer:
            return
    raise CardError(f"{shown}: its JSON is nested deeper than {_MOST_DEPTH} levels; no card needs that.")
