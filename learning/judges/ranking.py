"""Best of n: an NPC answers several times, a judge ranks the answers, and best and worst make a pair."""

from collections.abc import Sequence

from characters.inference.engine import Engine, Finish, Request, Sampling
from characters.messages import Scene, Turn
from characters.prompt import Budget, Part, build_prompt
from db.settings import Settings
from learning.judges.judging import Judge, Judged, like_length
from learning.judges.looking import seen_line
from learning.taught import Lesson

_TEMPERATURE = 0.9


async def answers_of(
    engine: Engine, settings: Settings, part: Part, turns: Sequence[Turn], scene: Scene, count: int
) -> list[str]:
    """Different answers of the model that serves, drawn with seeds of their own."""
    can = await engine.capabilities()
    system = settings.engine.system_budget or can.system_budget or 700
    budget = Budget(min(can.context, can.context_budget or can.context), settings.sampling.max_tokens, system)
    prompt = build_prompt(part, turns, scene=scene, template=can.template, budget=budget)
    found: dict[str, None] = {}
    for seed in range(count):
        sampling = Sampling(_TEMPERATURE, seed=seed + 1, max_tokens=settings.sampling.max_tokens)
        request = Request(prompt.text, prompt.messages, prompt.stop, sampling, "best of")
        async for event in engine.generate(request):
            if isinstance(event, Finish) and event.reason == "stop" and event.text.strip():
                found[event.text.strip()] = None
    return list(found)


async def rank(
    judge: Judge, part: Part, turns: Sequence[Turn], scene: Scene, answers: Sequence[str]
) -> list[tuple[str, Judged]]:
    """Answers with what the judge thinks of them, best first."""
    judged = [(answer, await judge.score(seen_line(part, turns, scene, answer))) for answer in answers]
    return sorted(judged, key=lambda entry: -entry[1].score)


async def pair_of(  # noqa: PLR0913  (everything a pair is made of, by name)
    judge: Judge, part: Part, turns: Sequence[Turn], scene: Scene, answers: Sequence[str], *, margin: float, of: str,
    decides: bool,
) -> Lesson | None:  # fmt: skip
    """The best answer over the worst of like length, where the judge sets them so far apart; None elsewhere.

    Args:
        of: the row whose question it is.
        decides: whether the judge may decide; a pair of one that only advises is kept, and not learnt from.
    """
    ranked = await rank(judge, part, turns, scene, answers)
    for worst, low in reversed(ranked[1:]):
        best, high = ranked[0]
        if high.score - low.score >= margin and like_length(best, worst):
            dialogue = of.rpartition(".")[0]
            return Lesson(
                f"{of}/pair", dialogue, "judged", judge.desk.teacher.source, scene, turns, best, judge.name,
                kind="pair", rejected=worst, calls=(*high.calls, *low.calls), trainable=decides,
                reason="" if decides else "the judge only advises", more={"scores": [high.score, low.score]},
            )  # fmt: skip
    return None
