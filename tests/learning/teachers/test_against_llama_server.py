"""The real client against a server that is not ours: llama-cpp-python's own, with the starter."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from characters.inference.starter import STARTER
from characters.messages import Message
from learning.teachers.openai_teacher import OpenAITeacher
from learning.teachers.protocol import TeacherRequest, TeacherSampling

pytestmark = pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")
SCHEMA = {"type": "object", "properties": {"line": {"type": "string", "maxLength": 40}}, "required": ["line"]}
ASKED = (
    Message("system", "You are Brug, pedlar at the Long Bridge.\nSpeak only as Brug, briefly. Say only what you know."),
    Message("user", "Ana: Who are you?\n[You know: You are Brug, pedlar at the Long Bridge.]"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path_factory.mktemp("server") / "log").open("w")
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(STARTER), "--host", "127.0.0.1", "--port", str(port),
               "--n_ctx", "1024", "--n_threads", "1"]  # fmt: skip
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(300):
            assert process.poll() is None, Path(log.name).read_text()[-800:]
            try:
                urllib.request.urlopen(f"{url}/models", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield url
    finally:
        process.kill()
        process.wait()
        log.close()


async def test_the_client_hears_whole_answers_cut_ones_and_json(server: str) -> None:
    teacher = OpenAITeacher(server, "starter", patience=60)
    try:
        whole = await teacher.complete(TeacherRequest("test", ASKED, TeacherSampling(0.0, 1.0, max_tokens=60, seed=1)))
        cut = await teacher.complete(TeacherRequest("test", ASKED, TeacherSampling(0.0, 1.0, max_tokens=2, seed=1)))
        shaped = await teacher.complete(TeacherRequest("test", ASKED, TeacherSampling(0.0, 1.0, max_tokens=60, seed=1), SCHEMA))
    finally:
        await teacher.close()
    assert (whole.finish, cut.finish) == ("stop", "length")
    assert whole.text.strip()
    assert whole.usage.prompt_tokens > 5
    assert whole.usage.completion_tokens > 0
    assert isinstance(json.loads(shaped.text)["line"], str)
