"""What a model reads to tell a scene or an evening again: as a chronicler, or as one NPC who was there.

The transcript that is handed in is all there is to tell of; for an NPC it holds only what it witnessed.
"""

from collections.abc import Sequence
from dataclasses import replace

from characters.chat_template import ChatTemplate
from characters.messages import Message, Scene, Turn
from characters.prompt import Budget, Part, build_prompt, clean, clean_name

_SUMMARY = (
    "You keep the notes of {name}. Write down in at most three plain sentences what {first} should remember of this "
    "scene: who did or promised what, names, places, debts. Use only what is said below."
)
_CHRONICLE = (
    "You are the chronicler of an evening of tabletop play. Tell in at most six plain sentences, in the past tense, "
    "what happened and who said what. Use only what is said below."
)
_AS_ONESELF = "Tell in at most five sentences what happened here, as you saw it. Tell only what you saw or heard."


def scene_summary(
    part: Part, turns: Sequence[Turn], template: ChatTemplate | None, budget: Budget
) -> tuple[tuple[Message, ...], str]:
    """The messages, and their text, that ask for what an NPC should remember of a scene."""
    asked = _SUMMARY.format(name=part.sheet.name, first=part.sheet.first_name)
    return _asking(asked, turns, template, budget)


def chronicle(
    turns: Sequence[Turn], template: ChatTemplate | None, budget: Budget
) -> tuple[tuple[Message, ...], str]:
    """The messages, and their text, that ask a neutral chronicler for a recap."""
    return _asking(_CHRONICLE, turns, template, budget)


def own_account(
    part: Part, turns: Sequence[Turn], template: ChatTemplate | None, budget: Budget
) -> tuple[tuple[Message, ...], str]:
    """The messages, and their text, that ask an NPC to tell what it witnessed; its sheet as it may know it."""
    prompt = build_prompt(replace(part, direction=_AS_ONESELF), turns, scene=Scene(), template=template, budget=budget)
    return prompt.messages, prompt.text


def _asking(
    task: str, turns: Sequence[Turn], template: ChatTemplate | None, budget: Budget
) -> tuple[tuple[Message, ...], str]:
    special = template.special_tokens if template else ()
    told = [f"{clean_name(turn.speaker, special)}: {clean(turn.text, special)}" for turn in turns]
    room = budget.context - budget.reply - budget.count(task) - 32
    while len(told) > 1 and budget.count("\n".join(told)) > room:
        del told[: max(1, len(told) // 10)]
    messages = (Message("system", task), Message("user", "\n".join(told) or "(nothing was said)"))
    return messages, template.render(messages) if template else ""
