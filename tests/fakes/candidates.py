"""Candidates of some evenings and the datasets they become."""

import random
from pathlib import Path
from typing import Any

from characters.messages import Scene, Turn
from characters.prompt import Budget, Part
from learning.datasets.building import Built, DatasetOrder, build_dataset
from learning.datasets.rows import Renderer, Row
from learning.harvest import Candidate
from learning.starter.tokens import TEMPLATE
from tests.fakes.people import make_sheet, make_world

PART = Part("mira", make_sheet(), make_world())
RENDERER = Renderer(TEMPLATE, Budget(context=4000, reply=60))
THINGS = ("the ferry", "the mill", "the council", "the bells", "old Ostan", "the flood", "winter", "the sisters", "Tobin", "the bridge",
          "your pay", "the deserters")  # fmt: skip


def heard(scene: int, thing: str, **changes: Any) -> Candidate:
    fields: dict[str, Any] = {
        "kind": "sft", "signal": "edit", "source": "gm", "line": scene * 100 + len(thing), "conversation": f"{scene}/mira",
        "scene": Scene(), "turns": (Turn("Ana Petrova", f"Say, what do you make of {thing} these days?"),),
        "people": ("local:ana",), "completion": f"{thing.capitalize()}? {random.Random(f'{scene} {thing}').getrandbits(64):x} is all I say.",
        "weight": 3, "reason": "typed at the own machine",
    }  # fmt: skip
    return Candidate(**{**fields, **changes})


def evening(scenes: int) -> list[Candidate]:
    return [heard(scene, thing) for scene in range(scenes) for thing in THINGS]


def built(root: Path, candidates: list[Candidate], **changes: Any) -> Built:
    about = changes.pop("about", {"npc": "mira", "campaign": 1, "base": "sha256-x", "seed": 17, "made_at": "2026-05-01T04:00:00"})
    return build_dataset(candidates, DatasetOrder(root, PART, RENDERER, about, **changes))


def row(text: str, **changes: Any) -> Row:
    fields: dict[str, Any] = {"kind": "sft", "prompt": f"<|user|>Ana: {text}?<|end|><|assistant|>", "completion": f"{text}.<|end|>",
                              "source": "gm", "signal": "edit", "conversation": "1/mira", "line": 7, "people": ("local:ana",)}  # fmt: skip
    return Row(**{**fields, **changes})
