"""Regular expressions of strangers, matched in linear time.

A lorebook from elsewhere may bring any pattern, and Python's own engine can be made to backtrack for
hours while it holds the interpreter; a time-out would need a process of its own for every look.
RE2 answers in time linear in the text, whatever the pattern. What it does not know (looking around,
back references) is not guessed: such a key never matches, and the book's notes say so.
"""

import re
from functools import lru_cache
from typing import Any

_MOST = 1000  # characters of a pattern
_TEXT = 200_000  # characters of what is searched, the newest
_MEMORY = 1 << 20
_DELIMITED = re.compile(r"/((?:[^/\\]|\\.)+)/([a-z]*)", re.DOTALL)
_FLAGS = frozenset("gimsuyvd")


def is_delimited(key: str) -> bool:
    """Whether a key is written as a regular expression: ``/…/flags``."""
    found = _DELIMITED.fullmatch(key.strip())
    return found is not None and set(found[2]) <= _FLAGS


def can_read(key: str, case_sensitive: bool = False) -> bool:
    """Whether the engine knows a pattern, delimited or bare."""
    return _compiled(key.strip(), case_sensitive) is not None


def found_by(key: str, text: str, case_sensitive: bool = False) -> bool:
    """Whether a pattern, delimited or bare, is found in a text.

    Args:
        case_sensitive: for a bare pattern; a delimited one says so itself.
    """
    pattern = _compiled(key.strip(), case_sensitive)
    return pattern is not None and pattern.search(text[-_TEXT:]) is not None


@lru_cache(maxsize=4096)
def _compiled(key: str, case_sensitive: bool) -> Any:
    try:
        import re2
    except ImportError:  # no build for this platform: such keys stay silent
        return None
    if len(key) > _MOST:
        return None
    found = _DELIMITED.fullmatch(key)
    body, flags = (found[1], found[2]) if found and set(found[2]) <= _FLAGS else (key, "" if case_sensitive else "i")
    options = re2.Options()
    options.max_mem, options.log_errors = _MEMORY, False
    options.case_sensitive, options.dot_nl = "i" not in flags, "s" in flags
    prefix = "(?m)" if "m" in flags else ""
    try:
        return re2.compile(prefix + _translated(body), options=options)
    except (re2.error, UnicodeError, ValueError):
        return None


def _translated(body: str) -> str:
    """JavaScript's spelling in RE2's."""
    body = body.replace("\\/", "/").replace("[^]", "[\\s\\S]")
    return re.sub(r"\\u(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{4}))", lambda f: f"\\x{{{f[1] or f[2]}}}", body)
