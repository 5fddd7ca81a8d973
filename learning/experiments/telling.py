"""One Markdown for an experiment: every measure of every arm with its interval, and what differs."""

from collections.abc import Mapping, Sequence

from learning.exam.scoring import Difference, Share, compare, score
from learning.experiments.hybrid import Arm

_MEASURES = ("grounding", "identity", "unknown", "no false refusal", "off-distribution", "own voice", "form")
_QUESTIONS = (("teacher", "base"), ("+ grown", "teacher"), ("no sheet", "+ grown"), ("preferences", "+ grown"))


def markdown(title: str, arms: Sequence[Arm], settings: Sequence[str], picture: str) -> str:
    """The whole document."""
    shares = {arm.name: score(arm.marks) for arm in arms}
    measures = [name for name in _MEASURES if all(name in found for found in shares.values())]
    lines = [f"# {title}", "", *settings, "", "| arm | rows | held-out nats a token | " + " | ".join(measures) + " |",
             "|---|---:|---:|" + "---:|" * len(measures)]  # fmt: skip
    for arm in arms:
        loss = f"{arm.loss.mean:.3f} ({arm.loss.low:.3f}–{arm.loss.high:.3f})"
        cells = " | ".join(_cell(shares[arm.name][name]) for name in measures)
        lines.append(f"| {arm.name} | {arm.rows} | {loss} | {cells} |")
    asked = f"n: {_counts(shares, measures)}; held-out lines {arms[0].loss.n}."
    lines += ["", f"{asked} Wilson and bootstrap 95 % intervals.", "", f"![measures by arm]({picture})", "",
              "## What differs, question by question", ""]  # fmt: skip
    known = {arm.name: arm for arm in arms}
    for name, against in _QUESTIONS:
        if name in known and against in known:
            found = compare(known[against].marks, known[name].marks)
            lines.append(f"- **{name}** against **{against}**: {_told(found)}")
    lines += ["", "## The same questions, every arm", ""]
    for place, (question, _) in enumerate(arms[0].samples):
        lines.append(f"- {question}")
        lines += [f"  - {arm.name}: {arm.samples[place][1]}" for arm in arms if place < len(arm.samples)]
    return "\n".join(lines) + "\n"


def _cell(share: Share) -> str:
    return f"{share.share:.0%} ({share.low:.0%}–{share.high:.0%})"


def _counts(shares: Mapping[str, Mapping[str, Share]], measures: Sequence[str]) -> str:
    first = next(iter(shares.values()))
    return ", ".join(f"{name} {first[name].n}" for name in measures)


def _told(found: Mapping[str, Difference]) -> str:
    """The differences whose interval leaves out zero; a sentence where there is none."""
    clear = [f"{name} {one.gain:+.0%} ({one.low:+.0%} to {one.high:+.0%}, n {one.n})"
             for name, one in found.items() if one.n and (one.low > 0 or one.high < 0)]  # fmt: skip
    return "; ".join(clear) or "no measure differs by more than chance would."
