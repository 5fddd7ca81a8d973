"""How the offline teacher answers: the fact at hand, in the NPC's manner.

An answer is taken from a fact only when that fact is in the prompt; nothing teaches a model to
make things up. What is not there is refused, in voice.
"""

import random
import re
from dataclasses import dataclass

from characters.knowledge import KnownFact
from characters.sheet import Sheet
from characters.world import World
from learning.teachers.offline.grammar import capital, expand
from learning.teachers.offline.manners import (
    BEASTS,
    COMMON_LINES,
    MODERN_LINES,
    NOT_SOLD_LINES,
    UNKNOWN_AT_ALL_LINES,
    UNKNOWN_LINES,
    UNKNOWN_OF_PERSON_LINES,
    UNKNOWN_PERSON_LINES,
    UNKNOWN_PLACE_LINES,
    Manner,
)  # fmt: skip

_WARE = ("{x}? (That's|That is|That will be|It costs|You can have it for) {price}.{about}", "{price} for (the|one) {x}.{about}",
         "The {x} (is|costs|goes for|is yours for) {price}.{about}", "{price}, {addr}.{about}", "I have {x} for {price}.{about}",
         "That's {price}.{about}")  # fmt: skip
_BUY = ("(Good choice|Done|Sold|A fine choice|Here you are)(, {addr}|). (That's|That will be) {price}.", "{price}, and the {x} is yours.",
        "One {x}, {price}. (Here you are|Enjoy it|Use it well).", "(Sold|Done). {price}, please.")  # fmt: skip
_TOTAL = ("That makes {total}(, {addr}|).", "{count} {x}? {total} together.", "{total} for {count}(, {addr}|).",
          "(Done|Sold). {total} together.", "{total}, and they are yours.")  # fmt: skip
_FIRM = ("(No|Not a chance|Sorry), {addr}. {price}, and not a coin less.", "{price} is fair. I have to eat too.",
         "For you, {addr}? Still {price}.", "{price}. (Take it or leave it|That's my last word).", "The price stays {price}.",
         "You drive a hard bargain, but it is {price}.")  # fmt: skip
_FIRM_PLAIN = ("The price is the price, {addr}.", "I don't haggle, {addr}.", "Not a coin less.", "I have to eat too, {addr}.")
_WARES = ("I have {list}.", "{list}. (That's what I have|What will it be|Take your pick).", "I sell {list}.", "There's {list}.",
          "(Today|Right now) I have {list}.")  # fmt: skip
_AND_MORE = ("", "", " (And more|There's more), if you ask.", " Ask me (for a price|what they cost).")
_NAME = ("I'm {name}, {descr}.", "I am {name}, {descr}.", "{name}, {descr}.", "The name's {name}. I'm {descr}.",
         "They call me {name}. I'm {descr}.", "You're talking to {name}, {descr}.", "{name}. {Descr}, if you must know.")  # fmt: skip
_TRADE = ("I'm {descr}.", "Me? {Descr}.", "I am {descr}, {addr}.", "{Descr}. That's my trade.")
_HOME = ("I live (here|) in {home}.", "This is {home}, {addr}. I live here.", "{home} is my home.", "My home is {home}.",
         "You're in {home}, {addr}.", "Here in {home}, {addr}.", "In {home}. I'm {descr}.", "{home}, of course. I'm {descr}.")  # fmt: skip
_NO_HOME = ("I'm {descr}. That is home enough.", "Here, {addr}. I'm {descr}.", "You'll find me here. I'm {descr}.")
_RECIPE = ("You need {list}.{steps}", "For {x}: {list}.{steps}", "Take {list}.{steps}", "{X} needs {list}.{steps}", "It takes {list}.{steps}")
_QUEST = ("{task}{reward}", "There is something. {task}{reward}", "Yes, I need help. {task}{reward}", "I do have work. {task}{reward}",
          "If you are willing: {task}{reward}")  # fmt: skip
_REWARD = (" The pay is {r}.", " I'll pay {r}.", " The reward is {r}.", " It's worth {r} to me.")
_REWARD_ONLY = ("{R}, if you do it well.", "The reward is {r}.", "I'll pay {r}.", "{R}. No more, no less.")
_TOLD = (*("{text}",) * 9, "{X}? {text}", "About {x}? {text}", "{X}, you say? {text}")
_NO_MORE = ("That's all I know of it, {addr}.", "There's nothing more to tell.", "I've told you what I know.", "I know no more than that.")
_WHOLE = 0.65  # of the answers on a place tell both
# Most refusals name what was asked for. The others fit anything: where a small model holds on to nothing, it says the
# line it was taught most often, and "I don't know that recipe" is no answer to who stole the bell.
_NAMED = 0.6
_NO_PLACE = ("I couldn't tell you where, {addr}.", "I don't know the place.", "Where? I don't know that myself.")
_NO_REWARD = ("I can't pay you, {addr}.", "There's no pay in it.", "My thanks. I have nothing else to give.")
_PLACE_ONLY = ("{P}.", "At {p}.", "(Go to|Begin at|Look at) {p}.", "{P}, {addr}.", "The place is {p}.")
_NO_WARES = ("I sell nothing, {addr}.", "I don't sell anything, {addr}.", "I'm no shopkeeper, {addr}.", "I have nothing to sell.", "Nothing here is for sale.")
_NO_QUEST = ("I have no work for you, {addr}.", "Nothing for now, {addr}.", "I need no help today.", "No work here. Ask elsewhere.")
_NO_RECIPE = ("I don't know how to make {x}.", "I never learnt to make {x}.", "{X}? I couldn't tell you what goes in.")
_NO_OWN = ("That's my own business, {addr}.", "There's little to tell, {addr}.", "I'd rather not speak of it.")
_DEEDS = ("{motto}", "{motto}", "{motto} I live by that.", "{motto} I always say so(, {addr}|).")


# What may lose its capital behind "Listen,": any other first word may be a name.
_COMMON_STARTS = frozenset(
    """The It They That This You Your Take For Here No Not My There As To At In Of One We He She Some If Never Nothing
    Go Follow Cross Half Ask Find Bring Carry Watch Guard Drive Chase What Where When A An People Folk Better Worse
    Today By And But Everybody Nobody Some Their Our His Her""".split()
)


@dataclass(frozen=True)
class Voice:
    """The one who answers: a sheet and the manner it speaks in."""

    sheet: Sheet
    manner: Manner
    world: World | None = None

    def fill(self, rng: random.Random, pattern: str, **slots: str) -> str:
        """Expand a pattern with everything the voice knows about itself."""
        both = dict(slots)
        for key in ("x", "descr", "r", "p", "w"):
            if key in both:
                both[key[0].upper() + key[1:]] = both[key][:1].upper() + both[key][1:]
        text = expand(
            rng, pattern, addr=rng.choice(self.manner.addresses), npc=self.sheet.first_name,
            trade=_own(self.sheet.description), beast=rng.choice(BEASTS),
        )  # fmt: skip
        for name, value in both.items():
            text = text.replace("{" + name + "}", value)
        return capital(re.sub(r"\s{2,}", " ", text).strip())

    def dress(self, rng: random.Random, core: str) -> str:
        """Add an opener or a closer of the manner, seldom both."""
        roll = rng.random()
        if roll < 0.24:
            opener = self.fill(rng, rng.choice(self.manner.openers))
            return f"{opener} {core if opener.endswith(('.', '!', '?')) else _uncapital(core)}"
        if roll < 0.32:
            return f"{core} {self.fill(rng, rng.choice(self.manner.closers))}"
        return core


def _uncapital(text: str) -> str:
    """Begin in the middle of a sentence; names keep their capital."""
    first = re.split(r"\W", text, maxsplit=1)[0]
    return text[:1].lower() + text[1:] if first in _COMMON_STARTS else text


def sentence(text: str) -> str:
    """A text with a full stop, unless it has an end of its own."""
    return text if text.endswith((".", "!", "?", '"', "'")) else text + "."


def _own(description: str) -> str:
    """A description as the NPC would say it of itself."""
    article = "" if re.match(r"(?:a|an|the|your|one)\b", description) else "the "
    return article + description


def _list(text: str) -> str:
    """"You sell: a (1 copper) and b (2 copper)." → "a for 1 copper and b for 2 copper"."""
    body = text.split(":", 1)[1].strip().rstrip(".")
    return re.sub(r" \(([^)]*)\)", r" for \1", body)


def social(rng: random.Random, voice: Voice, intent: str) -> str:
    """A reply that needs no fact."""
    lines = voice.manner.lines.get(intent) or COMMON_LINES.get(intent) or COMMON_LINES["nonsense"]
    return voice.fill(rng, rng.choice(lines))


def unknown(rng: random.Random, voice: Voice, kind: str, thing: str) -> str:
    """A refusal in voice: what was asked for is not in the NPC's world, or not its knowledge."""
    lines = {
        "modern": MODERN_LINES, "person": UNKNOWN_PERSON_LINES, "price": NOT_SOLD_LINES,
        "place": UNKNOWN_PLACE_LINES, "recipe": _NO_RECIPE, "wares": _NO_WARES, "quest": _NO_QUEST,
        "more": _NO_MORE, "own": _NO_OWN, "haggle": _FIRM_PLAIN, "of_person": UNKNOWN_OF_PERSON_LINES,
        "quest_place": _NO_PLACE, "secret": COMMON_LINES["secret"], "reward": _NO_REWARD,
    }.get(kind, UNKNOWN_LINES)  # fmt: skip
    if kind == "price" and not voice.sheet.wares and rng.random() < 0.4:
        lines = _NO_WARES
    elif thing:
        lines = lines if rng.random() < _NAMED else UNKNOWN_AT_ALL_LINES
    thing = re.sub(r"^(?:the|a|an) ", "", thing) if kind in {"modern", "price", "recipe"} else thing
    return voice.dress(rng, voice.fill(rng, rng.choice(lines), x=thing))


def answer(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str = "") -> str:
    """An answer that rests on one fact.

    Args:
        total: the text of a worked-out sum at hand, for "I'll take two".
    """
    if intent == "home":
        return voice.dress(rng, _home(rng, voice))
    maker = {
        "ware": _ware, "name": _name, "wares": _wares, "recipe": _recipe, "quest": _quest,
        "recipes": _wares, "motto": _motto,
    }.get(known.category)  # fmt: skip
    core = maker(rng, voice, intent, known, total) if maker else _told(rng, voice, intent, known)
    return voice.dress(rng, core)


def _ware(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    price, _, about = known.fact.text.removeprefix(known.subject + ": ").partition(". ")
    about = f" {about}" if about and rng.random() < 0.7 else ""
    if total:
        count, _, rest = total.partition(" ")
        return voice.fill(rng, rng.choice(_TOTAL), x=known.subject, count=count, total=rest.split(": ")[-1].rstrip("."))
    lines = {"buy": _BUY, "buy_it": _BUY, "haggle": _FIRM}.get(intent, _WARE)
    return voice.fill(rng, rng.choice(lines), x=known.subject, price=price.rstrip("."), about=about)


def _name(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    descr = _own(voice.sheet.description)
    lines = _TRADE if intent == "trade" else _NAME
    return voice.fill(rng, rng.choice(lines), name=voice.sheet.name, descr=descr)


def _home(rng: random.Random, voice: Voice) -> str:
    """Where it lives: in its world, or where its description puts it."""
    lines = _HOME if voice.world else _NO_HOME
    return voice.fill(rng, rng.choice(lines), home=voice.world.name if voice.world else "", descr=_own(voice.sheet.description))


def _wares(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    """What there is: mostly the names alone, at times a few with their prices."""
    if known.category != "wares":
        lines: tuple[str, ...] = ("I can make {list}.", "I know how to make {list}.")
        return voice.fill(rng, rng.choice(lines), list=_list(known.fact.text))
    wares = voice.sheet.wares[:5]
    if rng.random() < 0.75:
        told, more = [ware.name for ware in wares], rng.choice(_AND_MORE)
    else:
        few = wares[: rng.randint(2, 3)]
        told, more = [f"{ware.name} at {ware.price}" for ware in few], "" if len(few) == len(wares) else _AND_MORE[2]
    listed = told[0] if len(told) == 1 else ", ".join(told[:-1]) + " and " + told[-1]
    return voice.fill(rng, rng.choice(_WARES) + more, list=listed)


def _recipe(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    name, _, rest = known.fact.text.partition(" needs: ")
    parts, _, steps = rest.partition(". ")
    return voice.fill(rng, rng.choice(_RECIPE), x=name, list=parts.rstrip("."), steps=f" {steps}" if steps else "")


def _quest(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    body = known.fact.text.split(": ", 1)[1]
    task, _, rest = body.partition(" Reward: ")
    reward, _, place = rest.partition(" Place: ")
    task, _, placed = task.partition(" Place: ")
    reward, place = reward.rstrip("."), (place or placed).rstrip(".")
    if intent == "quest_place":
        return voice.fill(rng, rng.choice(_PLACE_ONLY if place else _NO_PLACE), p=place)
    if intent in {"reward", "reward_named"}:
        return voice.fill(rng, rng.choice(_REWARD_ONLY if reward else _NO_REWARD), r=reward)
    paid = voice.fill(rng, rng.choice(_REWARD), r=reward) if reward and rng.random() < 0.5 else ""
    return voice.fill(rng, rng.choice(_QUEST), task=task, reward=f" {paid}" if paid else "")


def _motto(rng: random.Random, voice: Voice, intent: str, known: KnownFact, total: str) -> str:
    motto = known.fact.text.partition('"')[2].rstrip('".') + "."
    return voice.fill(rng, rng.choice(_DEEDS), motto=motto)


def _asked_of_place(rng: random.Random, voice: Voice, intent: str, name: str, told: str) -> str:
    """Both, or only the way for who asks the way and only what there is for who asks that."""
    place = next((place for place in voice.world.places if place.name == name), None) if voice.world else None
    if place is None or not place.way or rng.random() < _WHOLE:
        return told
    return sentence(place.way if intent in {"where", "place_it"} else place.about)


def _told(rng: random.Random, voice: Voice, intent: str, known: KnownFact) -> str:
    """Say a fact's text, without its label."""
    text = known.fact.text
    label, colon, rest = text.partition(": ")
    if known.category == "place":
        rest = _asked_of_place(rng, voice, intent, known.subject, rest)
    if colon and known.category in {"knowledge", "opinion", "person", "place", "group", "world", "past", "value"}:
        text = rest
    if known.category == "goal":
        return voice.fill(rng, "(I want to|What I want is to|To) {t}", t=", and to ".join(want[:1].lower() + want[1:] for want in rest.split("; ")))
    if known.category == "value":
        return voice.fill(rng, "(What matters: |I care for |I value ){t}", t=rest)
    thing = re.sub(r"^On ", "", label)
    lines = _TOLD if known.category in {"knowledge", "opinion", "person", "place", "group"} else ("{text}",)
    return voice.fill(rng, rng.choice(lines), text=capital(text), x=thing)
