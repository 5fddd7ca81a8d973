"""Sorts a card's sentences into the fields of a sheet: tastes, habits, past, speech, and plain facts.

The rules are a page of patterns; no model is asked. What they cannot place becomes a fact under the
words people would ask with, so that a question finds it (`characters.knowledge`).
"""

import re
from dataclasses import dataclass, field

from characters.cards.speech import shorten
from characters.words import STOPWORDS, fold

_FACT = 170  # characters: what a small model copies well
_LONG = 120
_TASTE = re.compile(
    r"(?:secretly |really |also |deeply |truly )?(loves?|likes?|adores?|enjoys?|hates?|dislikes?|despises?|loathes?"
    r"|fears?|prefers?|is (?:afraid|wary|fond|proud) of|is (?:scared|tired) of)\s+(.{2,180})"
)
_WANT = re.compile(r"(?:wants?|wishes|hopes|dreams|longs|is determined|aims|intends)\s+(?:to|of)\s+(.{3,150})")
_PAST = re.compile(
    r"\b(?:previously|formerly|used to|was born|were born|grew up|raised by|created by|years ago|once was|once served"
    r"|in the past|childhood|as a child|trained (?:by|under|in)|served (?:as|in)|retired|ran away"
    r"|lost (?:his|her|their)|before (?:he|she|they|his|her)|became|has been|orphan\w*)\b", re.IGNORECASE,
)  # fmt: skip
_SPEECH = re.compile(
    r"\b(?:speaks?|talks?|slang|accent|dialect|tone|voice|soft-spoken|swears?|curses|calls (?:them|him|her|the visitor"
    r"|everybody|everyone)|refers to|mumbles|stutters?|lisps?|sarcas\w*|formal|informally)\b", re.IGNORECASE,
)  # fmt: skip
_HABIT = re.compile(
    r"\b(?:always|never|often|usually|sometimes|tends? to|will not|won't|cannot|can't|can only|refuses? to|habit"
    r"|constantly|every (?:day|morning|night|time))\b", re.IGNORECASE,
)  # fmt: skip
_FOR_MODELS = re.compile(
    r"\b(?:output|markdown|code ?blocks?|role-?play\w*|stay in character|in-character|tokens?|prompts?|ooc"
    r"|(?:your|the|each|every|all) responses?"
    r"|respond(?:s|ing)? (?:in|with|as)|reply in|system note|impersonate|narrat\w+|uncensored|unfiltered|censor\w*"
    r"|jailbreak|non-negotiable|absolute(?:ly)? (?:must|and)|must never refuse|hypothetical|disclaimers?|your response"
    r"|nsfw|sexual\w*|explicit|write (?:as|for|in)|typed? it out|requested information)\b", re.IGNORECASE,
)  # fmt: skip
_CLAUSE = re.compile(
    r"\s*(?:;|—|–|\s-\s)\s*|,\s+(?:but|and|so|yet|while|although|though)\s+(?:also\s+)?"
    r"(?=(?:he|she|they|it|will|is|are|has|can|does|always|never|proactively)\b)", re.IGNORECASE,
)  # fmt: skip
_LOOKS = re.compile(
    r"\b(?:hair|eyes|fur|furs|skin|beard|wears?|wearing|dressed|clothes|outfit|tail|scar|scars|freckles?|freckled|tall"
    r"|slender|stout|looks like|appears as|face is|complexion|robes?|cloak|jacket|boots|feathers"
    r"|horns)\b", re.IGNORECASE,
)  # fmt: skip
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_FIRST = {"is": "am", "has": "have", "does": "do", "wishes": "wish", "despises": "despise", "loathes": "loathe"}
_OWN = {"its": "my", "her": "my", "his": "my", "their": "my", "itself": "myself", "herself": "myself",
        "himself": "myself", "themselves": "ourselves"}  # fmt: skip
_VERBS = frozenset(
    """seems seem looks look rides riding loves likes takes makes made keeps kept wears wearing stands standing becomes
    became uses using knows called named lives living works working comes gets gives goes holds stays own able used
    happy ready while when where because although though however still just even only almost both each every other
    another such than without within upon into onto across always never often usually sometimes possesses includes
    following based without such very most more less fully""".split()
)


@dataclass
class Sorted:
    """Sentences by what they are good for."""

    opinions: list[tuple[str, str]] = field(default_factory=list)
    wants: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    speech: list[str] = field(default_factory=list)
    habits: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    for_models: list[str] = field(default_factory=list)


def sort_sentences(found: list[str], called: str, visitor: str) -> Sorted:
    """Sort sentences about a character whom the text calls `called`."""
    out = Sorted()
    own = f"{called} {visitor}"
    subject = re.compile(rf"^(?:{re.escape(called)}|he|she|it|they)(?:'s)?\s+", re.IGNORECASE)
    for raw in found:
        sentence = _named(raw, called)
        rest = subject.sub("", sentence)
        taste = _TASTE.match(rest) if rest != sentence else None
        if _FOR_MODELS.search(sentence) or sentence.endswith((":.", ":")) or len(_SHOUTED.findall(sentence)) > 2:
            out.for_models.append(sentence)
        elif taste:
            out.opinions.append(_opinion(taste[1], taste[2], called, visitor))
        elif rest != sentence and (want := _WANT.match(rest)):
            out.wants.append(want[1].rstrip(".! "))
        elif _SPEECH.search(sentence) and len(sentence) < 200 and len(out.speech) < 3:
            out.speech.append(sentence)
        elif past := _PAST.search(sentence):
            before, after = _at_clause(sentence, past.start())
            if before and not subject.match(after):
                after = f"{called} {after[:1].lower()}{after[1:]}"
            out.past.append(shorten(_named(after, called), _FACT * 2))
            out.facts += [(topic_of(before, own), shorten(_named(before, called), _FACT))] if before else []
        elif rest != sentence and _HABIT.search(sentence) and len(sentence) < 140 and len(out.habits) < 4:
            out.habits.append(_unnamed(sentence, called))
        elif len(sentence.split()) > 2:
            out.facts += [(_topic(part, own), shorten(part, _FACT)) for part in _clauses(sentence, called)]
    return out


def _topic(sentence: str, own: str) -> str:
    topic = topic_of(sentence, own)
    return f"looks, {topic}" if _LOOKS.search(sentence) else topic


def _clauses(sentence: str, called: str) -> list[str]:
    """A long sentence in parts that can stand alone: each is a fact that a question may call for."""
    if len(sentence) <= _LONG:
        return [sentence]
    parts = []
    for part in _CLAUSE.split(sentence):
        verb = re.match(r"(?:will|is|are|has|can|does|always|never|proactively)\b", part)
        told = f"{called} {part}" if verb else part
        if len(told.split()) > 3:
            parts.append(_named(told, called))
    return parts


def _at_clause(sentence: str, place: int) -> tuple[str, str]:
    """A sentence cut where the clause with a place in it begins: what comes before, and the clause."""
    cut = sentence.rfind(", ", 0, place) if len(sentence) > _LONG else -1
    return (sentence[:cut], sentence[cut + 2 :]) if cut > 10 else ("", sentence)


def _named(sentence: str, called: str) -> str:
    """A sentence that can stand alone: who it is about is named, and it has an end."""
    sentence = re.sub(r"^[-–•*>#\s]+|^\d+[.)]\s+", "", sentence)
    sentence = re.sub(r"^(?:he|she)\b(?!')", lambda _: called, sentence, flags=re.IGNORECASE)
    first = sentence.split(" ", 1)[0]
    if first.islower() and len(first) > 3 and first.endswith("s") and not first.endswith("ss"):
        sentence = f"{called} {sentence}"  # "refers to them as Boss"
    sentence = sentence[:1].upper() + sentence[1:]
    return sentence if sentence.endswith((".", "!", "?", "…", '"')) else f"{sentence}."


def _unnamed(sentence: str, called: str) -> str:
    """A habit without its owner: "Takes a lot of naps."."""
    shorter = re.sub(rf"^{re.escape(called)}\s+(?:will\s+(?!not))?", "", sentence, flags=re.IGNORECASE)
    return shorten(shorter[:1].upper() + shorter[1:], 160)


def _opinion(verb: str, thing: str, called: str, visitor: str) -> tuple[str, str]:
    """("tuna and other meats", "I love tuna and other meats."), as the NPC would say it."""
    thing = thing.strip().rstrip(".!;, ")
    words = verb.split()
    words[0] = _FIRST.get(words[0], words[0].removesuffix("s"))
    return topic_of(thing, f"{called} {visitor}"), f"I {' '.join(words)} {_own(thing, called, visitor)}."


def taste(thing: str, liked: bool, called: str, visitor: str) -> tuple[str, str]:
    """An opinion out of a list of likes or dislikes."""
    said = _own(thing, called, visitor)
    return shorten(thing, 80), f"I like {said}." if liked else f"I cannot stand {said}."


def _own(thing: str, called: str, visitor: str) -> str:
    """Words about somebody in that body's own mouth."""
    said = re.sub(r"\b(?:its|her|his|their|itself|herself|himself|themselves)\b", lambda w: _OWN[w[0].lower()],
                  thing, flags=re.IGNORECASE)  # fmt: skip
    for other, mine in ((f"{called} is", "I am"), (f"{called}'s", "my"), (f"{visitor}'s", "your"),
                        (f"{visitor}’s", "your"), (f"{visitor} is", "you are"), (visitor, "you")):  # fmt: skip
        said = said.replace(other, mine)
    return said


def topic_of(sentence: str, called: str, most: int = 3) -> str:
    """The words somebody would ask with to hear this sentence: its weightiest run of words."""
    names = set(fold(called).split())
    runs, current = list[list[str]](), list[str]()
    for word in re.findall(r"[^\W_][\w'’-]*|[^\w\s]", sentence):
        folded = fold(word).removesuffix("'s")
        if not folded[:1].isalnum() or folded in STOPWORDS or folded in _VERBS or folded in names:
            runs, current = ([*runs, current] if current else runs), []
        else:
            current.append(word)
    runs = [*runs, current] if current else runs
    if not runs:
        return shorten(sentence.rstrip("."), 60) or "this"
    best = max(runs, key=lambda run: sum(_weight(word) for word in run[-most:]))
    return " ".join(best[-most:])[:120]


def _weight(word: str) -> float:
    return min(len(word), 10) + (4 if word[:1].isupper() else 0) - (3 if word.endswith("ly") else 0)
