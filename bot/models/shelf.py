"""Model files in the home: each with a card beside it that says what it is and where it came from.

A file appears under its name only when it is whole and was seen to be a model.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.models.errors import ShelfError
from characters.inference.llama_cpp_engine import check_model
from characters.inference.starter import STARTER

_BLOCK = 4 * 1024 * 1024
_SPARE = 64 * 1024 * 1024  # what the disk keeps free beside the file

Check = Callable[[Path], None]


@dataclass(frozen=True)
class Card:
    """What is known of a model file.

    Attributes:
        source: ``import`` for a file of the operator's, ``hub`` for a pulled one, ``bundled`` for the starter.
        licence: as the hub names it; "" where nobody said.
    """

    name: str
    bytes: int
    sha256: str
    source: str
    repo: str = ""
    revision: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Shelved:
    """A model that could speak here."""

    path: Path
    card: Card
    speaks: bool

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self.card), "path": str(self.path), "speaks": self.speaks}


@dataclass(frozen=True)
class Shelf:
    """The folder of models.

    Args:
        in_force: the file that speaks now.
    """

    folder: Path
    in_force: Path

    def models(self) -> list[Shelved]:
        """The starter, the home's own, and the one in force if it lies elsewhere."""
        found = [self._shelved(STARTER), *(self._shelved(path) for path in sorted(self.folder.glob("*.gguf")))]
        if self.in_force.is_file() and not any(shelved.speaks for shelved in found):
            found.append(self._shelved(self.in_force))
        return found

    def find(self, wanted: str) -> Path:
        """The file that a name or a path stands for.

        Raises:
            ShelfError: there is none.
        """
        path = Path(wanted).expanduser()
        for candidate in (path, self.folder / wanted, self.folder / f"{wanted}.gguf"):
            if candidate.is_file():
                return candidate
        if wanted == STARTER.stem:
            return STARTER
        raise ShelfError(f"There is no model {wanted!r}; `understudy model list` names those that are here.")

    def _shelved(self, path: Path) -> Shelved:
        return Shelved(path, read_card(path), _same(path, self.in_force))

    def take(self, file: Path, name: str, check: Check, **known: str) -> Shelved:
        """Copy a file onto the shelf, whole and checked or not at all.

        Args:
            check: raises where the copy is no model.
            known: what the card is to say besides.

        Raises:
            ShelfError: another file has the name, the disk is full, or the copy differs.
        """
        check_model(file)
        target = self.target(name)
        self.room_for(file.stat().st_size)
        half = self.half(f"import-{target.name}")
        try:
            digest = _copy(file, half)
            if sha256_of(half) != digest:
                raise ShelfError(f"The copy of {file} differs from the file; the disk may be failing, try another one.")
            return self.put(half, target, Card(target.name, half.stat().st_size, digest, "import", **known), check)
        finally:
            half.unlink(missing_ok=True)

    def target(self, name: str) -> Path:
        """Where a model of this name lies, or would lie."""
        plain = Path(name).name
        return self.folder / (plain if plain.endswith(".gguf") else f"{plain}.gguf")

    def half(self, name: str) -> Path:
        """Where a file lies that is not whole yet."""
        folder = self.folder / "unfinished"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.part"

    def room_for(self, size: int) -> None:
        """Refuse what the disk cannot hold, before it is half there."""
        free = shutil.disk_usage(self.folder).free
        if free < size + _SPARE:
            raise ShelfError(f"{self.folder} has {in_words(free)} free, the model takes {in_words(size)}; make room.")

    def put(self, whole: Path, target: Path, card: Card, check: Check) -> Shelved:
        """Give a whole file its name and its card.

        Raises:
            ShelfError: another file has that name.
        """
        if target.is_file():
            if sha256_of(target) != card.sha256:
                raise ShelfError(f"{target} is another file already; choose another name with --as.")
            whole.unlink()
        else:
            check(whole)
            whole.replace(target)
        _write(card_file(target), card)
        return self._shelved(target)


def card_file(model: Path) -> Path:
    """Where a model's card lies."""
    return model.with_name(f"{model.name}.json")


def read_card(model: Path) -> Card:
    """A model's card; of a file that has none, what can be seen."""
    if model == STARTER:
        return Card("starter", model.stat().st_size, "", "bundled", licence="apache-2.0")
    try:
        return Card(**json.loads(card_file(model).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return Card(model.name, model.stat().st_size, "", "unknown")


def sha256_of(path: Path) -> str:
    """A file's checksum, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_words(size: int) -> str:
    """A number of bytes as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _copy(file: Path, to: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as source, to.open("wb") as copy:
        while block := source.read(_BLOCK):
            digest.update(block)
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _write(path: Path, card: Card) -> None:
    half = path.with_suffix(".part")
    half.write_text(json.dumps(asdict(card), indent=1), "utf-8")
    half.replace(path)


def _same(one: Path, other: Path) -> bool:
    return one.is_file() and other.is_file() and one.samefile(other)
