"""Reads answers of models that were told a form and kept to it more or less.

Structured output is asked for where the server has it; everything read here must also do without.
"""

import json
import re
from collections import Counter
from typing import Any

from learning.teachers.errors import Rejected

_FENCE = re.compile(r"```[a-z]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_TRAILING = re.compile(r",\s*([}\]])")
_REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial|large language|language)\b|\bas a (?:helpful )?(?:ai|assistant)\b"
    r"|\bi(?:'m| am) (?:just )?an? (?:ai|language model)"
    r"|^\W*(?:i(?:'m| am) sorry|sorry|apologies|unfortunately),? (?:but )?i (?:can(?:no|')t|am unable|won't)"
    r"|^\W*i (?:can(?:no|')t|am unable to|won't) (?:assist|help|comply|fulfil|provide|create|generate|continue)"
    r"|\b(?:content|usage) polic(?:y|ies)\b",
    re.IGNORECASE,
)
_BLEEDING = re.compile(
    r"\n\s*(?:\*\*)?(?:Q(?:uestion)?|A(?:nswer)?|User|Human|Assistant|Player|Interlocutor)\s*\d*(?:\*\*)?\s*[:.)]"
    r"|\n\s*#{1,6}\s|\n\s*-{3,}\s*\n|<\|[^|<>\n]{1,40}\|>|\[/?INST\]"
)
_WORDS = {
    "en": "the and of to is you that it in was for are with his they my have this your what not",
    "de": "der die das und ist nicht ich du sie ein eine zu den mit von es auf für dem wir",
    "fr": "le la les et est je vous nous une un des du que qui pas pour dans avec ce il",
    "es": "el la los las y es que de en un una no por con para su lo mi usted está",
    "it": "il lo la gli le e è che di un una non per con mi si sono ho questo del",
    "pt": "o os as e é que de um uma não por com para seu eu você está do da em",
    "nl": "de het een en is niet ik je van dat op te met voor zijn we ze er aan hij",
}
_FUNCTION = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_LEAST_WORDS = 6


def plain(text: str) -> str:
    """A text without what a model thought before it."""
    return _THOUGHT.sub(" ", text).strip()


def json_in(text: str) -> Any:
    """The JSON value in an answer, whatever stands around it.

    Raises:
        Rejected: there is none, or a broken one.
    """
    text = plain(text)
    fenced = _FENCE.search(text)
    for candidate in filter(None, (text, fenced[1] if fenced else "", _bracketed(text))):
        for version in (candidate, _TRAILING.sub(r"\1", candidate)):
            try:
                return json.loads(version)
            except json.JSONDecodeError:
                continue
    raise Rejected("broken JSON")


def _bracketed(text: str) -> str:
    """From the first bracket to the last of its kind."""
    found = re.search(r"[\[{]", text)
    if not found:
        return ""
    end = text.rfind({"[": "]", "{": "}"}[found.group()])
    return text[found.start() : end + 1]


def records(value: Any, *names: str) -> list[dict[str, str]]:
    """A list of records with these texts, from a list or from the first list inside an object.

    Raises:
        Rejected: nothing of the kind is in it.
    """
    if isinstance(value, dict):
        lists = [item for item in value.values() if isinstance(item, list)]
        value = lists[0] if lists else [value]
    if not isinstance(value, list):
        raise Rejected("broken JSON")
    found = [
        {name: str(item[name]).strip() for name in names} for item in value
        if isinstance(item, dict) and all(str(item.get(name, "")).strip() for name in names)
    ]  # fmt: skip
    if not found:
        raise Rejected("JSON without what was asked for")
    return found


def one_line(text: str, speaker: str = "") -> str:
    """A spoken line: without thoughts, the speaker's own name, quotation marks around it, and what comes after it.

    Raises:
        Rejected: nothing is left.
    """
    text = _BLEEDING.split(plain(text), maxsplit=1)[0].strip()
    text = text.split("\n\n")[0]
    if speaker:
        text = re.sub(rf"^\W*{re.escape(speaker)}\W*:\s*", "", text, flags=re.IGNORECASE)
    text = " ".join(text.split())
    if len(text) > 1 and text[0] in "\"“'" and text[-1] in "\"”'" and text.count(text[0]) <= 2:
        text = text[1:-1].strip()
    if not any(character.isalnum() for character in text):
        raise Rejected("empty answer")
    return text


def check_refusal(text: str) -> None:
    """Refuse a refusal.

    Raises:
        Rejected: a model speaks of itself or of its rules.
    """
    if _REFUSAL.search(text):
        raise Rejected("refusal")


def check_language(text: str, like: str) -> None:
    """Refuse another language than that of a text.

    Judged by script, then by function words; what is too short to tell passes.

    Raises:
        Rejected: the text is in another language.
    """
    letters = [ch for ch in text if ch.isalpha()]
    if letters and _latin(like) > 0.8 and _latin(text) < 0.7:
        raise Rejected("wrong language")
    words, wanted = _folded(text), _language(_folded(like))
    if wanted is None or len(words) < _LEAST_WORDS:
        return
    found = _language(words)
    hits = {language: sum(word in known for word in words) for language, known in _FUNCTION.items()}
    if found is not None and found != wanted and hits[found] >= 2 * hits[wanted] + 2:
        raise Rejected("wrong language")


def _latin(text: str) -> float:
    letters = [ch for ch in text if ch.isalpha()]
    return sum(ch < "\u0250" for ch in letters) / len(letters) if letters else 1.0


def _folded(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())


def _language(words: list[str]) -> str | None:
    """The language most function words belong to; None where none does."""
    hits = Counter({language: sum(word in known for word in words) for language, known in _FUNCTION.items()})
    best, count = hits.most_common(1)[0]
    return best if count >= 2 else None
