"""Renders rows: the very text serving would build, cut into prompt and completion.

Rows store structure; text is made here, by the one prompt builder and the base model's own template.
Names of real people are replaced by stand-in names of the world, seeded by the row, so that a model
learns to answer whoever speaks and no player's name reaches a trainer.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from characters.chat_template import ChatTemplate
from characters.conditions import key_of, tells
from characters.messages import Fact, Message, Scene, Turn
from characters.prompt import Budget, Part, build_prompt, clean
from learning.harvest import Candidate

_NOBODYS = {"you", "gm", "dm", "player", "guest", "stranger"}  # words, not names: a line may hold them
_STAND_INS = ("Anna", "Bastian", "Cora", "Dorian", "Edda", "Falk", "Greta", "Hagen")


@dataclass(frozen=True)
class Row:
    """A row as trainers read it; `rejected` and `label` only where the kind has them, `asked` for people and judges."""

    kind: str
    prompt: str
    completion: str
    source: str
    signal: str
    conversation: str
    rejected: str = ""
    label: bool = True
    weight: int = 1
    line: int = 0
    people: tuple[str, ...] = ()
    asked: str = ""


@dataclass(frozen=True)
class Renderer:
    """What rendering needs to know about the base model.

    Attributes:
        template: the base model's own chat template.
        budget: the same as in serving.
    """

    template: ChatTemplate
    budget: Budget

    def row(self, candidate: Candidate, part: Part) -> Row:
        """Render a candidate for an NPC, with the memory its prompt had.

        A line that tells a secret of its own NPC trains only with that secret in its prompt.
        """
        people = [turn.speaker for turn in candidate.turns if turn.npc is None]
        recalled = candidate.recalled
        rename = StandIns([*people, *recalled.names], part, candidate.line)
        turns = [
            Turn(rename(turn.speaker), rename(turn.text), turn.npc, rename.facts(turn.at_hand))
            for turn in candidate.turns
        ]
        fitting = replace(
            part, style=tuple(e for e in part.style if not _same(e.line, candidate.completion)), when=candidate.when,
            remembered=rename.facts((*recalled.facts, *_confided(candidate, part))),
            memory=tuple(map(rename, recalled.summaries)),
        )  # fmt: skip
        scene = replace(candidate.scene, familiarity=rename(candidate.scene.familiarity or recalled.familiarity))
        prompt = build_prompt(fitting, turns, scene=scene, template=self.template, budget=self.budget,
                              at_hand=candidate.at_hand)  # fmt: skip
        rejected = rename(candidate.rejected)
        return Row(
            candidate.kind, prompt.text, self.completion(prompt.messages, rename(candidate.completion)),
            candidate.source, candidate.signal, candidate.conversation,
            self.completion(prompt.messages, rejected) if rejected else "",
            candidate.label, candidate.weight, candidate.line, candidate.people, turns[-1].text if turns else "",
        )  # fmt: skip

    def prompt(self, turns: Sequence[Turn], part: Part) -> str:
        """What serving would read after these turns, outside any scene."""
        return build_prompt(part, turns, scene=Scene(), template=self.template, budget=self.budget).text

    def completion(self, messages: Sequence[Message], reply: str) -> str:
        """What a model must write for a reply: the reply and the end of its turn, as the template has it.

        Raises:
            ValueError: the template rewrites earlier text when a reply follows; such a base cannot be
                trained on its own prompts.
        """
        said = Message("assistant", clean(reply, self.template.special_tokens))
        before = self.template.render(messages)
        whole = self.template.render([*messages, said], add_generation_prompt=False)
        if not whole.startswith(before):
            raise ValueError("this model's chat template changes the prompt once a reply follows; choose another base")
        text = whole[len(before) :]
        end = text.rfind(self.template.eos) if self.template.eos else -1
        return text[: end + len(self.template.eos)] if end >= 0 else text + self.template.eos


class StandIns:
    """Replaces the names of people by names of the world."""

    def __init__(self, people: Sequence[str], part: Part, seed: int) -> None:
        names = list(part.world.names if part.world and part.world.names else _STAND_INS)
        random.Random(seed).shuffle(names)
        real = [name for name in dict.fromkeys(people) if name and name.casefold() not in _NOBODYS]
        self._given = dict(zip(real, names, strict=False))
        words = sorted((re.escape(name) for name in self._given), key=len, reverse=True)
        self._pattern = re.compile(rf"\b(?:{'|'.join(words)})\b") if words else None

    def __call__(self, text: str) -> str:
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._given[found.group()], text)

    def facts(self, facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """Facts from play, which quote people; those of sheet and world know nobody real."""
        return tuple(
            replace(fact, text=self(fact.text)) if fact.source in {"memory", "lore"} else fact for fact in facts
        )


def _confided(candidate: Candidate, part: Part) -> list[Fact]:
    """The NPC's own secrets that a line tells and its prompt did not hold."""
    held = {fact.key for fact in candidate.recalled.facts}
    return [
        Fact(key_of(secret), secret.text, "secret") for secret in part.sheet.secrets
        if key_of(secret) not in held and tells(candidate.completion, secret.text)
    ]  # fmt: skip


def _same(one: str, other: str) -> bool:
    return one.casefold().strip() == other.casefold().strip()
