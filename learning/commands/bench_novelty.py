"""`understudy bench novelty`: the quick verdict against rouge-score, the same rows, in one run.

Every row joins the pool whatever its verdict, so that the pool really is as large as it says. The
published filter compares a row with all rows before it; that many comparisons by rouge-score would
take hours, so it decides a sample of rows, novel ones and others, and its time for all is its time
for one comparison times their number. Times are processor seconds of one thread.
"""

import json
import math
import random
import time
from collections.abc import Sequence
from typing import Any

import click

from learning.errors import LearningError
from learning.filters.novelty import NoveltyFilter
from learning.teachers.offline.asking import QUESTIONS
from learning.teachers.offline.grammar import capital, expand, roughen
from learning.teachers.offline.invent import Inventor
from learning.teachers.offline.wrapping import as_asked

_THRESHOLD = 0.7
_SEED = 7


@click.command("novelty")
@click.option("--rows", default=20_000, show_default=True, help="Rows for the comparison with rouge-score.")
@click.option("--sample", default=20, show_default=True, help="Rows that rouge-score decides too.")
@click.option("--large", default=100_000, show_default=True, help="Rows for the time alone; 0 leaves it out.")
@click.option("--json", "as_json", is_flag=True)
def bench_novelty(rows: int, sample: int, large: int, as_json: bool) -> None:
    """Verdicts of the novelty filter: time beside rouge-score's on the same rows, and how it grows."""
    texts = questions(max(rows, large))
    verdicts, marks = _decided(texts[:rows])
    found = {"rows": rows, "seconds": round(marks[-1][1], 2), **_peer(texts[:rows], verdicts, sample)}
    found["times_faster"] = round(found["peer_seconds"] / marks[-1][1])
    if large:
        _, marks = _decided(texts[:large])
    found["growth"] = [{"rows": count, "seconds": round(seconds, 2)} for count, seconds in marks]
    (first, early), (last, late) = marks[0], marks[-1]
    found["exponent"] = round(math.log(late / early) / math.log(last / first), 2)
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("| measure | understudy | rouge-score | ratio |\n|---|---|---|---|")
    click.echo(f"| verdicts on {rows} rows, s | {found['seconds']} | {found['peer_seconds']:.0f} (extrapolated) "
               f"| {found['times_faster']} |")  # fmt: skip
    click.echo(f"\nrouge-score decided {found['sampled']} of the rows, {found['compared']} comparisons of "
               f"{1e6 * found['peer_seconds_each']:.0f} µs; {found['agreed']} verdicts are the same.")  # fmt: skip
    for count, seconds in marks:
        click.echo(f"{count} rows: {seconds:.1f} s")
    click.echo(f"Time grows as rows to the power of {found['exponent']} (2 is quadratic).")


def questions(count: int) -> list[str]:
    """Questions as players type them, about invented wares, people and places."""
    rng = random.Random(_SEED)
    inventor, kinds = Inventor(rng), sorted(QUESTIONS)
    invent = (inventor.ware, inventor.person, inventor.place)
    found = []
    for _ in range(count):
        pattern = as_asked(rng, rng.choice(QUESTIONS[rng.choice(kinds)]))
        asked = expand(rng, pattern, npc=inventor.word(), n=rng.choice(["two", "three", "5"]), x=rng.choice(invent)())
        found.append(roughen(rng, capital(asked)))
    return found


def _decided(texts: Sequence[str]) -> tuple[list[bool], list[tuple[int, float]]]:
    """The verdict on every row against all before it, and the seconds after each fifth of the rows."""
    pool, verdicts, marks, began = NoveltyFilter(threshold=_THRESHOLD), [], [], time.process_time()
    fifths = {len(texts) * part // 5 for part in range(1, 6)}
    for count, text in enumerate(texts, 1):
        verdicts.append(pool.decide(text))
        pool.add(text)
        if count in fifths:
            marks.append((count, time.process_time() - began))
    return verdicts, marks


def _peer(texts: Sequence[str], verdicts: Sequence[bool], sample: int) -> dict[str, Any]:
    """What rouge-score says of a sample of rows from the last half, novel and other ones in equal parts if possible.

    Raises:
        LearningError: it is not installed.
    """
    try:
        from rouge_score import rouge_scorer
    except ImportError as error:
        raise LearningError("This bench needs its peer, rouge-score; install the dev extra (`make check`).") from error
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    rng, late = random.Random(_SEED), range(len(texts) // 2, len(texts))
    novel, other = ([at for at in late if verdicts[at] is verdict] for verdict in (True, False))
    chosen = rng.sample(other, min(len(other), sample // 2))
    chosen += rng.sample(novel, min(len(novel), sample - len(chosen)))
    agreed, began = 0, time.process_time()
    for at in chosen:
        highest = max(scorer.score(texts[at], earlier)["rougeL"].fmeasure for earlier in texts[:at])
        agreed += verdicts[at] is (highest <= _THRESHOLD)
    compared = sum(chosen)
    each = (time.process_time() - began) / max(1, compared)
    return {"sampled": len(chosen), "agreed": agreed, "compared": compared, "peer_seconds_each": each,
            "peer_seconds": each * len(texts) * (len(texts) - 1) / 2, "novel": sum(verdicts)}  # fmt: skip
