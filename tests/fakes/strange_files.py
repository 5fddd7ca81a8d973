"""Does with a file all that a person could do with it, and looks at what becomes of it."""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.table.importing import bring_in, hand_out
from characters.cards import card_to_sheet, read_card
from characters.errors import UnderstudyError
from characters.library import Library
from characters.lorebook.activation import Moment, scan
from characters.lorebook.entry import Lorebook
from characters.lorebook.reading import lorebook_of, read_lorebook
from characters.macros import Names
from db.home import Home
from tests.fakes.mutations import mutations


@dataclass
class Tally:
    """How many were taken and refused, and the slowest in seconds of computing."""

    taken: int = 0
    refused: int = 0
    slowest: float = 0.0
    which: str = ""
    kinds: dict[str, int] = field(default_factory=dict)


def try_all(seed: int, count: int, root: Path, every: int = 1) -> Tally:
    """Bring in, look through and hand out so many mutated files; with `every`, only read what lies between.

    Whatever is not one of our sentences is an error of ours and is raised, with the file kept in `root`.
    """
    tally, rng = Tally(), random.Random(seed)
    home = Home(root / "home" / "inner")
    library = Library(home.root)
    for number, (name, data) in enumerate(mutations(seed, count)):
        began = time.process_time()
        try:
            whole = number % every == 0
            kind = _sheet(root, data) if name == "sheet.yaml" else _card(home, library, name, data, rng) if whole else _read(name, data)
            tally.taken += 1
            tally.kinds[kind] = tally.kinds.get(kind, 0) + 1
        except UnderstudyError as error:
            _check_sentence(str(error))
            tally.refused += 1
        except Exception:
            (root / f"crash-{number}-{name}").write_bytes(data)
            raise
        took = time.process_time() - began
        if took > tally.slowest:
            tally.slowest, tally.which = took, f"{number} {name}"
        _swept(root, home)
    return tally


def _check_sentence(text: str) -> None:
    assert "\n" not in text, text
    assert len(text) < 600, text


def _read(name: str, data: bytes) -> str:
    if name == "lore.json":
        _look_through(read_lorebook(data, name)[0])
        return "lore"
    card = read_card(data, name)
    card_to_sheet(card)
    if card.book is not None:
        _look_through(lorebook_of(card.book, name))
    return "npc"


def _look_through(book: Lorebook) -> None:
    messages = ["Ana: the ferry at night", "Bessa: the bell", "Ana: ferry? aaaaaaaaaaaaaaaaaaaaaaaaaaaa!"]
    scan([book], Moment(messages, frozenset({"bessa"}), Names("Bessa", "Ana"), "s"))


def _sheet(root: Path, data: bytes) -> str:
    path = root / "sheet.yaml"
    path.write_bytes(data)
    faults = [str(finding) for finding in Library(root).check(path) if finding.level == "fault"]
    for fault in faults:
        _check_sentence(fault)
    return "broken sheet" if faults else "sheet"


def _card(home: Home, library: Library, name: str, data: bytes, rng: random.Random) -> str:
    done = bring_in(home, library, data, name)
    for book in library.lorebooks(done.slug, "saltmere"):
        _look_through(book)
    if done.kind == "npc":
        assert not [finding for finding in library.check(done.path) if finding.level == "fault"]
        hand_out(home, library, done.slug, rng.choice(("png", "json", "charx")))
    return done.kind


def _swept(root: Path, home: Home) -> None:
    """Nothing may lie outside the folders a card is brought into; then all of it goes."""
    for path in (root / "home").rglob("*") if (root / "home").exists() else ():
        if path.is_file():
            assert path.parent.parent == home.root, f"escaped to {path}"
            assert path.parent.name in {"sheets", "lore", "avatars"}
            path.unlink()
