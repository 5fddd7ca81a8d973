"""Reactions, corrections and undoing: what teaches an NPC, recorded as it happens.

What the GM approves, rewrites or says for an NPC becomes a style example at once, so it is heard
on the next line; the night makes more of it.
"""

from bot.errors import TableError
from bot.table.events import Line, Why
from bot.table.state import Hand, State
from bot.table.watching import Changed
from db.queries import lines, reactions, votes
from db.queries.reactions import Reaction, Taught
from db.values import StoredTake, StoredTurn, TakeMade, storable

EMOJI = {
    "👍": "thumbs_up", "👎": "thumbs_down", "+1": "thumbs_up", "-1": "thumbs_down",
    "✖": "safety_x", "❌": "safety_x",
}  # fmt: skip


def _own_words(asked: str | None, heard: str) -> str:
    """A rewritten question; "" where it is only what was heard, or its beginning, for a form cuts long questions.

    Who rewrites a question makes it his own, and it may be learnt from as his; nobody else's words may.
    """
    asked = (asked or "").strip()
    return "" if heard.strip().startswith(asked) else asked


class Correcting:
    """The use cases that look back at a line."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def line(self, line_id: int | None, *, finished: bool = True) -> StoredTurn:
        """The line meant: the given one, else the newest of the scene.

        Raises:
            TableError: there is no such line here, or it never came to an end.
        """
        async with self.state.store.session() as session:
            wanted = line_id if line_id is not None else await lines.last_line(session, self.state.scene_id)
            if wanted is None:
                raise TableError("No NPC has said anything in this scene; talk to one, or give a line's number.")
            found = await lines.turn(session, wanted, self.state.campaign)
        if found is None:
            raise TableError(f"There is no line {wanted} at this table; the number stands behind every line.")
        if found.npc is None:
            raise TableError(f"Turn {found.id} is not an NPC's line; give the number of one.")
        if finished and found.kept is None:
            raise TableError(f"Line {found.id} never came to an end; `/regen {found.id}` asks for it again.")
        return found

    async def asked(self, line: StoredTurn) -> str:
        """What a line answers, "" where that is gone."""
        if line.answers is None:
            return ""
        async with self.state.store.session() as session:
            asked = await lines.turn(session, line.answers)
        return asked.text if asked else ""

    async def takes(self, line: StoredTurn) -> list[StoredTake]:
        """The takes of a line that came to an end, oldest first."""
        async with self.state.store.session() as session:
            return [take for take in await lines.takes(session, line.id) if take.state in {"complete", "cut"}]

    async def react(
        self, emoji: str, line_id: int | None = None, *, remove: bool = False, by: Hand | None = None
    ) -> int:
        """Record a reaction to a line, or take it back; returns the line's id."""
        hand = by or self.state.hand
        kind = EMOJI.get(emoji.replace("\ufe0f", ""))
        if kind is None:
            raise TableError(f"{emoji[:20]!r} is no reaction I know; use 👍, 👎 or ✖.")
        line, state = await self.line(line_id), self.state
        asked = await self.asked(line)
        async with state.store.session() as session:
            now = state.clock()
            if remove:
                await reactions.withdraw(session, line.id, kind, hand.person.id, now)
            else:
                reaction = Reaction(line.id, kind, hand.person.id, None, asked, line.text)
                await reactions.react(session, reaction, now)
            gm = hand.gm
            if gm and kind == "thumbs_up" and not remove:
                await reactions.teach(session, self._taught(line, asked, line.text, "approved"), now)
            elif gm and kind == "thumbs_up":
                await reactions.unteach(session, line.id, "approved")
            elif (gm or kind == "safety_x") and not remove:
                await reactions.unteach(session, line.id)
            if kind == "safety_x" and not remove:
                await lines.retract(session, line.id, now)
        state.watchers.tell(Changed(line.id))
        return line.id

    def _taught(self, line: StoredTurn, asked: str, text: str, kind: str) -> Taught:
        return Taught(self.state.campaign, line.npc or "", asked, text, kind, line.id)

    async def edit(
        self, text: str, line_id: int | None = None, asked: str | None = None, *, by: Hand | None = None
    ) -> Line:
        """Put other words into an NPC's mouth; `asked` may rewrite the question too."""
        text, hand = storable(text).strip(), by or self.state.hand
        if not text:
            raise TableError("An edit needs the new words; write them after `/edit`.")
        line, state = await self.line(line_id), self.state
        heard = await self.asked(line)
        rewritten = _own_words(asked, heard)
        question = rewritten or heard
        async with state.store.session() as session:
            now = state.clock()
            made = TakeMade(at_hand=line.at_hand)
            origin = "gm" if hand.gm else hand.source
            take = await lines.add_take(session, line.id, made, now, text=text, state="complete", origin=origin)
            await lines.keep_take(session, line.id, take)
            reaction = Reaction(line.id, "edit", hand.person.id, take, rewritten, line.text)
            await reactions.react(session, reaction, now)
            if hand.gm:
                await reactions.teach(session, self._taught(line, question, text, "edited"), now)
        state.watchers.tell(Changed(line.id))
        number = len(await self.takes(line))
        return Line(line.id, line.npc or "", line.speaker, text, number, None)

    async def keep(self, number: int, line_id: int | None = None, *, by: Hand | None = None) -> Line:
        """Choose one of a line's takes."""
        hand = by or self.state.hand
        line, state = await self.line(line_id), self.state
        takes = await self.takes(line)
        chosen = next((take for take in takes if take.number == number), None)
        if chosen is None:
            known = ", ".join(str(take.number) for take in takes)
            raise TableError(f"Line {line.id} has no take {number}; it has {known}.")
        async with state.store.session() as session:
            await lines.keep_take(session, line.id, chosen.id)
            if hand.gm and chosen.origin == "npc":
                await reactions.unteach(session, line.id, "edited")
            reaction = Reaction(line.id, "keep", hand.person.id, chosen.id, await self.asked(line), chosen.text)
            await reactions.react(session, reaction, state.clock())
        state.watchers.tell(Changed(line.id))
        return Line(line.id, line.npc or "", line.speaker, chosen.text, number, chosen.made.adapter, chosen.timings)

    async def vote(self, better: int, other: int, line_id: int, *, by: Hand, equal: bool = False) -> None:
        """Prefer one of two takes of a line, blind; the line stays as it is, and a later vote replaces this one."""
        line = await self.line(line_id)
        takes = {take.number: (take.text, take.made) for take in await self.takes(line)}
        if better not in takes or other not in takes:
            raise TableError(f"Line {line.id} has not got both takes any more; compare anew.")
        cast = votes.Compared(line.id, by.person.id, await self.asked(line), takes[better], takes[other],
                              equal=equal)  # fmt: skip
        async with self.state.store.session() as session:
            await votes.vote(session, cast, self.state.clock())

    async def retcon(self, line_id: int | None = None, *, by: Hand | None = None) -> int:
        """Take a line out of the story: no longer canon, not remembered, and not to be said again.

        The GM may take back what somebody else said, too, by its number.
        """
        hand, state = by or self.state.hand, self.state
        if line_id is not None and hand.gm and await self._unsay(line_id):
            return line_id
        line = await self.line(line_id)
        asked = await self.asked(line)
        async with state.store.session() as session:
            now = state.clock()
            await reactions.react(session, Reaction(line.id, "retcon", hand.person.id, None, asked, line.text), now)
            await reactions.unteach(session, line.id)
            await lines.retract(session, line.id, now)
        state.watchers.tell(Changed(line.id))
        return line.id

    async def _unsay(self, turn_id: int) -> bool:
        """Take a person's turn out of the story; False where the number is none of one."""
        state = self.state
        async with state.store.session() as session:
            found = await lines.turn(session, turn_id, state.campaign)
            if found is None or found.npc is not None:
                return False
            await lines.retract(session, turn_id, state.clock())
        state.watchers.tell(Changed(turn_id))
        return True

    async def why(self, line_id: int | None = None) -> Why:
        """Explain a line: how the NPC came to it, even if the table keeps somebody's correction."""
        line = await self.line(line_id)
        takes = await self.takes(line)
        kept = next(take for take in takes if take.id == line.kept)
        spoken = [take for take in takes if take.origin == "npc"]
        told = spoken[-1] if spoken and kept.origin != "npc" else kept
        made = told.made
        return Why(line.id, line.npc or "", line.text, kept.origin, made.at_hand, made.adapter, made.base_id,
                   made.sampling, made.prompt_hash, made.template_hash, made.sheet_version, told.timings,
                   tuple(take.text for take in takes))  # fmt: skip
