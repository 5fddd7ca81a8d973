"""The exam on sheets of another hand: names, trades and facts that stand in no list of the offline teacher's."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.starter import STARTER
from characters.library import Library
from characters.prompt import Budget, Part
from learning.exam.items import make_items
from learning.exam.matching import Mark
from learning.exam.running import sit
from learning.exam.scoring import wilson
from learning.exam.values import CORE

pytestmark = [pytest.mark.prove, pytest.mark.timeout(900), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]

UNSEEN = Path(__file__).parent / "unseen"
SEED = 1


async def marks_of(model: Path) -> list[Mark]:
    library, shipped = Library(UNSEEN), Library()
    others = [shipped.get(slug) for slug in shipped.slugs()]
    engine = LlamaCppEngine(model, LoadOptions(threads=1))
    found: list[Mark] = []
    try:
        can = await engine.capabilities()
        budget = Budget(min(can.context, can.context_budget or can.context), 120, can.system_budget or 700)
        for path in sorted((UNSEEN / "sheets").glob("*.yaml")):
            sheet = library.get(path.stem)
            part = Part(path.stem, sheet, library.world(sheet.world))
            items = make_items(sheet, part.world, SEED, others=others, knower=path.stem, categories=(*CORE, "off-distribution"))
            result = await sit(engine, part, items, adapter=None, budget=budget, template=can.template)
            found += result.marks(items, (sheet.name, sheet.first_name))
    finally:
        await engine.close()
    return found


def told(marks: list[Mark]) -> dict[str, tuple[int, int]]:
    """Right ones of how many, by what the starter is to be good at."""
    measures = {
        "grounding": [one.right for one in marks if one.item.category == "grounding"],
        "unknown rejected": [one.right for one in marks if one.item.category == "unknown"],
        "false refusals": [one.refused and not one.right for one in marks if one.item.category in {"grounding", "identity"}],
        "own name": [one.right for one in marks if one.item.kind == "name"],
        "identity": [one.right for one in marks if one.item.category == "identity"],
        "off-distribution": [one.right for one in marks if one.item.category == "off-distribution"],
        "form": [one.formed for one in marks],
    }
    return {name: (sum(which), len(which)) for name, which in measures.items()}


def test_sheets_it_has_never_seen(capsys: pytest.CaptureFixture[str]) -> None:
    marks = asyncio.run(marks_of(STARTER))
    shares = {name: wilson(right, n) for name, (right, n) in told(marks).items()}
    kinds = Counter(one.item.kind for one in marks)
    right = Counter(one.item.kind for one in marks if one.right)
    with capsys.disabled():
        for name, share in shares.items():
            sys.stdout.write(f"\n{name}: {share.right}/{share.n} ({share.low:.0%} to {share.high:.0%})")
        sys.stdout.write("\n" + ", ".join(f"{kind} {right[kind]}/{n}" for kind, n in kinds.most_common()) + "\n")
    assert len(marks) >= 250
    assert shares["form"].share >= 0.85
    assert shares["grounding"].share >= 0.4
