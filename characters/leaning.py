"""What a remark leans on and does not name: the line before it, or the ware on the counter."""

import re

from characters.intents import intents
from characters.orders import NUMBERS, agrees
from characters.words import fold

_THERE = (
    r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!hello )(?<!hi )(?<!hey )there(?! (?:is|are|was|were)\b)"  # a place
)
_BACKWARD = re.compile(
    r"\b(?:it|that|this|those|them|these|he|she|him|her|his|they|their|its|one|ones|more|why|how so|go on"
    rf"|really|what for|{_THERE})\b"
)
_COINS = r"(?: ?(?:coppers?|silvers?|gold|platinum|coins?|pieces?|[cgps]p)\b)"  # "10 copper" is a price and no count
_COUNT = re.compile(rf"\b(?:\d{{1,3}}|{'|'.join(NUMBERS)}|both)\b(?!{_COINS})")
_N = rf"\b(?:\d+|{'|'.join(NUMBERS)})"
_NO_COUNT = re.compile(  # of wares
    rf"\b(?:table|seats?|space|bench) for {_N}\b|{_N} (?:more )?(?:of us|"
    r"days?|hours?|minutes?|moments?|weeks?|months?|years?|miles?|people|men|women|friends|questions?|things?)\b"
)
_BUYS_SOME = re.compile(rf"\b(?:take|buy|have|get|want|make (?:it|that))\b.{{0,12}}{_COUNT.pattern}")
_AND_THAT = re.compile(r"^\W*(?:and|what about|how about)\b")
# A remark that wants nothing: "I dreamed of a green tower" is not about whatever tower is mentioned somewhere.
_WANTS = re.compile(
    r"\?|(?:^|[.!;,] )(?:and |but |so |well |hey |oh |now )*(?:who|whom|whose|what|when|where|which|why|how)s?\b"
    r"|^(?:and |but |so |well |hey |oh |now )*(?:do|does|did|is|are|was|were|can|could|will|would|shall|should"
    r"|have|has|had|may|give|show|explain|describe|name|list|sell|bring)\b"
    r"|\b(?:need|want|(?:look|search)(?:ing)? for|seek(?:ing)?|curious|wonder(?:ing)?|tell|say|know|heard|hear|ask)\b"
)


def points_back(question: str) -> bool:
    """Whether a remark goes on with what the last line was about."""
    return bool(_BACKWARD.search(fold(question))) or says_how_many(question) or agrees(question)


def says_how_many(question: str) -> bool:
    """Whether a remark has a number that is no price."""
    return bool(_COUNT.search(_NO_COUNT.sub(" ", fold(question))))


def buys(question: str) -> bool:
    """Whether a remark buys what was priced, though the talk may have gone on to something else."""
    return bool(_BUYS_SOME.search(fold(question))) or agrees(question)


def haggles(question: str) -> bool:
    """Whether a remark is about a price, and need not say whose."""
    return "haggle" in intents(question)


def asks_alike(question: str) -> bool:
    """Whether a remark asks of something else what the last one asked: "And the compass?"."""
    return bool(_AND_THAT.search(fold(question)))


def wants(remark: str) -> bool:
    """Whether a remark asks for something, in whatever form."""
    return bool(_WANTS.search(fold(remark)))
