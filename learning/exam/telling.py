"""Which parts of a reply tell something, and which only hold the right words by accident.

A small model glues half a fact to half a no: "I never learnt to make someone who never saw of bells". Every
word of it may be the sheet's own, and still nobody at the table was told anything.
"""

import re

from characters.words import fold
from learning.exam.reading import quotes

_AS_WRITTEN = 0.7  # of a sentence's words, in the field's own order
_ROUND = 3  # words that come twice in a sentence
_NO = re.compile(
    r"\b(?:i|we)(?:'ve|'d| have| had| would| could)? ?(?:don't|do not|didn't|did not|can't|cannot|couldn't|could not"
    r"|haven't|have not|never|no longer) (?:\w+ )?(?:know|knew|known|hear|heard|see|seen|saw|met|meet|learn|learnt"
    r"|learned|recall|remember|understand|follow|sell|say|tell|make)\b"
)
_ASKED = re.compile(r"^\W*(?:what|who|where) (?:is|are|was|were) [^?]*$")  # "What is a lantern burns one lamp."
# What stands behind one of these is told again: "I don't know who did it, but I saw three oars."
_TURN = re.compile(
    r"[,;:\u2013\u2014]|\b(?:but|only|save|except|though|although|yet|still|because|unless|beyond|other than)\b"
)
# "I don't know what a bored standing is open from Swallows to Fog": a no that goes on as something else.
_RUNS_ON = re.compile(
    r"\b(?:know|seen|met|heard of|learnt to make|how to make|no|any) (?:what )?(?:any |an? |the )?(?P<thing>[\w' ]+?)"
    r" (?:is|are|was|were|has|have|lives?|keeps?|sells?|teaches|burns|says?|costs?|stands?|lies|leads|makes?)"
    r" (?!supposed|meant|called|known|for|or|but|if|nor|and|either|exactly|really|now|anyway|sir|friend|my|good|love"
    r"|to\b|so|made|used|worth|like|here|in|around|about|doing|selling|asking|talking|saying|that|who|any|no|not|never|old"
    r"|young|one|of|been|seen|heard|met|come|ever)\w+"
)
_RELATIVE = re.compile(
    r"\b(?:who|which|that|what|where|how|why|when|whoever|if|me|you|he|she|it|they|we|i|there|this)\b"
)


def sentences(reply: str) -> list[str]:
    """A reply sentence by sentence."""
    return [one for one in re.split(r"(?<=[.!?\u2026])\s+|\n+", reply.strip()) if one]


def told(reply: str, value: str) -> str:
    """What a reply tells: without its noes, and each round once.

    Args:
        value: what the field says; a sentence of it is told whatever words it has.
    """
    return " ".join(filter(None, (_told(one, value) for one in sentences(reply))))


def runs_on(sentence: str) -> bool:
    """Whether a no goes on, without a stop, as a sentence on something else."""
    found = _RUNS_ON.search(fold(sentence))
    return found is not None and not _RELATIVE.search(found["thing"])


def _told(sentence: str, value: str) -> str:
    folded = _once(fold(sentence))
    if _ASKED.search(folded) or (folded.endswith("?") and "?" not in value):
        return ""
    found = _NO.search(folded)
    if value and quotes(value, sentence, _AS_WRITTEN) and (found is None or found[0] in fold(value)):
        return sentence
    if found is None:
        return folded
    turn = _TURN.search(folded, found.end())
    return "" if turn is None else f"{folded[: found.start()]} {folded[turn.end() :]}"


def _once(sentence: str) -> str:
    """A sentence up to where it says three words again; what it told before that is told."""
    said = sentence.split()
    rows: set[tuple[str, ...]] = set()
    for at in range(len(said) - _ROUND + 1):
        row = tuple(said[at : at + _ROUND])
        if row in rows:
            return " ".join(said[: at + _ROUND - 1])
        rows.add(row)
    return sentence
