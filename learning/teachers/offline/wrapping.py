"""What players say around a question: where they come from, who sent them, that they are in a hurry.

A small model takes the words it was taught for the question itself. Wrapped in talk that means
nothing, thinned by a word and typed in haste, the same question teaches it to look for what is
asked and what is at hand.
"""

import random
import re

from learning.teachers.offline.grammar import expand

BEFORE: tuple[str, ...] = (
    "(we've|I've) (just|only now) come (in from the rain|up from the coast|over the pass|by the night ferry).",
    "my (sister|brother|cousin|uncle|captain|old teacher) (wants to know|keeps asking me|sent me to ask):",
    "I (heard|was told) you are the one to (ask|see).", "we (had|made) a bet about this.",
    "I'm (new|lost|curious|tired|a bit drunk|in a hurry).", "(sit|stand) with us a moment.",
    "don't take this the wrong way.", "I've (walked|ridden|rowed) all (day|night) for this.", "let's get to it.",
    "my (memory|hearing) is bad.", "you seem to know things.", "(nobody|no one) outside would tell (me|us).",
    "I'm writing (a book|a song|all of this down).", "before (I|we) go on:", "a (child|beggar|drunk) in the street sent us here.",
    "(two|three|a few) questions. the first:", "I lean closer.", "I put (my pack|my hat|a coin) on the table.",
    "it's been a (long|strange|cold) (day|road|week).", "my (friend|companion) here is too shy to ask.",
    "you know what (I|we) want to hear.", "help me out.", "just between (us|friends).", "I (hope|think) you can tell me.",
    "we're strangers here.", "I owe somebody an answer.", "pour me one and tell me:", "(now|ah), where was I?",
    "I have (a letter|a map|an order) that says to ask you.", "we won't stay long.", "(my|our) guide ran off.",
)  # fmt: skip
AFTER: tuple[str, ...] = (
    "be honest.", "if you don't mind me asking.", "I'm asking for a friend.", "we're in a hurry.", "I'd like to know.",
    "don't keep me waiting.", "I can pay.", "take your time.", "(please|pretty please).", "no lies, now.", "I won't tell.",
    "it matters (to me|a lot).", "(just|only) curious.", "(my|our) friends will want to know too.", "say it (slowly|plainly).",
    "I'm all ears.", "and be quick about it.", "you must know.",
)  # fmt: skip

# How people write when they type fast.
_HASTE = {
    "you": "u", "your": "ur", "are": "r", "what": "wat", "what's": "whats", "people": "ppl", "please": "pls",
    "thanks": "thx", "about": "abt", "i'm": "im", "don't": "dont", "where's": "wheres", "who's": "whos",
    "how's": "hows", "and": "n", "something": "smth", "really": "rly", "know": "kno", "how": "hw", "because": "cuz",
    "can't": "cant", "you're": "ur", "anything": "anythin", "that's": "thats", "have": "hav", "much": "mutch",
}  # fmt: skip


def wrapped(rng: random.Random, pattern: str, sentences: tuple[str, ...] = ()) -> str:
    """Put talk before or after a question's pattern, at times; its slots stay.

    Args:
        sentences: any sentences at hand, for talk that no list of ours has.
    """
    roll = rng.random()
    if roll < 0.07 and sentences:
        return f"{rng.choice(sentences)} {pattern}"
    if roll < 0.22:
        return f"{rng.choice(BEFORE)} {pattern}"
    if roll < 0.31:
        return f"{pattern} {rng.choice(AFTER)}"
    return pattern


def thinned(rng: random.Random, text: str, most: int = 2) -> str:
    """Lose a word or two that are no slot."""
    words = text.split(" ")
    for _ in range(rng.randint(1, most)):
        loose = [at for at, word in enumerate(words) if "{" not in word]
        if len(loose) < 4:
            break
        del words[rng.choice(loose)]
    return " ".join(words)


def hasty(rng: random.Random, text: str) -> str:
    """Shorten words as people do who type fast; slots stay."""
    def short(found: re.Match[str]) -> str:
        word = found[0]
        return _HASTE.get(word.casefold(), word) if rng.random() < 0.7 else word

    return re.sub(r"(?<!\{)\b[\w']+\b(?!\})", short, text)


def strange(rng: random.Random, sentences: tuple[str, ...], what: str = "{x}") -> str:
    """A question in words that no list of ours has: any sentence, with what is asked about put into it."""
    words = rng.choice(sentences or BEFORE).replace("(", "").replace(")", "").split("|")[0].split()
    roll = rng.random()
    if roll < 0.45:
        start = rng.randrange(max(1, len(words) - 5))
        words = words[start : start + rng.randint(2, 9)]
    at = rng.randrange(len(words) + 1)
    if roll > 0.8 and at < len(words):
        words[at] = what
    else:
        words.insert(at, what)
    text = " ".join(word.strip('"*') for word in words).rstrip(".,!")
    return text + rng.choice(["?", "?", ".", ""])


def as_asked(rng: random.Random, pattern: str, sentences: tuple[str, ...] = ()) -> str:
    """One question from its pattern, its slots still open."""
    text = expand(rng, wrapped(rng, pattern, sentences))
    if rng.random() < 0.15:
        text = thinned(rng, text)
    return hasty(rng, text) if rng.random() < 0.12 else text
