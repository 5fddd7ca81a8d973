"""Rules of the house that no linter knows: sizes, reasons, pins, and what may be imported when."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.pins import canonical, installed, pinned

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "characters", "db", "learning")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = ("torch", "transformers", "trl", "peft", "llama_cpp", "openai", "sqlalchemy", "prompt_toolkit", "discord", "nicegui", "fastapi")
LARGEST_FILE = 32 * 1024 * 1024


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_why_it_exists_and_stays_readable(path: Path) -> None:
    text = path.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring or "migrations" in path.parts, "opens without a docstring"
    assert len(text.splitlines()) <= 400, "over 400 lines: it wants a second room"


def test_every_requirement_is_pinned_and_what_is_installed_is_what_is_pinned() -> None:
    pins = pinned()
    wrong = {name: (version, pins.get(name)) for name, version in installed().items() if pins.get(name) != version}
    assert not wrong, "installed and constraints.txt differ; run `make constraints` and look at the difference"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    wanted = {canonical(re.split(r"[^A-Za-z0-9_.-]", name)[0]) for name in named}
    assert wanted <= set(pins), f"not pinned: {sorted(wanted - set(pins))}"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom bot.cli import cli\n"
        "try:\n    cli.main(['--help'], standalone_mode=False)\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"
    assert "play" in done.stdout


def test_the_repository_holds_one_large_file_the_starter() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split("\0")
    sizes = {name: (ROOT / name).stat().st_size for name in listed if name and (ROOT / name).is_file()}
    large = {name for name, size in sizes.items() if size > 500_000}
    assert large <= {"characters/inference/models/starter.gguf"}
    assert all(size <= LARGEST_FILE for size in sizes.values())


def test_every_make_target_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = next(line for line in text.splitlines() if line.startswith(".PHONY:")).split()[1:]
    for target in phony:
        assert re.search(rf"^{target}:.*## \S", text, re.MULTILINE), f"make {target} has no help"


def test_every_proof_that_security_names_is_a_test() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert len(named) >= 20
    missing = [
        f"{file}::{test}" for file, test in named
        if not (ROOT / file).is_file() or not re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ]  # fmt: skip
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_only_files_and_commands_that_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (ROOT / link).exists(), f"{name} links to {link}"
    targets = set(re.findall(r"`make ([a-z]+)", text))
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert targets <= known
