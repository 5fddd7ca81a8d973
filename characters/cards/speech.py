"""What a character says in a card's prose: spoken words without stage directions, cut to a table's length.

Cards write a line as ``*She nods.* Of course.``, as ``"Of course," she says.`` or plainly. An NPC of ours
speaks in plain lines, so its greeting and its examples are the spoken words alone.
"""

import re

from characters.loose import plain

_LINE = 280
_TOLD = 200
_FIRST = re.compile(r"\b(?:I|I['’](?:m|ve|ll|d)|me|my|mine|we|our|us)\b")
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,40}>")
_STAGE = re.compile(r"\*{1,2}[^*]{1,2000}\*{1,2}|\([^()]{0,400}\)")
_QUOTED = re.compile(r"[\"“]([^\"“”]{1,2000})[\"”]")
_PICTURE = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()]{0,400}\)")
_WHO = re.compile(r"^[ \t]*(?:\{\{(user|char)\}\}|<(user|bot|char)>)\s*:[ \t]*", re.IGNORECASE)
_START = re.compile(r"^\s*<START>\s*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?…])[\"”'’)]*\s+|\n+")


def spoken(text: str, most: int = _LINE) -> str:
    """The spoken words of a text; "" where there are only actions."""
    text = _PICTURE.sub(r"\1", _TAG.sub(" ", _CODE.sub(" ", text)))
    quotes = [quote.strip() for quote in _QUOTED.findall(text)]
    if sum(map(len, quotes)) >= 0.2 * len(text.strip()) and quotes:
        text = " ".join(_ended(quote, after) for quote, after in zip(quotes, [*quotes[1:], ""], strict=True))
    elif len(text) > _TOLD and "*" not in text and not _FIRST.search(text):
        return ""  # it tells of the character, who says nothing
    else:
        text = _STAGE.sub(" ", text)
    return shorten(plain(text.replace("*", " ").replace('"', " ")), most)


def _ended(quote: str, after: str) -> str:
    """A quote as it reads before the next one: "Of course," she says. "Come in." has no comma without her."""
    if quote.endswith(","):
        return quote if after[:1].islower() else f"{quote[:-1]}."
    return quote if quote.endswith((".", "!", "?", "…")) else f"{quote}."


def address(text: str, word: str) -> str:
    """Put a word in place of `{{user}}` in something that is spoken: "Welcome back, friend."."""
    text = re.sub(
        r"(\w)[ \t]+\{\{user\}\}(?=\s*(?:[.!?,…\"”]|$))", rf"\1, {word}", text, flags=re.IGNORECASE | re.MULTILINE
    )
    text = re.sub(
        r"(^|[.!?…*\"“]\s*)\{\{user\}\}", lambda f: f[1] + word.capitalize(), text, flags=re.IGNORECASE | re.MULTILINE
    )
    return re.sub(r"\{\{user\}\}|<user>", word, text, flags=re.IGNORECASE)


def narrated(text: str, most: int = 400) -> str:
    """A text as it is told, actions included, cut to a length."""
    return shorten(plain(_TAG.sub(" ", _CODE.sub(" ", text)).replace("*", " ")), most)


def shorten(text: str, most: int) -> str:
    """The beginning of a text, up to the end of a sentence where one fits, else of a clause or word."""
    text = text.strip()
    if len(text) <= most:
        return text
    head = text[:most]
    for pattern in (r".*[.!?…][\"”')]*(?=\s|$)", r".*(?=[,;:])", r".*(?=\s)"):
        found = re.match(pattern, head, re.DOTALL)
        if found and len(found[0]) > most // 4:
            return found[0].rstrip(" ,;:-–")
    return head.strip()


def sentences(text: str) -> list[str]:
    """The sentences of a text, each on one line."""
    return [found for part in _SENTENCE.split(text) if (found := plain(part))]


def exchanges(text: str) -> tuple[list[tuple[str, str]], str]:
    """Take dialogue out of a text.

    Returns:
        (what the user said or "", what the character said) pairs with their macros, and the rest.
    """
    pairs: list[tuple[str, str]] = []
    rest: list[str] = []
    asked, speaker = "", ""
    for line in text.split("\n"):
        found = _WHO.match(line)
        if _START.match(line):
            asked, speaker = "", "none"
        elif found and (found[1] or found[2]).casefold() == "user":
            asked, speaker = line[found.end() :], "user"
        elif found:
            pairs.append((asked, line[found.end() :]))
            asked, speaker = "", "char"
        elif speaker in {"", "none"} or not line.strip() or line.lstrip().startswith("["):
            speaker = speaker if speaker == "none" and not line.strip() else ""
            rest.append(line)
        elif speaker == "user":
            asked += "\n" + line
        else:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + "\n" + line)
    return pairs, "\n".join(rest)
