"""Trying out a sheet that is not saved yet: it answers as it would at the table, and nothing is stored."""

import contextlib
from collections.abc import AsyncGenerator, Sequence

from bot.table.backstage import spoken
from bot.table.state import State
from characters.inference.engine import Request
from characters.messages import Scene, Turn
from characters.prompt import Budget, Part, build_prompt, look_up
from characters.sheet import Sheet

_SMALL_SYSTEM = 700


async def try_out(state: State, slug: str, sheet: Sheet, turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
    """What a sheet says to a talk, piece by piece.

    Args:
        turns: oldest first; the last one is answered.
    """
    can = await state.engine.capabilities()
    part = Part(slug, sheet, state.library.world(sheet.world))
    system = state.system_budget or can.system_budget or _SMALL_SYSTEM
    context = min(can.context, can.context_budget or can.context)
    budget = Budget(context=context, reply=state.sampling.max_tokens, system=system)
    at_hand = look_up(part, turns)
    prompt = build_prompt(part, turns, scene=Scene(), template=can.template, budget=budget, at_hand=at_hand)
    request = Request(prompt.text, prompt.messages, prompt.stop, state.sampling, f"try/{slug}", None)
    async with contextlib.aclosing(spoken(state, request)) as pieces:
        async for piece in pieces:
            yield piece
