"""How an NPC comes to say a line: prompt, engine, record.

The take is in the database before its first word is shown, and its text before the line is
called done; a killed process leaves an open take that the next start finds.
"""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar

from bot.table.events import Again, Event, Heard, Line, Piece
from bot.table.recalling import Recalling
from bot.table.recollecting import Recollection, recollect
from bot.table.state import State
from bot.table.voices import Voice, Voices
from bot.table.watching import Begun, Changed, Seen
from characters.errors import SheetError, UnderstudyError
from characters.inference.engine import Capabilities, Delta, Finish, Request, Restart
from characters.messages import StyleExample, Turn
from characters.prompt import Budget, Part, Prompt, build_prompt
from db.queries import lines, reactions
from db.values import StoredTurn, TakeMade

T = TypeVar("T")
_SMALL_SYSTEM = 700


class Speaking:
    """Makes lines; one at a time, and `hush` cuts the one that runs."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.voices = Voices(state)
        self.recalling = Recalling(state)
        self._hushed = asyncio.Event()
        self._turn_taking = asyncio.Lock()
        self._reading: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[Any]] = set()

    async def finished(self) -> None:
        """Wait until the line that is being spoken has ended."""
        async with self._turn_taking:
            pass

    def hush(self) -> None:
        """Cut the running line."""
        self._hushed.set()

    async def answer(
        self, npc: str, said: StoredTurn, line_id: int | None = None, voice: Voice | None = None
    ) -> AsyncGenerator[Event, None]:
        """Let an NPC answer a turn; with `line_id` as another take of that line, with `voice` in another voice."""
        async with self._turn_taking:
            self._hushed.clear()  # a hush while nobody spoke cuts no later line; from here on it cuts this one
            async with contextlib.aclosing(self._answer(npc, said, line_id, voice)) as events:
                async for event in events:
                    yield event

    async def _answer(
        self, npc: str, said: StoredTurn, line_id: int | None, voice: Voice | None
    ) -> AsyncGenerator[Event, None]:
        state = self.state
        capabilities = await state.engine.capabilities()
        loosened = frozenset(state.loosened.get(npc, ()))
        prompt, part, recalled = await self.prompt(npc, before=line_id, answers=said.id)
        steered = _Steered(npc, part.direction, loosened)
        chosen = voice or Voice(await self.voices.of(npc) if capabilities.adapters else None)
        adapter = chosen.adapter
        sampling = dataclasses.replace(state.sampling, seed=state.rng.getrandbits(31))
        made = TakeMade(
            prompt_hash=prompt.hash, template_hash=capabilities.template.hash if capabilities.template else "",
            sheet_version=state.library.get(npc).version, base_id=capabilities.base_id, adapter=adapter,
            sampling=dataclasses.asdict(sampling), at_hand=prompt.at_hand, frame=recalled.frame,
        )  # fmt: skip
        name = part.sheet.name
        async with state.writing, state.store.session() as session:
            now = state.clock()
            if line_id is None:
                slot = StoredTurn(0, name, "", npc, "npc", said.id)
                line_id = await lines.add_turn(session, state.scene_id, slot, now)
            take_id = await lines.add_take(session, line_id, made, now)
            await self.recalling.keep(session, npc, recalled.timers)
        request = Request(prompt.text, prompt.messages, prompt.stop, sampling, f"{state.scene_id}/{npc}", adapter)
        watched = voice is None  # what is heard to compare two voices is not part of the evening
        if watched:
            state.watchers.tell(Begun(line_id, npc, name))
        last: Seen | None = None
        try:
            async with contextlib.aclosing(self._spoken(request, steered, name, line_id, take_id)) as events:
                async for event in events:
                    if watched and not isinstance(event, Heard):
                        state.watchers.tell(event)
                        last = event
                    yield event
        finally:
            if watched and not isinstance(last, Line):  # it broke off
                state.watchers.tell(Changed(line_id))

    async def _spoken(
        self, request: Request, steered: "_Steered", name: str, line_id: int, take_id: int
    ) -> AsyncGenerator[Event, None]:
        """Stream one take, and store it however it ends."""
        npc = steered.npc
        shown, text, state, timings = _Shown(), "", "failed", dict[str, Any]()
        try:
            async with contextlib.aclosing(_cuttable(self.state.engine.generate(request), self._hushed)) as stream:
                async for event in stream:
                    if isinstance(event, Delta):
                        piece = shown.more(event.text)
                    elif isinstance(event, Restart):
                        shown, piece = _Shown(), ""
                        yield Again(npc)
                    else:
                        piece, state, timings = shown.rest(event.text), "complete", dataclasses.asdict(event.timings)
                    text = shown.text
                    if piece:
                        yield Piece(npc, name, piece, line_id)
            if state == "failed":
                state = "cut"
        finally:
            if _stands(state, text):
                self._used_up(steered)
            number = await asyncio.shield(self._store(line_id, take_id, text, state, timings))
        yield Line(line_id, npc, name, text, number, request.adapter, timings, cut=state == "cut")

    async def _store(self, line_id: int, take_id: int, text: str, state: str, timings: dict[str, Any]) -> int:
        async with self.state.store.session() as session:
            number = await lines.finish_take(session, take_id, text, state, timings)
            if _stands(state, text):
                await lines.keep_take(session, line_id, take_id)
        return number

    def _used_up(self, steered: "_Steered") -> None:
        """Let go of what was meant for the line that stands now; what the GM asked for meanwhile is for the next."""
        directions, loosened = self.state.directions, self.state.loosened
        if directions.get(steered.npc) == steered.direction:
            directions.pop(steered.npc, None)
        loosened[steered.npc] = loosened.get(steered.npc, set()) - steered.loosened

    async def part(self, npc: str) -> Part:
        """The NPC as it stands now: its sheet's file, and what the table taught it."""
        async with self.state.store.session() as session:
            return self._part(npc, await reactions.style_examples(session, self.state.campaign, npc))

    def _part(self, npc: str, style: tuple[StyleExample, ...]) -> Part:
        state = self.state
        sheet = state.library.get(npc)
        if state.limits:
            sheet = sheet.model_copy(update={"boundaries": (*sheet.boundaries, *state.limits.boundaries())})
        world, direction = state.library.world(sheet.world), state.directions.get(npc, "")
        return Part(npc, sheet, world, style, direction=direction, when=state.story)

    def _names(self, npc: str) -> tuple[str, ...]:
        """What an NPC's line would begin with, if another one spoke it."""
        try:
            sheet = self.state.library.get(npc)
        except SheetError:
            return ()  # told of when it speaks itself
        return sheet.name, sheet.first_name

    async def prompt(
        self, npc: str, before: int | None = None, also: tuple[Turn, ...] = (), answers: int | None = None
    ) -> tuple[Prompt, Part, Recollection]:
        """Build what the NPC would read now, of nothing but what it knows, witnessed or was told.

        Args:
            before: leave out this turn and all after it (another take of a line).
            also: turns that are not said yet (reading ahead, trying out).
            answers: the turn that is answered; what people said after it waits for an answer of its own.
        """
        state = self.state
        capabilities = await state.engine.capabilities()
        small = capabilities.context_budget is not None
        async with state.store.session() as session:
            style = await reactions.style_examples(session, state.campaign, npc)
            heard = await self._heard(session, npc, before, answers)
            part = self._part(npc, style)
            recalled = await recollect(session, state, part, heard, also, small=small, before=before,
                                       embedding=capabilities.embedding)  # fmt: skip
        budget = self._budget(capabilities)
        lore, timers = await self.recalling.facts(part, recalled.turns, budget)
        recalled = dataclasses.replace(recalled, timers=timers)
        memory = tuple(fact.text for fact in recalled.summaries)
        part = dataclasses.replace(part, remembered=(*recalled.facts, *lore), memory=memory)
        here = [name for slug in state.present for name in self._names(slug)]
        scene = dataclasses.replace(state.scene, present=(*state.people.values(), *here))
        if recalled.familiarity:
            scene = dataclasses.replace(scene, familiarity=recalled.familiarity)
        prompt = build_prompt(part, recalled.turns, scene=scene, template=capabilities.template, budget=budget)
        return prompt, part, recalled

    async def _heard(self, session: Any, npc: str, before: int | None, answers: int | None) -> list[StoredTurn]:
        """What the NPC witnessed of the scene, and the turn it answers."""
        heard = await lines.transcript(session, self.state.scene_id, before, witness=npc)
        heard = [turn for turn in heard if lines.read_for(turn, answers)]
        if answers is None or any(turn.id == answers for turn in heard):
            return heard
        asked = await lines.standing(session, answers, witness=npc)  # it waited while a new scene began
        return [*heard, asked] if asked else heard

    def _budget(self, capabilities: Capabilities) -> Budget:
        system = self.state.system_budget or capabilities.system_budget or _SMALL_SYSTEM
        context = min(capabilities.context, capabilities.context_budget or capabilities.context)
        return Budget(context=context, reply=self.state.sampling.max_tokens, system=system)

    def begin_reading(self, npc: str) -> None:
        """Let the engine read an NPC's sheet while the table is still talking."""
        self.beside(self._read_ahead(npc))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something nobody waits for; closing the table ends it."""
        task = asyncio.create_task(work)
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_ahead(self, npc: str) -> None:
        """Evaluate an NPC's prompt so far; what fails here fails again, and is told, when it speaks."""
        with contextlib.suppress(UnderstudyError):
            await self.state.engine.read_ahead(await self.whole(self._to_read(npc)))

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something that is not broken off with whoever waits for it; closing the table lets it end."""
        asking = asyncio.create_task(work)
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return await asyncio.shield(asking)

    async def _to_read(self, npc: str) -> Request:
        prompt, _, _ = await self.prompt(npc)
        served = (await self.state.engine.capabilities()).adapters
        adapter = await self.voices.of(npc, speaks=False) if served else None
        return Request(prompt.text, prompt.messages, cache_key=f"{self.state.scene_id}/{npc}", adapter=adapter)

    async def close(self) -> None:
        """Stop reading ahead; what the database was asked is waited for, so that nothing of it is broken off."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        await asyncio.gather(*self._asking, return_exceptions=True)


@dataclasses.dataclass(frozen=True)
class _Steered:
    """What the GM wanted of a line, as its prompt had it; a line that fails leaves it to the next try."""

    npc: str
    direction: str
    loosened: frozenset[str]


def _stands(state: str, text: str) -> bool:
    """Whether the table keeps a take that ended so."""
    return state == "complete" or (state == "cut" and bool(text))


class _Shown:
    """What the table has heard of a line: its pieces join to the line, without white space at the ends."""

    def __init__(self) -> None:
        self.text = ""
        self._space = ""

    def more(self, text: str) -> str:
        """Take what the engine said; return what to show of it now."""
        text = self._space + text if self.text else text.lstrip()
        piece = text.rstrip()
        self._space = text[len(piece) :]
        self.text += piece
        return piece

    def rest(self, whole: str) -> str:
        """Take the engine's whole line, shorter where it ended in a loop; return what was not shown yet."""
        whole = whole.strip()
        more = len(whole) >= len(self.text) or not self.text.startswith(whole.rstrip("."))
        piece = whole.removeprefix(self.text) if more else ""
        self.text = whole
        return piece


async def _cuttable(
    stream: AsyncGenerator[Delta | Restart | Finish, None], hushed: asyncio.Event
) -> AsyncGenerator[Delta | Restart | Finish, None]:
    """Pass events on until the stream ends or somebody hushes."""
    waiting = asyncio.create_task(hushed.wait())
    step: asyncio.Future[Delta | Restart | Finish] | None = None
    try:
        while not hushed.is_set():
            step = asyncio.ensure_future(anext(stream))
            await asyncio.wait({step, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done() and not step.done():
                return
            try:
                yield step.result()
            except StopAsyncIteration:
                return
    finally:
        waiting.cancel()
        if step is not None and not step.done():  # hushed, or the listener was cancelled
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)
        await stream.aclose()
