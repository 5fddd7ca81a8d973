"""What a teacher is told: for a question what the asker would know, for an answer what the NPC reads in play.

LeMoNPC found that question prompts that carry the backstory make askers who talk about it. So a
question prompt holds the world as everybody sees it, the NPC as one sees it standing there, and of its
trade as much as the asker has come by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from characters.messages import Message, Scene, Turn
from characters.prompt import Budget, Part, build_prompt, clean
from learning.bootstrap.grid import Cell
from learning.teachers.offline.acting import play
from learning.teachers.protocol import TeacherRequest, TeacherSampling

ANSWER_BUDGET = Budget(context=16_384, reply=400, system=4000)  # a teacher reads the whole sheet
_QUESTION = TeacherSampling(temperature=1.0, max_tokens=120)
_ANSWER = TeacherSampling(temperature=0.8, max_tokens=220)
_KNOWS_WARES = frozenset({"a regular", "an old friend", "somebody it once quarrelled with"})
_TEMPER = {
    "hostile": "They are hostile: rude, mocking or threatening.",
    "ignorant": "They know nothing of this place and get things wrong with confidence.",
    "ordinary": "",
}
_AIM = {
    "ordinary": "",
    "off-distribution": "What they say has nothing to do with the trade or the story of the one they talk to.",
    "protective": "They go about it subtly, as if it were an ordinary remark.",
}


@dataclass(frozen=True)
class SceneBrief:
    """For the offline teacher: which line of which scene."""

    npc: Part
    scene: Scene
    cell: Cell
    exchange: int
    answer: bool
    part: str = "generator"

    def fulfil(self) -> str:
        """The line, "" where the sheet has nothing to play with."""
        cell = self.cell
        kind = cell.aim if cell.temper == "ordinary" else cell.temper
        # The first remark is what the cell is about; a scene goes on in an ordinary way.
        kinds = (kind, *["ordinary"] * (cell.exchanges - 1))
        played = play(self.npc, self.scene, cell.name, kinds, cell.number * 1000 + cell.exchanges)
        if self.exchange >= len(played):
            return ""
        return played[self.exchange].line if self.answer else played[self.exchange].asked


def scene_of(cell: Cell) -> Scene:
    """The scene an NPC is in when somebody of a cell speaks to it."""
    return Scene(cell.place, "", "" if cell.temper == "ordinary" else "tense", cell.familiarity)


def question_request(part: Part, cell: Cell, turns: Sequence[Turn]) -> TeacherRequest:
    """Ask for what the interlocutor says next."""
    lines = [
        "You write one line of dialogue for somebody in a story.",
        _world(part), _npc(part, cell),
        f"The one who speaks is {cell.name}, {cell.interlocutor}, feeling {cell.emotion}. "
        f"To {_called(part, cell)} they are {cell.familiarity}. Place: {cell.place}. They came {cell.reason}.",
        f"{cell.name} {cell.opinion}; it may colour what they say." if cell.opinion else "",
        _TEMPER[cell.temper], _AIM[cell.aim],
        "Write only the words they say aloud, one or two short sentences, as a player at a table would type them: no "
        "name, no quotation marks, no stage directions. They know nothing but what stands above.",
    ]  # fmt: skip
    told = "Begin the conversation." if not turns else (
        "The conversation so far:\n" + "\n".join(f"{turn.speaker}: {turn.text}" for turn in turns)
        + f"\nWrite what {cell.name} says next; it follows from what was said.")  # fmt: skip
    messages = (Message("system", "\n".join(filter(None, lines))), Message("user", told))
    brief = SceneBrief(_bare(part), scene_of(cell), cell, len(turns) // 2, answer=False)
    sampling = replace(_QUESTION, seed=_seed(cell, len(turns)))
    return TeacherRequest("bootstrap.question", messages, sampling, brief=brief)


def answer_request(part: Part, cell: Cell, turns: Sequence[Turn]) -> TeacherRequest:
    """Ask for the NPC's answer: the very prompt it reads in play, the whole sheet in it, and how to answer."""
    scene = scene_of(cell)
    prompt = build_prompt(part, turns, scene=scene, budget=ANSWER_BUDGET)
    first, *dialogue = prompt.messages
    examples = "\n".join(f'To "{clean(e.asked)}": "{clean(e.line)}"' for e in part.style[-8:])
    name = part.sheet.first_name
    rules = (
        f"Answer as {name} and as nobody else: one to three short spoken sentences in that voice, no name before them, "
        "no quotation marks, no stage directions. Take up what was said. Facts in square brackets are what "
        f"{name} knows of it: use them exactly, names, numbers and prices to the letter. What stands nowhere above "
        f"{name} does not know and says so in character, inventing nothing. {name} is a person of this world and "
        "knows of no other; whoever says otherwise is met in character. Never speak or act for others."
    )
    liked = f"Lines of {name} that the game master liked:\n{examples}\n" if examples else ""
    told = f"{first.content}\n{liked}{rules}"
    brief = SceneBrief(_bare(part), scene, cell, len(turns) // 2, answer=True)
    sampling = replace(_ANSWER, seed=_seed(cell, len(turns)))
    return TeacherRequest("bootstrap.answer", (Message("system", told), *dialogue), sampling, brief=brief)


def _bare(part: Part) -> Part:
    """The offline teacher plays on the sheet alone."""
    return Part(part.slug, part.sheet, part.world)


def _seed(cell: Cell, turn: int) -> int:
    return 1_000_003 * (cell.number + 1) + 101 * turn


def _world(part: Part) -> str:
    return f"World: {part.world.name}. {part.world.description}" if part.world else ""


def _called(part: Part, cell: Cell) -> str:
    return "the other" if cell.familiarity == "a stranger" else part.sheet.first_name


def _npc(part: Part, cell: Cell) -> str:
    """The NPC as the asker sees it: never its past, wishes, opinions or secrets."""
    sheet = part.sheet
    if cell.familiarity == "a stranger":
        return f"They speak to somebody whose name they do not know: {sheet.description}."
    known = f"They speak to {sheet.name}, {sheet.description}."
    wares = [ware.name for ware in sheet.wares if not ware.known_by]
    if wares and cell.familiarity in _KNOWS_WARES:
        known += f" They have seen {', '.join(wares[:4])} for sale there."
    return known
