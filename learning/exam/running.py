"""Puts an exam to an engine exactly as the table would, and keeps the replies.

Every prompt comes from the one prompt builder, with facts at hand, scene and stops as in play.
Replies are kept under everything they depend on, so that an incumbent is not asked twice; verdicts
are made anew each time.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from characters.chat_template import ChatTemplate
from characters.conditions import key_of
from characters.confiding import confided
from characters.finding import find_among
from characters.inference.engine import GREEDY, Engine, Finish, Request, Sampling
from characters.knowledge import index_of
from characters.messages import Fact, Scene, Turn
from characters.prompt import Budget, Part, Prompt, build_prompt, look_up
from characters.remembering import FEW, IN_SIGHT, choose, note_heard
from characters.sheet import Secret
from learning.exam.errors import ExamImpossible
from learning.exam.matching import Mark, mark
from learning.exam.values import Item, items_hash

PLAYER = "Ana"
_KEPT_EVERY = 20  # replies; what a broken exam may lose


@dataclass(frozen=True)
class Reply:
    """What an NPC said to one item; `reason` is the engine's own, times in milliseconds."""

    item: str
    text: str
    reason: str
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    tokens: int = 0


@dataclass(frozen=True)
class Result:
    """One exam that was held.

    Attributes:
        base: id of the base model.
        adapter: id of the adapter that spoke, None for the bare base.
        sheet: the sheet's version.
        exam: hash of the items.
        prompts: hash of every prompt, its sampling included: what was asked to the letter.
        replies: one for every item, in the exam's order.
    """

    npc: str
    base: str
    adapter: str | None
    sheet: str
    exam: str
    prompts: str
    replies: tuple[Reply, ...]

    def marks(self, items: Sequence[Item], names: Sequence[str] = ()) -> list[Mark]:
        """Judge every reply by the matcher as it stands now.

        Args:
            names: what the NPC is called, so that a line of its own script is seen.

        Raises:
            ExamImpossible: the items are not those that were asked.
        """
        said = {reply.item: reply for reply in self.replies}
        if missing := [item for item in items if item.id not in said]:
            raise ExamImpossible(
                f"{len(missing)} of {len(items)} questions were not put to {self.npc}; hold the exam again."
            )
        earlier: dict[str, list[str]] = {}
        found = []
        for item in items:
            reply = said[item.id]
            before = earlier.setdefault(item.scene, []) if item.scene else []
            found.append(mark(item, reply.text, finished=reply.reason == "stop", names=(PLAYER, *names),
                              earlier=tuple(before)))  # fmt: skip
            before.append(reply.text)
        return found


async def sit(  # noqa: PLR0913  (everything an exam depends on, by name)
    engine: Engine, part: Part, items: Sequence[Item], *, adapter: str | None, budget: Budget,
    template: ChatTemplate | None, sampling: Sampling = GREEDY, folder: Path | None = None,
    said: Callable[[int], None] = lambda _: None,
) -> Result:  # fmt: skip
    """Hold an exam, go on with one that was broken off, or read it where the same was held before.

    Args:
        adapter: id of an adapter that the engine has loaded; None for the bare base.
        budget: the serving budget of the engine.
        template: the engine's own chat template; None where the server renders.
        folder: where replies are kept; None keeps nothing.
        said: told after every reply how many there are.

    Raises:
        EngineError: the engine cannot speak.
    """
    chosen = replace(sampling, max_tokens=budget.reply)
    asked = [prompt_of(part, item, budget, template) for item in items]
    base = (await engine.capabilities()).base_id
    empty = Result(part.slug, base, adapter, part.sheet.version, items_hash(tuple(items)), _hash(asked, chosen), ())
    file = folder / f"{_name(empty)}.json" if folder else None
    if file and (known := read_result(file)) and replace(known, replies=()) == empty:
        return known
    replies = _begun(file, empty)
    for item, prompt in list(zip(items, asked, strict=True))[len(replies) :]:
        before = [(one.question, reply.text) for one, reply in zip(items, replies, strict=False)
                  if item.scene and one.scene == item.scene]  # fmt: skip
        read = prompt_of(part, replace(item, before=tuple(before)), budget, template) if before else prompt
        replies.append(_reply(item, await _speak(engine, read, chosen, f"exam/{part.slug}", adapter)))
        said(len(replies))
        if file and len(replies) % _KEPT_EVERY == 0:
            await asyncio.to_thread(_write, _half(file), replace(empty, replies=tuple(replies)))
    result = replace(empty, replies=tuple(replies))
    if file:
        await asyncio.to_thread(_write, file, result)
        _half(file).unlink(missing_ok=True)
    return result


def _half(file: Path) -> Path:
    return file.with_suffix(".half")


def _begun(file: Path | None, empty: Result) -> list[Reply]:
    """The replies of the same exam where it was broken off."""
    known = read_result(_half(file)) if file else None
    return list(known.replies) if known and replace(known, replies=()) == empty else []


def prompt_of(part: Part, item: Item, budget: Budget, template: ChatTemplate | None) -> Prompt:
    """What the NPC reads before it answers an item: what it would read at a table."""
    if item.opened:
        key = key_of(Secret(text=item.opened))
        part = replace(part, remembered=(*part.remembered, *confided({key: item.opened}, {key}, item.question)))
    turns: list[Turn] = []
    for question, answer in item.before:
        turns.append(Turn(PLAYER, question))
        turns.append(Turn(part.sheet.name, answer, part.slug, look_up(part, turns)))
    part = replace(part, remembered=(*part.remembered, *_recalled(part, item, turns)))
    turns.append(Turn(PLAYER, item.question))
    return build_prompt(part, turns, scene=Scene(present=(PLAYER,)), template=template, budget=budget)


def _recalled(part: Part, item: Item, turns: Sequence[Turn]) -> tuple[Fact, ...]:
    """What players said earlier in the scene and the question is about; a table keeps that, too."""
    heard = [note_heard(turn.speaker, turn.text) for turn in turns[:-IN_SIGHT] if turn.npc is None]
    found = find_among([noted.text for noted in heard if noted], item.question)
    beside = index_of(part.sheet, part.world, part.slug, part.when).search(item.question, turns) if found else ()
    return choose(found, beside, FEW)


def _reply(item: Item, done: Finish) -> Reply:
    times = done.timings
    return Reply(item.id, done.text.strip(), done.reason, times.ttft_ms, times.total_ms, times.tokens)


async def _speak(engine: Engine, prompt: Prompt, sampling: Sampling, key: str, adapter: str | None) -> Finish:
    request = Request(prompt.text, prompt.messages, prompt.stop, sampling, key, adapter)
    async with contextlib.aclosing(engine.generate(request)) as events:
        async for event in events:
            if isinstance(event, Finish):
                return event
    raise AssertionError("a stream ends with Finish")


def _hash(asked: Sequence[Prompt], sampling: Sampling) -> str:
    text = "\0".join([json.dumps(asdict(sampling), sort_keys=True), *(prompt.hash for prompt in asked)])
    return "prompts-" + hashlib.sha256(text.encode()).hexdigest()[:12]


def _name(result: Result) -> str:
    """A file name that stands for everything the replies depend on."""
    parts = [result.npc, result.base, result.adapter or "", result.sheet, result.exam, result.prompts]
    return f"{result.npc}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


def read_result(file: Path) -> Result | None:
    """Read an exam that was kept; None when there is none, or it is no longer readable."""
    try:
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return Result(**{**content, "replies": tuple(Reply(**reply) for reply in content["replies"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(file: Path, result: Result) -> None:
    """Keep an exam whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".part")
    half.write_text(json.dumps(asdict(result), ensure_ascii=False, indent=1), "utf-8")
    half.replace(file)
