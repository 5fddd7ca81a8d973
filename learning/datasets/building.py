"""From candidates to a snapshot: rendered, without repetitions, in splits that stay, nothing held out told.

The one way to a dataset, for the night and for `understudy dataset build`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from characters.conditions import tells
from characters.prompt import Budget, Part
from db.provenance import Policy, verdict
from learning.datasets.marks import proven_marks
from learning.datasets.rows import Renderer, Row
from learning.datasets.snapshot import Origin, Snapshot, snapshots, write_snapshot
from learning.datasets.splits import SPLITS, assign
from learning.errors import NothingToLearn
from learning.filters.near_duplicates import SEED, decontaminate, remove_duplicates, said
from learning.harvest import Candidate

_PROVEN_ON = 20  # prompts the taking apart is tried on
_OWN = "the table's own"
_MADE = "made by the program"


@dataclass(frozen=True)
class DatasetOrder:
    """What a dataset is made for, and of what besides candidates.

    Attributes:
        root: the folder of snapshots.
        part: the NPC, without what it learnt at the table.
        about: for the manifest: npc, campaign, base, template, sheet, seed, made_at. Splits of
            earlier snapshots of the same npc and campaign stand.
        guarded: texts of the exam no train row may come near.
        withheld: what this NPC may not know; a line that tells it without having it in its prompt is left out.
        train_only: rendered rows that are nobody's conversation (anchors, replay); they only train.
        licences: of imported conversations, by their names.
    """

    root: Path
    part: Part
    renderer: Renderer
    about: Mapping[str, Any]
    guarded: Sequence[str] = ()
    withheld: Sequence[str] = ()
    train_only: Sequence[Row] = ()
    licences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """A snapshot, its rows, and how many were left out by reason."""

    snapshot: Snapshot
    splits: Mapping[str, tuple[Row, ...]]
    left_out: Mapping[str, int]


def build_dataset(candidates: Sequence[Candidate], order: DatasetOrder) -> Built:
    """Build a dataset.

    Args:
        candidates: everything harvested and imported; what may not be trained on is left out here.

    Raises:
        NothingToLearn: no row is left.
    """
    left_out: Counter[str] = Counter(f"not trainable: {c.reason}" for c in candidates if not c.trainable)
    origins: dict[Row, Origin] = {row: _made(row) for row in order.train_only}
    rendered: list[Row] = []
    for candidate in candidates:
        if not candidate.trainable:
            continue
        row = order.renderer.row(candidate, order.part)
        if reason := _too_long(row, order.renderer.budget) or _tells_withheld(row, order.withheld):
            left_out[reason] += 1
            continue
        rendered.append(row)
        origins[row] = Origin(candidate.reason, _licence(candidate, order.licences))
    unique = remove_duplicates(rendered)
    left_out.update(unique.left_out)
    known = _known(order)
    given = assign((row.conversation for row in unique.rows), known)
    splits: dict[str, tuple[Row, ...]] = {
        split: tuple(row for row in unique.rows if given[row.conversation] == split) for split in SPLITS
    }
    kept_back = [said(row) for split in SPLITS if split != "train" for row in splits[split]]
    train = decontaminate([*splits["train"], *order.train_only], [*order.guarded, *kept_back])
    left_out.update(train.left_out)
    splits["train"] = train.rows
    if not any(splits.values()):
        why = "; ".join(f"{reason}: {count}" for reason, count in sorted(left_out.items())) or "nothing was said"
        raise NothingToLearn(f"No row of {order.part.slug} is left for a dataset ({why}); play, or import dialogues.")
    about = {**_about(order, [row.prompt for row in rendered]), "conversations": {**known, **given},
             "left_out": dict(sorted(left_out.items()))}  # fmt: skip
    snapshot = write_snapshot(order.root, splits, about, origins)
    return Built(snapshot, splits, dict(left_out))


def _known(order: DatasetOrder) -> dict[str, str]:
    """The splits of all snapshots of this NPC; the first one a conversation got stands, whenever it returns.

    The newest alone would not do: what is newest hangs on the clock, and rows that were trained on must
    not be held out later.
    """
    known: dict[str, str] = {}
    for before in snapshots(order.root, str(order.about.get("npc", order.part.slug)), order.about.get("campaign")):
        for conversation, split in before.manifest.get("conversations", {}).items():
            known.setdefault(conversation, split)
    return known


def _about(order: DatasetOrder, prompts: list[str]) -> dict[str, Any]:
    """What the manifest tells, with what checking and exporting the rows needs to know of the base model."""
    template, budget = order.renderer.template, order.renderer.budget
    marks = proven_marks(template, prompts[:_PROVEN_ON])
    return {
        "npc": order.part.slug, **order.about,
        "seeds": {"minhash": SEED, **({"training": order.about["seed"]} if "seed" in order.about else {})},
        "stop": template.eos, "special_tokens": list(template.special_tokens), "guarded": len(order.guarded),
        "context": budget.context, "reply": budget.reply, "marks": marks.as_json() if marks else None,
    }  # fmt: skip


def _too_long(row: Row, budget: Budget) -> str:
    """Why a row is too long to be learnt, or ""; how long a GM's own line may be is the GM's business."""
    reply = max(budget.count(row.completion), budget.count(row.rejected))
    if row.source == "imported" and reply > budget.reply:
        return "imported line longer than a reply may be"
    return "longer than the model can read" if budget.count(row.prompt) + reply > budget.context else ""


def _tells_withheld(row: Row, withheld: Sequence[str]) -> str:
    """Why a row tells too much, or ""."""
    told = any(tells(row.completion, text) and text not in row.prompt for text in withheld)
    return "tells what the NPC may not know" if told else ""


def _licence(candidate: Candidate, licences: Mapping[str, str]) -> str:
    if candidate.source == "imported":
        return licences.get(candidate.conversation, "not stated")
    return _MADE if candidate.source in {"teacher", "offline_teacher"} else _OWN


def _made(row: Row) -> Origin:
    """The origin of a row that came rendered."""
    judged = verdict(row.source, "unasked", Policy(), accepted=True)
    return Origin(judged.reason, _MADE if row.source in {"teacher", "offline_teacher"} else _OWN)
