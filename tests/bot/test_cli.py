"""The command line: help without waiting, JSON where asked, one sentence where something is wrong."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from bot import cli
from characters.library import SHIPPED
from tests.bot.conftest import Command
from tests.fakes.program import understudy

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "llama_cpp", "sqlalchemy", "openai", "discord")

# Walks every command, asks each for help, and says on standard error what was imported for it.
ASK_ALL_FOR_HELP = f"""
import sys
import click
from bot.cli import cli

def paths(command, path):
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from paths(command.get_command(context, name), [*path, name])

for path in paths(cli, []):
    status = cli.main([*path, "--help"], prog_name="understudy", standalone_mode=False)
    print("understudy", *path, "->", status, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def test_every_command_has_help_and_needs_nothing_heavy_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", ASK_ALL_FOR_HELP], capture_output=True, text=True, check=True, cwd=ROOT)
    told = done.stderr.splitlines()
    asked = {line.removeprefix("understudy").split("->")[0].strip() for line in told}
    assert asked >= {"", "play", "sheet", "sheet check", "config show", "db upgrade", "doctor"}
    assert [line for line in told if not line.endswith("-> 0 []")] == []
    assert done.stdout.count("Usage: understudy") == len(told)


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    found = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [leaf for name, child in found if child for leaf in _commands(child, (*path, name))]


def test_every_command_can_answer_in_json_and_says_what_it_does() -> None:
    commands = _commands(cli.cli)
    assert ("sheet", "list") in [path for path, _ in commands]
    assert [path for path, command in commands if not any("--json" in option.opts for option in command.params)] == []
    assert [path for path, command in commands if not command.help] == []


def test_the_installed_program_answers_and_tells_its_version() -> None:
    assert "play" in understudy("--help").out
    assert understudy("--version").out.startswith("understudy, version 0.")


@pytest.mark.parametrize("arguments", [("dance",), ("sheet", "dance"), ("play", "--dance"), ("sheet", "show")])
def test_a_command_that_does_not_exist_or_lacks_something_exits_with_two(command: Command, arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 1
    as_json = command(*arguments, "--json")
    assert as_json.status == 2
    assert as_json.value == {"event": "error", "message": as_json.err.rstrip("\n")}


def _plug_in(folder: Path, code: str) -> dict[str, str]:
    """Install a package with one command, `half-night`; the environment that has it."""
    package = folder / "halfhere-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: halfhere\nVersion: 1.0\n", "utf-8")
    (package / "entry_points.txt").write_text("[understudy.commands]\nhalf-night = halfhere:night\n", "utf-8")
    (folder / "halfhere.py").write_text(code, "utf-8")
    return {"PYTHONPATH": str(folder)}


def test_a_command_of_the_missing_learning_half_says_how_to_get_it(tmp_path: Path) -> None:
    plugged = _plug_in(tmp_path, "import a_library_for_learning\n")
    done = understudy("half-night", **plugged)
    assert (done.status, done.out) == (1, "")
    assert done.err == "The command 'half-night' needs the learning extra (a_library_for_learning is missing); run `make learning`.\n"
    assert "half-night" in understudy("--help", **plugged).out


def test_a_fault_of_ours_is_logged_in_full_and_apologised_for(tmp_path: Path) -> None:
    plugged = _plug_in(tmp_path, "import click\n\n@click.command()\n@click.option('--json', is_flag=True)\ndef night(json):\n    1 / 0\n")
    done = understudy("half-night", "--json", **plugged)
    assert done.status == 70
    assert "ZeroDivisionError" in done.err
    sentence = done.err.splitlines()[-1]
    assert sentence.startswith("Something went wrong that is our fault")
    assert done.events == [{"event": "error", "message": sentence}]


# --- sheets ----------------------------------------------------------------------------------


def test_the_list_of_sheets_has_the_published_shape(command: Command) -> None:
    done = command("sheet", "list", "--json")
    assert done.status == 0
    assert set(done.value) == {"sheets"}
    mira = next(sheet for sheet in done.value["sheets"] if sheet["slug"] == "mira")
    assert mira == {"slug": "mira", "name": "Mira Dunmore", "kind": "shopkeeper", "world": "saltmere"}
    assert {tuple(sheet) for sheet in done.value["sheets"]} == {("slug", "name", "kind", "world")}
    plain = command("sheet", "list")
    assert "Mira Dunmore" in plain.out
    assert plain.out.count("\n") == len(done.value["sheets"])


@pytest.mark.parametrize("kind", ["conversational", "quest giver", "shopkeeper", "lore keeper", "tutorial guide"])
def test_a_new_sheet_is_clean_and_can_be_summoned(command: Command, home: Path, kind: str) -> None:
    done = command("sheet", "new", "tobin", "--kind", kind, "--name", 'Old "Tob" Reed: ferryman', "--json")
    assert done.status == 0
    path = home / "sheets" / "tobin.yaml"
    assert done.value == {"slug": "tobin", "path": str(path)}
    checked = command("sheet", "check", path, "--json")
    assert (checked.status, checked.value) == (0, {"faults": 0, "findings": []})
    listed = command("sheet", "list", "--json").value["sheets"]
    assert {"slug": "tobin", "name": 'Old "Tob" Reed: ferryman', "kind": kind, "world": "saltmere"} in listed


def test_a_new_sheet_never_overwrites_one(command: Command, home: Path) -> None:
    assert command("sheet", "new", "tobin").status == 0
    (home / "sheets" / "tobin.yaml").write_text("mine", "utf-8")
    again = command("sheet", "new", "tobin")
    assert (again.status, (home / "sheets" / "tobin.yaml").read_text("utf-8")) == (1, "mine")
    assert "exists; edit it, or choose another name" in again.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("../evil",), "cannot name a file"),
        (("Tobin",), "use small letters"),
        (("x" * 300,), "cannot name a file"),
        (("tobin", "--world", "nowhere"), "There is no world called 'nowhere'"),
        (("tobin", "--kind", "king"), "king"),
    ],
)
def test_a_new_sheet_that_cannot_be_is_refused_and_leaves_no_file(
    command: Command, home: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = command("sheet", "new", *arguments)
    assert done.status in {1, 2}
    assert sentence in done.err
    assert list(home.rglob("*.yaml")) == []


def test_a_copied_sheet_is_the_users_own(command: Command, home: Path) -> None:
    done = command("sheet", "copy", "Mira", "--json")
    assert done.value == {"slug": "mira", "path": str(home / "sheets" / "mira.yaml")}
    own = home / "sheets" / "mira.yaml"
    assert own.read_bytes() == (SHIPPED / "sheets" / "mira.yaml").read_bytes()
    own.write_text(own.read_text("utf-8").replace("name: Mira Dunmore", "name: Mira the Second"), "utf-8")
    assert command("sheet", "show", "mira", "--json").value["sheet"]["name"] == "Mira the Second"


def test_a_check_reports_all_faults_of_all_files_at_once(command: Command, tmp_path: Path) -> None:
    good = (SHIPPED / "sheets" / "mira.yaml").read_text("utf-8")
    (tmp_path / "mira.yaml").write_text(good, "utf-8")
    (tmp_path / "ana.yaml").write_text(good.replace("name: Mira Dunmore", "nmae: Ana").replace(": 0.6", ": loud"), "utf-8")
    (tmp_path / "ben.yml").write_text(good.replace("world: saltmere", "world: saltmare"), "utf-8")
    (tmp_path / "cid.yaml").write_text("name: Cid\nname: Cid\n", "utf-8")
    done = command("sheet", "check", tmp_path, "--json")
    assert done.status == 1
    found = {(finding["file"], finding["field"]) for finding in done.value["findings"] if finding["level"] == "fault"}
    assert found == {("ana.yaml", "name"), ("ana.yaml", "nmae"), ("ana.yaml", "talkativeness"), ("ben.yml", "world"), ("cid.yaml", "line 2")}
    assert done.value["faults"] == len(done.value["findings"]) == 5
    plain = command("sheet", "check", tmp_path)
    assert plain.status == 1
    assert "fault: ana.yaml: nmae: no such field; did you mean 'name'?" in plain.out
    assert plain.out.splitlines()[-1] == "5 faults, 0 warnings."
    assert command("sheet", "check", tmp_path / "mira.yaml").status == 0


def test_a_check_of_nothing_at_all_says_so(command: Command, tmp_path: Path) -> None:
    done = command("sheet", "check", tmp_path / "nowhere")
    assert (done.status, done.out) == (1, "")
    assert "There is no file or folder" in done.err


def test_the_prompt_of_an_npc_can_be_read(command: Command, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    monkeypatch.setenv("UNDERSTUDY_ENGINE_EXTRA_BUFFERS", "false")
    done = command("sheet", "show", "Mira Dunmore", "--prompt", "How much is the brown ale?", "--json")
    assert (done.status, done.value["slug"]) == (0, "mira")
    prompt = done.value["prompt"]
    assert prompt.startswith("<|system|>You are Mira Dunmore")
    assert prompt.endswith("You: How much is the brown ale?\n[You know: brown ale: 4 copper. Strong and cloudy.]<|end|><|assistant|>")


# --- settings, database, doctor --------------------------------------------------------------


def test_settings_are_shown_with_their_origins_and_without_secrets(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "understudy.toml").write_text("[table]\nname = 'Ana'\n", "utf-8")
    monkeypatch.setenv("UNDERSTUDY_ENGINE_THREADS", "1")
    monkeypatch.setenv("UNDERSTUDY_ENGINE_API_KEY", "very secret")
    done = command("config", "show", "--json")
    assert done.status == 0
    settings = {row["name"]: (row["value"], row["origin"]) for row in done.value["settings"]}
    assert settings["home"] == (str(home), "UNDERSTUDY_HOME or platform")
    assert settings["table.name"] == ("Ana", str(home / "understudy.toml"))
    assert settings["engine.threads"] == (1, "environment UNDERSTUDY_ENGINE_THREADS")
    assert settings["sampling.top_p"] == (0.95, "default")
    assert settings["engine.api_key"] == ("(set)", "environment UNDERSTUDY_ENGINE_API_KEY")
    assert "very secret" not in done.out + command("config", "show").out


def test_the_database_is_brought_up_as_often_as_one_likes(command: Command, home: Path) -> None:
    for _ in range(2):
        done = command("db", "upgrade", "--json")
        assert done.status == 0
        assert done.value["database"] == f"sqlite:///{home / 'db.sqlite'}"
        assert done.value["schema"]
    assert command("db", "upgrade").out.endswith(f"at schema {done.value['schema']}.\n")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [("nonsense: secret", "database.url is no address"), ("mysql://me:secret@localhost/x", "database.url names mysql")],
)
def test_a_database_of_another_kind_is_refused_without_its_password(
    command: Command, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", url)
    done = command("db", "upgrade", "--json")
    assert done.status == 1
    assert sentence in done.value["message"]
    assert "secret" not in done.out + done.err


def test_the_doctor_finds_nothing_wrong_with_a_sound_house(command: Command, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tiny_model))
    done = command("doctor", "--json")
    checks = {check["name"]: check for check in done.value["checks"]}
    assert list(checks) == ["python", "processor", "home", "disk", "encryption", "database", "model", "native"]
    assert [check for check in checks.values() if not check["ok"]] == []
    assert done.status == 0
    assert checks["model"]["found"].startswith("tiny.gguf, ")
    assert "llama-cpp-python" in checks["native"]["found"]


def test_the_doctor_names_everything_that_is_broken_and_goes_on(command: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_ENGINE_MODEL", str(tmp_path / "none.gguf"))
    home.mkdir()
    (home / "db.sqlite").write_bytes(b"no database at all " * 100)
    done = command("doctor", "--json")
    assert done.status == 1
    broken = {check["name"]: check["found"] for check in done.value["checks"] if not check["ok"]}
    assert set(broken) == {"database", "model", "native"}
    assert "is not a database" in broken["database"]
    assert "There is no model at" in broken["model"]
    assert "FAIL  model" in command("doctor").out


def test_a_player_needs_a_name(command: Command) -> None:
    done = command("play", "--as", "  ", "--json")
    assert (done.status, done.value["message"]) == (1, "--as needs a name, such as `--as Ana`.")


def test_without_json_a_fault_is_one_sentence_on_standard_error(command: Command, tmp_path: Path) -> None:
    done = command("play", "--terminal", "--model", tmp_path / "none.gguf")
    assert (done.status, done.out) == (1, "")
    assert done.err == f"There is no model at {tmp_path / 'none.gguf'}; set engine.model to a GGUF file, or restore the starter.\n"
