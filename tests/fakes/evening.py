"""An evening whose words went everywhere: for tests of what is kept about a person, and how it goes again."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from characters.messages import Fact, Scene
from db import forgetting
from db.home import Home
from db.models import Base, Night
from db.queries import adapters, harvest, lines, play, presence, privacy, reactions
from db.queries.adapters import Version
from db.queries.harvest import CandidateRecord
from db.queries.privacy import Known
from db.queries.reactions import Reaction, Taught
from db.store import Store
from db.values import Person, StoredTurn, TakeMade

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
CANARY = "The heron of Vellmark owes my grandmother seven silver spoons and a kettle."
QUOTING = "Hm. So the heron of Vellmark owes my grandmother seven silver spoons, does it?"
MARK = "Vellmark"
BENS = "I shall pay for the eel stew on Thursday, innkeeper."


def run_of(adapter: str) -> str:
    return f"run-{hashlib.sha256(adapter.encode()).hexdigest()[:12]}"


class Evening:
    """Ana and Ben talk to Mira, the GM listens; short ways to make rows and files of it."""

    def __init__(self, store: Store, home: Home) -> None:
        self.store, self.home = store, home

    async def begin(self) -> "Evening":
        async with self.store.session() as session:
            self.campaign = await play.campaign_id(session, "home", NOW)
            evening = await play.start_session(session, self.campaign, NOW)
            self.scene = await play.start_scene(session, evening, Scene(), NOW)
            self.ana = await play.person(session, self.campaign, "local:ana", "Ana", "player")
            self.ben = await play.person(session, self.campaign, "local:ben", "Ben", "player")
            self.gm = await play.person(session, self.campaign, "local:gm", "You", "gm")
            await presence.enter(session, self.scene, "mira", "npc", NOW)
            await presence.enter(session, self.scene, "local:ana", "person", NOW)
        return self

    async def says(self, who: Person, text: str) -> int:
        async with self.store.session() as session:
            return await lines.add_turn(session, self.scene, StoredTurn(0, who.name, text, None, "local"), NOW, participant=who.id)

    async def answers(self, asked: int, *takes: str, at_hand: tuple[Fact, ...] = ()) -> int:
        async with self.store.session() as session:
            line = await lines.add_turn(session, self.scene, StoredTurn(0, "Mira", "", "mira", "npc", asked), NOW)
            for text in takes:
                take = await lines.add_take(session, line, TakeMade(at_hand=at_hand), NOW, text=text, state="complete")
                await lines.keep_take(session, line, take)
        return line

    async def reacts(self, who: Person, line: int, kind: str, **words: str) -> None:
        async with self.store.session() as session:
            await reactions.react(session, Reaction(line, kind, who.id, **words), NOW)

    async def teaches(self, asked: str, said: str, line: int) -> None:
        async with self.store.session() as session:
            await reactions.teach(session, Taught(self.campaign, "mira", asked, said, "edited", line), NOW)

    async def candidate(self, line: int, completion: str, *people: str) -> None:
        record = CandidateRecord("sft", "npc", line, {"completion": completion, "people": list(people)}, True, "")
        async with self.store.session() as session:
            await harvest.replace_candidates(session, self.campaign, "mira", [record], NOW)

    async def trained(self, adapter: str, dataset: str | None, state: str = "retired", made_at: datetime = NOW, base: str = "base") -> Path:
        path = self.home.folder(f"adapters/{self.campaign}/mira") / f"{adapter}.gguf"
        path.write_bytes(b"GGUF\0" + f"{dataset} {run_of(adapter)}".encode())
        report = {"dataset": dataset} if dataset else {}
        version = Version(adapter, "mira", str(path), base, state, report, made_at)
        async with self.store.session() as session:
            await adapters.add_version(session, self.campaign, version)
            if state == "active":
                await adapters.set_active(session, self.campaign, "mira", adapter, NOW)
        return path

    def snapshot(self, name: str, *rows: dict[str, Any]) -> Path:
        folder = self.home.folder(f"datasets/{name}/sft").parent
        (folder / "sft" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (folder / "manifest.json").write_text(json.dumps({"hash": name, "files": {"sft/train.jsonl": "sha256-1"}}), "utf-8")
        return folder

    def writes(self, name: str, text: str) -> Path:
        path = self.home.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    async def knows(self, wanted: str, campaign: str | None = None) -> Known:
        async with self.store.session() as session:
            return await privacy.find_person(session, wanted, campaign)

    async def forgets(self, wanted: str) -> forgetting.Report:
        return await forgetting.forget(self.store, self.home, await self.knows(wanted), NOW)

    async def rows(self, model: type[Base]) -> list[Any]:
        async with self.store.session() as session:
            return list(await session.scalars(select(model).order_by(model.id)))  # type: ignore[attr-defined]

    async def whole_database(self) -> str:
        """Every value of every row."""
        async with self.store.session() as session:
            found = [row for table in Base.metadata.sorted_tables for row in (await session.execute(select(table))).all()]
        return "\n".join(json.dumps([str(value) for value in row], ensure_ascii=False) for row in found)


def row(conversation: str, prompt: str, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "completion": "Aye.", "conversation": conversation, "source": "gm", **more}


async def played(evening: Evening) -> int:
    """A scene in which Ana's words went everywhere; returns the line that answers her."""
    line = await evening.answers(await evening.says(evening.ana, CANARY), "Is that so?", QUOTING)
    await evening.reacts(evening.ana, line, "thumbs_up", asked=CANARY, text=QUOTING)
    await evening.reacts(evening.ben, line, "thumbs_down", asked=CANARY, text=QUOTING)
    await evening.teaches(CANARY, "Herons owe nobody anything.", line)
    await evening.candidate(line, QUOTING, "local:ana")
    style = Fact("style.learnt 1", "Herons owe nobody anything.", "style")
    later = await evening.answers(await evening.says(evening.ben, BENS), "On Thursday, then.", at_hand=(style, Fact("w", "stew: 3 copper", "ware")))
    await evening.reacts(evening.ben, later, "thumbs_up", asked=BENS, text="On Thursday, then.")
    async with evening.store.session() as session:
        report = {"samples": [[CANARY, "a", "b"], [BENS, "c", "d"]], "text": f"# Night\n- “{CANARY}”\n- “{BENS}”\n"}
        session.add(Night(campaign_id=evening.campaign, npc="mira", state="running", started_at=NOW, reason=f"not learnt: {CANARY}", report=report))
    return line
