"""Reads lorebooks: those in cards, those that stand alone, and SillyTavern's world info files.

    {"spec": "lorebook_v3", "data": {"entries": [...]}}      the V3 specification
    {"entries": [...]}                                       a V2 or V3 `character_book`
    {"entries": {"0": {"key": [...], ...}}}                  SillyTavern's world info

A key is a regular expression when it stands between slashes, or when `use_regex` is set by a program
other than SillyTavern, which sets it everywhere and does not mean it. SillyTavern keeps its options
under each entry's `extensions` in cards and beside the text in world info; both are read.
"""

from typing import Any, get_args

from characters.errors import CardError
from characters.loose import (
    dict_of,
    flag_of,
    maybe_flag,
    number_of,
    parse_json,
    plain,
    text_of,
    texts_of,
    whole_of,
)
from characters.lorebook import decorators
from characters.lorebook.entry import Entry, Lorebook, Place, Role
from characters.lorebook.patterns import can_read, is_delimited

MAX_BYTES = 4 * 1024 * 1024
SPACE = "understudy"
_MOST_ENTRIES = 5000
_MOST_KEYS = 20_000  # of a book
_ROLES: tuple[Role, ...] = get_args(Role)
_PLACES: dict[int, Place] = {0: "before", 1: "after", 2: "after", 3: "after", 4: "depth", 5: "after", 6: "after",
                             7: "nowhere"}  # fmt: skip
_AT_DEPTH = 4
# SillyTavern's names in world info files, as it writes them in cards.
_WORLD_INFO = {
    "depth": "depth", "role": "role", "scanDepth": "scan_depth", "caseSensitive": "case_sensitive",
    "matchWholeWords": "match_whole_words", "probability": "probability", "useProbability": "useProbability",
    "group": "group", "groupOverride": "group_override", "groupWeight": "group_weight",
    "useGroupScoring": "use_group_scoring", "selectiveLogic": "selectiveLogic",
    "excludeRecursion": "exclude_recursion", "preventRecursion": "prevent_recursion",
    "delayUntilRecursion": "delay_until_recursion", "sticky": "sticky", "cooldown": "cooldown", "delay": "delay",
    "ignoreBudget": "ignore_budget", "position": "position",
}  # fmt: skip


def read_lorebook(data: bytes, name: str) -> tuple[Lorebook, dict[str, Any]]:
    """Read a lorebook file.

    Returns:
        the book, and its JSON as a `lorebook_v3` object or as it was.

    Raises:
        CardError: one sentence: what is wrong and what to do.
    """
    raw = parse_json(data, name, MAX_BYTES)
    inner = raw.get("data") if raw.get("spec") == "lorebook_v3" else raw
    if not is_lorebook(raw) or not isinstance(inner, dict):
        raise CardError(f"{name} is no lorebook: it has no `entries`; choose a lorebook or world info file.")
    return lorebook_of(inner, name), raw


def is_lorebook(raw: dict[str, Any]) -> bool:
    """Whether JSON looks like a lorebook that stands alone."""
    inner = raw.get("data") if raw.get("spec") == "lorebook_v3" else raw
    return isinstance(inner, dict) and isinstance(inner.get("entries"), (list, dict))


def lorebook_of(raw: dict[str, Any], name: str) -> Lorebook:
    """A lorebook from its JSON; what is no entry is passed over, and said in the notes."""
    listed = raw.get("entries")
    items = list(listed.values()) if isinstance(listed, dict) else listed if isinstance(listed, list) else []
    ours = dict_of(dict_of(raw.get("extensions")).get(SPACE))
    entries: dict[str, Entry] = {}
    notes = []
    keys = 0
    for number, item in enumerate(items[:_MOST_ENTRIES]):
        if isinstance(item, dict) and keys < _MOST_KEYS:
            entry = _entry(item, number)
            keys += len(entry.keys) + len(entry.secondary)
            entries.setdefault(entry.key if entry.key not in entries else f"{entry.key}-{number}", entry)
    unread = [key for entry in entries.values() for key in (*entry.keys, *entry.secondary)
              if (entry.regex or is_delimited(key)) and not can_read(key)]  # fmt: skip
    if unread:
        notes.append(f"{len(unread)} regular expressions cannot be read and never match, such as {unread[0][:60]!r}.")
    if len(entries) < len(items):
        notes.append(f"{len(items) - len(entries)} of {len(items)} entries are none, or too many, and were left out.")
    return Lorebook(
        plain(text_of(raw.get("name")))[:100] or name, tuple(_renamed(key, entry) for key, entry in entries.items()),
        _maybe_whole(raw.get("scan_depth"), 1000), _maybe_whole(raw.get("token_budget"), 1_000_000),
        maybe_flag(raw.get("recursive_scanning")), texts_of(ours.get("npcs")), texts_of(ours.get("worlds")),
        tuple(notes),
    )  # fmt: skip


def _renamed(key: str, entry: Entry) -> Entry:
    return entry if entry.key == key else Entry(**{**vars(entry), "key": key})


def _maybe_whole(value: Any, high: int) -> int | None:
    found = whole_of(value, -1, 0, high) if isinstance(value, (int, float, str)) and value != "" else -1
    return None if found < 0 else found


def _entry(raw: dict[str, Any], number: int) -> Entry:
    world_info = "key" in raw and "keys" not in raw
    options = _options(raw) if world_info else dict_of(raw.get("extensions"))
    obeyed, content = decorators.split(text_of(raw.get("content"))[:200_000])
    ours = dict_of(dict_of(raw.get("extensions")).get(SPACE))
    of_tavern = world_info or bool({"selectiveLogic", "useProbability", "display_index"} & set(options))
    secondary = texts_of(raw.get("keysecondary" if world_info else "secondary_keys"))
    place, depth, role = _place(raw, options, obeyed)
    ident = plain(text_of(raw.get("uid", raw.get("id", ""))))[:40]
    only, never = _filters(raw)
    return Entry(
        key=ident or str(number), title=_title(raw, number), content=content,
        keys=texts_of(raw.get("key" if world_info else "keys")),
        secondary=secondary if flag_of(raw.get("selective"), bool(secondary) and world_info) else (),
        logic=whole_of(options.get("selectiveLogic"), 0, 0, 3),
        regex=flag_of(raw.get("use_regex"), False) and not of_tavern,
        enabled=not flag_of(raw.get("disable"), False) if world_info else flag_of(raw.get("enabled"), True),
        constant=flag_of(raw.get("constant"), False),
        order=number_of(raw.get("order" if world_info else "insertion_order"), 100, -1e9, 1e9),
        priority=None if raw.get("priority") is None else number_of(raw.get("priority"), 0, -1e9, 1e9),
        place=place, depth=depth, role=role,
        scan_depth=_maybe_whole(obeyed.get("scan_depth", options.get("scan_depth")), 1000),
        case_sensitive=_either(options.get("case_sensitive"), raw.get("case_sensitive")),
        whole_words=maybe_flag(options.get("match_whole_words")),
        chance=number_of(options.get("probability") if options.get("useProbability", True) else None, 100, 0, 100),
        recursion_level=whole_of(_level(options.get("delay_until_recursion")), 0, 0, 1000),
        known_by=texts_of(ours.get("known_by")), known_since=plain(text_of(ours.get("known_since")))[:200],
        only_for=only, never_for=never,
        forced=True if "activate" in obeyed else False if "dont_activate" in obeyed else None,
        **_groups_and_times(options),
    )  # fmt: skip


def _groups_and_times(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "groups": texts_of(text_of(options.get("group"))),
        "group_override": flag_of(options.get("group_override"), False),
        "group_weight": number_of(options.get("group_weight"), 100, 0, 1e6),
        "group_scoring": maybe_flag(options.get("use_group_scoring")),
        "exclude_recursion": flag_of(options.get("exclude_recursion"), False),
        "prevent_recursion": flag_of(options.get("prevent_recursion"), False),
        "ignore_budget": flag_of(options.get("ignore_budget"), False),
        "sticky": whole_of(options.get("sticky"), 0), "cooldown": whole_of(options.get("cooldown"), 0),
        "delay": whole_of(options.get("delay"), 0),
    }  # fmt: skip


def _options(raw: dict[str, Any]) -> dict[str, Any]:
    return {ours: raw[theirs] for theirs, ours in _WORLD_INFO.items() if raw.get(theirs) is not None}


def _level(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _either(first: Any, second: Any) -> bool | None:
    found = maybe_flag(first)
    return maybe_flag(second) if found is None else found


def _place(raw: dict[str, Any], options: dict[str, Any], obeyed: dict[str, str]) -> tuple[Place, int, Role]:
    """Where an entry goes: decorators first, then SillyTavern's number, then the specification's word."""
    number = options.get("position")
    depth = whole_of(options.get("depth"), _AT_DEPTH, 0, 1000)
    role = _ROLES[whole_of(options.get("role"), 0, 0, 2)]
    role = next((known for known in _ROLES if known == obeyed.get("role", options.get("role"))), role)
    if "position" in obeyed:
        return "before" if obeyed["position"] == "before_desc" else "after", depth, role
    if "depth" in obeyed:
        return "depth", int(obeyed["depth"]), role
    constant = flag_of(raw.get("constant"), False)
    place = _PLACES.get(whole_of(number, 1, 0, 7), "after") if isinstance(number, int) else None
    if place is None:
        place = "before" if raw.get("position") == "before_char" else "after"
    return place if constant or place in {"depth", "nowhere"} else "hand", depth, role


def _title(raw: dict[str, Any], number: int) -> str:
    for value in (raw.get("comment"), raw.get("name"), *texts_of(raw.get("keys", raw.get("key")))[:1]):
        title = plain(text_of(value))[:80]
        if title:
            return title
    return f"entry {number}"


def _filters(raw: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    chosen = dict_of(raw.get("characterFilter") or dict_of(raw.get("extensions")).get("character_filter"))
    names = tuple(name.casefold() for name in texts_of(chosen.get("names")))
    return ((), names) if flag_of(chosen.get("isExclude"), False) else (names, ())
