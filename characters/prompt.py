"""The only prompt builder: everything a model reads is made here, for serving and for training.

    system      who the NPC is: sheet, world, curated examples, memory, scene, rule
    user        what others said, `Name: text` a line, then what is at hand in square brackets
                (lorebooks may want theirs in the system text, or so many messages before the end)
    assistant   what the NPC said

What is at hand (facts, earlier lines in the NPC's style, a direction) stands right before the
reply it is for, and stays there in later prompts: a transcript only ever grows at its end, so the
engine re-reads nothing.

Text by people can forge none of this: it is one line without square brackets, control characters
or template tokens, and names are cleaned the same way.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from characters.chat_template import ChatTemplate
from characters.cues import cues
from characters.intents import intents
from characters.knowing import When, known_sheet, known_world
from characters.knowledge import MAX_FACTS, index_of
from characters.leaning import wants
from characters.messages import Fact, Message, Scene, StyleExample, Turn
from characters.orders import takes
from characters.sheet import Sheet
from characters.system_text import system_text
from characters.words import terms
from characters.world import World

_PARTS = re.compile(r"(?<=[.!?;,])\s+")
_AT_HAND = re.compile(r'\[(?:You know: |You once said: ")(.*?)"?\]')
OPENING = "[The scene begins.]"
_TURN_STEP = 8
_ENDS = (".", "!", "?", '"', "”", "*", ")")  # what may stand before somebody else begins to speak
_MAX_STYLE = 1
_NEAR = 0.4
_NO_QUESTION = frozenset({"date", "opinion", "who", "value"})  # cues that a remark may hold by chance
_SMALL_TALK = frozenset({"greeting", "farewell", "thanks", "wellbeing", "insult", "threat", "compliment"})


def estimate_tokens(text: str) -> int:
    """A cautious guess where no tokenizer is at hand: three characters a token."""
    return len(text) // 3 + 1


@dataclass(frozen=True)
class Budget:
    """How many tokens a prompt may take.

    Attributes:
        context: what the model can hold, prompt and reply together.
        reply: kept free for the reply.
        system: at most this much for the system text.
        count: counts the tokens of a text; a cautious estimate unless given.
    """

    context: int = 2048
    reply: int = 120
    system: int = 700
    count: Callable[[str], int] = field(default=estimate_tokens, compare=False)


@dataclass(frozen=True)
class Part:
    """The one who is to speak, and all that it knows.

    Attributes:
        memory: what it remembers of earlier scenes, for the system text.
        remembered: what it was told or saw, and secrets that are open, as far as they bear on this reply.
        when: how far the story has come; facts that are known since later are in no prompt.
    """

    slug: str
    sheet: Sheet
    world: World | None = None
    style: tuple[StyleExample, ...] = ()
    memory: tuple[str, ...] = ()
    direction: str = ""
    remembered: tuple[Fact, ...] = ()
    when: When = When()

    def as_known(self) -> "Part":
        """The same with the sheet and the world as far as it knows them; the prompt is made of nothing else."""
        world = self.world
        sheet = known_sheet(self.sheet, self.slug, self.when, world.calendar if world else None)
        return replace(self, sheet=sheet, world=known_world(world, self.sheet, self.slug, self.when) if world else None)


@dataclass(frozen=True)
class Prompt:
    """A prompt, ready for an engine or for a training row.

    Attributes:
        text: what the model reads, rendered by its own template; "" without a template.
        stop: strings that would begin somebody else's line.
        at_hand: what stands right before the reply; store it with the line.
        dropped: how many old turns did not fit.
    """

    messages: tuple[Message, ...]
    text: str
    stop: tuple[str, ...]
    at_hand: tuple[Fact, ...]
    dropped: int = 0

    @property
    def hash(self) -> str:
        """Identifies exactly what the model read."""
        body = self.text or "\0".join(f"{m.role}\0{m.content}" for m in self.messages)
        return "prompt-" + hashlib.sha256(body.encode()).hexdigest()[:16]


def clean(text: str, special_tokens: Sequence[str] = ()) -> str:
    """Make a person's text harmless: one line, no brackets of ours, no template token."""
    # Python calls exactly the characters of these categories unprintable, the plain space apart.
    visible = text if text.isprintable() else "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    visible = visible.replace("[", "(").replace("]", ")")
    visible = visible.replace("<|", "<").replace("|>", ">")
    tokens = _any_of(tuple(special_tokens))
    while tokens.search(visible):  # what is left around one may be another
        visible = tokens.sub(" ", visible)
    return " ".join(visible.split())


@lru_cache(maxsize=16)
def _any_of(tokens: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(token) for token in tokens if token.strip()) or "(?!)")


def clean_name(name: str, special_tokens: Sequence[str] = ()) -> str:
    """Make a name harmless: no colon, at most forty characters, never empty."""
    return clean(name.replace(":", " "), special_tokens)[:40].strip() or "Somebody"


def build_prompt(
    part: Part,
    turns: Sequence[Turn],
    *,
    scene: Scene = Scene(),
    template: ChatTemplate | None = None,
    budget: Budget = Budget(),
    at_hand: tuple[Fact, ...] | None = None,
) -> Prompt:
    """Build what a model reads before an NPC's next line.

    Too much is dropped in this order: the least important parts of the system text (its budget is
    its own; see `system_text`), then the oldest turns, eight at a time so that the cache of a long
    conversation is re-read seldom. Who the NPC is, the rule, the last turn and what is at hand
    always stay.

    Args:
        part: the NPC that is to speak.
        turns: the transcript, oldest first; the last one is answered.
        at_hand: what to put right before the reply; looked up when None.
    """
    part = part.as_known()
    special = template.special_tokens if template else ()
    if at_hand is None:
        at_hand = look_up(part, turns)
    before, after = _lore_lines(at_hand, "before", special), _lore_lines(at_hand, "after", special)
    room = budget.system - sum(budget.count(line) + 1 for line in (*before, *after))
    own = system_text(part.sheet, part.world, scene, part.memory, room, budget.count)
    system = Message("system", "\n".join([*before, clean_block(own, special), *after]))
    start = _first_turn(turns, system, at_hand, budget)
    messages = (system, *_dialogue(part.slug, turns[start:], at_hand, special))
    return Prompt(
        messages=messages,
        text=template.render(messages) if template else "",
        stop=_stops(part, turns, scene, special),
        at_hand=at_hand,
        dropped=start,
    )


def look_up(part: Part, turns: Sequence[Turn]) -> tuple[Fact, ...]:
    """Find what should be at hand for the reply: facts, own earlier lines, a direction."""
    question = " ".join(_unanswered(part.slug, turns))
    facts = index_of(part.sheet, part.world, part.slug, part.when).search(question, turns)
    used = {fact.key for turn in turns for fact in turn.at_hand if fact.source == "style"}
    examples = [*_curated(part.sheet), *part.style]
    fresh = [e for e in examples if f"style.{e.key}" not in used]
    style = _relevant_style(fresh, question)
    if style and intents(question) & _SMALL_TALK:
        if not (set(cues(question)) - _NO_QUESTION or _more_than_talk(question)):
            facts = ()  # a greeting or a thank-you calls for the NPC's own line and for nothing else
        elif facts:
            style = _relevant_style(fresh, question, by_intent=False)  # "Hello, what's the ale?" is no greeting
    found = [*facts[:MAX_FACTS], *part.remembered, *style]
    if part.direction:
        found.append(Fact("direction", part.direction, "direction"))
    return tuple(found)


def _more_than_talk(question: str) -> bool:
    """Whether small talk goes on to an order or a question: "Good evening, two ales please!"."""
    if "threat" in intents(question):
        return False
    rest = [part for part in _PARTS.split(question) if not intents(part) & _SMALL_TALK]
    return takes(question) or any(wants(part) for part in rest)


def clean_block(text: str, special_tokens: Sequence[str]) -> str:
    """Clean the lines of an author's text one by one, keeping the lines."""
    return "\n".join(clean(line, special_tokens) for line in text.splitlines())


def _unanswered(slug: str, turns: Sequence[Turn]) -> list[str]:
    """What others said since the last line of the NPC, or of another that answered it, oldest first."""
    texts: list[str] = []
    for turn in reversed(turns):
        if turn.npc == slug or (turn.npc and texts):
            break
        texts.append(turn.text)
    return texts[:3][::-1]


def _curated(sheet: Sheet) -> list[StyleExample]:
    """The sheet's own examples; learnt lines come after them and so win a tie."""
    own = [
        StyleExample(example.context, example.line, f"sheet {index}")
        for index, example in enumerate(sheet.speech.examples)
    ]
    if sheet.greeting and not sheet.greeting.startswith("*"):  # *what is told of it* is no line of its own
        own.append(StyleExample("a greeting", sheet.greeting, "greeting"))
    return own


def _relevant_style(style: Sequence[StyleExample], question: str, *, by_intent: bool = True) -> list[Fact]:
    """The lines whose occasion is nearest to this one: the same words, or the same intent."""
    asked, meant = set(terms(question)), intents(question)
    ranked: list[tuple[float, int, StyleExample]] = []
    for age, example in enumerate(reversed(style)):
        words = set(terms(example.asked))
        near = len(asked & words) / max(1, len(asked | words))
        if by_intent and meant & intents(example.asked):
            near = max(near, 0.5)
        if example.asked.casefold().strip() == question.casefold().strip():
            near = 1.0
        if near >= _NEAR:
            ranked.append((-near, age, example))
    chosen = sorted(ranked, key=lambda entry: entry[:2])[:_MAX_STYLE]
    return [Fact(f"style.{e.key or e.asked}", e.line, "style") for _, _, e in chosen]


def _lore_lines(facts: Sequence[Fact], place: str, special_tokens: Sequence[str]) -> list[str]:
    """Lore that stands in the system text, a line each."""
    return [clean(fact.text, special_tokens) for fact in facts if fact.place == place]


def at_hand_lines(facts: Sequence[Fact], special_tokens: Sequence[str] = ()) -> list[str]:
    """Write what is at hand, a bracketed line each: the one syntax for it. What stands elsewhere is left out."""
    forms = {"style": '[You once said: "{}"]', "direction": "[Direction: {}]"}
    return [
        forms.get(fact.source, "[You know: {}]").format(_ended(clean(fact.text, special_tokens), fact.source))
        for fact in facts
        if fact.place == "hand"
    ]


def _ended(text: str, source: str) -> str:
    """A fact with an end of its own, or a small model copies the bracket; own lines and directions stay."""
    return f"{text}." if text[-1:].isalnum() and source not in {"style", "direction"} else text


def said_at_hand(prompt: str) -> list[str]:
    """The facts and earlier lines that stand right before the reply in a prompt's text.

    Whatever people write has no square brackets (`clean`), so that none of it can pass for these.
    """
    found: list[str] = []
    end = -1
    for match in _AT_HAND.finditer(prompt):
        found = [*found, match[1]] if match.start() <= end + 1 else [match[1]]
        end = match.end()
    return found


def _deep_lore(facts: Sequence[Fact], count: int, special: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
    """Lore that stands within the transcript: before which turn, as whose words, and what."""
    found: dict[int, list[tuple[str, str]]] = {}
    for fact in facts:
        if fact.place == "depth":
            place = max(0, count - fact.depth)
            found.setdefault(place, []).append((fact.role, clean(fact.text, special)))
    return found


class _Transcript:
    """Messages as they grow: what one role says in a row is one message."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def say(self, role: str, *lines: str) -> None:
        """Add lines."""
        text = "\n".join(lines)
        if self.messages and self.messages[-1].role == role:
            text = f"{self.messages.pop().content}\n{text}"
        self.messages.append(Message("user" if role == "user" else "assistant", text))

    def recall(self, lore: Sequence[tuple[str, str]]) -> None:
        """Add lore that stands here; as the NPC's own words only where somebody spoke before."""
        for role, line in lore:
            if role == "assistant" and self.messages:
                self.say(role, line)
            else:
                self.say("user", f"[{line}]" if role == "user" else f"[You know: {line}]")


def _dialogue(
    slug: str, turns: Sequence[Turn], at_hand: Sequence[Fact], special: Sequence[str]
) -> list[Message]:
    """Turns to alternating user and assistant messages, the first and the last by a user."""
    out, deep = _Transcript(), _deep_lore(at_hand, len(turns), special)
    if not turns or turns[0].npc == slug:
        out.say("user", OPENING)
    for place, turn in enumerate(turns):
        out.recall(deep.get(place, ()))
        text, near = clean(turn.text, special), at_hand_lines(turn.at_hand, special)
        if turn.npc == slug:
            if near:
                out.say("user", *near)
            out.say("assistant", text)
        else:
            out.say("user", f"{clean_name(turn.speaker, special)}: {text}")
    out.recall(deep.get(len(turns), ()))
    near = at_hand_lines(at_hand, special)
    if near or out.messages[-1].role == "assistant":
        out.say("user", *(near or ["[Go on.]"]))
    return out.messages


def _first_turn(
    turns: Sequence[Turn], system: Message, at_hand: Sequence[Fact], budget: Budget
) -> int:
    """The first turn that still fits, moved on by whole steps."""
    room = budget.context - budget.reply - budget.count(system.content) - 32
    room -= sum(budget.count(line) for line in at_hand_lines(at_hand))
    room -= sum(budget.count(fact.text) + 6 for fact in at_hand if fact.place == "depth")
    sizes = [
        budget.count(f"{turn.speaker}: {turn.text}")
        + sum(budget.count(line) for line in at_hand_lines(turn.at_hand)) + 4
        for turn in turns
    ]  # fmt: skip
    start, total = 0, sum(sizes)
    while total > room and start < len(turns) - 1:
        step = min(_TURN_STEP, len(turns) - 1 - start)
        total -= sum(sizes[start : start + step])
        start += step
    return start


def _stops(
    part: Part, turns: Sequence[Turn], scene: Scene, special: Sequence[str]
) -> tuple[str, ...]:
    """Strings that would begin another speaker's line, or a bracket of ours.

    A line may begin anew without a new line before it: "… aye. Ben: I'll have two." So a name and a
    colon end a reply wherever a sentence has ended, too.
    """
    names = [*(turn.speaker for turn in reversed(turns)), *scene.present]
    unique = dict.fromkeys(clean_name(name, special) for name in names)
    for own in (part.sheet.name, part.sheet.first_name):
        unique.pop(own, None)
    return ("\n[", *(f"\n{name}:" for name in unique), *(f"{end} {name}:" for name in unique for end in _ENDS))
