"""The values of a lorebook: entries with all that decides when they come to mind, and where they go."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

AND_ANY, NOT_ALL, NOT_ANY, AND_ALL = range(4)
Role = Literal["system", "user", "assistant"]
Place = Literal["hand", "before", "after", "depth", "nowhere"]


@dataclass(frozen=True)
class Entry:
    """One entry, read; its JSON stays in its file.

    Attributes:
        key: names it within its book, and stays the same while the book is edited elsewhere.
        title: for people.
        keys: what must be said; `secondary` with `logic` (SillyTavern's numbers) restricts them.
        regex: whether plain keys are regular expressions too; those between slashes always are.
        content: the text, without decorators, macros still in it.
        order: higher goes nearer the end, and is served first.
        priority: what goes last when the book's own budget is spent; None means by `order`.
        place: where it goes; `depth` and `role` count for "depth".
        scan_depth: how many of the last messages are looked at; None means the book's.
        chance: percent.
        recursion_level: above 0, it waits for the scans of other entries' texts.
        sticky, cooldown, delay: in messages.
        known_by: who may know it; empty means everybody. `known_since` is kept for whoever keeps time.
        only_for, never_for: characters it is for, or not for, by name.
        forced: True for `@@activate`, False for `@@dont_activate`.
    """

    key: str
    title: str
    content: str
    keys: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    logic: int = AND_ANY
    regex: bool = False
    enabled: bool = True
    constant: bool = False
    order: float = 100
    priority: float | None = None
    place: Place = "hand"
    depth: int = 4
    role: Role = "system"
    scan_depth: int | None = None
    case_sensitive: bool | None = None
    whole_words: bool | None = None
    chance: float = 100.0
    groups: tuple[str, ...] = ()
    group_override: bool = False
    group_weight: float = 100.0
    group_scoring: bool | None = None
    exclude_recursion: bool = False
    prevent_recursion: bool = False
    recursion_level: int = 0
    sticky: int = 0
    cooldown: int = 0
    delay: int = 0
    ignore_budget: bool = False
    known_by: tuple[str, ...] = ()
    known_since: str = ""
    only_for: tuple[str, ...] = ()
    never_for: tuple[str, ...] = ()
    forced: bool | None = None

    @property
    def mark(self) -> str:
        """Changes whenever the entry does; timed effects end then."""
        return hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(frozen=True)
class Lorebook:
    """A book of entries.

    Attributes:
        scan_depth, token_budget, recursive: the book's own wishes; None leaves them to the table.
        npcs, worlds: whom it is for (slugs); both empty means everybody.
    """

    name: str
    entries: tuple[Entry, ...]
    scan_depth: int | None = None
    token_budget: int | None = None
    recursive: bool | None = None
    npcs: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def serves(self, npc: str, world: str) -> bool:
        """Whether an NPC of a world has this book."""
        return npc in self.npcs or world in self.worlds or not (self.npcs or self.worlds)
