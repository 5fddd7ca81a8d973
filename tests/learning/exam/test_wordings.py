"""The exam's wordings: its own, and typed as people type."""

import importlib
import itertools
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import learning.exam.phrasings as phrasings_module
from characters.knowledge import facts_of
from learning.exam.phrasings import inventions, phrasings, provocations, remarks, scenes, secret_wordings
from learning.exam.reading import holds
from learning.teachers import offline
from learning.teachers.offline import asking_modern
from tests.fakes.exams import LIBRARY


def alternatives(pattern: str) -> Iterator[str]:
    """Every sentence one of the teacher's patterns stands for."""
    found = re.search(r"\(([^()]*)\)", pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split("|"):
        yield from alternatives(pattern[: found.start()] + choice + pattern[found.end() :])


def words_with_slots(text: str) -> list[str]:
    """A phrasing's words; whatever fills a slot is one and the same word."""
    return re.findall(r"[a-z0-9']+|slotmark", re.sub(r"\{\w+\}", " slotmark ", text).casefold())


def grams(words: Sequence[str], width: int = 6) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + width]) for at in range(len(words) - width + 1)}


def teachers_tables() -> dict[str, list[str]]:
    """Every table of questions and of talk around them that the offline teacher has, by name, new modules included."""
    found: dict[str, list[str]] = {}
    for module in pkgutil.iter_modules(offline.__path__):
        if module.name.startswith(("asking", "wrapping", "reckoning")):
            known = vars(importlib.import_module(f"{offline.__name__}.{module.name}"))
            for name in [name for name in known if name.isupper() and not name.startswith("_")]:
                found.setdefault(name, []).extend(strings(known[name]))
    return found


def strings(value: Any) -> list[str]:
    """All texts inside a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return strings([*value.values()])
    return [text for one in value for text in strings(one)] if isinstance(value, list | tuple) else []


def teachers_grams() -> set[tuple[str, ...]]:
    tables = teachers_tables()
    before, after = [*tables.pop("LEAD_INS"), *tables.pop("BEFORE", [])], tables.pop("AFTER", [])
    taught: set[tuple[str, ...]] = set()
    beginnings: set[tuple[str, ...]] = set()
    endings: set[tuple[str, ...]] = set()
    for sentence in itertools.chain.from_iterable(map(alternatives, itertools.chain(*tables.values()))):
        words = words_with_slots(sentence)
        taught |= grams(words)
        beginnings.add(tuple(words[:5]))
        endings.add(tuple(words[-5:]))
    for text in itertools.chain.from_iterable(map(alternatives, before)):
        said = words_with_slots(text)
        taught |= grams(said) | {gram for start in beginnings for gram in grams([*said[-5:], *start])}
    for text in itertools.chain.from_iterable(map(alternatives, after)):
        said = words_with_slots(text)
        taught |= grams(said) | {gram for end in endings for gram in grams([*end, *said[:5]])}
    return taught


def exams_wordings() -> dict[str, list[str]]:
    """All that the exam says, file by file; a slot's needs and markers are no wordings."""
    return {
        "phrasings": strings(phrasings()),
        "talk": [entry["say"] for entries in remarks().values() for entry in entries],
        "provocations": [entry["say"] for entries in provocations().values() for entry in entries],
        "secrets": strings(secret_wordings()),
        "scenes": [
            *strings([scenes()[kind] for kind in ("asks", "bills", "haggles")]),
            *(text for one in scenes()["scenes"] for text in (one["tell"], *one["between"], one["recall"]["say"])),
        ],
    }


def test_no_six_words_in_a_row_are_the_teachers() -> None:
    taught = teachers_grams()
    assert ("how", "much", "would", "the", "slotmark", "cost") in taught, "the teacher's tables are read"
    assert ("we", "should", "settle", "up") in {gram[:4] for gram in taught}, "those of the running bill, too"
    shared = {
        (file, " ".join(gram)) for file, texts in exams_wordings().items() for text in texts
        for gram in grams(words_with_slots(text)) & taught
    }  # fmt: skip
    assert not shared


def test_every_file_of_wordings_is_compared_with_the_teachers() -> None:
    folder = Path(phrasings_module.__file__ or "").parent
    assert {file.stem for file in folder.glob("*.yaml")} - {"inventions", "rejections"} == set(exams_wordings())


def test_remarks_say_what_bears_on_them_and_there_are_enough_of_each() -> None:
    assert all(entry["about"] for entries in remarks().values() for entry in entries)
    assert {kind: len(entries) for kind, entries in remarks().items()} == {"player": 20, "smalltalk": 12, "nonsense": 8}
    assert sum(map(len, provocations().values())) >= 25
    assert all(len(texts) == 10 for texts in secret_wordings().values())
    assert len(scenes()["scenes"]) == 20
    assert all(len(one["turns"]) == 6 for kind in ("bills", "haggles") for one in scenes()[kind])


def test_every_kind_of_question_has_eight_wordings_and_all_differ() -> None:
    assert all(len(texts) >= 8 for texts in phrasings().values())
    everything = [text for texts in phrasings().values() for text in texts if "{" in text]
    folded = Counter(" ".join(words_with_slots(text)) for text in everything)
    assert [text for text, times in folded.items() if times > 2] == []


def test_wordings_are_typed_as_people_type() -> None:
    texts = [text for many in phrasings().values() for text in many]
    assert sum(text[:1].islower() for text in texts) > len(texts) / 4, "many without a capital"
    assert sum(text[-1] not in ".?!" for text in texts) > len(texts) / 5, "many without their mark"
    assert any(word in " ".join(texts).split() for word in ("wats", "hw", "ur", "recipie"))


def test_nothing_invented_is_the_teachers_or_stands_in_a_shipped_world() -> None:
    assert not set(inventions()["modern"]) & set(asking_modern.MODERN)
    told = " ".join(
        known.fact.text for slug in LIBRARY.slugs()
        for known in facts_of(LIBRARY.get(slug), LIBRARY.world(LIBRARY.get(slug).world), slug)
    )  # fmt: skip
    for name in (*inventions()["strangers"], *inventions()["nowhere"]):
        assert not holds(told, name)
