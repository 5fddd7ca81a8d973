"""Lists of questions to one NPC, in the very prompt in which `teach grow` will ask for more of them.

What is learnt is the form and the subject: the questions go on where the list ended, and they are
about what the prompt names or what anybody asks of an NPC.
"""

import random

from characters.messages import Message
from characters.prompt import Part
from learning.teachers.growth_prompts import SHOWN, SUBJECTS, WANTED, listed, question_messages, subjects
from learning.teachers.offline.asking import QUESTIONS
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.invent import Inventor

_OF_IT = ("name", "trade", "home", "past", "goal", "value", "motto", "wares", "quest", "ruler", "wellbeing", "weather", "recipes", "date")
_OF_A_THING = ("topic", "topic", "opinion", "person", "where", "place")
_KINDS = {"wares": ("price", "price", "buy_n"), "recipes": ("recipe",), "quests": ("quest_named", "reward_named"),
          "places": ("where", "place"), "people": ("person",), "relations": ("person",), "groups": ("group",),
          "opinions": ("opinion", "topic"), "knowledge": ("topic",), "lore": ("topic",)}  # fmt: skip
_OWN_SHARE = 0.4


def list_messages(rng: random.Random, inventor: Inventor) -> tuple[Message, ...]:
    """A whole prompt and its answer: eight questions to a new NPC, and the next eight."""
    world = inventor.world() if rng.random() < 0.9 else None
    part = Part("npc", inventor.sheet(world=world)[0], world)
    known = list(subjects(part))
    about = rng.sample(known, min(len(known), rng.randint(0, SUBJECTS)))
    questions: list[str] = []
    while len(questions) < SHOWN + WANTED:
        question = _question(rng, part, about)
        if question.casefold() not in {each.casefold() for each in questions}:
            questions.append(question)
    messages = question_messages(part, about, questions[:SHOWN])
    return (*messages, Message("assistant", listed(questions[SHOWN:], first=SHOWN + 1)))


def _question(rng: random.Random, part: Part, about: list[str]) -> str:
    """One question as a player types it: of the NPC itself, or of a thing that the prompt names."""
    if not about or rng.random() < _OWN_SHARE:
        pattern = rng.choice(QUESTIONS[rng.choice(_OF_IT)])
        return _typed(rng, expand(rng, pattern, npc=part.sheet.first_name))
    thing = rng.choice(about)
    pattern = rng.choice(QUESTIONS[rng.choice(_kinds(part, thing))])
    return _typed(rng, expand(rng, pattern, x=thing, npc=part.sheet.first_name, n=rng.choice(["two", "three", "four", "2"])))


def _kinds(part: Part, thing: str) -> tuple[str, ...]:
    """What may be asked of a thing, by the field it stands in."""
    sheet, world = part.sheet, part.world
    fields = {"wares": [each.name for each in sheet.wares], "recipes": [each.name for each in sheet.recipes],
              "quests": [each.title for each in sheet.quests], "relations": [each.name for each in sheet.relations],
              "opinions": [each.topic for each in sheet.opinions]}  # fmt: skip
    if world is not None:
        fields |= {"places": [each.name for each in world.places], "people": [each.name for each in world.important_people],
                   "groups": [each.name for each in (*world.powers, *world.marginalised_groups)]}  # fmt: skip
    return next((_KINDS[field] for field, names in fields.items() if thing in names), _OF_A_THING[:3])


def _typed(rng: random.Random, text: str) -> str:
    return roughen(rng, capital(text))
