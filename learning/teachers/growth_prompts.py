"""The exact words in which a local model is asked to go on with a list of questions to an NPC.

They stand alone, so that the starter is trained on the very text that `teach grow` will put before
it. The mix is that of Self-Instruct (Wang et al. 2023): eight numbered questions, the model goes on
from the ninth to the sixteenth. The prompt tells what an asker would know, and no more: who the NPC
is, and a few things people talk about with it. Rendered by the model's own chat template:

    system     People ask Mira Dunmore, innkeeper of the Lantern Rest, all sorts of questions. Some ask
               about hempen rope, the old lighthouse, Captain Reeve. Go on with the list.
    user       1. How much is the rope?
               …
               8. who rules here
    assistant  9. Is the lighthouse still lit?
               …
               16. Have you seen the captain?

The answer to a question that was kept has no prompt here: it is asked for with the NPC's serving
prompt (`characters.prompt.build_prompt`), for that is what the row will train.
"""

import re
from collections.abc import Sequence

from characters.knowledge import facts_of
from characters.messages import Message
from characters.prompt import Part, clean

SHOWN = 8  # questions in the prompt
WANTED = 8  # questions to write; the last one is number SHOWN + WANTED
SUBJECTS = 6  # things people talk about, at most, in one prompt

_NAMED = frozenset({"ware", "recipe", "quest", "knowledge", "opinion", "person", "place", "group"})
_NUMBER = re.compile(r"^[ \t]*\d+[ \t]?\.[ \t]*", re.MULTILINE)


def subjects(part: Part) -> tuple[str, ...]:
    """What people may ask this NPC about: the names of what it tells anybody; secrets are not among it."""
    facts = facts_of(part.sheet, part.world, part.slug)
    named = [known.fact.key.partition(".")[2] for known in facts if known.category in _NAMED and not known.known_by]
    return tuple(dict.fromkeys(named))


def question_messages(
    part: Part, about: Sequence[str], shown: Sequence[str], special_tokens: Sequence[str] = ()
) -> tuple[Message, ...]:
    """What a model reads before it writes questions number nine to sixteen.

    Args:
        part: the NPC that is asked.
        about: some of its `subjects`, drawn anew for every prompt; may be empty.
        shown: the questions the list begins with, `SHOWN` of them unless the pool is smaller.
        special_tokens: of the model's template; no text may contain one.
    """
    who = clean(f"{part.sheet.name}, {part.sheet.description.rstrip('.')}", special_tokens)
    told = f"People ask {who}, all sorts of questions."
    if about:
        told += f" Some ask about {', '.join(clean(subject, special_tokens) for subject in about[:SUBJECTS])}."
    shown = [clean(question, special_tokens) for question in shown]
    return Message("system", f"{told} Go on with the list."), Message("user", listed(shown))


def listed(questions: Sequence[str], first: int = 1) -> str:
    """Questions as a numbered list; a model's answer is `listed(new, first=SHOWN + 1)`."""
    return "\n".join(f"{number}. {question}" for number, question in enumerate(questions, first))


def listed_questions(text: str) -> list[str]:
    """The questions of a numbered list as a model wrote it; blank entries are left out."""
    return [found for part in _NUMBER.split(text) if (found := " ".join(part.split()))]
