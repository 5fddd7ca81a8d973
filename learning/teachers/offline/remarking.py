"""Open talk: a remark about anything, taken up in its own words.

The words come from prose where it is at hand, so that nothing of them can be learnt by heart: what
is left to learn is to find in a remark the word it turns on, and to say something about that.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from characters.words import COMMON, STOPWORDS, stem
from learning.teachers.offline.asking_open import ANY_KIND, BACK, DOINGS, FRAMES, GIBBERISH, MORE, STATES
from learning.teachers.offline.grammar import expand
from learning.teachers.offline.wrapping import as_asked

_THING = re.compile(r"\b(?:an?|the|my|your|his|her|our)\s+([a-z]{3,11})(?=[.,;!?]|\s+(?:of|in|on|at|to|is|was|and|that|with|from)\b)")
_DOING = re.compile(r"\b(?:to|can|could|will|would|shall|must|did|don't|let's)\s+([a-z]{3,9})\s+(?:an?|the|my|your|it|him|them|her)\b")
_STATE = re.compile(r"\b(?:so|very|too|rather|quite)\s+([a-z]{3,10})(?=[.,;!?])")
_NOT_DOING = frozenset("have been not make take give get let put see say tell come think know".split())
_NOT_STATE = frozenset("much many well far long soon often too self before indeed life words room evening yourself understand remain".split())
_OUR_OWN = 0.3  # of the words are ours even where prose is at hand
_NAMED = re.compile(r"((?:A )?\{\w+\}(?: a \{w\})?)[?,.]")  # an answer that begins with the word it takes up
_ASKS = re.compile(r"(?:who|what|why|when|where|how|which|is|are|do|does|did|can|could|would|will|have|has|may|shall)\b", re.IGNORECASE)
_ALONE, _BOTH = 0.3, 0.6
_LETTERS = "qwertyuiopasdfghjklzxcvbnm"


@dataclass(frozen=True)
class Remark:
    """A remark as it is typed, and the pattern of an answer that takes it up."""

    text: str
    answer: str


class Remarks:
    """Makes remarks.

    Args:
        sentences: any prose; its words fill the slots.
        things: names of objects; the last word of each may fill a slot.
    """

    def __init__(self, sentences: Sequence[str], things: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        heads = {name.split()[-1] for name in things}
        self.things = _known({one for one in heads | _found(_THING, sentences) if not one.endswith("s")}) or ("lantern", "boot", "goat", "pie", "hat", "spoon", "cloud", "door")
        self.doings = _known(_found(_DOING, sentences) - _NOT_DOING)
        self.states = _known({one for one in _found(_STATE, sentences) - _NOT_STATE if not one.endswith("ly")})

    def framed(self, rng: random.Random) -> Remark:
        """A sentence of ours about any thing."""
        asked, answers = rng.choice(FRAMES)
        slots = self._slots(rng)
        text = expand(rng, as_asked(rng, rng.choice(asked), self.sentences), **slots)
        whole = rng.choice(answers)
        first = _NAMED.match(whole)
        return Remark(text, expand(rng, _answer(rng, text, first[1] if first else "{W}", whole), **slots))

    def quoted(self, rng: random.Random) -> Remark | None:
        """Any sentence of the prose, taken up by one of its words; None where it has no word worth it."""
        if not self.sentences:
            return None
        text = rng.choice(self.sentences)
        said = [word for word in re.findall(r"\b[a-z]{5,12}\b", text) if word not in STOPWORDS and stem(word) not in COMMON]
        if not said:
            return None
        return Remark(text, _answer(rng, text, "{W}", rng.choice(ANY_KIND)).replace("{W}", said[-1].capitalize()))

    def gibberish(self, rng: random.Random) -> Remark:
        """Letters, or words that are none."""
        words = ["".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 9))) for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.4:
            words = [words[0]] * rng.randint(1, 3)
        return Remark(" ".join(words), rng.choice(GIBBERISH))

    def _slots(self, rng: random.Random) -> dict[str, str]:
        thing, other = rng.choice(self.things), rng.choice(self.things)
        doing, another, state = self._word(rng, self.doings, DOINGS), self._word(rng, self.doings, DOINGS), self._word(rng, self.states, STATES)
        small = {"w": thing, "w2": other, "v": doing, "v2": another, "a": state, "ws": _several(thing)}
        return small | {name.capitalize(): word.capitalize() for name, word in small.items()}

    def _word(self, rng: random.Random, found: Sequence[str], own: Sequence[str]) -> str:
        return rng.choice(own if not found or rng.random() < _OUR_OWN else found)


def _answer(rng: random.Random, remark: str, word: str, whole: str) -> str:
    """The answer to a remark: its word and a question back, or what fits its frame, or at times a question back alone."""
    back = rng.choice(BACK if remark.rstrip().endswith("?") or _ASKS.match(remark) else MORE)
    roll = rng.random()
    return back if roll < _ALONE else f"{word}? {back}" if roll < _BOTH else whole


def _found(pattern: re.Pattern[str], sentences: Sequence[str]) -> set[str]:
    return {word for sentence in sentences for word in pattern.findall(sentence)}


def _known(words: set[str]) -> tuple[str, ...]:
    return tuple(sorted(word for word in words if word not in STOPWORDS and len(word) > 2))


def _several(thing: str) -> str:
    if thing.endswith(("s", "x", "ch", "sh")):
        return thing + ("" if thing.endswith("s") and not thing.endswith("ss") else "es")
    return re.sub(r"(?<=[^aeiou])y$", "ie", thing) + "s"
