"""From a character card to a draft of a sheet that can be played at once.

| of the card | becomes |
|---|---|
| name, tags, talkativeness | name, nsfw, talkativeness |
| "… is a …" of the description | description |
| personality, sentences on speech | speech.voice, speech.quirks |
| likes, dislikes | opinions, in the first person |
| what lies behind it, what it wants | backstory, objectives |
| all other sentences and traits, the scenario | knowledge, one fact each |
| first_mes, alternate greetings | greeting, examples to "a greeting": the spoken words |
| mes_example, dialogue in the description | speech.examples |

System prompts, instructions after the history and sentences addressed to a model stay in the card.
A card that `characters.cards.giving` wrote carries its sheet, which is taken as it was.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from characters.cards.card import Card
from characters.cards.giving import own_sheet
from characters.cards.prose import Sorted, sort_sentences, taste, topic_of
from characters.cards.speech import address, exchanges, narrated, sentences, shorten, spoken
from characters.cards.traits import LOOKS, Traits, split_outside, traits_of
from characters.errors import CardError
from characters.intents import intents
from characters.loose import number_of, plain
from characters.macros import Names, expand
from characters.sheet import Sheet

VISITOR = "the visitor"
_SPOKEN_TO = "friend"
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times faster where it is built
_PROSE = 60_000
_MOST = {"knowledge": 60, "opinions": 24, "objectives": 4, "quirks": 4, "examples": 12}
_HEAD = (
    "# A draft made from the card of {}; the card lies beside it. Read it as its author: `understudy sheet check`.\n"
)


@dataclass(frozen=True)
class Draft:
    """A sheet made from a card.

    Attributes:
        text: the sheet as YAML.
        notes: what its author should know, one sentence each.
    """

    sheet: Sheet
    text: str
    notes: tuple[str, ...] = ()


def card_to_sheet(
    card: Card, world: str = "saltmere", *, visitor: str = VISITOR, avatar: str = "", greeting: int = 0
) -> Draft:
    """Make a sheet from a card.

    Args:
        world: the slug of the world the NPC is to live in.
        visitor: what `{{user}}` is called in facts.
        avatar: the file of its picture, if it has one.
        greeting: which of its greetings it opens with; 0 is the first message.

    Raises:
        CardError: it has no name that could be called.
    """
    own = own_sheet(card)
    notes = list(card.notes)
    if own is not None:
        sheet = own.model_copy(update={"world": world, "avatar": avatar or own.avatar})
        notes.append("It carried a sheet of ours, which was taken as it was.")
    else:
        maker = _Maker(card, visitor, greeting)
        sheet = Sheet.model_validate({**maker.fields(), "world": world, "avatar": avatar})
        notes += maker.notes
    return Draft(sheet, sheet_yaml(sheet), tuple(notes))


def sheet_yaml(sheet: Sheet) -> str:
    """A sheet as a file; fields that say nothing are left out."""
    content = {"schema_version": 1, **sheet.model_dump(mode="json", exclude_defaults=True)}
    body = yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=110)
    return _HEAD.format(plain(sheet.name)) + body


class _Maker:
    """Collects the fields of a sheet from one card."""

    def __init__(self, card: Card, visitor: str, greeting: int) -> None:
        self.card = card
        first = greeting % max(1, len(card.greetings))
        self.greetings = (*card.greetings[first:], *card.greetings[:first])
        self.notes: list[str] = []
        full = card.name
        if not re.search(r"\w", full):
            raise CardError("The card has no name that could be called; write one into its `name` field.")
        self.name, _, self.byname = full.partition(", ") if ", " in full else (full, "", "")
        nick = plain(card.text("nickname"))[:200].strip()
        self.called = nick or re.split(r"\s+(?:the|of|from)\s+", self.name)[0]
        self.visitor = visitor
        self.prose = Names(self.called, visitor)

    def fields(self) -> dict[str, Any]:
        """All fields but world and avatar."""
        described, pairs = self._described()
        traits = traits_of(described, self.called)
        about = traits.take("description", "occupation", "job", "role", "profession", "self", "class")
        identity = self._identity(about, traits)
        self._merge(traits, "personality")
        labelled = _labelled(traits, self.called, self.visitor)
        found = sort_sentences(traits.sentences, self.called, self.visitor)
        found.past = [*labelled.past, *found.past]
        facts = [*labelled.facts, *found.facts, *self._scenario()]
        opinions, objectives = [*labelled.opinions, *found.opinions], [*labelled.wants, *found.wants]
        if found.for_models or self.card.text("system_prompt") or self.card.text("post_history_instructions"):
            self.notes.append("Instructions for large models stayed in the card; they are no part of the sheet.")
        return {
            "name": self.name[:200], "kind": "conversational", "description": identity,
            "backstory": shorten(" ".join(found.past), 900),
            "objectives": _unique([shorten(o, 160) for o in objectives])[: _MOST["objectives"]],
            "opinions": [{"topic": t[:200], "view": v[:400]} for t, v in _by_topic(opinions)[: _MOST["opinions"]]],
            "speech": self._speech(labelled, found, pairs),
            "knowledge": self._knowledge(facts),
            "greeting": self._greeting(),
            "talkativeness": self._talkativeness(),
            "nsfw": any(tag.casefold() == "nsfw" for tag in self.card.tags),
        }  # fmt: skip

    def _described(self) -> tuple[str, list[tuple[str, str]]]:
        """The description without its dialogue, and all dialogue of the card, macros still in it."""
        pairs, rest = exchanges(self.card.text("description")[:_PROSE])
        examples, loose = exchanges(self.card.text("mes_example")[:_PROSE])
        pairs = [*examples, *pairs]
        if not examples and loose.strip():
            pairs.insert(0, ("", loose))
        return self._prose(rest), pairs

    def _merge(self, traits: Traits, name: str) -> None:
        """Read one more field of the card as if it stood in the description."""
        text = self._prose(self.card.text(name))
        if text and len(sentences(text)) == 1 and "," in text and len(text) < 300:
            traits.labelled.insert(0, (name, [plain(v).rstrip(".") for v in split_outside(text, ",") if plain(v)]))
        elif text:
            more = traits_of(text, self.called)
            traits.labelled += more.labelled
            traits.sentences += more.sentences

    def _identity(self, about: list[str], traits: Traits) -> str:
        """What stands after "You are NAME,": the byname, an "is a …", an occupation, else the first traits."""
        opening = re.compile(
            rf"^(?:you are|(?:[\w.'-]+ ){{0,3}}?{re.escape(self.called)}(?: [A-Z][\w'-]+)?(?:,| is| was|:))\s*"
            rf"(?:[A-Z][\w'-]+(?: [A-Z][\w'-]+)*\s*[:,]\s*)?((?:an?|the|one|your|his|her|their)\s.+)", re.I)
        found = ""
        for place, sentence in enumerate(traits.sentences[:12]):
            match = opening.match(sentence)
            if match and not match[1].casefold().startswith(("a lot", "the new")):
                found = _noun_phrase(match[1])
                if len(found) > 0.7 * len(match[1]):
                    del traits.sentences[place]
                break
        pieces = [self.byname, found or (about[0] if about else "")]
        text = ", ".join(plain(piece).rstrip(" .") for piece in pieces if plain(piece))
        if re.match(r"[a-z]{3,}s\s(?!of\b)", text) and not text.startswith(("his ", "this ", "somebody's")):
            text = f"somebody who {text}"
        if not text:
            first = next((values for label, values in traits.labelled if label in {"personality", "persona"}), [])
            kind = [v for label, vs in traits.labelled if label in {"species", "race", "gender"} for v in vs[:1]]
            text = _listed([*first[:3], *kind][:4]) or "a newcomer with a story of their own"
        return shorten(text, 190) or "a newcomer"

    def _speech(self, labelled: Sorted, found: Sorted, pairs: list[tuple[str, str]]) -> dict[str, Any]:
        voice = shorten(" ".join([*labelled.speech, *found.speech]), 320)
        habits = _unique([shorten(h, 120) for h in (*labelled.habits, *found.habits)])[: _MOST["quirks"]]
        examples = [*self._greetings()[1:], *self._examples(pairs)]
        return {"voice": voice or "Plain, in a few words.", "quirks": [h for h in habits if h],
                "examples": examples[: _MOST["examples"]]}  # fmt: skip

    def _examples(self, pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
        made = []
        for asked, answer in pairs:
            line = spoken(self._spoken(answer))
            context = spoken(self._spoken(asked), 160)
            if re.search(r"\w", line):
                made.append({"context": context or _occasion(line), "line": line})
        return made

    def _spoken(self, text: str) -> str:
        return expand(address(text, _SPOKEN_TO), self.prose, self.name)

    def _prose(self, text: str) -> str:
        """A field of the card as facts are told: marks gone, macros replaced, "the user" a visitor too."""
        text = expand(_tags(text[:_PROSE]), self.prose, self.name)
        return re.sub(r"\bthe user\b", self.visitor, text, flags=re.IGNORECASE)

    def _greetings(self) -> list[dict[str, str]]:
        """All greetings as lines; those without a spoken word are left to the card."""
        texts = [spoken(self._spoken(text[:_PROSE])) for text in self.greetings[:8]]
        return [{"context": "a greeting", "line": text} for text in texts if re.search(r"\w", text)]

    def _greeting(self) -> str:
        lines = self._greetings()
        if lines:
            return lines[0]["line"]
        told = [narrated(expand(text[:_PROSE], self.prose, self.name)) for text in self.greetings[:1]]
        if told and told[0]:
            self.notes.append("Its first message tells and does not speak; it was shortened, give it words of its own.")
        return f"*{told[0]}*" if told and told[0] else ""

    def _scenario(self) -> list[tuple[str, str]]:
        text = self._prose(self.card.text("scenario"))
        found = sort_sentences(sentences(text), self.called, self.visitor)
        told = [*found.past, *found.speech, *found.habits]
        return [*found.facts, *((topic_of(sentence, self.called), shorten(sentence, 240)) for sentence in told)]

    def _knowledge(self, facts: list[tuple[str, str]]) -> list[dict[str, str]]:
        items = _by_topic(facts)
        if len(items) > _MOST["knowledge"]:
            left = len(items) - _MOST["knowledge"]
            self.notes.append(
                f"{left} sentences of its description stayed in the card; the sheet holds the first ones."
            )
        return [{"topic": topic[:200], "text": text} for topic, text in items[: _MOST["knowledge"]]]

    def _talkativeness(self) -> float:
        value = self.card.extensions.get("talkativeness", self.card.raw.get("talkativeness"))
        return round(number_of(value, 0.5, 0.0, 1.0), 3)


def _labelled(traits: Traits, called: str, visitor: str) -> Sorted:
    """Sort the labelled traits."""
    out = Sorted()
    manner = traits.take("personality", "persona", "mind", "traits", "trait", "demeanor", "temperament")
    if manner:
        out.speech.append(_sentence(_listed(manner[:10])))
        if len(manner) > 10:
            out.facts.append(("temper", f"{called} is {_listed(manner[10:22])}."))
    out.speech += [_sentence(v) for v in traits.take("speech", "voice", "accent", "style", "speaking")[:3]]
    out.habits += [_sentence(v) for v in traits.take("mannerisms", "mannerism", "habits", "habit", "quirks", "quirk")]
    out.opinions += [taste(v, True, called, visitor) for v in traits.take("likes", "like", "loves", "love", "hobbies")]
    out.opinions += [
        taste(v, False, called, visitor) for v in traits.take("dislikes", "dislike", "hates", "hate", "fears", "fear")
    ]
    out.past += [_sentence(v) for v in traits.take("backstory", "background", "history", "past", "origin")]
    out.wants += traits.take("goal", "goals", "objective", "objectives", "motivation", "wants", "desire", "desires")
    looks = traits.take(*LOOKS)
    if looks:
        for begin in range(0, len(looks[:15]), 5):
            part = _listed(looks[begin : begin + 5])
            out.facts.append(("looks, face and clothes", f"{called} has: {part}."))
    for label, values in traits.labelled:
        if label not in {"genre", "tags", "tag", "scenario", "location", "setting", "name"}:
            out.facts.append((label[:200], shorten(f"{called}'s {label}: {_listed(values)}", 240).rstrip(".") + "."))
        elif label in {"scenario", "location", "setting"}:
            out.facts.append((label, shorten(f"The {label}: {_listed(values)}", 240).rstrip(".") + "."))
    return out


def _noun_phrase(text: str) -> str:
    """The part of "a cat and has yellow eyes" that says what somebody is."""
    cut = re.split(
        r"\s+(?:who|which|that|whose|and (?:has|is|was|will|she|he|they|it|talks|acts)|has|riding|wearing|created"
        r"|;|—|–|-)\s|[.;!?](?:\s|$)", text, maxsplit=1,
    )[0]  # fmt: skip
    if len(cut) > 80:
        cut = re.split(r"(?<=.{40})(?: and |, )", cut, maxsplit=1)[0] if " and " in cut[40:] or "," in cut[40:] else cut
    return shorten(cut, 150).rstrip(" ,")


def _occasion(line: str) -> str:
    """When an example without a question would be said."""
    meant = sorted(intents(line) & {"greeting", "farewell", "thanks", "insult", "threat"})
    known = {"greeting": "a greeting", "farewell": "a farewell", "thanks": "thanks"}
    return known.get(meant[0] if meant else "", f"talk about {topic_of(line, '')}"[:300])


def _tags(text: str) -> str:
    """A text without the marks that programs put around its parts; what is meant for a model goes whole."""
    text = re.sub(r"<(responses?|instructions?|system)>.{0,8000}?(?:</\1>|\Z)", " ", text, flags=re.DOTALL | re.I)
    return re.sub(r"</?(?!user\b|bot\b|char\b)[A-Za-z][^<>]{0,40}>", " ", text)


def _listed(values: list[str]) -> str:
    found = [value.strip(" .") for value in values if value.strip(" .")]
    return ", ".join(found[:-1]) + " and " + found[-1] if len(found) > 1 else "".join(found)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _unique(items: list[str]) -> list[str]:
    return list(dict.fromkeys(item for item in items if item))


def _by_topic(items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without repetitions and empty ones."""
    return list(dict.fromkeys((plain(t), plain(v)[:2000]) for t, v in items if plain(t) and plain(v)))
