"""Cleaners and checks of what was drawn from a chunk: cheap rules first, a model where one is set.

- refusals, talk about being a model, a second question in an answer: left out;
- mentions of the source ("the guide says"): rewritten, left out where that leaves nothing;
- names that neither the world, the sheet nor the document knows: left out;
- recipes, prices and numbers that are not the chunk's: left out.
"""

import re
from collections.abc import Iterable, Sequence

from characters.prompt import Part
from characters.words import terms
from learning.documents.entries import Entry
from learning.teachers.errors import Rejected
from learning.teachers.reading import check_language, check_refusal, one_line

_SOURCE = (
    r"(?:the |this |that |our |your )?"
    r"(?:guide|document|text|passage|article|manual|chapter|section|excerpt|source|book|page|author|notes)"
)
_SAYS = r"(?:says|states|describes|mentions|explains|suggests)"
_MENTION = re.compile(
    rf"^\s*(?:as|according to|per|based on|in|from)\s+{_SOURCE}\b(?:\s+{_SAYS})?\s*,?\s*"
    rf"|,?\s*(?:as|according to)\s+(?:stated |described |mentioned |explained )?(?:in |by )?{_SOURCE}\b(?:\s+\w+)?"
    rf"|^\s*{_SOURCE}\s+(?:says|states|tells us|describes|mentions|explains|suggests|recommends)(?:\s+that|\s+to)?\s*",
    re.IGNORECASE,
)
_STILL = re.compile(
    r"\b(?:the guide|document|passage|excerpt|the text|this text|the author|chapter \d+|section \d+)\b", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)*")
_NAME = re.compile(r"(?<![.!?:\"“]\s)(?<!^)\b([A-Z][a-z]{2,}(?:\s+[A-Z][a-z]+)*)")
_WORDED = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
           "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30", "forty": "40",
           "fifty": "50", "hundred": "100"}  # fmt: skip
_LONGEST = 90  # words
_COMMON = frozenset("i aye yes no well the a an of and you it that this my your now here there what how".split())


def known_names(part: Part, texts: Iterable[str]) -> frozenset[str]:
    """Every word of world, sheet and document: a name made of them is no outsider."""
    told = [part.sheet.model_dump_json(), part.world.model_dump_json() if part.world else "", *texts]
    return frozenset(word.casefold() for text in told for word in re.findall(r"[^\W\d_]+", text))


def clean_pair(question: str, answer: str, name: str, like: str) -> tuple[str, str]:
    """A pair without what stands around it and without its source.

    Raises:
        Rejected: a refusal, another language, too long, or nothing left without the source.
    """
    question, answer = one_line(question), one_line(answer, name)
    for text in (question, answer):
        check_refusal(text)
        check_language(text, like)
    question, answer = without_source(question), without_source(answer)
    if _STILL.search(question) or _STILL.search(answer):
        raise Rejected("speaks of its source")
    if len(answer.split()) > _LONGEST:
        raise Rejected("too long")
    if answer[-1].isalnum() or answer[-1] in ",;:-":
        raise Rejected("breaks off in mid-sentence")
    if "?" not in question and len(question.split()) < 2:
        raise Rejected("no question")
    return question, answer


def without_source(text: str) -> str:
    """A text with mentions of its source taken out: "According to the guide, use oak." → "Use oak."."""
    left = _MENTION.sub("", text).strip()
    left = re.sub(r"\s+([,.!?])", r"\1", left)
    return left[:1].upper() + left[1:] if left != text else text


def check_names(text: str, known: frozenset[str]) -> None:
    """Refuse names nobody here knows.

    Raises:
        Rejected: a capitalised name in the middle of a sentence that stands nowhere.
    """
    for found in _NAME.finditer(text):
        if any(word.casefold() not in known and word.casefold() not in _COMMON for word in found[1].split()):
            raise Rejected("a name that stands nowhere")


def check_against(answer: str, chunk: str, question: str = "", entries: Sequence[Entry] = ()) -> None:
    """Refuse what the chunk does not say: other numbers, half a recipe, an ingredient of another.

    Raises:
        Rejected: by what is wrong.
    """
    if not numbers(answer) <= numbers(chunk) | numbers(question):
        raise Rejected("a number that the chunk does not have")
    said = set(terms(answer))
    for entry in entries:
        if entry.form != "recipe" or not set(terms(entry.subject)) <= set(terms(f"{question} {answer}")):
            continue
        named = [bool(heads(item) & said) for item in entry.items]
        if any(named) and not all(named) and _lists(answer):
            raise Rejected("a recipe with something missing")
        amounts = set().union(*(numbers(item) for item in entry.items))
        if all(named) and not amounts <= numbers(answer):
            raise Rejected("a recipe with other amounts")


def numbers(text: str) -> set[str]:
    """The numbers of a text, written in digits or in words."""
    words = re.findall(r"[a-z]+", text.casefold())
    return {found.group().replace(",", "").rstrip(".") for found in _NUMBER.finditer(text)} | {
        _WORDED[word] for word in words if word in _WORDED and word != "one"
    }  # fmt: skip


def heads(item: str) -> set[str]:
    """The stems an ingredient is recognised by: its last word, without amounts."""
    words = terms(re.sub(r"\bof\b.*", "", item) if item.startswith("of") else item)
    return set(words[-1:])


def _lists(answer: str) -> bool:
    return answer.count(",") >= 1 or " and " in answer
