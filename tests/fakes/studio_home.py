"""A home in which people have played, learnt and slept, for the pages of the studio: everything real but the words."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.table.state import Hand
from bot.table.table import Seat, Table
from characters.inference.engine import Sampling
from characters.library import Library
from db.models import Night, NightStage
from db.queries import adapters
from db.queries.adapters import Version
from db.store import Store
from tests.fakes.hearing import said
from tests.fakes.scripted_engine import ScriptedEngine

NOW = datetime(2026, 5, 1, 20, 0, tzinfo=UTC)
TALK = (
    ("Evening. Is there a bed left?", "One. The roof over it argues with the rain, so it is a copper less."),
    ("What does the eel stew cost?", "Eight copper. Hot, with bread to wipe the bowl."),
    ("Who was that man in the corner?", "He pays, he does not talk. I wish more guests were like him."),
    ("Tell me about the church.", "The bells wake me too early, but Mother Ysolde never turned a hungry child away."),
    ("What do you hide under the counter?", "A cudgel, and my opinion of people who ask."),
)

# A whole evening: enough of it is liked or rewritten for a night.
EVENING = (
    ("Good evening. Is this the Lantern Rest?", "It was when I last swept it. Sit down and mind the third plank."),
    ("The third plank?", "It bites. My husband meant to mend it, and then he meant to again."),
    ("What is there to drink?", "Ale, small ale, and a cider that remembers being an apple."),
    ("Who comes here?", "Bargemen, eel sellers, and people who tell me they are only passing through."),
    *TALK,
)


async def seed(home: Path, talk: Sequence[tuple[str, str]] = TALK, *, adapter: Path | None = None) -> Table:
    """An evening in the Lantern Rest with two people, reactions, a correction; with `adapter` a night after it.

    The table is left open; its engine says the lines.
    """
    home.mkdir(parents=True, exist_ok=True)
    store = await Store.open(f"sqlite:///{home / 'db.sqlite'}")
    clock = _Clock()
    table = await Table.open(
        store, ScriptedEngine(*[line for _, line in talk]), Library(home), campaign="home", seat=Seat("You"),
        clock=clock, rng=random.Random(7), sampling=Sampling(max_tokens=60),
    )  # fmt: skip
    await table.set_scene({"place": "the Lantern Rest", "mood": "a wet night", "reason": "out of the rain"})
    await table.summon("mira")
    ana = Hand(await table.sit(Seat("Ana", "local:ana", "player")))
    spoken = [await said(table, ask) for ask, _ in talk]
    await table.react("👍", spoken[0].line_id)
    await table.react("👎", spoken[0].line_id, by=ana)
    stew = next(line for line, (ask, _) in zip(spoken, talk, strict=True) if "stew" in ask)
    await table.edit("Eight copper, bread and all. Nobody leaves my house hungry.", stew.line_id)
    for line in spoken[1:]:
        if line is not stew:
            await table.react("👍", line.line_id)
    if adapter is not None:
        await slept(table, home, adapter)
    return table


class _Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=20)
        return self.now


def verdict(passed: bool) -> dict[str, Any]:
    """A gate's numbers, small ones."""
    def measure(name: str, before: float, after: float, n: int, decides: bool = True) -> dict[str, Any]:
        return {"name": name, "candidate": after, "incumbent": before, "n": n, "decides": decides, "passed": after >= before - 0.03}

    rows = [measure("exam: grounding", 0.82, 0.85, 60), measure("exam: unknown", 0.9, 0.93, 40), measure("table's lines", 0.31, 0.58, 34), measure("exam: form", 0.97, 0.98, 12, decides=False)]
    return {"passed": passed, "reason": "passed: the table's own lines are likelier, and nothing else is worse" if passed else "held: nothing got better", "measures": rows}


async def slept(table: Table, home: Path, adapter: Path) -> None:
    """A night that made a candidate, with its curves and its report."""
    state, began = table.state, NOW + timedelta(hours=8)
    control = verdict(False)
    report = {**verdict(True), "dataset": "dataset-1", "perplexity": 9.4, "control": {**control, "measures": [{**m, "candidate": m["candidate"] - 0.2} for m in control["measures"]]}}
    async with state.store.session() as session:
        version = Version("mira-0a1b2c3d4e5f", "mira", str(adapter), "sha256-scripted", "candidate", report, began)
        await adapters.add_version(session, state.campaign, version)
        session.add(Night(campaign_id=state.campaign, npc="mira", state="done", attempts=1, started_at=began, ended_at=began + timedelta(minutes=7), reason="",
                          report={"adapter": version.adapter, "counts": {"sft": 9, "pair": 1, "label": 9, "left_out": 0}, "missing": "29 more pairs or 51 more votes for a preference stage"}))  # fmt: skip
        await session.flush()
        for number, stage in enumerate(("harvest", "dataset", "training", "gate")):
            session.add(NightStage(night_id=1, stage=stage, state="done", started_at=began + timedelta(minutes=number), ended_at=began + timedelta(minutes=number + 2), result={}))
    run = home / "runs" / "run-1"
    run.mkdir(parents=True, exist_ok=True)
    lines = [{"step": step, "loss": 2.6 * 0.97**step + 0.25 * random.Random(step).random()} for step in range(1, 61)]
    lines += [{"step": step, "validation_loss": 2.5 * 0.985**step, "validation_perplexity": 12.2 * 0.985**step} for step in range(0, 61, 10)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    (run / "dataset.json").write_text(json.dumps({"dataset": "dataset-1"}), "utf-8")
    (home / "reports").mkdir(exist_ok=True)
    (home / "reports" / f"{began:%Y-%m-%d-%H%M%S}-mira.md").write_text(
        "# Mira\n\n## Before and after\n\n- Is there a bed left?\n  - before: I have a bed.\n  - after: One, under the roof that argues with the rain.\n"
        "- What do you think of soldiers?\n  - before: I do not know of soldiers.\n  - after: They drink on credit and die on time.\n\nTo use it: …\n", "utf-8",
    )  # fmt: skip
