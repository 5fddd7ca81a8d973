"""The starter at a real table: sixty questions to three NPCs, and a price that changes with its sheet."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
import yaml

from bot.table.events import Line
from bot.table.table import Seat, Table
from bot.wiring import find_house, open_table
from characters.inference.starter import STARTER

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

SIXTY = yaml.safe_load((Path(__file__).parent / "sixty.yaml").read_text("utf-8"))


async def answer(table: Table, question: str) -> str:
    async for event in table.say(question):
        if isinstance(event, Line):
            return event.text
    raise AssertionError("no line came")


async def interview(npc: str, questions: list[str]) -> list[str]:
    async with open_table(find_house({"table.campaign": npc}), Seat("Ana"), npc) as table:
        return [await answer(table, question) for question in questions]


def holds(reply: str, wanted: list[str]) -> bool:
    return all(any(part.casefold() in reply.casefold() for part in entry.split("|")) for entry in wanted)


def well_formed(reply: str) -> bool:
    words = reply.split()
    looping = any(words[at : at + 4] == words[at + 4 : at + 8] for at in range(len(words)))
    return (
        0 < len(words) <= 80
        and reply[-1] in ".!?…\"'”)"
        and not looping
        and "<|" not in reply
        and not re.search(r"\b(?:Ana|Mira|Odo|Thule|User|Assistant):", reply)
    )


def test_sixty_typical_questions(capsys: pytest.CaptureFixture[str]) -> None:
    formed = grounded = asked = 0
    replies: list[str] = []
    lines = []
    for npc, items in SIXTY.items():
        said = asyncio.run(interview(npc, [item["ask"] for item in items]))
        for item, reply in zip(items, said, strict=True):
            wanted = item.get("has", [])
            right = holds(reply, wanted)
            formed += well_formed(reply)
            asked += bool(wanted)
            grounded += bool(wanted) and right
            replies.append(reply)
            mark = ("+" if right else "-") if wanted else " "
            lines.append(f"{mark}{' ' if well_formed(reply) else '!'} {npc}: {item['ask']} → {reply}")
    distinct = len(set(replies))
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines))
        sys.stdout.write(f"\nwell formed {formed}/60, from the sheet {grounded}/{asked}, distinct {distinct}/60\n")
    assert len(replies) == 60
    assert asked == 30
    assert formed >= 55
    assert grounded >= 18
    assert distinct >= 45


def test_a_price_changed_in_the_sheet_changes_the_answer(home: Path) -> None:
    sheets = home / "sheets"
    sheets.mkdir(parents=True)
    shipped = find_house().library().path("mira").read_text("utf-8")
    (sheets / "mira.yaml").write_text(shipped.replace("price: 8 copper", "price: 14 copper"), "utf-8")
    said = asyncio.run(interview("mira", ["What does the eel stew cost?"]))
    assert "14 copper" in said[0]
