"""Plays conversations between invented players and invented NPCs, turn by turn.

Every question is asked through the real prompt builder: what is at hand when the NPC answers is
exactly what serving would put there. The answer rests on a fact only if that fact is at hand.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from characters.bill import bill
from characters.knowledge import KnownFact, facts_of
from characters.messages import Fact, Scene, StyleExample, Turn
from characters.prompt import Part, clean, estimate_tokens, look_up
from characters.system_text import system_text
from characters.words import words
from learning.teachers.offline import ordering, plans, recollecting
from learning.teachers.offline.answering import Voice, answer, social, unknown
from learning.teachers.offline.asking import LEAD_INS, QUESTIONS
from learning.teachers.offline.asking_modern import MODERN, MODERN_QUESTIONS
from learning.teachers.offline.asking_self import KEYWORDS
from learning.teachers.offline.chatting import chat, themed
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.plans import ABOUT, BUDGETS, CATEGORY, NUMBERS, PLANS, REMARKS, SELF, SOCIAL
from learning.teachers.offline.reckoning import ASKING, OWING, insisted, names, owed, sum_of
from learning.teachers.offline.wrapping import as_asked, strange

_KEYWORDS_ONLY = 0.35
_OTHERS_SPEAK = 0.14  # of the questions come after a line of another NPC


@dataclass(frozen=True)
class Exchange:
    """A question and its answer, with what the answer rests on (for checking)."""

    kind: str
    question: Turn
    reply: Turn
    truth: str = ""


@dataclass(frozen=True)
class Conversation:
    """A whole conversation with one NPC."""

    part: Part
    scene: Scene
    turns: tuple[Turn, ...]
    exchanges: tuple[Exchange, ...]
    budget: int = BUDGETS[0]


class Playwright:
    """Writes conversations from a seed.

    Args:
        count: counts the tokens of a text, so that the system text is cut as serving would cut it.
    """

    def __init__(self, rng: random.Random, inventor: Inventor, count: Callable[[str], int] = estimate_tokens) -> None:
        self.rng = rng
        self.inventor = inventor
        self.count = count

    def conversation(self, length: int, part: Part | None = None, voice: Voice | None = None) -> Conversation:
        """Write a conversation of about `length` exchanges, with a new NPC unless one is given."""
        if part is None or voice is None:
            world = self.inventor.world() if self.rng.random() < 0.9 else None
            sheet, manner = self.inventor.sheet(world=world)
            voice = Voice(sheet, manner, world)
            part = Part("npc", sheet, world)
        voice = replace(voice, world=part.world)
        players = [self.inventor.word() for _ in range(self.rng.choice([1, 1, 1, 2, 3]))]
        scene, budget = self._scene(), self.rng.choice(BUDGETS)
        known = part.as_known()
        system = system_text(known.sheet, known.world, scene, part.memory, budget, self.count)
        evening = Evening(self.rng, self.inventor, part, voice, players, system)
        evening.play(length)
        return Conversation(part, scene, tuple(evening.turns), tuple(evening.exchanges), budget)

    def _scene(self) -> Scene:
        if self.rng.random() < 0.5:
            return Scene()
        mood = self.rng.choice(["calm", "tense", "merry", "gloomy", "hurried", ""])
        return Scene(place=f"the {self.inventor.place()}", mood=mood)


class Evening:
    """One conversation as it grows."""

    def __init__(
        self, rng: random.Random, inventor: Inventor, part: Part, voice: Voice, players: list[str], system: str
    ) -> None:
        self.rng, self.inventor, self.part, self.voice, self.players = rng, inventor, part, voice, players
        self.system = system
        self.turns: list[Turn] = []
        self.exchanges: list[Exchange] = []
        self.facts = facts_of(part.sheet, part.world, part.slug)
        self.speaker = players[0]

    def play(self, length: int) -> None:
        """Greeting, questions, farewell: each by chance."""
        if self.rng.random() < 0.45:
            self._social("greeting")
        for _ in range(length):
            self.speaker = self.rng.choice(self.players)
            kind = self.rng.choices(*self._plans())[0]
            played = self._play(kind)
            if played and self.rng.random() < (0.6 if kind == "price" else 0.3) and self._follow_up():
                _ = self.rng.random() < 0.35 and self._follow_up()
        if self.rng.random() < 0.5 and bill(OWING, self.turns):
            self._bill()
        if self.rng.random() < 0.4:
            self._social("farewell")

    def ask_about(self, kind: str) -> bool:
        """Play one exchange of a kind; whether there is one."""
        return self._play(kind)

    def remark(self, intent: str) -> bool:
        """Play a remark that needs no fact."""
        return self._social(intent)

    def _plans(self) -> tuple[list[str], list[float]]:
        """What to ask, and how often: more of what this sheet has something to say about."""
        sheet = self.part.sheet
        scale = {"price": 2.0 if sheet.wares else 0.3, "haggle": 1.5 if sheet.wares else 0.3,
                 "recipe": 2.0 if sheet.recipes else 0.2, "quest": 1.5 if sheet.quests else 0.6}  # fmt: skip
        return [k for k, _ in PLANS], [w * scale.get(k, 1.0) for k, w in PLANS]

    def _play(self, kind: str) -> bool:
        special: dict[str, Callable[[], bool]] = {
            "unknown": self._unknown, "modern": self._modern, "said": self._said,
            "direction": self._direction, "topic": self._topic,
            "social": lambda: self._social(self.rng.choice(SOCIAL)), "machine": lambda: self._social("machine"),
            "remembered": lambda: recollecting.remembered(self), "confided": lambda: recollecting.confided(self),
            "strange": self._strange, "chat": self._chat, "told": lambda: recollecting.told_before(self), "buy_n": self._several,
            "secret": lambda: self._refused("secret", "secret"), "private": self._private, "bill": self._bill,
            "tab": lambda: ordering.tab(self, [known for known in self.facts if known.category == "ware"]),
        }  # fmt: skip
        if kind in special:
            return special[kind]()
        known = self._any(CATEGORY[kind]) or (self._any("name") if kind == "home" else None)
        if known is None:
            return self._missing(kind)
        return self._known(kind, known)

    def _any(self, category: str) -> KnownFact | None:
        fitting = [known for known in self.facts if known.category == category]
        return self.rng.choice(fitting) if fitting else None

    def _missing(self, kind: str) -> bool:
        """Ask for something of which the sheet has nothing at all."""
        if kind in {"wares", "quest"}:
            return self._refused(kind, kind)
        if kind in {"past", "goal", "value", "motto"}:
            return self._refused(kind, "own")
        return self._unknown() if kind in {"price", "recipe", "haggle", "quest_named"} else False

    def _refused(self, kind: str, why: str) -> bool:
        """Ask for what it has not or will not tell."""
        return self.ask(kind, self.phrase(kind), lambda _: unknown(self.rng, self.voice, why, ""))

    def _private(self) -> bool:
        """Ask of a person it knows what no sheet says."""
        known = self._any("person")
        if known is None:
            return False
        kind = self.rng.choice(["age", "kin", "kin"])
        told = " ".join(each.fact.text.casefold() for each in self.facts if each.subject == known.subject)
        if set(words(told)) & plans.FAMILY:
            return False
        name = known.subject.split()[0] if self.rng.random() < 0.3 else known.subject
        return self.ask(kind, self.phrase(kind, x=known.subject), lambda _: unknown(self.rng, self.voice, "of_person", name))

    def phrase(self, kind: str, **slots: str) -> str:
        """A question of a kind, with a lead-in at times, typed as players type."""
        pattern = self.rng.choice(QUESTIONS.get(kind, (kind,)))  # a pattern may come in place of a kind
        sentences = self.inventor.spice.sentences
        if kind in REMARKS:
            asked = expand(self.rng, pattern)
        elif kind == "strange":
            asked = strange(self.rng, sentences)
        elif kind in KEYWORDS and self.rng.random() < _KEYWORDS_ONLY:
            asked = strange(self.rng, sentences, self.rng.choice(KEYWORDS[kind]))
        else:
            asked = as_asked(self.rng, pattern, sentences)
        text = expand(self.rng, asked, npc=self.part.sheet.first_name, n=self.rng.choice(NUMBERS), **slots)
        if self.rng.random() < 0.16:
            lead = expand(self.rng, self.rng.choice(LEAD_INS), npc=self.part.sheet.first_name)
            text = f"{lead}{text}" if lead.endswith(" ") else f"{lead} {text}"
        return roughen(self.rng, capital(text) if self.rng.random() < 0.8 else text)

    def _at_hand(self, question: str) -> tuple[Turn, tuple[Fact, ...]]:
        turn = Turn(self.speaker, question)
        return turn, look_up(self.part, [*self.turns, turn])

    def ask(
        self, kind: str, question: str, reply: Callable[[tuple[Fact, ...]], str | None], truth: str = ""
    ) -> bool:
        """Play one exchange; whether there was an answer to what is at hand."""
        turn, at_hand = self._at_hand(question)
        text = reply(at_hand)
        if text is None:
            return False
        if self.turns and self.rng.random() < _OTHERS_SPEAK:
            self._somebody_else_speaks(turn, at_hand)
        line = Turn(self.part.sheet.name, clean(text), self.part.slug, at_hand)
        self.turns += [turn, line]
        self.exchanges.append(Exchange(kind, turn, line, truth))
        return True

    def _somebody_else_speaks(self, turn: Turn, at_hand: tuple[Fact, ...]) -> None:
        """Another NPC's line before the question, unless it changes what is at hand for it."""
        remark = expand(self.rng, themed(self.rng)[0], npc=self.part.sheet.first_name)
        other = Turn(self.inventor.person(), clean(capital(remark)), "other")
        if look_up(self.part, [*self.turns, other, turn]) == at_hand:
            self.turns.append(other)

    def _chat(self) -> bool:
        """A remark that asks for nothing: it is answered by its theme, or taken up in one of its words."""
        said = chat(self.rng, self.inventor)
        if said is None:
            return False
        text = expand(self.rng, said.text, npc=self.part.sheet.first_name)

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            return None if at_hand else self.voice.dress(self.rng, self.voice.fill(self.rng, said.answer))

        return self.ask("chat", roughen(self.rng, capital(text)), reply)

    def _several(self) -> bool:
        """Several of a ware, named: also when the talk has gone on to something else."""
        known = self._any("ware")
        if known is None:
            return False
        pattern = self.rng.choice([each for each in QUESTIONS["buy_n"] if "{x}" in each])

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            total = sum_of(at_hand)
            return answer(self.rng, self.voice, "buy_n", known, total) if total and known.fact in at_hand else None

        return self.ask("buy_n", self.phrase(pattern, x=known.subject), reply, known.fact.text)

    def _known(self, kind: str, known: KnownFact, subject: str | None = None) -> bool:
        """Ask about a fact; answer it if the builder brought it, refuse if it is not there."""
        question = self.phrase(kind, x=subject or known.subject)

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            chosen = self._first(known, at_hand) if kind in ABOUT else known
            if chosen.fact not in at_hand and not self._read(kind, known):
                return None
            return self._answered(kind, chosen, sum_of(at_hand))

        return self.ask(kind, question, reply, known.fact.text)

    def _answered(self, kind: str, known: KnownFact, total: str) -> str:
        """The answer that rests on a fact; who haggles twice over the same ware hears that it was said."""
        if kind == "haggle" and any(e.kind == kind and known.fact in e.reply.at_hand for e in self.exchanges):
            return insisted(self.rng, self.voice, known)
        return answer(self.rng, self.voice, kind, known, total)

    def _bill(self) -> bool:
        """Ask what the table owes."""
        owes = bill(OWING, self.turns) is not None
        return self.ask("bill", self.phrase(self.rng.choice(ASKING)),
                         lambda at_hand: owed(self.rng, self.voice, at_hand) if bool(at_hand) == owes else None)  # fmt: skip

    def _first(self, known: KnownFact, at_hand: tuple[Fact, ...]) -> KnownFact:
        """Of several facts on one subject the one that comes first."""
        same = [each for fact in at_hand for each in self.facts if each.fact == fact and each.subject == known.subject]
        return same[0] if same else known

    def _read(self, kind: str, known: KnownFact) -> bool:
        """Whether the system text says it: who and where the NPC is always, the rest where it fitted."""
        if kind in {"name", "trade", "home"}:
            return True
        return kind in SELF and any(line.startswith(SELF[kind]) for line in self.system.splitlines())

    def _topic(self) -> bool:
        fitting = [known for known in self.facts if known.category in plans.TOPICS]
        return bool(fitting) and self._known("topic", self.rng.choice(fitting))

    def _strange(self) -> bool:
        """Ask of something in words that tell nothing: what is at hand decides whether there is an answer."""
        if self.rng.random() < 0.25:
            return self._unknown("strange")
        known = self._any(self.rng.choice(["ware", "ware", "recipe", "quest", "knowledge", "opinion", "person", "place", "group"]))
        if known is None:
            return False
        kind = {"ware": "price", "recipe": "recipe", "quest": "quest_named"}.get(known.category, "topic")

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            chosen = self._first(known, at_hand)
            return answer(self.rng, self.voice, kind, chosen, sum_of(at_hand)) if chosen.fact in at_hand else None

        return self.ask("strange", self.phrase("strange", x=known.subject), reply, known.fact.text)

    def _follow_up(self) -> bool:
        """Lean on the last answer: "how much is it?", "I'll take two", "and the reward?"."""
        last = self.exchanges[-1].reply
        known = next((k for f in last.at_hand for k in self.facts if k.fact == f), None)
        if known is None:
            return False
        kind = self.rng.choice(plans.FOLLOWING.get(known.category, ("more",)))
        if kind == "more" and self.rng.random() < 0.85:
            return False
        question = self.phrase(kind, x=known.subject)

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            if kind == "more":
                return unknown(self.rng, self.voice, "more", "")
            total = sum_of(at_hand)
            if known.fact not in at_hand or (kind == "buy_n" and not total):
                return None
            return self._answered(kind, known, total if kind == "buy_n" else "")

        return self.ask(kind, question, reply, known.fact.text)

    def _unknown(self, asked: str = "") -> bool:
        """Ask for a thing, person, place, topic or recipe that does not exist here.

        Args:
            asked: the kind of phrase, where it is another than that of the thing.
        """
        kind = self.rng.choice(["price", "price", "topic", "person", "person", "place", "where", "recipe", "group"])
        invent: dict[str, Callable[[], str]] = {
            "price": self.inventor.ware, "recipe": self.inventor.ware, "person": self.inventor.person,
            "place": self.inventor.place, "where": self.inventor.place, "group": lambda: f"the {self.inventor.word()}s", "topic": lambda: self.inventor.topics(1)[0],
        }  # fmt: skip
        thing = invent[kind]()
        wanted = "unknown" if asked else {"topic": "unknown", "group": "unknown", "where": "place"}.get(kind, kind)

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            if any(names(thing, fact.text) for fact in at_hand):
                return None
            return unknown(self.rng, self.voice, wanted, thing)

        return self.ask("unknown", self.phrase(asked or kind, x=thing), reply)

    def _modern(self) -> bool:
        thing = self.rng.choice(MODERN)
        question = self.phrase(self.rng.choice(MODERN_QUESTIONS), x=thing)
        return self.ask("modern", question, lambda _: unknown(self.rng, self.voice, "modern", thing))

    def _social(self, intent: str) -> bool:
        """A remark that needs no fact; the NPC's own line is used where one is at hand."""

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            own = next((fact.text for fact in at_hand if fact.source == "style"), None)
            if own is None:
                return social(self.rng, self.voice, intent)
            return own if self.rng.random() < 0.85 else self.voice.dress(self.rng, own)

        return self.ask("social", self.phrase(intent), reply)

    def _said(self) -> bool:
        """Ask what a learnt style example answers: the NPC says it (nearly) again."""
        kind = self.rng.choice(["topic", "price", "name", "wellbeing", "weather", "joke", "person"])
        thing = self.rng.choice([self.inventor.topics(1)[0], self.inventor.ware(), self.inventor.place()])
        asked = self.phrase(kind, x=thing)
        line = clean(self.inventor.fact(("{S} will (not|never) (say|forget|sell) that.", "(Ask|Tell) {n} at the {p}.")))
        example = StyleExample(asked, line, f"learnt {len(self.turns)}")
        self.part = Part(self.part.slug, self.part.sheet, self.part.world, (*self.part.style, example))
        again = asked if self.rng.random() < 0.5 else self.phrase(kind, x=thing)

        def reply(at_hand: tuple[Fact, ...]) -> str | None:
            return line if any(f.source == "style" and f.text == line for f in at_hand) else None

        return self.ask("said", again, reply, line)

    def _direction(self) -> bool:
        """The GM whispers what to say, and the NPC says it, whatever was asked."""
        told = self.inventor.fact(("The {p} is closed (today|for good).", "{n} is (dead|missing|here).", "I (saw|heard) {n} at the {p}."))
        before, self.part = self.part, Part(
            self.part.slug, self.part.sheet, self.part.world, self.part.style, self.part.memory, f"Say: {told}")  # fmt: skip
        done = self.ask(
            "direction", self.phrase(self.rng.choice(["greeting", "wellbeing", "weather", "goal"])),
            lambda _: self.voice.dress(self.rng, clean(told)), told)  # fmt: skip
        self.part = before
        return done
