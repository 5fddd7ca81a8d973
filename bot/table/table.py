"""A table: the one door through which every face plays.

Terminal, studio and Discord call these methods and show the events; none of them knows prompts,
engines or tables of a database.
"""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.errors import TableError
from bot.table.addressing import called, who_is_drawn
from bot.table.associating import Associating
from bot.table.backstage import Backstage
from bot.table.confiding import Confiding
from bot.table.dice import roll, skill_of
from bot.table.events import Event, Heard, Line, Why
from bot.table.feedback import Correcting
from bot.table.observing import Observer
from bot.table.recollecting import close_scene
from bot.table.recounting import Recounting
from bot.table.speaking import Speaking
from bot.table.state import Hand, State
from bot.table.watching import Changed, Moved, Said
from characters.inference.engine import Engine, Sampling
from characters.library import Library
from characters.messages import Scene
from characters.sheet import Sheet
from db.queries import adapters, lines, nights, play, presence, reactions
from db.queries.reactions import Reaction, Taught
from db.store import Store
from db.values import Person, StoredTurn, TakeMade, storable

MAX_TEXT = 4000


@dataclass(frozen=True)
class Seat:
    """Who sits at the keyboard: the GM, unless playing `--as` somebody."""

    name: str = "You"
    key: str = "local:gm"
    role: str = "gm"


@dataclass(frozen=True)
class Asked:
    """Something that was said and stored, and who is to answer it, if anybody."""

    turn: StoredTurn
    npc: str | None


class Table:
    """An open table. Make one with `Table.open`.

    Attributes:
        on_night: told when a night is asked for; returns whether one begins by itself now.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        state.watchers.add(Observer(state.campaign, state.place).see)
        self.on_night: Callable[[], bool] = lambda: False
        self.speaking = Speaking(state)
        self.correcting = Correcting(state)
        self.backstage = Backstage(state, self.speaking)
        self.confiding = Confiding(state)
        self.recounting = Recounting(state, self.speaking)
        state.watchers.add(Associating(state, self.speaking).see)

    @classmethod
    async def open(  # noqa: PLR0913  (everything a table is made of, by name)
        cls, store: Store, engine: Engine, library: Library, *, campaign: str, seat: Seat,
        clock: Callable[[], datetime], rng: random.Random, sampling: Sampling, system_budget: int = 0,
        swap: Literal["scene", "line"] = "line", place: str = "", recover: bool = True,
    ) -> "Table":  # fmt: skip
        """Sit down: go on with the evening that was left open, or begin one.

        Args:
            place: where the table stands; a campaign may be played in several places at once.
            recover: no other table of this database is open in this program, so a take that has no
                end was interrupted.
        """
        async with store.session() as session:
            now = clock()
            campaign_id = await play.campaign_id(session, campaign, now)
            person = await play.person(session, campaign_id, seat.key, seat.name, seat.role)
            if recover:
                await lines.close_interrupted(session)
            left_open = await play.open_session(session, campaign_id, place)
            evening = left_open or await play.start_session(session, campaign_id, now, place)
            await nights.take_seat(session, evening, now)
            known = await play.last_scene(session, evening)
            scene_id, scene = known or (await play.start_scene(session, evening, Scene(), now), Scene())
            story = await play.story_so_far(session, campaign_id)
            await presence.enter(session, scene_id, person.key, "person", now)
            present = await presence.present(session, scene_id, "npc")
        known_slugs = set(library.slugs())
        present = [npc for npc in present if npc in known_slugs]
        return cls(State(
            store, engine, library, clock, rng, sampling, system_budget, campaign_id, person, evening,
            scene_id, scene, present, present[-1] if present else None, swap=swap, place=place,
            people={person.key: person.name}, story=story,
        ))  # fmt: skip

    async def sit(self, seat: Seat) -> Person:
        """Let one more person take part; name and role follow the latest."""
        state = self.state
        async with state.writing, state.store.session() as session:
            person = await play.person(session, state.campaign, seat.key, seat.name, seat.role)
            if state.people.get(person.key) != person.name:
                await presence.enter(session, state.scene_id, person.key, "person", state.clock())
        if state.people.get(person.key) != person.name:
            state.people[person.key] = person.name
            state.watchers.tell(Moved())
        return person

    # --- who is here -------------------------------------------------------------------------

    async def summon(self, name: str) -> Sheet:
        """Bring an NPC in and give it the word (to keep, if it is here already); its sheet is read ahead."""
        state = self.state
        slug = state.library.find(name)
        sheet = state.library.get(slug)
        state.library.world(sheet.world)
        async with state.store.session() as session:
            await presence.enter(session, state.scene_id, slug, "npc", state.clock())
        state.chosen = slug if slug in state.present else None
        if slug not in state.present:
            state.present.append(slug)
        state.speaker = slug
        self.speaking.begin_reading(slug)
        state.watchers.tell(Moved())
        return sheet

    async def dismiss(self, name: str | None = None) -> str:
        """Send an NPC away; the word goes to whoever came last."""
        slug = self._here(name)
        state = self.state
        async with state.store.session() as session:
            await presence.leave(session, state.scene_id, slug, state.clock())
        state.present.remove(slug)
        if state.speaker == slug:
            state.speaker, state.chosen = state.present[-1] if state.present else None, None
        state.watchers.tell(Moved())
        return slug

    def switch(self, name: str) -> str:
        """Give the word to an NPC that is here; it has it until another one is called by name or comes."""
        state = self.state
        state.speaker = state.chosen = self._here(name)
        state.watchers.tell(Moved())
        return state.speaker

    def _here(self, name: str | None) -> str:
        if name is None:
            return self.state.need_speaker()
        slug = self.state.find(name)
        if slug not in self.state.present:
            raise TableError(f"{slug} is not here; bring them in with `/npc summon {slug}`.")
        return slug

    def sheet(self, slug: str) -> Sheet:
        """An NPC's sheet."""
        return self.state.library.get(slug)

    # --- scene and evening -------------------------------------------------------------------

    async def set_scene(self, changes: dict[str, str]) -> Scene:
        """Begin a new scene that differs in the given fields; whoever is here stays."""
        state = self.state
        unknown = set(changes) - {"place", "reason", "mood", "familiarity", "date"}
        if unknown or not changes:
            raise TableError(
                "A scene has place, reason, mood, familiarity and date; set one, such as `/scene set place=cellar`."
            )
        fields: dict[str, Any] = {name: value[:200] for name, value in changes.items()}
        over = state.scene_id
        scene, people = dataclasses.replace(state.scene, **fields), list(state.people)
        async with state.store.session() as session:
            await close_scene(session, state)
            state.scene_id = await play.change_scene(
                session, state.evening, scene, people, state.present, state.clock()
            )
            state.story = await play.story_so_far(session, state.campaign)
        state.scene = scene
        self.recounting.write_summaries(over)
        state.watchers.tell(Moved())
        return scene

    async def stop_session(self, *, learn: bool = False, skip: bool = False) -> bool:
        """End the evening; the next thing said begins a new one.

        Args:
            learn: ask for a night now, without waiting for the hour.
            skip: what was said so far is no reason for a night.

        Returns:
            Whether a night begins by itself now.
        """
        state = self.state
        async with state.store.session() as session:
            now = state.clock()
            await close_scene(session, state)
            await play.stop_session(session, state.evening, now)
            if learn:
                await adapters.request_night(session, state.campaign, None, now)
            elif skip:
                await nights.skip_night(session, state.campaign, now)
            state.evening = await play.start_session(session, state.campaign, now, state.place)
            people = list(state.people)
            state.scene_id = await play.change_scene(session, state.evening, state.scene, people, state.present, now)
        state.watchers.tell(Moved())
        return learn and self.on_night()

    async def leave(self) -> None:
        """Get up without ending the evening; nights need not wait for whoever was here."""
        async with self.state.store.session() as session:
            await nights.leave_seat(session, self.state.evening, self.state.clock())

    async def recap(self, npc: str | None = None) -> str:
        """The evening so far, by a neutral chronicler or as an NPC tells it."""
        return await self.recounting.recap(npc)

    # --- speaking ----------------------------------------------------------------------------

    async def say(self, text: str, *, to: str | None = None, by: Hand | None = None) -> AsyncGenerator[Event, None]:
        """Say something; whoever is addressed answers. The words are stored before all else."""
        heard = await self.hear(text, to=to, by=by)
        yield Heard(heard.turn.id)
        if heard.npc is not None:
            async with contextlib.aclosing(self.speaking.answer(heard.npc, heard.turn)) as events:
                async for event in events:
                    yield event

    async def hear(
        self, text: str, *, to: str | None = None, by: Hand | None = None, answered: bool = True
    ) -> "Asked":
        """Store what somebody says, and find who is to answer.

        Args:
            to: the NPC that is spoken to.
            answered: False where nobody is to answer, whoever is named.
        """
        text = storable(text).strip()
        if not text:
            raise TableError("There is nothing to say in an empty line; write some words.")
        if len(text) > MAX_TEXT:
            raise TableError(f"That is {len(text)} characters, and one turn holds {MAX_TEXT}; say it in parts.")
        state, aside, hand = self.state, out_of_character(text), by or self.state.hand
        npc = None if aside or not answered else self._here(to) if to else self._addressed(text)
        said = StoredTurn(0, hand.person.name, text, None, hand.source)
        async with state.writing, state.store.session() as session:
            turn = await lines.add_turn(session, state.scene_id, said, state.clock(), participant=hand.person.id,
                                        out_of_character=aside)  # fmt: skip
            if not aside:
                await self.confiding.heard(session, turn, text)
        stored = dataclasses.replace(said, id=turn)
        state.watchers.tell(Said(stored, aside))
        return Asked(stored, npc)

    def _addressed(self, text: str) -> str:
        """Whoever is called by name, else whom the GM gave the word, else whom it concerns, else whoever spoke last."""
        state = self.state
        word, library = state.need_speaker(), state.library
        npc = called(text, state.present, library)
        if npc is None and state.chosen != word and len(state.present) > 1:
            npc = who_is_drawn(text, state.present, library, word, state.story)
        if npc is not None and npc != word:
            state.speaker, state.chosen = npc, None
            state.watchers.tell(Moved())
        return state.need_speaker()

    async def roll(self, dice: str, *, by: Hand | None = None) -> tuple[int, str]:
        """Roll before everybody; NPCs that are here know the result."""
        total, how = await asyncio.to_thread(roll, dice)  # the first one builds a grammar, and that takes a while
        rolled = await self.hear(f"rolls {dice}: {total}", by=by, answered=False)
        if skill := skill_of(dice):
            async with self.state.store.session() as session:
                await self.confiding.rolled(session, rolled.turn.id, skill, total)
        return total, how

    async def another_take(self, line_id: int | None = None, *, by: Hand | None = None) -> AsyncGenerator[Event, None]:
        """Hear a line said another way."""
        hand = by or self.state.hand
        state, line = self.state, await self.correcting.line(line_id, finished=False)
        if line.answers is None or line.npc is None:
            raise TableError(f"Line {line.id} answers nothing; only an answer has another take.")
        async with state.store.session() as session:
            here = await lines.transcript(session, state.scene_id, before=line.id)
            said = next((turn for turn in here if turn.id == line.answers), None)
            if said is None:
                raise TableError(f"Line {line.id} is of an earlier scene; only this scene's lines have another take.")
            reaction = Reaction(line.id, "regen", hand.person.id, None, said.text, line.text)
            await reactions.react(session, reaction, state.clock())
        async with contextlib.aclosing(self.speaking.answer(line.npc, said, line.id)) as events:
            async for event in events:
                yield event

    async def other_voice(self, line: StoredTurn) -> AsyncGenerator[Event, None]:
        """Hear a line of this scene in another voice, to compare; the table keeps what it heard."""
        state = self.state
        voice = await self.speaking.voices.other(line.npc or "")
        async with state.store.session() as session:
            said = await lines.turn(session, line.answers or 0)
        if said is None or line.npc is None or line.kept is None:
            raise TableError(f"Line {line.id} answers nothing that still stands; compare another one.")
        async with contextlib.aclosing(self.speaking.answer(line.npc, said, line.id, voice)) as events:
            async for event in events:
                yield event
        async with state.store.session() as session:
            await lines.keep_take(session, line.id, line.kept)

    async def speak_as(self, text: str, name: str | None = None, *, by: Hand | None = None) -> Line:
        """The GM speaks as the NPC; it counts as the best example there is."""
        state, hand = self.state, by or self.state.hand
        if not hand.gm:
            raise TableError("Only the GM speaks as an NPC; play without `--as`.")
        text = text.strip()
        if not text:
            raise TableError("Say what the NPC says: `/say TEXT`.")
        npc = self._here(name)
        sheet = self.sheet(npc)
        async with state.writing, state.store.session() as session:
            now = state.clock()
            before = await lines.transcript(session, state.scene_id)
            asked = before[-1] if before and before[-1].npc is None else None
            slot = StoredTurn(0, sheet.name, text, npc, "gm", asked.id if asked else None)
            line_id = await lines.add_turn(session, state.scene_id, slot, now, participant=hand.person.id)
            take = await lines.add_take(session, line_id, TakeMade(sheet_version=sheet.version), now,
                                        text=text, state="complete", origin="gm")  # fmt: skip
            await lines.keep_take(session, line_id, take)
            question = asked.text if asked else ""
            await reactions.react(session, Reaction(line_id, "gm_line", hand.person.id, take, question, text), now)
            if question:
                taught = Taught(state.campaign, npc, question, text, "gm_line", line_id)
                await reactions.teach(session, taught, now)
        state.watchers.tell(Changed(line_id))
        return Line(line_id, npc, sheet.name, text, 1, None)

    def hush(self) -> None:
        """Silence: the running line is cut."""
        self.speaking.hush()

    # --- looking back ------------------------------------------------------------------------

    async def react(
        self, emoji: str, line_id: int | None = None, *, remove: bool = False, by: Hand | None = None
    ) -> int:
        """👍, 👎 or ✖ on a line."""
        return await self.correcting.react(emoji, line_id, remove=remove, by=by)

    async def edit(
        self, text: str, line_id: int | None = None, asked: str | None = None, *, by: Hand | None = None
    ) -> Line:
        """Rewrite a line."""
        return await self.correcting.edit(text, line_id, asked, by=by)

    async def keep(self, number: int, line_id: int | None = None, *, by: Hand | None = None) -> Line:
        """Keep one take of a line."""
        return await self.correcting.keep(number, line_id, by=by)

    async def retcon(self, line_id: int | None = None, *, by: Hand | None = None) -> int:
        """Not canon."""
        return await self.correcting.retcon(line_id, by=by)

    async def why(self, line_id: int | None = None) -> Why:
        """What made a line, and which of the NPC's secrets it may tell by now."""
        why = await self.correcting.why(line_id)
        return dataclasses.replace(why, secrets=await self.confiding.secrets(why.npc))


def out_of_character(text: str) -> bool:
    """Whether a turn is talk between people: `// …` or `(( … ))`."""
    stripped = text.strip()
    return stripped.startswith("//") or (stripped.startswith("((") and stripped.endswith("))"))
