"""A tiny grammar: alternatives in parentheses, slots in braces.

    "(how much|what) (is|for) the {ware}(, friend|)?"  →  "what for the hempen rope, friend?"

One line stands for dozens of phrasings, and stays readable as the sentence it is.
"""

import random
import re

_INNERMOST = re.compile(r"\(([^()]*)\)")


def expand(rng: random.Random, pattern: str, **slots: str) -> str:
    """Choose one alternative everywhere, fill the slots, and tidy the spaces."""
    text = pattern
    while found := _INNERMOST.search(text):
        choice = rng.choice(found[1].split("|"))
        text = text[: found.start()] + choice + text[found.end() :]
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    text = re.sub(r"\s+([,.!?;])", r"\1", text)
    text = re.sub(r"\b(the|a|an|The) (?:the|a|an) ", r"\1 ", text)
    text = re.sub(r"\b([Aa])n? (?=[aeiou])", r"\1n ", text)
    text = re.sub(r"\b([Aa])n (?=[^aeiou(])", r"\1 ", text)
    return re.sub(r"\s{2,}", " ", text).strip()


def capital(text: str) -> str:
    """Begin every sentence of a text with a capital."""
    text = text[:1].upper() + text[1:]
    return re.sub(r"([.!?]\s+)([a-z])", lambda m: m[1] + m[2].upper(), text)


def roughen(rng: random.Random, text: str) -> str:
    """Type a question as players do: lower case, lost punctuation, a slip of the finger."""
    roll = rng.random()
    if roll < 0.30:
        text = text.lower()
    if rng.random() < 0.25:
        text = text.rstrip("?.!")
    if rng.random() < 0.06 and len(text) > 12:
        at = rng.randrange(3, len(text) - 3)
        slip = rng.random()
        if slip < 0.4:
            text = text[:at] + text[at + 1 :]
        elif slip < 0.8:
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        else:
            text = text[:at] + text[at] + text[at:]
    return text
