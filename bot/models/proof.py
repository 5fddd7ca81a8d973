"""Is a model file any good here? Asked of llama.cpp, in the process that would serve it.

What concerns training is asked of the learning half, which registers its checks under the entry
point group `understudy.verify`.
"""

import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from bot.models.shelf import in_words, read_card, sha256_of
from characters.errors import UnderstudyError
from characters.inference.engine import Capabilities, Engine, Finish, Request, Sampling
from characters.inference.llama_cpp_engine import check_model
from characters.messages import Message

_SYSTEM = "You are Mira, an innkeeper. Speak only as Mira, in one short sentence."
_ASKED = "Ana: Good evening. What is there to eat?"
_MOST = 48


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        ok: None where it could not be looked at here.
    """

    name: str
    ok: bool | None
    found: str


Training = Callable[[Path, Engine], AsyncIterator[tuple[str, bool | None, str]]]


async def prove(path: Path, engine: Engine, *, training: bool = True) -> AsyncIterator[Finding]:
    """Look at one thing after the other; what rests on a thing that failed is not looked at.

    Args:
        engine: serves the file; not started yet.
        training: look at what only learning needs, too.
    """
    try:
        yield _file(path)
        began = time.perf_counter()
        can = await engine.capabilities()
        took = time.perf_counter() - began
        yield Finding("load", True, f"{can.name}, context {can.context}, loaded in {took:.1f} s")
        template = _template(can)
        yield template
        if template.ok:
            yield await _tokens(engine, can)
            yield await _speaks(engine, can)
            if training:
                async for name, ok, found in _training()(path, engine):
                    yield Finding(name, ok, found)
    except UnderstudyError as error:
        yield Finding("load", False, str(error))


def _file(path: Path) -> Finding:
    check_model(path)
    card, size = read_card(path), in_words(path.stat().st_size)
    if not card.sha256:
        return Finding("file", True, f"GGUF, {size}; no checksum is known to compare with")
    same = sha256_of(path) == card.sha256
    told = "as it was when it came" if same else "changed since it came; pull or import it again"
    return Finding("file", same, f"GGUF, {size}, sha256 {told}")


def _template(can: Capabilities) -> Finding:
    if can.template is None:
        return Finding("chat template", False, "there is none inside; choose an instruction-tuned model")
    text = can.template.render(_messages())
    if _SYSTEM not in text or _ASKED not in text:
        return Finding("chat template", False, "it leaves out part of what is said; choose another model")
    system = "takes a system text" if can.template.takes_system else "has no system role, so that is folded in"
    return Finding("chat template", True, f"{can.template.hash}, {system}")


async def _tokens(engine: Engine, can: Capabilities) -> Finding:
    """The beginning comes once, and the end of a turn is one token."""
    assert can.template is not None
    ids = await engine.tokenize(can.template.render(_messages()))
    begin = await engine.tokenize(can.template.bos) if can.template.bos else []
    twice = bool(begin) and ids[:2] == [begin[-1], begin[-1]]
    end = await engine.tokenize(can.template.eos) if can.template.eos else []
    plain = [one for one in end if one not in begin[-1:]]
    ok = not twice and len(plain) == 1
    told = "the beginning comes twice" if twice else f"the end of a turn is {len(plain)} token(s)"
    return Finding("tokens", ok, f"{len(ids)} in a first prompt, {told}")


async def _speaks(engine: Engine, can: Capabilities) -> Finding:
    assert can.template is not None
    request = Request(can.template.render(_messages()), _messages(), ("\nAna:",),
                      Sampling(temperature=0.0, max_tokens=_MOST))  # fmt: skip
    done = await _line(engine, request)
    times = done.timings
    speed = f"{times.tokens} tokens in {times.total_ms:.0f} ms, the first after {times.ttft_ms:.0f}"
    ended = "ends by itself" if done.reason == "stop" else f"had not ended after {_MOST} tokens"
    said = " ".join(done.text.split())[:80]
    return Finding("speaks", bool(said), f"{speed}, {ended}: “{said}”")


async def _line(engine: Engine, request: Request) -> Finish:
    finished = [event async for event in engine.generate(request) if isinstance(event, Finish)]
    return finished[-1]


def _messages() -> tuple[Message, ...]:
    return (Message("system", _SYSTEM), Message("user", _ASKED))


def _training() -> Training:
    registered = [entry for entry in entry_points(group="understudy.verify") if entry.name == "training"]
    try:
        importlib.import_module("torch")
        checks: Training = registered[0].load()
    except (ImportError, IndexError):
        return _not_here
    return checks


async def _not_here(path: Path, engine: Engine) -> AsyncIterator[tuple[str, bool | None, str]]:
    yield "training", None, "not looked at: the learning extra is not installed (`make learning`)"


async def loads(engine: Engine) -> None:
    """Load a file and let it go again.

    Raises:
        EngineError: llama.cpp refuses it.
    """
    work: Awaitable[Capabilities] = engine.capabilities()
    try:
        await work
    finally:
        await engine.close()
