"""The examples of docs/api.md are run, every one, against a served API."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from characters.library import Library
from db.models import Feedback, TurnRow
from tests.bot.api.conftest import Serve
from tests.bot.conftest import Command

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def _run(command: Command, kind: str, code: str, folder: Path) -> str:
    if code.startswith("understudy "):
        done = [command(*shlex.split(line)[1:]) for line in code.splitlines()]
        assert [one.status for one in done] == [0] * len(done)
        return "".join(one.out for one in done)
    program = ["bash", "-euo", "pipefail", "-c", code] if kind == "bash" else [sys.executable, "-c", code]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.skipif(shutil.which("curl") is None or os.name != "posix", reason="the examples are for a shell with curl")
async def test_every_example_of_the_page_does_what_it_says(serve: Serve, command: Command, tmp_path: Path) -> None:
    api = await serve("Four copper.", "Welcome in.", "Upstairs.", "Rats in the cellar.")
    said = []
    for kind, code in BLOCKS:
        said.append(await asyncio.to_thread(_run, command, kind, code.replace("http://127.0.0.1:8321", api.address), tmp_path))
    assert len(said) == 5
    assert [model["id"] for model in json.loads(said[0])["data"]] == [f"home/{slug}" for slug in Library().slugs()]
    assert json.loads(said[1])["choices"][0]["message"]["content"] == "Four copper."
    assert said[2].startswith("Welcome in.\n")
    assert said[2].endswith("Upstairs.")
    assert '"feedback":"edit"' in said[3]
    assert [given.kind for given in await api.rows(Feedback)] == ["thumbs_up", "edit"]
    assert (await api.rows(TurnRow))[-1].text == "Ask me tomorrow."
    assert said[4].startswith("usk-")
    assert "my-game: NPCs may learn from it." in said[4]
