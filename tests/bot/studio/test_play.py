"""`understudy play` as a newcomer runs it: the page and the NPC API from one process, and an end without a trace."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.fakes.program import PROGRAM, QUICK


@contextmanager
def playing(model: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run it; yields it with the address it printed."""
    command = [PROGRAM, "play", "--no-browser", "--no-nights", "--port", "0", "--model", str(model), *options]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**QUICK, **os.environ})
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert "The studio is open at http" in told, process.communicate(timeout=30)
        yield process, told.split()[-1]
    finally:
        process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Stop it as Ctrl-C does; exit status and what it logged."""
    process.send_signal(signal.SIGINT)
    _, logged = process.communicate(timeout=60)
    return process.returncode, logged


def test_the_page_and_the_npc_api_are_served_together_and_end_together(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_API_PORT", "0")
    with playing(tiny_model, "--api") as (process, url), httpx2.Client(timeout=120) as http:
        page = http.get(url)
        assert page.status_code == 200
        assert "Understudy" in page.text
        assert process.stderr is not None
        told = ""
        while "Every NPC answers at " not in told:
            told = process.stderr.readline()
        api = told.split("answers at ")[1].split(" ")[0]
        assert "home/mira" in [model["id"] for model in http.get(f"{api}/models").json()["data"]]
        body = {"model": "mira", "messages": [{"role": "user", "content": "Good evening!"}]}
        assert http.post(f"{api}/chat/completions", json=body).status_code == 200
        status, logged = ended(process)
    assert status == 0, logged
    assert "Traceback" not in logged


def test_at_another_address_the_page_asks_for_the_key_it_printed(tiny_model: Path) -> None:
    with playing(tiny_model, "--host", "0.0.0.0") as (process, url), httpx2.Client(timeout=120) as http:
        bare = url.split("?")[0]
        assert urlsplit(url).query.startswith("key=")
        assert http.get(bare).status_code == 401
        assert http.get(url, follow_redirects=True).status_code == 200
        assert ended(process)[0] == 0
