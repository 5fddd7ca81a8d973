"""When a reply is over: stop strings never shown even in part, and loops cut short and taken away."""

import codecs
import re
from collections.abc import Sequence

_WORD = re.compile(r"[\w']+")
_JOINING = frozenset({"and", "or", "but"})
_DANGLING = frozenset("a an the in on at of to by for from with and or but".split())  # no word to end on
_ENDS = re.compile(r"[.,;:!?]\s*$")


class StopFilter:
    """Passes text through until a stop string appears; holds back what might begin one.

    A stop string that begins with a new line also stops a text that begins with the rest of it: the
    first word of a reply may already be somebody else's name.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._begins = {stop[0] for stop in self._stops}
        self._held = ""
        self._first = any(stop.startswith("\n") for stop in self._stops)
        self.stopped = False

    def feed(self, text: str) -> str:
        """Take new text, return what may be shown now."""
        if self.stopped:
            return ""
        self._held += text
        if self._first and self._held:
            return self._begin()
        if self._begins.isdisjoint(self._held):  # nearly always, and this is done for every token
            shown, self._held = self._held, ""
            return shown
        return self._cut()

    def _begin(self) -> str:
        """Look at the beginning of the text as at the beginning of a line."""
        line = "\n" + self._held.lstrip()
        if any(line.startswith(stop) for stop in self._stops):
            self.stopped, self._held = True, ""
            return ""
        found = any(stop in self._held for stop in self._stops)
        if not found and any(stop.startswith(line) for stop in self._stops):
            return ""  # it may still become one
        self._first = False
        return self._cut()

    def _cut(self) -> str:
        cut = min((at for stop in self._stops if (at := self._held.find(stop)) >= 0), default=-1)
        if cut >= 0:
            self.stopped = True
            shown, self._held = self._held[:cut], ""
            return shown
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        split = len(self._held) - keep
        shown, self._held = self._held[:split], self._held[split:]
        return shown

    def flush(self) -> str:
        """Return what was held back, once nothing more comes."""
        rest, self._held = ("" if self.stopped else self._held), ""
        return rest

    def _overlap(self, stop: str) -> int:
        """Length of the longest end of the held text that begins a stop string."""
        for size in range(min(len(stop) - 1, len(self._held)), 0, -1):
            if self._held.endswith(stop[:size]):
                return size
        return 0


class Utf8:
    """Joins token bytes to text; a character split over tokens waits for its rest."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> str:
        """Take the bytes of one token."""
        return self._decoder.decode(piece)

    def flush(self) -> str:
        """Return what is left at the end, a replacement mark for a broken character."""
        return self._decoder.decode(b"", final=True)


def loops(text: str) -> bool:
    """Whether a text ends on the same word three times, four to twelve words twice, or one syllable six times."""
    return stutters(text) or rounds(text)


def rounds(text: str) -> bool:
    """Whether a text ends on the same word three times, or on four to twelve words twice."""
    heard = text[-300:].casefold()
    ends = _WORD.findall(heard.rsplit(None, 1)[-1]) if heard.strip() else []
    if ends and heard.find(ends[-1]) == heard.rfind(ends[-1]):
        return False  # asked at every word, and nearly always it is one that was not said before
    words = _WORD.findall(heard)
    if len(words) >= 3 and words[-1] == words[-2] == words[-3]:
        return True
    return any(words[-size:] == words[-2 * size : -size] for size in range(4, min(12, len(words) // 2) + 1))


def stutters(text: str) -> bool:
    """Whether a text ends on the same one to twelve characters six times."""
    return _stutter(text) != ""


def _stutter(text: str) -> str:
    last = text[-1:]
    for size in range(1, min(12, len(text) // 6) + 1):
        if text[-1 - size] != last:  # looked at for every token, and nearly always enough
            continue
        unit = text[-size:]
        if text.endswith(unit * 6) and not any(map(str.isspace, unit)):
            return unit
    return ""


def without_loop(text: str) -> str:
    """A text that ended in a loop, with what it said last once, and as a whole sentence; any other as it is.

    Of "… twine at 16 copper and twine at 16" the price is kept: the repetition is cut where a clause begins.
    """
    if unit := _stutter(text):
        rest = text
        while rest.endswith(unit):
            rest = rest[: -len(unit)]
        return _closed(rest) or text  # where nothing else was said, let it be heard
    found = list(_WORD.finditer(text))
    words = [one[0].casefold() for one in found]
    if len(words) >= 3 and words[-1] == words[-2] == words[-3]:
        while len(words) > 1 and words[-1] == words[-2]:
            del words[-1], found[-1]
        return _closed(text[: found[-1].end()])
    for size in range(4, min(12, len(words) // 2) + 1):
        if words[-size:] == words[-2 * size : -size]:
            again = range(len(words) - size, len(words))
            begins = (at for at in again if words[at] in _JOINING or _ENDS.search(text[: found[at].start()]))
            cut = next(begins, again[0])
            while cut > 1 and words[cut - 1] in _DANGLING:
                cut -= 1
            return _closed(text[: found[cut].start()])
    return text


def _closed(text: str) -> str:
    text = text.rstrip(" ,;:-(\"'")
    return text if not text or text[-1] in ".!?" else text + "."


def begins_word(text: str) -> bool:
    """Whether what came before is whole words now: only then can they be compared."""
    return not (text[:1].isalnum() or text[:1] in {"", "'", "_"})
