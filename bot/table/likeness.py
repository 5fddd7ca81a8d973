"""A question's vector, by which memories are found beside full text (`memory.embeddings`)."""

import asyncio

from characters.errors import UnderstudyError
from characters.inference.engine import Engine
from db.queries.vectors import Like

_PATIENCE = 0.25  # seconds a line may wait for it


async def like(engine: Engine, model: str | None, question: str) -> Like | None:
    """Make it; None where no model makes any, or not at once: then full text alone is asked."""
    if model is None or not question:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            [vector] = await engine.embed([question])
    except (TimeoutError, UnderstudyError):
        return None
    return Like(model, vector)
