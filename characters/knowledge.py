"""What an NPC knows, as single facts, and which few of them a question calls for.

A small model copies well from sixty tokens away and recalls badly from eight hundred, so the
prompt carries the matching facts right before the reply. What an NPC may not know is not among
its facts at all: keeping a secret is a matter of structure, not of a plea to the model.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from characters.bill import BILL, bill, owes, payment, sum_key, wares_of
from characters.cues import OPENS, PREFERS, cues
from characters.fields import Owned
from characters.knowing import When, known_sheet, known_world
from characters.leaning import asks_alike, buys, haggles, points_back, says_how_many, wants
from characters.messages import Fact, Turn
from characters.orders import counted, pays, takes
from characters.prices import Price, together
from characters.sheet import Sheet
from characters.words import COMMON, meanings, stem, terms, words
from characters.world import World

MAX_FACTS = 3


@dataclass(frozen=True)
class KnownFact:
    """A fact with what it takes to find it.

    Attributes:
        fact: what the prompt will carry.
        category: the kind of question it answers (``ware``, ``place``, …).
        subject: the words it is about; a match here weighs most.
        priority: among equals, lower comes first.
    """

    fact: Fact
    category: str
    subject: str
    known_by: tuple[str, ...] = ()
    priority: int = 5


_OWN = frozenset({"name", "trade", "home", "goal", "past", "value", "motto", "quest", "wares"})
# Cues of what stands in sheet or world: who asks so leans on no line before.
_ELSEWHERE = _OWN - {"quest", "wares"} | {"ruler", "world", "date"}
_OF = frozenset({"is", "was", "about", "of", "know", "who", "who's", "whos", "old"})
_STILL_ON_THE_TABLE, _STILL_SPOKEN_OF = 4, 3  # lines of the NPC's


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", '"', "'")) else text + "."


def _joined(items: Iterable[str]) -> str:
    listed = list(items)
    return listed[0] if len(listed) == 1 else ", ".join(listed[:-1]) + " and " + listed[-1]


def _first_sentences(text: str, count: int) -> str:
    return " ".join(re.split(r"(?<=[.!?])\s+", text.strip())[:count])


@dataclass
class _Collector:
    """Gathers facts in the order of the sheet."""

    facts: list[KnownFact] = field(default_factory=list)
    source: str = "sheet"

    def add(self, key: str, text: str, category: str, *, subject: str = "", owner: Owned | None = None) -> None:
        """Add a fact unless its text is empty."""
        if text.strip():
            owners = owner.known_by if owner else ()
            fact = Fact(key, _sentence(text), self.source)
            self.facts.append(KnownFact(fact, category, subject, owners, len(self.facts)))


def _sheet_facts(sheet: Sheet, out: _Collector) -> None:
    out.add("name", f"You are {sheet.name}, {sheet.description}", "name", subject=sheet.name)
    out.add("trade", f"Your trade: {sheet.description}", "trade")
    _trade_facts(sheet, out)
    for item in sheet.knowledge:
        kind = "looks" if item.topic.startswith("looks") else "knowledge"
        out.add(f"knowledge.{item.topic}", f"On {item.topic}: {item.text}", kind,
                subject=item.topic, owner=item)  # fmt: skip
    for opinion in sheet.opinions:
        if opinion.view:
            out.add(f"opinions.{opinion.topic}", f"On {opinion.topic}: {opinion.view}", "opinion",
                    subject=opinion.topic, owner=opinion)  # fmt: skip
    for relation in sheet.relations:
        out.add(f"relations.{relation.name}", f"{relation.name}: {relation.about}", "person",
                subject=relation.name, owner=relation)  # fmt: skip
    if sheet.speech.mottos:
        out.add("speech.mottos", f'Your saying: "{sheet.speech.mottos[0]}"', "motto")  # fmt: skip
    out.add("backstory", "Your past: " + _first_sentences(sheet.backstory, 2)
            if sheet.backstory else "", "past", subject="past")  # fmt: skip
    if sheet.objectives:
        out.add("objectives", "You want: " + "; ".join(sheet.objectives[:2]), "goal")
    if sheet.values:
        out.add("values", "You value: " + _joined(sheet.values[:3]), "value")


def _trade_facts(sheet: Sheet, out: _Collector) -> None:
    if sheet.wares:
        shown = [f"{ware.name} at {ware.price}" for ware in sheet.wares[:5]]
        out.add("wares", "You sell: " + _joined(shown), "wares")
    for ware in sheet.wares:
        about = f" {_sentence(ware.about)}" if ware.about else ""
        out.add(f"wares.{ware.name}", f"{ware.name}: {ware.price}.{about}", "ware",
                subject=ware.name, owner=ware)  # fmt: skip
    if sheet.recipes:
        out.add("recipes", "You can make: " + _joined(r.name for r in sheet.recipes[:6]), "recipes")
    for recipe in sheet.recipes:
        text = f"{recipe.name} needs: {_joined(recipe.ingredients)}."
        text += f" {_sentence(recipe.steps)}" if recipe.steps else ""
        out.add(f"recipes.{recipe.name}", text, "recipe",
                subject=f"{recipe.name} {recipe.makes}", owner=recipe)  # fmt: skip
    for quest in sheet.quests:
        text = f"Task, {quest.title}: {_sentence(quest.task)}"
        text += f" Reward: {_sentence(quest.reward)}" if quest.reward else ""
        text += f" Place: {_sentence(quest.place)}" if quest.place else ""
        out.add(f"quests.{quest.title}", text, "quest", subject=quest.title, owner=quest)


def _world_facts(world: World, out: _Collector) -> None:
    out.source = "world"
    for place in world.places:
        way = f" {_sentence(place.way)}" if place.way else ""
        out.add(f"places.{place.name}", f"{place.name}: {_sentence(place.about)}{way}", "place",
                subject=place.name, owner=place)  # fmt: skip
    for person in (*world.important_people, *world.important_marginalised_people):
        out.add(f"people.{person.name}", f"{person.name}: {person.about}", "person",
                subject=person.name, owner=person)  # fmt: skip
    for group in (*world.powers, *world.marginalised_groups):
        out.add(f"groups.{group.name}", f"{group.name}: {group.about}", "group",
                subject=group.name, owner=group)  # fmt: skip
    for lore in world.lore:
        out.add(f"lore.{lore.topic}", f"On {lore.topic}: {lore.text}", "knowledge",
                subject=lore.topic, owner=lore)  # fmt: skip
    out.add("politics", _first_sentences(world.political_organisation, 2), "politics",
            subject="ruler rule govern")  # fmt: skip
    out.add("home", f"You live in {world.name}", "home")
    out.add("world", f"{world.name}: {_first_sentences(world.description, 1)}", "world",
            subject=world.name)  # fmt: skip
    out.add("date", f"Today is {world.calendar.date}", "date")


@lru_cache(maxsize=256)
def facts_of(sheet: Sheet, world: World | None, knower: str = "", when: When = When()) -> tuple[KnownFact, ...]:
    """List every fact an NPC may use, secrets excepted.

    Args:
        knower: the NPC's slug; facts with owners are left out unless it or its name is one.
        when: how far the story has come; facts that are known since later are left out.
    """
    out = _Collector()
    _sheet_facts(known_sheet(sheet, knower, when, world.calendar if world else None), out)
    if world is not None:
        _world_facts(known_world(world, sheet, knower, when), out)
    return tuple(out.facts)


def _opened(asked: Iterable[str]) -> dict[str, float]:
    """What the cues bring without its being named, and how strongly."""
    opened: dict[str, float] = {}
    for cue in asked:
        for rank, category in enumerate(OPENS.get(cue, ())):
            weight = (3.0 if category in _OWN else 2.0) - 0.2 * rank
            opened[category] = max(weight, opened.get(category, 0.0))
    return opened


class FactIndex:
    """Finds the facts a question calls for among one NPC's.

    Args:
        knower: the NPC, so that it asks for what was ordered of it; "" where nobody else sells anything.
    """

    def __init__(self, facts: Sequence[KnownFact], knower: str = "") -> None:
        self.facts = tuple(facts)
        self.knower = knower
        self._by_key = {known.fact.key: known for known in self.facts}
        self._subjects = [set(terms(known.subject)) for known in self.facts]
        self._subject_meanings = [meanings(known.subject) for known in self.facts]
        self._bodies = [set(terms(known.fact.text)) for known in self.facts]
        seen = Counter(term for body in self._bodies for term in body)
        self._idf = {t: math.log(1 + len(self.facts) / n) for t, n in seen.items()}
        self._prices = {known.subject: price for known in self.facts if known.category == "ware"
                        if (price := Price.find(known.fact.text.removeprefix(f"{known.subject}: ")))}  # fmt: skip
        self._own = next((set(terms(known.subject)) for known in self.facts if known.category == "name"), set())

    def search(self, question: str, before: Sequence[Turn] = ()) -> tuple[Fact, ...]:
        """Return at most `MAX_FACTS` facts for a question, best first; none when none fits.

        Args:
            before: the transcript so far; a follow-up ("how much is it?") looks there.
        """
        owed = bill(question, before, self.knower, self._prices) or self._paid(question, before)
        if owed:
            return (owed,)
        asked = cues(question) or self._alike(question, before)
        scores = self._scores(question, asked)
        carried = self._carried(question, asked, before, scores)
        for index, bonus in carried.items():
            scores[index] = scores.get(index, 0.0) + bonus
        ranked = sorted(scores, key=lambda i: (-scores[i], self.facts[i].priority))
        if not ranked:
            return ()
        floor = max(1.0, 0.45 * scores[ranked[0]])
        ordered = self._ordered(question)
        kept = self._narrowed([i for i in ranked if scores[i] >= floor or i in ordered], question, asked, carried)
        chosen = [self.facts[i] for i in kept][:MAX_FACTS]
        total = self._total(question, chosen) or self._offered(question, before, chosen)
        whole = wares_of(total) if total else ()
        # The sum of several wares stands alone: beside their prices a small model names one of these.
        found = [known.fact for known in chosen if len(whole) < 2 or known.subject not in whole]
        return tuple(([total, *found] if total else found)[:MAX_FACTS])

    def _alike(self, question: str, before: Sequence[Turn]) -> tuple[str, ...]:
        """What "And the compass?" asks: the price, where the line before had some."""
        last = next((turn for turn in reversed(before) if turn.npc), None)
        priced = last and (self._wares_of(last) or any(fact.key == "wares" for fact in last.at_hand))
        return ("price",) if priced and asks_alike(question) else ()

    def _narrowed(
        self, ranked: list[int], question: str, asked: tuple[str, ...], carried: dict[int, float]
    ) -> list[int]:
        """Drop what distracts: chance words beside a fact that was named, the price beside the recipe."""
        query = self._asked(question)
        opened = {category for cue in asked for category in OPENS.get(cue, ())}
        named = [
            i for i in ranked if query & self._subjects[i] or self.facts[i].category in opened or i in carried
        ]  # fmt: skip
        if not named and not asked and not wants(question):
            ranked = [i for i in ranked if len(query & self._bodies[i]) > 1]
        kept = self._covering(named or ranked, query, asked, opened, carried)
        unwanted = "recipe" if "price" in asked else "ware" if "recipe" in asked else ""
        wanted = {"recipe": "ware", "ware": "recipe"}.get(unwanted, "")
        rivals = [self._subjects[i] for i in kept if self.facts[i].category == wanted]
        return [
            i for i in kept
            if self.facts[i].category != unwanted or not any(self._subjects[i] & rival for rival in rivals)
        ]  # fmt: skip

    def _covering(
        self, ranked: list[int], query: set[str], asked: tuple[str, ...], opened: set[str], carried: dict[int, float]
    ) -> list[int]:
        """Beside what was named in full, drop what shares a word of that name and no other."""
        whole = [i for i in ranked if self._subjects[i] and self._subjects[i] <= query]
        said = {term for i in whole for term in self._subjects[i]}
        wanted = opened | {category for cue in asked for category in PREFERS.get(cue, ())}
        return [
            i for i in ranked
            if i in whole or i in carried or not said or self.facts[i].category in wanted
            or (query & self._subjects[i]) - said
        ]  # fmt: skip

    def _asked(self, question: str) -> set[str]:
        """What a question is about: its content words, without the name the NPC is called by."""
        query, said = set(terms(question)), words(question)
        talked_of = any(stem(word) in self._own and before in _OF for before, word in pairwise(said))
        return query if talked_of else query - self._own

    def _scores(self, question: str, asked: tuple[str, ...]) -> dict[int, float]:
        query, classes = self._asked(question), meanings(question)
        classes |= meanings("rumours") if "rumour" in asked else set()
        preferred = {category for cue in asked for category in PREFERS.get(cue, ())}
        opened = _opened(asked)
        scores: dict[int, float] = {}
        for index, known in enumerate(self.facts):
            score = self._match(index, query, classes)
            if score and known.category in preferred:
                score *= 1.6
            score += opened.get(known.category, 0.0)
            if score > 0:
                scores[index] = score
        return scores

    def _match(self, index: int, query: set[str], classes: set[str]) -> float:
        subject = self._subjects[index]
        hits = query & subject
        if not subject <= hits:
            hits -= COMMON  # "the last time" does not name the queen's last year
        score = sum(2.0 * self._idf.get(term, 1.0) for term in hits)
        if hits and subject:
            score *= 0.5 + 0.5 * len(hits) / len(subject)
        if not hits and self.facts[index].category != "person" and classes & self._subject_meanings[index]:
            score += 2.5
        weak = {t for t in (query & self._bodies[index]) - subject - COMMON if not t.isdecimal()}  # "a table for 5"
        return score + sum(0.55 * self._idf[term] for term in weak)

    def _carried(
        self, question: str, asked: tuple[str, ...], before: Sequence[Turn],
        scores: dict[int, float],
    ) -> dict[int, float]:  # fmt: skip
        """Facts of the NPC's last line, when the question leans on them."""
        strong = max(scores.values(), default=0.0) >= 2.4 and "reward" not in asked
        leans = points_back(question) or "price" in asked or "reward" in asked
        last, priced = _last_told(before), self._priced(before)
        trades = priced is not None and haggles(question)
        if trades or buys(question):
            last = priced or last
        if last is None or strong or not (leans or trades) or _ELSEWHERE & set(asked) or owes(question):
            return {}
        keys = [key for fact in last.at_hand for key in _keys(fact) if key in self._by_key]
        return {
            self.facts.index(self._by_key[key]): 4.0 - rank for rank, key in enumerate(keys[:2])
        }

    def _priced(self, before: Sequence[Turn]) -> Turn | None:
        """Of the NPC's last lines the newest with a ware's price."""
        lines = [turn for turn in reversed(before) if turn.npc][:_STILL_ON_THE_TABLE]
        return next((line for line in lines if self._wares_of(line)), None)

    def _paid(self, question: str, before: Sequence[Turn]) -> Fact | None:
        """The sum for who pays: of what was taken, or else of what was priced last."""
        paid, line = payment(question, before, self.knower, self._prices), self._priced(before)
        if paid or line is None or not pays(question) or takes(question):
            return paid
        name = self._wares_of(line)[0].subject
        return Fact(sum_key([name]), together([(1, name, self._prices[name])]), "sum") if name in self._prices else None

    def _wares_of(self, line: Turn) -> list[KnownFact]:
        found = [self._by_key[key] for fact in line.at_hand for key in _keys(fact) if key in self._by_key]
        return [known for known in found if known.category == "ware"]

    def _ordered(self, question: str) -> set[int]:
        """Wares that an order calls by their last word: "two ales and an eel stew" names the brown ale, too."""
        if not takes(question):
            return set()
        said = set(terms(question))
        wares = ((i, known) for i, known in enumerate(self.facts) if known.category == "ware")
        return {i for i, known in wares if said & set(terms(known.subject)[-1:])}

    def _total(self, question: str, chosen: Sequence[KnownFact]) -> Fact | None:
        """The sum for "I'll take two" or "two ales and a bath": small models copy numbers well and add badly."""
        prices = self._prices
        wares = [known.subject for known in chosen if known.category == "ware" and known.subject in prices]
        presses = haggles(question) and not takes(question)  # "Would you take four?" to one who asked for five
        counts = counted(question, wares) if wares and not presses else {}
        if len(counts) > 1 and (takes(question) or max(counts.values()) > 1):
            parts = [(count, name, prices[name]) for name, count in counts.items()]
        else:
            parts = [(count, name, prices[name]) for name, count in counts.items() if count > 1][:1]
        return Fact(sum_key([name for _, name, _ in parts]), together(parts), "sum") if parts else None

    def _offered(self, question: str, before: Sequence[Turn], chosen: Sequence[KnownFact]) -> Fact | None:
        """The sum that the NPC named last, for who says "Deal" to it or haggles, and names no ware."""
        last = next((turn for turn in reversed(before) if turn.npc), None)
        named = {term for known in chosen for term in terms(known.subject)} & self._asked(question)
        trades = takes(question) or haggles(question)
        if last is None or named or not trades or says_how_many(question):
            return None
        total = next((fact for fact in last.at_hand if fact.source == "sum" and fact.key != BILL), None)
        had = {key for fact in last.at_hand for key in _keys(fact)}
        return total if total and chosen and all(known.fact.key in had for known in chosen) else None


def _last_told(before: Sequence[Turn]) -> Turn | None:
    """The NPC's last line that was about something; "Thanks!" between a question and the next changes no subject."""
    lines = [turn for turn in reversed(before) if turn.npc][:_STILL_SPOKEN_OF]
    return next((t for t in lines if not t.at_hand or any(fact.source != "style" for fact in t.at_hand)), None)


def _keys(fact: Fact) -> tuple[str, ...]:
    """The keys of what a fact is about: its own, or those of the wares that a sum adds up."""
    return tuple(f"wares.{name}" for name in wares_of(fact)) or (fact.key,)


@lru_cache(maxsize=64)
def index_of(sheet: Sheet, world: World | None, knower: str = "", when: When = When()) -> FactIndex:
    """The index over `facts_of`, made once for a sheet as it stands; scenes that bring nothing new share it."""
    return _index(facts_of(sheet, world, knower, when), knower)


@lru_cache(maxsize=24)
def _index(facts: tuple[KnownFact, ...], knower: str) -> FactIndex:
    return FactIndex(facts, knower)


def mentions(name: str, text: str) -> bool:
    """Whether a text names somebody, as whole words, by full or first name."""
    said, wanted = words(text), words(name)
    return bool(wanted) and (
        wanted[0] in said or any(said[i : i + len(wanted)] == wanted for i in range(len(said)))
    )
