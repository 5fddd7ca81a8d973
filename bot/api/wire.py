"""Lines in OpenAI's shapes: a completion, or a stream of chunks."""

import json
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from bot.api.completions import Speaking
from bot.api.errors import as_api_error
from bot.table.events import Line, Piece

_TIMINGS = ("ttft_ms", "total_ms", "reused_tokens")


def completion(speaking: Speaking, line: Line | None, now: datetime) -> dict[str, Any]:
    """A whole line; None where nobody was to answer."""
    text = line.text if line else ""
    choice = {
        "index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "logprobs": None,
        "finish_reason": _finish(speaking, line),
    }  # fmt: skip
    return {
        "id": _id(line), "object": "chat.completion", "created": int(now.timestamp()),
        "model": _model(speaking), "choices": [choice], "usage": _usage(line), "understudy": _ours(speaking, line),
    }  # fmt: skip


async def stream(
    speaking: Speaking, first: Piece | Line | None, rest: AsyncGenerator[Piece | Line, None], now: datetime
) -> AsyncGenerator[str, None]:
    """A line as server-sent events, the first piece being there already; a listener who leaves ends it."""
    line = first if isinstance(first, Line) else None
    asked = speaking.order.asked
    head = {
        "id": f"line-{first.line_id}" if first else _id(None), "object": "chat.completion.chunk",
        "created": int(now.timestamp()), "model": _model(speaking),
    }  # fmt: skip
    try:
        yield _event({**head, "choices": [_choice({"role": "assistant", "content": ""})]})
        if isinstance(first, Piece):
            yield _event({**head, "choices": [_choice({"content": first.text})]})
        async for piece in rest:
            if isinstance(piece, Line):
                line = piece
            else:
                yield _event({**head, "choices": [_choice({"content": piece.text})]})
        last = {**head, "choices": [_choice({}, _finish(speaking, line))], "understudy": _ours(speaking, line)}
        yield _event(last)
        if asked.stream_options is not None and asked.stream_options.include_usage:
            yield _event({**head, "choices": [], "usage": _usage(line)})
        yield "data: [DONE]\n\n"
    except Exception as error:  # noqa: BLE001  (the status is sent already, so the stream tells it)
        yield _event(as_api_error(error).as_json())
    finally:
        speaking.performance.leave()


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _id(line: Line | None) -> str:
    return f"line-{line.line_id}" if line else "line-none"


def _model(speaking: Speaking) -> str:
    return f"{speaking.order.campaign}/{speaking.order.npc}"


def _finish(speaking: Speaking, line: Line | None) -> str:
    return "length" if line and line.timings.get("tokens", 0) >= speaking.limit else "stop"


def _usage(line: Line | None) -> dict[str, Any]:
    timings = line.timings if line else {}
    read, said = timings.get("prompt_tokens", 0), timings.get("tokens", 0)
    cached = {"cached_tokens": timings.get("reused_tokens", 0)}
    return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said,
            "prompt_tokens_details": cached}  # fmt: skip


def _ours(speaking: Speaking, line: Line | None) -> dict[str, Any]:
    """What OpenAI's shape has no place for."""
    about: dict[str, Any] = {"conversation": speaking.order.name, "line_id": line.line_id if line else None}
    if line is not None:
        timings = {name: line.timings.get(name, 0) for name in _TIMINGS}
        about |= {"npc": line.npc, "name": line.name, "take": line.take, "adapter": line.adapter, "cut": line.cut,
                  **timings}  # fmt: skip
    return about
