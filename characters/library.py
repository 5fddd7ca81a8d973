"""Finds and reads sheets and worlds: those that ship with the program, and the user's own.

A file in the home wins over a shipped one of the same name. Files are read again when they
change, so an edited price is in the very next line.
"""

import contextlib
import dataclasses
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from characters.errors import CardError, SheetError
from characters.lorebook.entry import Lorebook
from characters.lorebook.reading import read_lorebook
from characters.sheet import Sheet
from characters.world import World

Model = TypeVar("Model", bound=BaseModel)

SHIPPED = Path(__file__).parent
MAX_BYTES = 256 * 1024
MAX_LORE = 4 * 1024 * 1024
_LONG_BACKSTORY = 150


@dataclass(frozen=True)
class Finding:
    """Something about a file its author should know."""

    level: Literal["fault", "warning"]
    file: str
    field: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.field}" if self.field else self.file
        return f"{where}: {self.message}"


class _Loader(yaml.SafeLoader):
    """YAML without surprises: no duplicate keys, no aliases, and every fault has its line."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            reader: Any = self  # the stubs leave peek_event untyped
            event = reader.peek_event()
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # no date, no number, …
            problem = f"{_brief(node.value)!r} cannot be read as a value"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be plain text", problem_mark=key.start_mark)
            if key.value in seen:
                problem = f"the key {_brief(key.value)!r} stands twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def is_slug(name: str) -> bool:
    """Whether a file of this name can be called: letters, digits, - and _, and not too many."""
    return re.fullmatch(r"\w[\w-]{0,99}", name) is not None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        SheetError: one sentence naming the file, the line and the remedy.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SheetError(f"{path.name}: larger than {MAX_BYTES // 1024} KiB; split it or shorten it.")
        content = yaml.load(path.read_text("utf-8"), _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SheetError(f"{path.name}: line {line}: {_brief(error.problem, 200)}; correct the YAML there.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SheetError(f"{path.name}: not readable as YAML text; save it as plain UTF-8 YAML.") from error
    except OSError as error:
        raise SheetError(f"{path.name}: cannot be read ({error.strerror}); check the file.") from error
    if not isinstance(content, dict):
        raise SheetError(f"{path.name}: holds no fields; start from `understudy sheet new`.")
    return content


def parse(model: type[Model], content: dict[str, Any], file: str) -> Model:
    """Validate a mapping.

    Raises:
        SheetError: its `faults` hold one sentence for every fault.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = tuple(f"{file}: {_fault(model, item)}" for item in error.errors())
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        raise SheetError(faults[0] + more, faults) from error


def _fault(model: type[BaseModel], item: Any) -> str:
    where = ""
    for piece in item["loc"]:
        where += f"[{piece}]" if isinstance(piece, int) else f"{'.' if where else ''}{_brief(piece)}"
    kind, message = item["type"], item["msg"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(str(item["loc"][-1]), _fields_at(model, item["loc"]), 1)
        hint = f"did you mean {close[0]!r}?" if close else "remove it."
        return f"{where}: no such field; {hint}"
    if kind == "missing":
        return f"{where}: missing; add it."
    if kind == "string_type":
        return f"{where}: must be text, not {_brief(item['input'])}; write it in quotes."
    if kind == "value_error":
        return f"{where or 'the sheet'}: {message.removeprefix('Value error, ')}."
    return f"{where}: {message[0].lower()}{message[1:]}; got {_brief(item['input'])!r}, correct it."


def _fields_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The fields that the part of a model knows in which a fault lies."""
    for piece in location[:-1]:
        annotation = model.model_fields[piece].annotation if isinstance(piece, str) else None
        for kind in (annotation, *get_args(annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return list(model.model_fields)


def _brief(value: object, most: int = 60) -> str:
    """A value from a file, on one line of bearable length."""
    try:
        return " ".join(str(value).split())[:most]
    except ValueError:  # a number of thousands of digits
        return "a huge number"


LISTED = "understudy sheet list"


class Library:
    """Sheets and worlds by slug."""

    def __init__(self, home: Path | None = None, shipped: Path = SHIPPED) -> None:
        self._roots = [root for root in (home, shipped) if root is not None]
        self._read: dict[Path, tuple[tuple[int, int], Any]] = {}

    def slugs(self) -> list[str]:
        """Every NPC's slug, sorted; a file whose name is no slug is none (`check` says so)."""
        found = {path.stem for root in self._roots for path in (root / "sheets").glob("*.yaml")}
        return sorted(slug for slug in found if is_slug(slug))

    def path(self, slug: str, kind: str = "sheets", *, listed: str = LISTED) -> Path:
        """The file a slug stands for.

        Args:
            listed: the command that lists who there is, where somebody is told so.

        Raises:
            SheetError: there is none; the nearest is named.
        """
        if is_slug(slug):
            for root in self._roots:
                path = root / kind / f"{slug}.yaml"
                if path.is_file():
                    return path
        known = [p.stem for root in self._roots for p in (root / kind).glob("*.yaml")]
        close = difflib.get_close_matches(slug.casefold(), known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"`{listed}` shows who there is."
        noun = "NPC" if kind == "sheets" else "world"
        raise SheetError(f"There is no {noun} called {slug[:60]!r}; {hint}")

    def get(self, slug: str) -> Sheet:
        """An NPC's sheet as its file stands now."""
        return self._load(Sheet, self.path(slug))

    def world(self, slug: str) -> World:
        """A world as its file stands now."""
        return self._load(World, self.path(slug, "worlds"))

    def lorebooks(self, slug: str, world: str) -> tuple[Lorebook, ...]:
        """The lorebooks of an NPC of a world, its own first."""
        books = [book for book in self.books() if book.serves(slug, world)]
        return tuple(sorted(books, key=lambda book: slug not in book.npcs))

    def books(self) -> tuple[Lorebook, ...]:
        """Every lorebook there is; what cannot be read is passed over (`check` says so)."""
        found: dict[str, Lorebook] = {}
        for path in (path for root in self._roots for path in sorted((root / "lore").glob("*.json"))):
            if path.stem not in found:
                with contextlib.suppress(CardError, OSError):
                    found[path.stem] = self._lorebook(path)
        return tuple(found.values())

    def _lorebook(self, path: Path) -> Lorebook:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            if stat.st_size > MAX_LORE:
                raise CardError(f"{path.name}: larger than {MAX_LORE >> 20} MB; split it.")
            book = dataclasses.replace(read_lorebook(path.read_bytes(), path.name)[0], name=path.stem)
            known = (stamp, book)
            self._read[path] = known
        loaded: Lorebook = known[1]
        return loaded

    def find(self, name: str, *, listed: str = LISTED) -> str:
        """The slug for what somebody typed: a slug, a first name or a full name.

        Args:
            listed: the command that lists who there is, for whoever typed it.

        Raises:
            SheetError: there is none; the nearest is named.
        """
        wanted = name.strip().casefold()
        for slug in self.slugs():
            if slug.casefold() == wanted:
                return slug
        for slug in self.slugs():
            with contextlib.suppress(SheetError):  # somebody else's broken sheet keeps nobody away
                sheet = self.get(slug)
                if wanted in {sheet.name.casefold(), sheet.first_name.casefold()}:
                    return slug
        self.path(wanted, listed=listed)
        return wanted

    def _load(self, model: type[Model], path: Path) -> Model:
        stat = path.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, parse(model, read_yaml(path), path.name))
            self._read[path] = known
        loaded: Model = known[1]
        return loaded

    def check(self, target: Path | None = None) -> list[Finding]:
        """Report every fault and weakness of a file, a folder, or of all that is known."""
        return [finding for path in _files(target, self._roots) for finding in self._check_file(path)]

    def _check_file(self, path: Path) -> Iterator[Finding]:
        if path.suffix == ".json":
            yield from self._check_lore(path)
            return
        model: type[BaseModel] = World if path.parent.name == "worlds" else Sheet
        if not is_slug(path.stem):
            yield Finding("fault", path.name, "", "nobody can be called by this name; use letters, digits, - and _.")
        try:
            content = read_yaml(path)
            if "political_organisation" in content:
                model = World
            item = parse(model, content, path.name)
        except SheetError as error:
            for fault in error.faults:
                rest = fault.removeprefix(f"{path.name}: ")
                field, _, message = rest.partition(": ")
                yield Finding("fault", path.name, field if message else "", message or rest)
            return
        if isinstance(item, Sheet):
            yield from _weaknesses(item, path.name)
            try:
                self.world(item.world)
            except SheetError as error:
                yield Finding("fault", path.name, "world", str(error))


    def _check_lore(self, path: Path) -> Iterator[Finding]:
        try:
            book = self._lorebook(path)
        except CardError as error:
            yield Finding("fault", path.name, "", str(error).removeprefix(f"{path.name}: "))
            return
        for note in book.notes:
            yield Finding("warning", path.name, "entries", note)


def _files(target: Path | None, roots: list[Path]) -> list[Path]:
    if target is None:
        folders = [root / kind for root in roots for kind in ("worlds", "sheets")]
        lore = [path for root in roots for path in sorted((root / "lore").glob("*.json"))]
        return [path for folder in folders for path in sorted(folder.glob("*.yaml"))] + lore
    if target.is_dir():
        return sorted(path for path in target.rglob("*") if path.suffix in {".yaml", ".yml"})
    if not target.exists():
        raise SheetError(f"There is no file or folder {target}; check the path.")
    return [target]


def _weaknesses(sheet: Sheet, file: str) -> Iterator[Finding]:
    """What makes weak characters."""

    def warn(field: str, message: str) -> Finding:
        return Finding("warning", file, field, message)

    if not sheet.speech.examples:
        yield warn("speech.examples", "no examples; two or three lines teach the voice better than any description.")
    if not sheet.speech.mottos:
        yield warn("speech.mottos", "no mottos; a saying of its own makes an NPC recognisable.")
    for index, opinion in enumerate(sheet.opinions):
        if not opinion.view:
            message = f"an opinion on {opinion.topic!r} without a view; say what it thinks."
            yield warn(f"opinions[{index}].view", message)
    if len(sheet.backstory.split()) > _LONG_BACKSTORY:
        message = f"over {_LONG_BACKSTORY} words; long backstories make an NPC recite itself, move facts to knowledge."
        yield warn("backstory", message)
    needed = {"shopkeeper": "wares", "quest giver": "quests", "lore keeper": "knowledge"}.get(sheet.kind)
    if needed and not getattr(sheet, needed):
        yield warn(needed, f"a {sheet.kind} without {needed}; add some.")
