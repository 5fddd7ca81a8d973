"""A real llama-server as the table's engine: its adapters are found, and the one that is chosen for a request speaks.

It needs the program: on the PATH, or named in LLAMA_SERVER.
"""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from characters.inference.engine import Finish, Request, Sampling
from characters.inference.errors import AdapterRefused, RemoteUnavailable
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from characters.inference.openai_engine import OpenAIEngine
from characters.messages import Message
from learning.starter.tokens import TEMPLATE
from tests.fakes.tiny_lora import write_random_adapter

PROGRAM = os.environ.get("LLAMA_SERVER") or shutil.which("llama-server")
pytestmark = [pytest.mark.prove, pytest.mark.timeout(300), pytest.mark.skipif(not PROGRAM, reason="no llama-server is here")]
MESSAGES = (Message("system", "You are Mira."), Message("user", "Ana: Who are you, and what do you sell?"))


@pytest.fixture
def adapters(tmp_path: Path) -> dict[str, Path]:
    return {name: write_random_adapter(tmp_path / f"{name}.gguf", seed) for name, seed in (("odo-1", 3), ("mira-1", 4))}


@pytest.fixture
def address(tiny_model: Path, adapters: dict[str, Path]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lora = [part for path in adapters.values() for part in ("--lora", str(path))]
    command = [str(PROGRAM), "-m", str(tiny_model), "--host", "127.0.0.1", "--port", str(port), "-c", "2048", "-t", "1", "-np", "1"]
    server = subprocess.Popen([*command, *lora], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


async def line(engine: OpenAIEngine | LlamaCppEngine, adapter: str | None) -> str:
    request = Request(TEMPLATE.render(MESSAGES), MESSAGES, sampling=Sampling(temperature=0.0, seed=1, max_tokens=24,
                      repetition_penalty=1.0), adapter=adapter)  # fmt: skip
    return next(event.text for event in [event async for event in engine.generate(request)] if isinstance(event, Finish))


async def ready(engine: OpenAIEngine, adapters: dict[str, Path]) -> None:
    """Wait until the server answers, and load both adapters."""
    for _ in range(300):
        try:
            for name, path in adapters.items():
                await engine.load_adapter(name, path)
        except (RemoteUnavailable, AdapterRefused):
            await asyncio.sleep(0.2)
        else:
            return
    raise AssertionError("the server never answered")


async def test_the_adapter_that_is_chosen_speaks_and_without_one_the_bare_base(
    address: str, adapters: dict[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    served = OpenAIEngine(address, "tiny", adapters="llama-server", patience=60)
    await ready(served, adapters)
    spoken = {name: await line(served, name) for name in (None, "odo-1", "mira-1")}
    again = {name: await line(served, name) for name in ("mira-1", None, "odo-1")}
    with pytest.raises(AdapterRefused, match="start llama-server with --lora"):
        await served.load_adapter("brug-1", tmp_path / "brug-1.gguf")
    await served.close()
    assert len(set(spoken.values())) == 3
    assert again == spoken
    own = LlamaCppEngine(tiny_model, LoadOptions(threads=1))
    for name, path in adapters.items():
        await own.load_adapter(name, path)
    ours = {name: await line(own, name) for name in (None, "odo-1", "mira-1")}
    await own.close()
    for name, text in ours.items():  # the local engine ends a loop, which llama-server goes on with
        assert text.strip()
        assert spoken[name].strip().startswith(text.strip())
