"""The exam's own wordings, and what it invents to ask about."""

import random
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

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


@lru_cache(maxsize=1)
def remarks() -> dict[str, tuple[dict[str, Any], ...]]:
    """What players say that no field answers, by kind: ``say``, ``about``."""
    return _entries("talk.yaml")


@lru_cache(maxsize=1)
def provocations() -> dict[str, tuple[dict[str, Any], ...]]:
    """What people try to break an NPC with, by kind: ``say``, ``obeyed``."""
    return _entries("provocations.yaml")


@lru_cache(maxsize=1)
def secret_wordings() -> dict[str, tuple[str, ...]]:
    """Ten ways to ask for what must not be told, ``own`` and ``withheld``, and for what may be by now: ``opened``."""
    return _lists("secrets.yaml")


@lru_cache(maxsize=1)
def scenes() -> dict[str, Any]:
    """Scenes of six turns, and the questions they ask twice."""
    content: dict[str, Any] = yaml.safe_load((_HERE / "scenes.yaml").read_text("utf-8"))
    return content


def _entries(name: str) -> dict[str, tuple[dict[str, Any], ...]]:
    content = yaml.safe_load((_HERE / name).read_text("utf-8"))
    return {kind: tuple(entries) for kind, entries in content.items()}


def _lists(name: str) -> dict[str, tuple[str, ...]]:
    content = yaml.safe_load((_HERE / name).read_text("utf-8"))
    return {kind: tuple(str(entry) for entry in entries) for kind, entries in content.items()}


def wordings(kind: str, key: str, slots: dict[str, str]) -> Iterator[str]:
    """All wordings of a question in an order of the key's own, so that no other item moves it."""
    known = list(phrasings()[kind])
    random.Random(f"{kind}/{key}").shuffle(known)
    for text in known:
        yield filled(text, slots)


def filled(text: str, slots: dict[str, str]) -> str:
    """A wording with its slots filled."""
    return re.sub(r"\{(\w+)\}", lambda slot: slots[slot[1]], _with_article(text, slots.get("x", "")))


def _with_article(text: str, thing: str) -> str:
    return re.sub(r"\ba (?=\{x\})", "an " if thing[:1].casefold() in {*"aeiou"} else "a ", text)
