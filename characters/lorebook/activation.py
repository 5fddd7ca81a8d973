"""Which entries of an NPC's lorebooks come to mind now: SillyTavern's and the specifications' rules.

    every entry, highest order first:
        disabled, not for this character → no        delay, rest → no      waits for recursion → not yet
        @@activate → yes    @@dont_activate → no     constant → yes        sticky → yes      keys → perhaps
    the new ones, sticky first:
        one of each group → chance → budget (the first that does not fit ends it)
    their texts are scanned in turn, where the book wants recursion, until nothing new is found

Sources: the documentation of SillyTavern's world info; character-card-spec-v2 and -v3 (lorebooks).
Chance is seeded: the same place in the same conversation always rolls the same.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from characters.lorebook.entry import Entry, Lorebook
from characters.lorebook.groups import losers
from characters.lorebook.keys import Match, Rules, Text, match
from characters.lorebook.timing import Timers
from characters.macros import Names, expand

_MOST_SCANS = 12
_MOST_TEXT = 32_000  # characters
_JOINER = "\n\x01"  # between messages, so that a pattern can tell them apart


@dataclass(frozen=True)
class Settings:
    """How a table scans.

    Attributes:
        budget: how many tokens all entries together may take.
        scan_depth: how many of the last messages are looked at where neither entry nor book says.
        recursive: whether the texts of entries are scanned where the book does not say.
    """

    budget: int = 512
    scan_depth: int = 2
    recursive: bool = False
    group_scoring: bool = False
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class Moment:
    """The conversation as a scan sees it.

    Attributes:
        messages: what was said, oldest first, each ``Name: text``.
        knower: what the NPC is called, folded: slug, name and first name.
        names: for the macros.
        seed: of all chance in this conversation.
    """

    messages: Sequence[str]
    knower: frozenset[str]
    names: Names
    seed: str = ""


@dataclass(frozen=True)
class Finding:
    """What became of one entry, and why."""

    book: str
    entry: Entry
    fired: bool
    why: str
    text: str = ""

    @property
    def name(self) -> str:
        """The entry's name among all books."""
        return f"{self.book}/{self.entry.key}"


@dataclass(frozen=True)
class Scan:
    """The outcome: what fired, lowest order first; everything, as it was looked at; the timers after it."""

    active: tuple[Finding, ...]
    all: tuple[Finding, ...]
    timers: Timers


def scan(
    books: Sequence[Lorebook], moment: Moment, timers: Timers = Timers(), settings: Settings = Settings(),
    count: Callable[[str], int] = lambda text: len(text) // 3 + 1,
) -> Scan:  # fmt: skip
    """Find what comes to mind.

    Args:
        books: the NPC's own first; a book of the same name counts once.
        timers: as the last scan of this conversation left them.
        count: the tokens of a text.
    """
    return _Scanner(books, moment, timers, settings, count).run()


@dataclass(frozen=True)
class _Item:
    """An entry with its book."""

    name: str
    book: Lorebook
    entry: Entry


@dataclass
class _Scanner:
    """One scan; see the module for its order."""

    books: Sequence[Lorebook]
    moment: Moment
    timers: Timers
    settings: Settings
    count: Callable[[str], int]
    fired: dict[str, Finding] = field(default_factory=dict)
    silent: dict[str, Finding] = field(default_factory=dict)
    spent: int = 0
    full: bool = False
    _texts: dict[tuple[int, int], Text] = field(default_factory=dict)

    def run(self) -> Scan:
        items = self._items()
        message = len(self.moment.messages)
        self.timers = self.timers.current({item.name: item.entry for item in items}, message)
        levels = sorted({item.entry.recursion_level for item in items if item.entry.recursion_level})
        echo, recursing = "", False
        level = levels.pop(0) if levels else 0
        for _ in range(_MOST_SCANS):
            new = self._admitted(self._called(items, echo, recursing, level))
            heard = [self._echo(f) for f in new if not f.entry.prevent_recursion and self._recursive(f.book)]
            if self.full or not (heard or levels):
                break
            if not heard:
                level = levels.pop(0)
            echo = "\n".join((echo, *heard)) if echo else "\n".join(heard)
            recursing = True
        self._keep_book_budgets()
        active = sorted(self.fired.values(), key=lambda finding: finding.entry.order)
        called = [(finding.name, finding.entry) for finding in active]
        everything = [self.fired.get(item.name) or self.silent[item.name] for item in items]
        return Scan(tuple(active), tuple(everything), self.timers.after(called, message))

    def _items(self) -> list[_Item]:
        """What this NPC may know at all, highest order first; the rest is not even looked at."""
        items, seen = list[_Item](), set[str]()
        for book in self.books:
            if book.name not in seen:
                seen.add(book.name)
                items += [_Item(f"{book.name}/{entry.key}", book, entry) for entry in book.entries if self._may(entry)]
        return sorted(items, key=lambda item: -item.entry.order)

    def _may(self, entry: Entry) -> bool:
        owners = {owner.casefold() for owner in entry.known_by}
        return not owners or bool(owners & self.moment.knower)

    def _recursive(self, name: str) -> bool:
        book = next(book for book in self.books if book.name == name)
        return self.settings.recursive if book.recursive is None else book.recursive

    def _called(self, items: list[_Item], echo: str, recursing: bool, level: int) -> list[tuple[_Item, Match, str]]:
        """The entries that are called now, with their match and the reason."""
        called = []
        for item in items:
            if item.name in self.fired or (item.name in self.silent and self.silent[item.name].why.startswith("!")):
                continue
            reason, found = self._reason(item, echo, recursing, level)
            if found is None:
                self.silent[item.name] = Finding(item.book.name, item.entry, False, reason)
            else:
                called.append((item, found, reason))
        message = len(self.moment.messages)
        return sorted(called, key=lambda one: not self.timers.sticky(one[0].name, message))

    def _reason(self, item: _Item, echo: str, recursing: bool, level: int) -> tuple[str, Match | None]:
        """Why an entry is called, or why it is not (then there is no match)."""
        entry, message = item.entry, len(self.moment.messages)
        refused = self._barred(item, message) or _recursion_bar(item, recursing, level)
        sticky = self.timers.sticky(item.name, message)
        if refused and not (sticky and refused.startswith("(")):
            return refused.strip("()"), None
        if entry.forced is not None:
            return ("@@activate", Match()) if entry.forced else ("@@dont_activate", None)
        if entry.constant:
            return "constant", Match()
        if sticky:
            return f"sticky until message {self.timers.effects[item.name].sticky}", Match()
        if not entry.keys:
            return "it has no keys", None
        found = self._match(item, echo)
        if found.refused:
            return found.refused, None
        said = ", ".join(repr(key) for key in found.keys[:3])
        return f"said: {said}" + (" (scanned again)" if recursing else ""), found

    def _barred(self, item: _Item, message: int) -> str:
        entry, knower = item.entry, self.moment.knower
        if not entry.enabled:
            return "switched off"
        if not entry.content.strip():
            return "it has no text"
        if (entry.only_for and not knower & set(entry.only_for)) or knower & set(entry.never_for):
            return "not for this character"
        if message < entry.delay:
            return f"delayed until there are {entry.delay} messages"
        rests = self.timers.resting(item.name, message)
        return f"rests until message {rests}" if rests else ""

    def _match(self, item: _Item, echo: str) -> Match:
        entry, book = item.entry, item.book
        depth = next(d for d in (entry.scan_depth, book.scan_depth, self.settings.scan_depth) if d is not None)
        found = match(entry, self._heard(depth, ""), self.moment.names, self.settings.rules)
        if found.refused and echo and self._recursive(book.name) and not entry.exclude_recursion:
            found = match(entry, self._heard(depth, echo), self.moment.names, self.settings.rules)
        return found

    def _heard(self, depth: int, echo: str) -> Text:
        """The last messages, the newest first, and the texts of entries that were called by them."""
        key = (depth, len(echo))
        if key not in self._texts:
            last = self.moment.messages[-depth:] if depth else ()
            said = "".join(f"{_JOINER}{message}" for message in reversed(last))[:_MOST_TEXT]
            self._texts[key] = Text(f"{said}{_JOINER}{echo[:_MOST_TEXT]}" if echo else said)
        return self._texts[key]

    def _admitted(self, called: list[tuple[_Item, Match, str]]) -> list[Finding]:
        """Of what is called, what passes groups, chance and budget."""
        lost = self._losers(called)
        new = []
        for item, _, reason in called:
            refused = lost.get(item.name) or self._unlucky(item)
            text = "" if refused else self._text(item)
            size = self.count(text) + 1 if text else 0
            if not refused and not text:
                refused = "its text is empty"
            elif not refused and not item.entry.ignore_budget and self.spent + size > self.settings.budget:
                self.full = True
            if refused or (self.full and not item.entry.ignore_budget):
                why = refused or f"no room: {size} tokens more than the {self.settings.budget} for lore"
                self.silent[item.name] = Finding(item.book.name, item.entry, False, f"!{why}")
                continue
            self.spent += size
            self.fired[item.name] = Finding(item.book.name, item.entry, True, reason, text)
            new.append(self.fired[item.name])
        return new

    def _losers(self, called: list[tuple[_Item, Match, str]]) -> dict[str, str]:
        message = len(self.moment.messages)
        rivals = [(item.name, item.entry, found.score) for item, found, _ in called]
        sticky = {item.name for item, _, _ in called if self.timers.sticky(item.name, message)}
        taken = {group for finding in self.fired.values() for group in finding.entry.groups}
        rng = random.Random(f"{self.moment.seed}/{message}/group")
        return losers(rivals, sticky, taken, rng, self.settings.group_scoring)

    def _unlucky(self, item: _Item) -> str:
        message, chance = len(self.moment.messages), item.entry.chance
        if chance >= 100 or self.timers.sticky(item.name, message):
            return ""
        rolled = random.Random(self._seed(item.name)).random() * 100
        return "" if rolled < chance else f"its chance is {chance:g} % and the roll was {rolled:.0f}"

    def _text(self, item: _Item) -> str:
        text = expand(item.entry.content, self.moment.names, self._seed(item.name)).strip()
        return "" if any(finding.text == text for finding in self.fired.values()) else text

    def _echo(self, finding: Finding) -> str:
        """What other entries hear of this one, hidden keys included."""
        if "{{" not in finding.entry.content:
            return finding.text
        return expand(finding.entry.content, self.moment.names, self._seed(finding.name), scanning=True)

    def _seed(self, name: str) -> str:
        return f"{self.moment.seed}/{len(self.moment.messages)}/{name}"

    def _keep_book_budgets(self) -> None:
        """Where a book names a budget of its own, its least important entries go first."""
        for book in self.books:
            mine = [finding for finding in self.fired.values() if finding.book == book.name]
            mine.sort(key=lambda f: f.entry.order if f.entry.priority is None else f.entry.priority)
            while book.token_budget and mine and sum(self.count(f.text) for f in mine) > book.token_budget:
                lost = mine.pop(0)
                del self.fired[lost.name]
                why = f"no room: its book has {book.token_budget} tokens"
                self.silent[lost.name] = Finding(lost.book, lost.entry, False, why)


def _recursion_bar(item: _Item, recursing: bool, level: int) -> str:
    """Why an entry is not looked at in this scan; in brackets, for what is sticky does not mind."""
    entry = item.entry
    if entry.recursion_level and not recursing:
        return "(waits until other entries were scanned)"
    if entry.recursion_level > level and recursing:
        return f"(waits for level {entry.recursion_level})"
    return ""


def reasons(found: Scan) -> Mapping[str, str]:
    """Why each entry fired or did not, by name, for people."""
    return {finding.name: finding.why.removeprefix("!") for finding in found.all}
