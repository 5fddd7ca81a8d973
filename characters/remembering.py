"""What of a turn is worth remembering, and how memories are found, chosen and told again: rules without a model.

A memory keeps somebody's own words ("Ana said: …"): a small model copies well and retells badly.
Words that mean the same meet in *senses*, the lines of `thesaurus.txt`, so that "who bought the
mare?" finds the horse that was sold.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from characters.intents import intents
from characters.messages import Fact
from characters.orders import offers, pays
from characters.words import STOPWORDS, fold, stem

Kind = Literal["told", "heard", "promise", "debt", "opinion", "summary"]
OFFERED = 5
FEW = 2  # memories at hand for a model that was made for short prompts
IN_SIGHT = 4  # turns that stand right before the reply; nobody has to be reminded of them

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"”')]*\s+")
_ASKS = re.compile(
    r"^(?:and |but |so |well |hey |oh )*(?:who|whom|whose|what|when|where|which|why|how|do|does|did|is|are|was|were|can"
    r"|could|will|would|shall|should|have|has|had|may|tell me|tell us|give me|show me|say)\b"
)
_SAYS_NOTHING = re.compile(
    r"^(?:i|we) (?:do not|don't|cannot|can't|couldn't|could not|would not|wouldn't) (?:know|tell|sell|say|remember)\b"
)
_ROLL = re.compile(r"^rolls \S*\d*d\d")
_PROMISES = re.compile(
    r"\b(?:i|we) (?:promise|swear|vow|pledge)\b|\b(?:you have|upon|on) my (?:word|oath|honou?r)\b"
    r"|\b(?:i|we)(?:'ll| will| shall) (?:not |never |always )?(?:bring|return|pay|come back|meet|keep|give|find|fetch"
    r"|protect|help|tell nobody|send|guard|repay|hold|make)\b"
)
_OWES = re.compile(
    r"\b(?:i|we|you|he|she|they) (?:still )?owes? |\bin (?:your|my|our) debt\b|\bpay (?:you|me|it) back\b"
)
_SMALL_TALK = frozenset({"greeting", "farewell", "thanks", "wellbeing"})
# Words of nearly every question about the past; they find nothing.
_IDLE = frozenset(
    "remember remembers recall recalls mention mentioned happen happened happens told know knows knew known said says "
    "spoke speak speaks talk talked talking once back still yet again anyone anybody somebody someone something".split()
)
_NOBODYS = frozenset({"you", "gm", "dm"})
_TELLING = frozenset({"buy", "sell", "cost", "price", "friend", "work"})
_MOST_SENTENCES, _MOST_CHARACTERS = 3, 240
_REGARD = {"insult": -2.0, "threat": -3.0, "compliment": 1.0, "thanks": 1.0}
_DID = {"insult": "insulted you", "threat": "threatened you", "compliment": "praised you", "thanks": "thanked you"}
_LEAST_SHARE = 0.35
_NEAR_BEST = 0.45


@dataclass(frozen=True)
class Noted:
    """Something to remember, before anybody does.

    Attributes:
        about: whom it is about, by name; "" for nobody in particular.
        weight: for an opinion, how much for (+) or against (−) them it speaks.
    """

    kind: Kind
    text: str
    about: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Found:
    """A memory that a search brought, with why.

    Attributes:
        share: how much of the question's weight it meets, 0 to 1.
        hits: the question's words, and senses, that are in it.
        since: a campaign date or a scene, before which nobody knows it yet; "" where it was always known.
    """

    fact: Fact
    score: float
    share: float
    hits: tuple[str, ...]
    since: str = ""


@lru_cache(maxsize=1)
def _senses() -> dict[str, tuple[str, ...]]:
    """The senses of each stem, named by their lines."""
    found: dict[str, list[str]] = {}
    lines = files("characters").joinpath("thesaurus.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(line for line in lines if not line.startswith("#")):
        for word in line.split():
            senses = found.setdefault(_stemmed(word), [])
            if f"s{number}" not in senses:
                senses.append(f"s{number}")
    return {word: tuple(senses) for word, senses in found.items()}


@lru_cache(maxsize=20_000)
def _stemmed(word: str) -> str:
    return stem(fold(word))


def stems(text: str) -> list[str]:
    """The stems of a text's telling words, in order, each once."""
    said = _WORD.findall(fold(text).replace("'s ", " ").replace("'", ""))
    told = (word for word in said if word in _TELLING or (word not in STOPWORDS and word not in _IDLE))
    return list(dict.fromkeys(_stemmed(word) for word in told if len(word) > 1 or word.isdigit()))


def senses(found: Iterable[str]) -> list[str]:
    """The senses of stems, each once."""
    known = _senses()
    return list(dict.fromkeys(sense for word in found for sense in known.get(word, ())))


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part.strip() for part in _SENTENCE.split(text.strip()) if part.strip()]


def statements(text: str) -> list[str]:
    """The sentences that say something: no questions, no greetings, no dice."""
    if _ROLL.match(fold(text)):
        return []
    return [sentence for sentence in sentences(text) if _states(sentence)]


def _states(sentence: str) -> bool:
    if sentence.rstrip("\"”')* ").endswith("?") or _ASKS.match(fold(sentence)):
        return False
    if _SAYS_NOTHING.match(fold(sentence)):
        return False
    if pays(sentence) or offers(sentence):  # what happens at the counter is over with the evening
        return False
    telling = stems(sentence)
    return len(telling) >= (4 if intents(sentence) & _SMALL_TALK else 2)


def note_heard(speaker: str, text: str) -> Noted | None:
    """What whoever hears a turn remembers of it; None where it says nothing."""
    said = _shortened(statements(text))
    if not said:
        return None
    folded = fold(said)
    kind: Kind = "debt" if _OWES.search(folded) else "promise" if _PROMISES.search(folded) else "heard"
    return Noted(kind, f"{called(speaker)} said: {said}", speaker)


def note_spoken(listener: str, text: str) -> Noted | None:
    """What an NPC remembers of its own line: what it promised and what is owed, for the rest is in the story."""
    bound = [one for one in statements(text) if _PROMISES.search(fold(one)) or _OWES.search(fold(one))]
    said = _shortened(bound)
    if not said:
        return None
    kind: Kind = "debt" if _OWES.search(fold(said)) else "promise"
    return Noted(kind, f"You said to {called(listener, within=True)}: {said}", listener)


def note_manner(speaker: str, text: str) -> Noted | None:
    """What an NPC makes of how it is spoken to; None where the tone is none."""
    meant = intents(text)
    tone = next((tone for tone in ("threat", "insult", "compliment", "thanks") if tone in meant), None)
    return Noted("opinion", f"{called(speaker)} {_DID[tone]}.", speaker, _REGARD[tone]) if tone else None


def called(speaker: str, *, within: bool = False) -> str:
    """How a memory names a speaker; "You" is the NPC itself where an NPC reads it.

    Args:
        within: not at the beginning of a sentence.
    """
    if speaker.casefold() in _NOBODYS:
        return "a visitor" if within else "A visitor"
    return speaker


def _shortened(said: Sequence[str]) -> str:
    kept: list[str] = []
    for sentence in said[:_MOST_SENTENCES]:
        if kept and len(" ".join(kept)) + len(sentence) > _MOST_CHARACTERS:
            break
        kept.append(sentence if len(sentence) <= _MOST_CHARACTERS else sentence[: _MOST_CHARACTERS - 1].rstrip() + "…")
    return " ".join(kept)


def choose(found: Sequence[Found], beside: Sequence[Fact], limit: int = OFFERED) -> tuple[Fact, ...]:
    """The memories that bear on a question, of those a search offered.

    A memory that meets the question in one word alone gives way to a fact of the sheet that has the
    same word: "What do you sell?" asks for wares, and not for who once sold a horse.

    Args:
        beside: the facts of sheet and world that come to hand for the same question.
    """
    if not found:
        return ()
    have = {word for fact in beside for word in stems(fact.text)}
    floor = _NEAR_BEST * found[0].score
    kept = [
        one for one in found
        if one.score >= floor and one.share >= _LEAST_SHARE and (len(one.hits) > 1 or not set(one.hits) & have)
    ]  # fmt: skip
    return tuple(one.fact for one in kept[:limit])


def familiarity(scenes: int, regard: float) -> str:
    """How well somebody is known after so many scenes, and how well they are thought of; "" for a stranger."""
    known = "" if scenes < 1 else "met before" if scenes < 2 else "an acquaintance" if scenes < 5 else "well known"
    liked = "liked" if regard >= 3 else "hated" if regard <= -8 else "disliked" if regard <= -3 else ""
    return " and ".join(part for part in (known, liked) if part)


def extract(said: Sequence[tuple[str, str]], most: int = 3) -> list[int]:
    """Choose the turns that tell the most of a scene: what others spoke of again, names, numbers, promises.

    Args:
        said: speaker and text of every turn, in order.

    Returns:
        Their places, in order.
    """
    told = [(place, " ".join(statements(text))) for place, (_, text) in enumerate(said)]
    told = [(place, text) for place, text in told if text]
    seen: dict[str, int] = {}
    for _, text in told:
        for word in stems(text):
            seen[word] = seen.get(word, 0) + 1

    def weight(text: str) -> float:
        words = stems(text)
        shared = sum(min(seen[word], 4) - 1 for word in words) / (len(words) or 1)
        names = len(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text))
        bound = bool(_PROMISES.search(fold(text)) or _OWES.search(fold(text)))
        telling = 0.6 * min(names, 3) + 0.5 * bool(re.search(r"\d", text)) + 0.05 * min(len(words), 12)
        return shared + telling + 1.5 * bound

    best = sorted(told, key=lambda one: (-weight(one[1]), one[0]))[:most]
    return sorted(place for place, _ in best)
