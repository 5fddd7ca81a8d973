"""What imported text is freed of before it may teach: everything nobody said in the world.

Template tokens and thoughts of a model, markup, remarks out of character, control characters,
addresses and links. What is left is one line of plain speech, or nothing.
"""

import re
import unicodedata
from collections.abc import Mapping

from learning.harvest import scrub

_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TEMPLATE = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|<</?SYS>>|\[/?INST\]|^\s*#{2,3} ?(?:Human|Assistant|Instruction|Response|Input) ?:?\s*"
    r"|</?[A-Za-z_][^<>\n]{0,80}>",
    re.MULTILINE,
)
_OUT_OF_CHARACTER = re.compile(
    r"\(\(.*?(?:\)\)|$)|[\[({]\s*OOC\b[^\])}]*(?:[\])}]|$)|^\s*(?:OOC\s*[:;,-]|//).*$", re.MULTILINE | re.IGNORECASE
)
_MACRO = re.compile(r"\{\{\s*(user|char)\s*\}\}|<(USER|BOT)>", re.IGNORECASE)
_BRACKETED = re.compile(r"^\s*\[[^\[\]]*\]\s*$", re.MULTILINE)


def is_rendered(text: str) -> bool:
    """Whether a text was made by a chat template: it holds several of its tokens."""
    return len(re.findall(r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|<(?:start|end)_of_turn>|<<SYS>>", text)) > 1


def plain_speech(text: str, names: Mapping[str, str]) -> str:
    """Clean one turn; "" where nothing of it was said in the world.

    Args:
        names: what the macros "user" and "char" stand for.
    """
    text = _MACRO.sub(lambda found: names.get(_meant(found), ""), text.replace("\r", "\n"))
    text = _TEMPLATE.sub(" ", _THOUGHT.sub(" ", text))
    text = _BRACKETED.sub(" ", _OUT_OF_CHARACTER.sub(" ", text))
    text = "".join("" if unicodedata.category(ch) == "Cf" else ch for ch in unicodedata.normalize("NFC", text))
    text = "".join(" " if unicodedata.category(ch)[0] in "CZ" else ch for ch in text)
    cleaned = scrub(text)
    return cleaned if any(ch.isalnum() for ch in cleaned) else ""


def _meant(found: re.Match[str]) -> str:
    return "user" if (found.group(1) or found.group(2)).casefold() == "user" else "char"
