"""The night's dataset: the table's rows, what guards the NPC's knowledge, and what the gate will ask."""

from collections.abc import Sequence
from dataclasses import replace

from characters.library import Library
from characters.prompt import Part
from learning.anchors import general_candidates, protective_candidates
from learning.datasets.building import Built, DatasetOrder, build_dataset
from learning.datasets.importing import licences, load_imports
from learning.datasets.rows import Renderer, Row
from learning.errors import NothingToLearn
from learning.exam.items import make_items
from learning.exam.values import Item
from learning.gate import Trial, Witness
from learning.nightly.trials import make_trial
from learning.nightly.values import Night, budget
from learning.taught import lesson_candidates
from learning.taught import licences as lesson_licences

_REPLAYED = 24
_PROTECTED = 12  # rows on what the NPC was not told
_TURNS = 5  # of a conversation before an answer; more of them cost time and teach little
_EXAM_SEEDS = (1, 2)  # every question in two wordings: one of some 36 answers is too coarse to weigh a voice by


async def make_renderer(night: Night) -> Renderer:
    """The renderer of the base that serves.

    Raises:
        NothingToLearn: the base has no template to render with.
    """
    can = await night.engine.capabilities()
    if can.template is None:
        raise NothingToLearn(f"{night.base.name} has no chat template inside; choose a base model that has one.")
    return Renderer(can.template, budget(can, night.reply_tokens))


async def make_dataset(night: Night, renderer: Renderer) -> tuple[Built, Trial]:
    """Build the snapshot and what the gate asks of whoever was trained on it.

    What stands in the prompt need not be learnt: the table's lines are trained without their own examples.
    """
    part, seed = night.part(), night.config.seed
    imports = night.home.folder("imports")
    heard = [replace(c, turns=c.turns[-_TURNS:]) for c in night.candidates]
    rows = night.taught
    taught = lesson_candidates(rows, part, night.policy)
    candidates = [*heard, *load_imports(imports, night.npc), *taught]
    # Strangers' sheets: a plain answer on the NPC's own would argue against the voice it is to learn.
    guard = [renderer.row(c, other) for other, c in general_candidates(night.config.anchors, seed)]
    if guard:
        guard += await _replay(night, renderer)
        topics = [topic for topic, _ in night.withheld if topic][:_PROTECTED]
        guard += [renderer.row(c, part) for c in protective_candidates(part, topics, seed)]
    base = (await night.engine.capabilities()).base_id
    about = {"npc": night.npc, "campaign": night.campaign, "base": base, "template": renderer.template.hash,
             "sheet": part.sheet.version, "seed": seed, "made_at": night.now.isoformat()}  # fmt: skip
    built = build_dataset(candidates, DatasetOrder(
        night.home.folder("datasets"), part, renderer, about, guarded=[item.question for item in exam_items(part)],
        withheld=[text for _, text in night.withheld],
        train_only=guard, licences={**licences(imports, night.npc), **lesson_licences(rows)},
    ))  # fmt: skip
    targets, seen = _targets(built)
    return built, make_trial(renderer, part, targets, candidates, seen=seen, seed=seed + 1000,
                             withheld=night.withheld)  # fmt: skip


def exam_items(part: Part) -> tuple[Item, ...]:
    """The exam of an NPC, the same every night while its sheet is the same."""
    shipped = Library(None)
    others = [shipped.get(slug) for slug in shipped.slugs() if slug != part.slug]
    asked: dict[str, Item] = {}
    for seed in _EXAM_SEEDS:
        for item in make_items(part.sheet, part.world, seed, others=others, knower=part.slug):
            asked.setdefault(item.id, item)
    return tuple(asked.values())


def _targets(built: Built) -> tuple[Sequence[Row], bool]:
    """The table's own lines the gate asks for: held out where there are any, else those of training."""
    for kept_back in (built.splits["held_out"], built.splits["validation"]):
        if rows := [row for row in kept_back if row.kind == "sft"]:
            return rows, False
    return [row for row in built.splits["train"] if row.kind == "sft" and row.source != "offline_teacher"], True


async def _replay(night: Night, renderer: Renderer) -> list[Row]:
    """What the bare base says to strangers' questions, made once per base: it is to go on saying so."""
    base = (await night.engine.capabilities()).base_id
    witness, found = Witness(night.engine, None, night.home.folder("models") / f"replay-{base}.json"), []
    for part, candidate in general_candidates(_REPLAYED, 41):
        row = renderer.row(candidate, part)
        text, ended = await witness.line(row.prompt)
        if ended and text:
            found.append(replace(row, completion=text + renderer.template.eos, signal="replay"))
    witness.remember()
    return found
