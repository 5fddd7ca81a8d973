"""A sheet: everything an author writes about one NPC.

The schema is what the prompt builder, the exam and the teachers rely on: a field that is filled
can be asked about, and an answer can be traced back to the field it rests on.
"""

import hashlib
import json
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from characters.fields import OptionalText, Owned, ShortText, Strict, Text

Kind = Literal["conversational", "quest giver", "shopkeeper", "lore keeper", "tutorial guide"]


# What stands before a name; "Sergeant" alone would call every soldier.
_TITLES = frozenset(
    """the old young big little elder saint st sir dame lord lady master mistress mister mr mrs ms miss madam madame
    captain sergeant lieutenant corporal colonel major general commander admiral commodore marshal constable sheriff
    brother sister father mother grandfather grandmother grandpa grandma granny gran uncle aunt auntie cousin
    abbot abbess prior prioress bishop friar reverend deacon doctor dr professor magister archmage
    king queen prince princess duke duchess count countess baron baroness judge mayor chief guildmaster""".split()
)
_JOINING = frozenset({"of", "from", "in", "at", "and", "who", "with"})


class Opinion(Owned):
    """What the NPC thinks of a topic."""

    topic: ShortText
    view: OptionalText = ""


class SpeechExample(Strict):
    """A curated line: what was asked or done, and what the NPC says to it."""

    context: Text
    line: Text


class Speech(Strict):
    """How the NPC sounds."""

    voice: Text
    mottos: tuple[ShortText, ...] = ()
    quirks: tuple[Text, ...] = ()
    examples: tuple[SpeechExample, ...] = ()


class Knowledge(Owned):
    """Something the NPC knows, under the topic people would ask about."""

    topic: ShortText
    text: Text


class Ware(Owned):
    """Something for sale. `price` is written as it is said: ``3 silver``."""

    name: ShortText
    price: ShortText
    about: OptionalText = ""


class Recipe(Owned):
    """Exact ingredients and steps; `makes` says what comes of it when the name does not."""

    name: ShortText
    ingredients: tuple[ShortText, ...] = Field(min_length=1)
    steps: OptionalText = ""
    makes: OptionalText = ""


class Quest(Owned):
    """A task the NPC gives."""

    title: ShortText
    task: Text
    reward: OptionalText = ""
    place: OptionalText = ""


class Relation(Owned):
    """Somebody the NPC knows."""

    name: ShortText
    about: Text


class Secret(Owned):
    """What the NPC hides, and what loosens its tongue (``trusts the party``, ``persuasion 15``)."""

    text: Text
    condition: OptionalText = ""


class Sheet(Strict):
    """One NPC. The slug is the file's name without its ending, and is not repeated inside."""

    schema_version: Literal[1] = 1
    name: ShortText
    kind: Kind
    description: ShortText
    world: ShortText
    backstory: OptionalText = ""
    alignment: OptionalText = ""
    values: tuple[ShortText, ...] = ()
    objectives: tuple[ShortText, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    speech: Speech
    knowledge: tuple[Knowledge, ...] = ()
    wares: tuple[Ware, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    quests: tuple[Quest, ...] = ()
    relations: tuple[Relation, ...] = ()
    secrets: tuple[Secret, ...] = ()
    greeting: OptionalText = ""
    boundaries: tuple[ShortText, ...] = ()
    avatar: OptionalText = ""
    talkativeness: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    nsfw: bool = False

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Sheet":
        for label, names in (
            ("wares", [ware.name for ware in self.wares]),
            ("recipes", [recipe.name for recipe in self.recipes]),
            ("quests", [quest.title for quest in self.quests]),
        ):
            seen: set[str] = set()
            for name in names:
                if name.casefold() in seen:
                    raise ValueError(f"{label} lists {name!r} twice; keep one of the two")
                seen.add(name.casefold())
        return self

    @property
    def first_name(self) -> str:
        """The name people call the NPC by: the first word that is not a title; the whole name where none is."""
        for word in (word.strip(".,;") for word in self.name.split()):
            if word.casefold() in _JOINING:
                break  # "the Keeper of Gull Rock" is called by all of it
            if word.casefold() not in _TITLES:
                return word
        return self.name

    @property
    def version(self) -> str:
        """A short hash of the sheet's content: equal content, equal version."""
        return _version_of(self)


@lru_cache(maxsize=64)  # every line says what sheet it was made with
def _version_of(sheet: Sheet) -> str:
    canonical = json.dumps(sheet.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return "sheet-" + hashlib.sha256(canonical.encode()).hexdigest()[:12]
