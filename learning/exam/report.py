"""The exam's report: a table of numbers with their n and interval, and the replies that went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from learning.exam.matching import Mark
from learning.exam.scoring import Difference, Share, by_kind, compare, score
from learning.exam.sitting import Sitting

_WORST = 20


def as_json(sitting: Sitting) -> dict[str, Any]:
    """One exam as an object: who sat, the measures, and every reply that went wrong."""
    result, marks = sitting.result, sitting.marks
    return {
        "npc": result.npc, "speaker": sitting.speaker, "base": result.base, "adapter": result.adapter,
        "sheet": result.sheet, "exam": result.exam, "items": len(marks),
        "scores": {name: asdict(share) for name, share in score(marks).items()},
        "kinds": {name: asdict(share) for name, share in by_kind(marks).items()},
        "voice_distance": sitting.strange, "footprint": asdict(sitting.footprint) if sitting.footprint else None,
        "judge": asdict(sitting.opinions) if sitting.opinions else None,
        "wrong": [_wrong(one) for one in worst(marks)],
    }  # fmt: skip


def _wrong(one: Mark) -> dict[str, Any]:
    item = one.item
    return {"category": item.category, "kind": item.kind, "field": item.field, "question": item.question,
            "reply": one.reply, "faults": list(one.faults), "form": list(one.form)}  # fmt: skip


def worst(marks: Sequence[Mark]) -> list[Mark]:
    """The replies with a fault, those with most faults first."""
    faulty = [one for one in marks if one.faults or one.form]
    return sorted(faulty, key=lambda one: -(2 * len(one.form) + len(one.faults)))


def markdown(sitting: Sitting, picture: str = "") -> str:
    """One exam as a page.

    Args:
        picture: the file name of its plot.
    """
    marks = sitting.marks
    parts = [
        f"# {sitting.name}: the exam",
        f"{len(marks)} questions on {sitting.result.sheet}, put to {sitting.speaker} without chance in its choice of "
        "words. What each measure means, and what it cannot see, stands in docs/exam.md.",
        f"![The measures with their intervals]({picture})" if picture else "",
        _shares(score(marks)), _told(sitting), _opinions(sitting),
        "## By kind of question", _shares(by_kind(marks)),
        "## Replies that went wrong", _replies(worst(marks)),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _told(sitting: Sitting) -> str:
    """What is told and not judged."""
    lines = []
    if sitting.strange is not None:
        lines.append(f"Its free remarks are {sitting.strange:.3f} nats a run of letters away from its own voice.")
    if foot := sitting.footprint:
        memory = f", {foot.megabytes:.0f} MB of memory (PSS)" if foot.megabytes else ""
        lines.append(f"Not judged: the first token after {foot.first_ms[0]:.0f} ms ({foot.first_ms[1]:.0f} ms at the "
                     f"95th percentile), {foot.tokens_per_second:.0f} tokens a second{memory}.")  # fmt: skip
    return " ".join(lines)


def _opinions(sitting: Sitting) -> str:
    """What a judge thinks; it changes none of the counts."""
    if (told := sitting.opinions) is None:
        return ""
    rows = [f"| {name} | {mean:+.2f} |" for name, mean in told.means.items()]
    table = "\n".join(["| criterion | mean, −1 to 1 |", "|---|---:|", *rows])
    return f"## What a judge thinks\n\n{told.judge}, over {told.n} replies. {told.standing}.\n\n{table}"


def markdown_of_two(one: Sitting, other: Sitting, picture: str = "") -> str:
    """Two exams side by side: the paired differences, and what only one of them got right."""
    before = {mark.item.id: mark for mark in one.marks}
    changed = [(before[after.item.id], after) for after in other.marks
               if after.item.id in before and before[after.item.id].right != after.right]  # fmt: skip
    parts = [
        f"# {one.name}: two exams compared",
        f"A is {one.speaker}, B is {other.speaker}. Every difference is taken question by question; p is McNemar's.",
        f"![Both with their intervals]({picture})" if picture else "",
        _differences(compare(one.marks, other.marks)),
        "## Won by B", _pairs([pair for pair in changed if pair[1].right]),
        "## Lost by B", _pairs([pair for pair in changed if pair[0].right]),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _shares(shares: Mapping[str, Share]) -> str:
    rows = ["| measure | right | n | share | 95 % interval |", "|---|---:|---:|---:|---|"]
    for name, share in shares.items():
        rows.append(f"| {name} | {share.right} | {share.n} | {share.share:.0%} | {share.low:.0%} – {share.high:.0%} |")
    return "\n".join(rows)


def _differences(found: Mapping[str, Difference]) -> str:
    rows = ["| measure | n | A | B | B − A | 95 % interval | won | lost | p |"]
    rows.append("|---|---:|---:|---:|---:|---|---:|---:|---:|")
    for name, d in found.items():
        rows.append(f"| {name} | {d.n} | {d.first:.0%} | {d.second:.0%} | {d.gain:+.0%} | {d.low:+.0%} … {d.high:+.0%} "
                    f"| {d.gained} | {d.lost} | {d.p:.2f} |")  # fmt: skip
    return "\n".join(rows)


def _replies(marks: Sequence[Mark]) -> str:
    if not marks:
        return "None."
    rows = []
    for one in marks[:_WORST]:
        rows += [f"- **{one.item.category}, {one.item.kind}** ({one.item.field}): {one.item.question}",
                 f"  - “{_line(one.reply)}” ({'; '.join((*one.faults, *one.form))})"]  # fmt: skip
    if len(marks) > _WORST:
        rows.append(f"- … and {len(marks) - _WORST} more.")
    return "\n".join(rows)


def _pairs(pairs: Sequence[tuple[Mark, Mark]]) -> str:
    if not pairs:
        return "None."
    rows = []
    for before, after in pairs[:_WORST]:
        rows += [f"- **{after.item.category}, {after.item.kind}**: {after.item.question}",
                 f"  - A: “{_line(before.reply)}”", f"  - B: “{_line(after.reply)}”"]  # fmt: skip
    return "\n".join(rows)


def _line(reply: str) -> str:
    return " / ".join(reply.split("\n")) or "(nothing)"
