"""The exam's own wordings, and what it invents to ask about."""

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

_HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def phrasings() -> dict[str, tuple[str, ...]]:
    """Every wording by the kind of question; slots stand in braces."""
    return _lists("phrasings.yaml")


@lru_cache(maxsize=1)
def inventions() -> dict[str, tuple[str, ...]]:
    """Things, people, places and goods that stand in no sheet and no world."""
    return _lists("inventions.yaml")


def _lists(name: str) -> dict[str, tuple[str, ...]]:
    content = yaml.safe_load((_HERE / name).read_text("utf-8"))
    return {kind: tuple(str(entry) for entry in entries) for kind, entries in content.items()}


def wordings(kind: str, key: str, slots: dict[str, str]) -> Iterator[str]:
    """All wordings of a question in an order of the key's own, so that no other item moves it."""
    known = list(phrasings()[kind])
    random.Random(f"{kind}/{key}").shuffle(known)
    for text in known:
        yield re.sub(r"\{(\w+)\}", lambda slot: slots[slot[1]], _with_article(text, slots.get("x", "")))


def _with_article(text: str, thing: str) -> str:
    return re.sub(r"\ba (?=\{x\})", "an " if thing[:1].casefold() in {*"aeiou"} else "a ", text)
