"""What an NPC remembers, or may confide by now, at the offline teacher's tables.

What a player told stands in the transcript for a while, and comes to hand once it is some turns back. Memories and open secrets come to hand as serving puts them there ("Ana said: …"); they are told when
the question is about them, and they do not get in the way of a question about something else.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from characters.conditions import key_of
from characters.messages import Fact, Turn
from characters.prompt import Part
from characters.remembering import note_heard, stems
from characters.sheet import Secret
from learning.teachers.offline.answering import Voice
from learning.teachers.offline.chatting import told
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.plans import PLANS
from learning.teachers.offline.wrapping import as_asked, strange

_DISTRACTED = 0.3
_IN_STRANGE_WORDS = 0.25
_REMINDED, _WORD_FOR_WORD = 0.6, 0.2  # of what is asked again is at hand by then, and of that is told in the player's words
_OTHER_MATTERS = ("price", "person", "where", "topic")
_ABOUT_IT = (
    "what did {who} (say|tell you)(| about the {x}| of the {x}| the other night)?", "(do you|you) remember (the {x}|what {who} said)(?|, {npc}?)",
    "(who|has anybody) (said|told you) (something|anything|) about the {x}?", "what was that about the {x}(| again)?",
    "(did|has) {who} (talk|say anything|tell you) about the {x}?", "what do you know (about|of) {who} and the {x}?",
    "(remind me|tell me again)(:|,) (what did {who} say|the {x})(?|.)", "{who} (was here|came by). What (did you talk about|was said)?",
)  # fmt: skip
_RECALLED = (
    "{who} said: {said}", "{who} told me. {said}", "I remember. {who} said: {said}", "{said} That's what {who} said.",
    "{said} {who} told me(, {addr}|).", "{who} was here and said: {said}", "From {who}: {said}",
)  # fmt: skip
_OWN_WORDS = ("You told me: {said}", "You said: {said}", "I remember(, {addr}|). You said: {said}", "{said} Your own words(, {addr}|).")
_CONFIDED = (
    "{said}", "{said}", "{said}", "(Very well|Fine|So be it|Lean closer)(, {addr}|). {said}", "You may know it. {said}",
    "I've told nobody else. {said}", "{said} Now you know(, {addr}|).", "{said} Keep it to yourself(, {addr}|).",
)  # fmt: skip


class Talk(Protocol):
    """A conversation as it grows, as far as it is needed here."""

    rng: random.Random
    inventor: Inventor
    part: Part
    voice: Voice
    turns: list[Turn]
    speaker: str

    def ask(
        self, kind: str, question: str, reply: Callable[[tuple[Fact, ...]], str | None], truth: str = ""
    ) -> bool:
        """Play one exchange."""

    def ask_about(self, kind: str) -> bool:
        """Play one exchange of a kind."""

    def phrase(self, kind: str, **slots: str) -> str:
        """A question of a kind."""


def remembered(evening: Talk) -> bool:
    """Ask for something that somebody said in an earlier scene; now and then for something else."""
    rng = evening.rng
    who = evening.speaker if rng.random() < 0.3 else evening.inventor.word()
    noted = note_heard(who, capital(_statement(evening)))
    said = noted.text.partition(": ")[2] if noted else ""
    subjects = [word for word in re.findall(r"\b[a-z]{5,}\b", said) if stems(word)]
    if noted is None or not subjects:
        return False
    fact = Fact(f"memory.{len(evening.turns)}", noted.text, "memory")
    with _at_hand(evening, fact):
        if rng.random() < _DISTRACTED:
            return evening.ask_about(rng.choice(_OTHER_MATTERS))
        asked = _asked(evening, who, rng.choice(subjects))
        lines = _OWN_WORDS if who == evening.speaker else _RECALLED
        return evening.ask("remembered", asked, lambda hand: _told(evening, lines, fact, hand, who=who, said=said), fact.text)


def confided(evening: Talk) -> bool:
    """Ask for a secret that may be told by now."""
    secret = Secret(text=capital(_statement(evening)))
    fact = Fact(key_of(secret), secret.text, "secret")
    with _at_hand(evening, fact):
        asked = evening.phrase("secret")
        return evening.ask("confided", asked, lambda hand: _told(evening, _CONFIDED, fact, hand, said=secret.text), fact.text)


def told_before(evening: Talk) -> bool:
    """The player tells something of himself, and wants to hear it some questions later."""
    rng, speaker = evening.rng, evening.speaker
    one = told(rng, evening.inventor)
    telling = roughen(rng, capital(one.telling))
    if not evening.ask("told", telling, lambda hand: None if hand else evening.voice.dress(rng, one.noted)):
        return False
    for kind in rng.choices([k for k, _ in PLANS if k not in {"told", "tab"}], k=rng.choice([0, 1, 1, 2, 3])):
        evening.ask_about(kind)
    asked = roughen(rng, capital(expand(rng, one.asking)))
    noted = note_heard(speaker, telling) if rng.random() < _REMINDED else None
    if noted is None:
        return evening.ask("recall", asked, lambda hand: None if hand else one.answer, one.telling)
    said, fact = noted.text.partition(": ")[2], Fact(f"memory.{len(evening.turns)}", noted.text, "memory")

    def recalled(hand: tuple[Fact, ...]) -> str | None:
        if rng.random() < _WORD_FOR_WORD:
            return _told(evening, _OWN_WORDS, fact, hand, said=said)
        return None if set(hand) - {fact} else one.answer

    evening.speaker = speaker
    with _at_hand(evening, fact):
        return evening.ask("recall", asked, recalled, one.telling)


def _asked(evening: Talk, who: str, subject: str) -> str:
    """A question about what somebody said; who said it himself asks for his own words."""
    rng, sentences = evening.rng, evening.inventor.spice.sentences
    if rng.random() < _IN_STRANGE_WORDS:
        pattern = strange(rng, sentences, f"{who} {subject}")
    else:
        pattern = as_asked(rng, rng.choice(_ABOUT_IT), sentences)
    named = "I" if who == evening.speaker and "{who} and" not in pattern else who
    return roughen(rng, capital(expand(rng, pattern, who=named, x=subject, npc=evening.part.sheet.first_name)))


def _statement(evening: Talk) -> str:
    """A sentence anybody might have said."""
    sentences = evening.inventor.spice.sentences
    plain = [one for one in evening.rng.sample(sentences, min(8, len(sentences))) if one.endswith(".")]
    return evening.rng.choice(plain) if plain else evening.inventor.past_of(evening.speaker)


def _told(
    evening: Talk, lines: tuple[str, ...], fact: Fact, hand: tuple[Fact, ...], **slots: str
) -> str | None:
    """The answer; None where a fact of the sheet is at hand as well, for that may be what was asked for."""
    if any(other != fact for other in hand):
        return None
    return evening.voice.dress(evening.rng, evening.voice.fill(evening.rng, evening.rng.choice(lines), **slots))


@contextmanager
def _at_hand(evening: Talk, fact: Fact) -> Iterator[None]:
    before = evening.part
    evening.part = replace(before, remembered=(fact,))
    try:
        yield
    finally:
        evening.part = replace(evening.part, remembered=before.remembered)
