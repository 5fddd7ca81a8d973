"""The morning report: what an NPC learnt, from which lines, how it is proved, and how to undo it."""

from dataclasses import asdict
from typing import Any

from learning.nightly import Outcome


def markdown(outcome: Outcome, name: str) -> str:
    """The report of one NPC's night."""
    parts = [f"# {name}: the night's report", _learnt(outcome)]
    if outcome.verdict is not None and outcome.adapter is not None:
        parts += [_verdict(outcome), _nights(outcome), _control(outcome), _samples(outcome), _next_steps(outcome)]
    if outcome.note:
        parts.append(outcome.note)
    parts.append(f"**What is missing for more:** {outcome.missing}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    return {
        "npc": outcome.npc, "adapter": outcome.adapter, "counts": outcome.counts, "dataset": outcome.dataset,
        "verdict": outcome.verdict.as_json() if outcome.verdict else None,
        "control": outcome.control.as_json() if outcome.control else None,
        "samples": [list(sample) for sample in outcome.samples], "missing": outcome.missing,
        "perplexity": [asdict(point) for point in outcome.nights], "alarm": outcome.alarm, "note": outcome.note,
    }  # fmt: skip


def _learnt(outcome: Outcome) -> str:
    found = outcome.counts
    rows = [
        f"From the table: {found['sft']} lines to learn, {found['pair']} preferences, {found['label']} votes; "
        f"{found['left_out']} left out.",
        "",
    ]
    signals = {"edit": "you wrote", "gm_line": "you spoke", "thumbs_up": "you approved", "keep": "was kept",
               "thumbs_down": "was disliked", "retcon": "did not happen", "regen": "was asked for again",
               "safety_x": "was stopped"}  # fmt: skip
    for candidate in outcome.candidates:
        if candidate.kind == "sft" or not candidate.trainable or not candidate.label:
            asked = f"“{candidate.turns[-1].text}” → " if candidate.turns else ""
            left = "" if candidate.trainable else f" (left out: {candidate.reason})"
            rows.append(f"- {signals.get(candidate.signal, candidate.signal)}: {asked}“{candidate.completion}”{left}")
    if outcome.adapter is None:
        rows += ["", "Nothing was trained tonight. What you wrote, spoke or approved is shown to the NPC as an example "
                 "already, from the next line on."]  # fmt: skip
    return "\n".join(rows)


def _verdict(outcome: Outcome) -> str:
    assert outcome.verdict is not None
    rows = [f"## Verdict: {'passed' if outcome.verdict.passed else 'held'}", "", outcome.verdict.reason + ".", "",
            "| measure | before | after | n | decides |", "|---|---|---|---|---|"]  # fmt: skip
    for m in outcome.verdict.measures:
        mark, role = "" if m.passed else " ✖", "yes" if m.decides else "informs"
        rows.append(f"| {m.name} | {m.incumbent:.3f} | {m.candidate:.3f}{mark} | {m.n} | {role} |")
    if outcome.trained is not None and outcome.trained.losses:
        losses = outcome.trained.losses
        rows += ["", f"Trained on {outcome.trained.rows} rows in {outcome.trained.seconds:.0f} s; "
                 f"training loss {losses[0]:.2f} → {losses[-1]:.2f}; "
                 f"{outcome.trained.left_out} rows were left out."]  # fmt: skip
        rows += [f"- {count} × {reason}" for reason, count in outcome.trained.reasons.items()]
        if outcome.trained.stopped == "time":
            rows.append("- the time box ended before all passes were made, and what was learnt may be too faint to "
                        "hear: give it more time (`minutes` in the recipe, `night.minutes`) or a quieter machine")
        if evaluated := outcome.trained.evaluations:
            best = min(evaluated, key=lambda one: one.loss)
            rows.append(f"- perplexity on the table's held-out lines: {evaluated[0].perplexity:.2f} before, "
                        f"{best.perplexity:.2f} at its best (step {best.step})")  # fmt: skip
    if outcome.preference is not None:
        rows.append(f"- preferences: {outcome.preference.rows} rows, {outcome.preference.seconds:.0f} s")
    if outcome.reinforced is not None and (got := outcome.reinforced.rewards):
        few = max(1, len(got) // 4)
        rows.append(f"- rewards: {outcome.reinforced.rows} prompts, {outcome.reinforced.seconds:.0f} s; mean reward "
                    f"{sum(got[:few]) / few:.2f} → {sum(got[-few:]) / few:.2f} in training")  # fmt: skip
    rows += [f"- not in the dataset: {count} × {reason}" for reason, count in outcome.left_out.items()]
    return "\n".join(rows)


def _nights(outcome: Outcome) -> str:
    """The series with its alarm; one night alone is no series, and its number stands above."""
    told = [(point.night[:10], f"{point.perplexity:.3g}") for point in outcome.nights if point.perplexity is not None]
    if len(told) < 2:
        return ""
    rows = ["Perplexity on validation lines, night by night: " + ", ".join(f"{value} ({day})" for day, value in told) +
            ". Each night validates on other lines, so one night informs and does not decide."]  # fmt: skip
    if outcome.alarm:
        rows.append(f"**{outcome.alarm}**")
    return "\n\n".join(rows)


def _control(outcome: Outcome) -> str:
    if outcome.control is None:
        return ""
    if outcome.control.passed:
        return ("**The shuffled control passed too**: the same night with every answer given to another question "
                "was not held, so tonight's verdict proves nothing. Listen before you promote.")  # fmt: skip
    return (f"The shuffled control (the same night with every answer given to another question) was "
            f"{outcome.control.reason}. So the gate can tell.")  # fmt: skip


def _samples(outcome: Outcome) -> str:
    rows = ["## Before and after", ""]
    for asked, before, after in outcome.samples:
        rows += [f"- {asked}", f"  - before: {before}", f"  - after: {after}"]
    return "\n".join(rows)


def _next_steps(outcome: Outcome) -> str:
    assert outcome.verdict is not None
    if not outcome.verdict.passed:
        return f"It is kept as {outcome.adapter} and not used."
    return (f"To use it: `understudy promote {outcome.npc}`. To go back: `understudy rollback {outcome.npc}`; "
            "either is heard on the next line.")  # fmt: skip
