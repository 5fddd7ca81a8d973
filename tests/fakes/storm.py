"""A storm: the real programs are killed at random moments, and whatever they acknowledged is kept account of.

What is drawn (who is killed, when, what is said) comes from one seed. When a kill strikes depends on the
machine as well, so a storm of the same seed is a similar one, not the same.
"""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import psycopg
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.fakes.databases import POSTGRES
from tests.fakes.program import PROGRAM, QUICK, Done, understudy

PATIENCE = 240.0  # seconds until something that must happen has happened, on a machine that is busy
TRACE = "storm"  # the name our connections have at the server


class Ledger:
    """What was acknowledged: it must be there for ever."""

    def __init__(self) -> None:
        self.sent: set[str] = set()
        self.heard: dict[int, str] = {}
        self.lines: dict[int, set[str]] = {}
        self.votes: set[int] = set()
        self.elsewhere: set[str] = set()  # said and answered through Discord
        self.shown: set[str] = set()  # lines that stand there, whole

    def note(self, given: str, event: dict[str, Any]) -> None:
        """Take an event of the JSON surface into account."""
        if event["event"] == "line":
            self.lines.setdefault(event["line_id"], set()).add(event["text"])
        elif event["event"] == "ack" and event["command"] == "heard":
            self.heard[event["turn_id"]] = given
        elif event["event"] == "ack" and event["command"] == "react":
            self.votes.add(event["line_id"])


class Table:
    """`understudy play --terminal --json`, whose events are noted as they come."""

    def __init__(self, ledger: Ledger, *options: str | Path) -> None:
        self.ledger, self.inputs, self.ended = ledger, dict[int, str](), dict[int, str]()
        self.errors: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [PROGRAM, "play", "--terminal", "--json", "--no-nights", *map(str, options)], env={**QUICK, **os.environ},
            text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def say(self, given: str) -> int:
        """Send an input; returns its number."""
        assert self.process.stdin is not None
        self.inputs[number := len(self.inputs) + 1] = given
        if not given.startswith("/"):
            self.ledger.sent.add(given)
        try:
            self.process.stdin.write(given + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead already
        return number

    def wait(self, number: int) -> str:
        """Wait until an input is answered: by what kind of event."""
        with self._news:
            done = self._news.wait_for(lambda: number in self.ended or not self._reader.is_alive(), PATIENCE)
        assert done, f"no answer to {self.inputs[number]!r}"
        return self.ended.get(number, "nothing")

    def answers(self, given: str) -> None:
        """Say something; it must be answered with a line."""
        how = self.wait(self.say(given))
        if how == "nothing":
            assert self.process.stderr is not None
            self.errors.append(self.process.stderr.read())
        assert how == "line", f"{given!r} is answered with {how}: {self.errors[-2:]}"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):  # half an event acknowledges nothing
                self._note(json.loads(line))
        with self._news:
            self._news.notify_all()

    def _note(self, event: dict[str, Any]) -> None:
        number = event.get("id", 0)
        with self._news:
            self.ledger.note(self.inputs.get(number, ""), event)
            if event["event"] == "error":
                self.errors.append(event["message"])
            if event["event"] in {"line", "error"} or (event["event"] == "ack" and event["command"] != "heard"):
                self.ended[number] = event["event"]
            self._news.notify_all()

    @property
    def worker(self) -> psutil.Process | None:
        """The model's process, while it lives."""
        try:
            children = psutil.Process(self.process.pid).children()
            return next((child for child in children if any("llama_worker" in part for part in child.cmdline())), None)
        except psutil.Error:
            return None

    def kill(self) -> None:
        """End it without a warning; nothing of it may live on."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE)
        _, alive = psutil.wait_procs(children, timeout=PATIENCE)
        assert not alive, f"{alive} outlive the table"

    def end(self) -> None:
        """Close the input; it must end well."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        told = self.process.stderr.read()
        assert (status, told) == (0, ""), f"{status}: {told}"


class Storm:
    """Kills, and looks whether anything was lost.

    Args:
        url: the database; the environment names it and the home already.
        model: a GGUF that is small enough to be trained in seconds.
    """

    def __init__(self, home: Path, url: str, model: Path, seed: int) -> None:
        self.home, self.url, self.model, self.rng = home, url, model, random.Random(seed)
        self.ledger, self.kills = Ledger(), Counter[str]()
        self.refused: Counter[str] = Counter()
        self.nights = self._remarks = 0
        self._table_takes, self._night_takes = 3.0, 60.0
        address = make_url(url)
        driver = "sqlite" if address.get_backend_name() == "sqlite" else "postgresql+psycopg"
        ours = address.difference_update_query(["application_name"])  # the one who looks is not cut off
        self.engine = create_engine(ours.set(drivername=driver))
        self.recipe = home.parent / "storm.yaml"
        self.recipe.write_text(yaml.safe_dump({
            "recipe": "sft", "learning_rate": 0.005, "epochs": 1, "anchors": 4, "max_length": 2048, "minutes": 1, "threads": 1,
        }), "utf-8")  # fmt: skip

    # --- what is drawn -----------------------------------------------------------------------

    def remark(self) -> str:
        self._remarks += 1
        return f"Remark {self._remarks}: {self.rng.choice(['the ale', 'the bridge', 'a wolf', 'old debts'])}, what of it?"

    def inputs(self, count: int) -> list[str]:
        """Mostly talk; some votes, corrections, takes, scenes."""
        known = sorted(self.ledger.lines)
        drawn = [self.remark()]
        for _ in range(count - 1):
            kind = self.rng.choices(["say", "react", "edit", "regen", "scene", "summon"], [50, 12, 16, 8, 6, 8])[0]
            line = self.rng.choice(known[-6:]) if known else 0
            drawn.append({
                "say": self.remark(), "react": f"/react 👍 {line}", "edit": f"/edit {line} Corrected {self.rng.getrandbits(40):x}, by the seven lanterns.",
                "regen": "/regen", "scene": f"/scene set place=room{self.rng.randrange(9)}",
                "summon": f"/npc summon {self.rng.choice(['brug', 'mira', 'thule'])}",
            }[kind if line else "say"])  # fmt: skip
        return drawn

    def table(self) -> Table:
        return Table(self.ledger, "--model", self.model, "--npc", "mira")

    # --- deeds -------------------------------------------------------------------------------

    def calm(self, edits: int = 0) -> None:
        """A table nobody disturbs: everything is answered, nothing is refused, and it ends well."""
        began, table = time.monotonic(), self.table()
        for given in self.inputs(3):
            table.say(given)
        table.wait(3)
        self._table_takes = time.monotonic() - began
        for number in range(edits):
            table.wait(table.say(self.remark()))
            table.wait(table.say(f"/edit Taught {number}, by the seven lanterns."))
        table.end()
        wrong = [message for message in table.errors if "scene" not in message and "take" not in message]
        assert not wrong, wrong

    def kill_table(self) -> None:
        """The whole table, anywhere between its first instruction and its last line."""
        table = self.table()
        for given in self.inputs(self.rng.randint(1, 6)):
            table.say(given)
        if self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0, 1.2) * self._table_takes)
        else:  # close to something being written
            table.wait(self.rng.randint(1, len(table.inputs)))
            time.sleep(self.rng.uniform(0, 0.02))
        table.kill()
        self.kills["table"] += 1

    def kill_workers(self, count: int) -> None:
        """The model's process, again and again under one table, which answers all the same."""
        table = self.table()
        table.answers(self.remark())
        for _ in range(count):
            numbers = [table.say(given) for given in self.inputs(2)]
            time.sleep(self.rng.uniform(0, 0.3) * self._table_takes)
            if worker := table.worker:
                worker.kill()
            self.kills["worker"] += 1
            for number in numbers:
                table.wait(number)
        table.answers(self.remark())
        table.end()

    def kill_backends(self, count: int) -> None:
        """The server's side of the table's connections; what was being done is refused, and the next thing works."""
        table = self.table()
        table.answers(self.remark())
        for _ in range(count):
            numbers = [table.say(given) for given in self.inputs(2)]
            time.sleep(self.rng.uniform(0, 0.15) * self._table_takes)
            self.kills["connection"] += max(1, terminate_backends())
            for number in numbers:
                self.refused["connection"] += table.wait(number) == "error"
        table.answers(self.remark())
        table.end()

    def kill_night(self) -> None:
        """A night, anywhere; one that comes to its end before was quicker."""
        began, night = time.monotonic(), self._begin_night()
        try:
            out, err = night.communicate(timeout=self.rng.uniform(0.05, 1.0) * self._night_takes)
        except subprocess.TimeoutExpired:
            children = psutil.Process(night.pid).children(recursive=True)
            night.kill()
            night.communicate()
            _, alive = psutil.wait_procs(children, timeout=PATIENCE)
            assert not alive, f"{alive} outlive the night"
            self.kills["night"] += 1
            return
        assert night.returncode == 0, (out + err)[-4000:]
        self.nights += 1
        self._night_takes = max(2.0, time.monotonic() - began)

    def whole_night(self) -> dict[str, Any]:
        """Tonight's job to its end; what it made of Mira."""
        out, err = self._begin_night().communicate(timeout=3 * PATIENCE)
        assert out, err[-4000:]
        told = json.loads(out.splitlines()[-1])
        assert "npcs" in told, out + err
        return dict(next(report for report in told["npcs"] if report["npc"] == "mira"))

    def _begin_night(self) -> "subprocess.Popen[str]":
        command = [PROGRAM, "night", "--npc", "mira", "--no-control", "--recipe", str(self.recipe), "--json"]
        environment = {**QUICK, **os.environ, "UNDERSTUDY_ENGINE_MODEL": str(self.model), "UNDERSTUDY_ENGINE_SYSTEM_BUDGET": "200"}
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def kill_backup(self) -> None:
        """A copy that is being made; what lies among the copies afterwards is whole."""
        copying = subprocess.Popen([PROGRAM, "db", "backup"], env={**QUICK, **os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(self.rng.uniform(0.2, 1.0) * self._table_takes)
        copying.kill()
        copying.communicate()
        self.kills["backup"] += 1
        for copy in (self.home / "backups").glob("db-*.sqlite"):
            engine = create_engine(f"sqlite:///{copy}")
            with engine.connect() as connection:
                assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            engine.dispose()

    # --- looking -----------------------------------------------------------------------------

    def ask(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query)).all())

    def nothing_lost(self) -> None:
        """Every acknowledged turn, line and vote is there, and nothing was heard twice."""
        if not self.ledger.heard:
            return
        said = dict(map(tuple, self.ask("SELECT id, text FROM turns WHERE npc IS NULL")))
        lost = {number: words for number, words in self.ledger.heard.items() if said.get(number) != words}
        assert not lost, f"acknowledged and not there: {lost}"
        twice = [words for words, count in Counter(said.values()).items() if count > 1]
        assert not twice, f"heard twice: {twice}"
        takes: dict[int, set[str]] = {}
        for line, words in self.ask("SELECT turn_id, text FROM takes WHERE state IN ('complete', 'cut')"):
            takes.setdefault(line, set()).add(words)
        gone = {line: words - takes.get(line, set()) for line, words in self.ledger.lines.items() if words - takes.get(line, set())}
        assert not gone, f"shown whole and not there: {gone}"
        voted = {line for (line,) in self.ask("SELECT turn_id FROM feedback WHERE kind = 'thumbs_up'")}
        assert self.ledger.votes <= voted
        assert self.ledger.elsewhere <= set(said.values())
        assert self.ledger.shown <= {words for (words,) in self.ask("SELECT text FROM turns WHERE npc IS NOT NULL")}

    def nothing_half(self) -> None:
        """Whatever can be seen is whole."""
        import hashlib

        import gguf

        for file in (self.home / "adapters").rglob("*.gguf"):
            assert gguf.GGUFReader(file).tensors, file
            assert file.stem.rpartition("-")[2] == hashlib.sha256(file.read_bytes()).hexdigest()[:12], file
        for manifest in self.home.glob("datasets/*/manifest.json"):
            json.loads(manifest.read_text("utf-8"))
        for report in self.home.glob("reports/*"):
            assert report.stat().st_size, report
        assert self.ask("SELECT id FROM takes WHERE state = 'streaming'") == []

    def checked(self) -> Done:
        """`understudy db check`, which must find nothing."""
        done = understudy("db", "check", "--json")
        assert done.status == 0, done.out + done.err
        assert done.value["findings"] == [], done.out
        return done

    def close(self) -> None:
        self.engine.dispose()


def terminate_backends() -> int:
    """Cut every connection to the server that is ours, as its administrator would; returns how many."""
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        asked = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s"
        row = connection.execute(asked, (TRACE,)).fetchone()
        return int(row[0]) if row else 0
