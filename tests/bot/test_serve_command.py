"""`understudy serve` and `db check|copy` as an operator runs them."""

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import openai
import psycopg
import pytest

from tests.bot.conftest import Command, OpenTable
from tests.fakes.databases import postgres_urls
from tests.fakes.hearing import said
from tests.fakes.program import PROGRAM, QUICK, Conversation


def ask(address: str, text: str) -> str:
    with openai.OpenAI(base_url=address, api_key="none", timeout=60) as client:
        answer = client.chat.completions.create(model="mira", messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content or ""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_the_program_serves_until_it_is_told_to_end(tiny_model: Path) -> None:
    command = [PROGRAM, "serve", "--port", "0", "--no-nights", "--json", "--model", str(tiny_model)]
    with subprocess.Popen(command, env={**QUICK, **os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            ready = json.loads(server.stdout.readline())
            assert ready["event"] == "ready"
            ask(ready["address"], "Good evening!")
            server.send_signal(signal.SIGTERM)
            assert json.loads(server.stdout.readline()) == {"event": "stopped"}
            assert server.wait(30) == 0
        finally:
            server.kill()


def test_it_is_served_beside_a_table_on_the_same_record(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_API_PORT", "0")
    with Conversation("--api", "--no-nights", "--model", tiny_model) as table:
        assert table.process.stderr is not None
        told = ""
        while "Every NPC answers at " not in told:
            told = table.process.stderr.readline()
        ask(told.split("answers at ")[1].split(" ")[0], "Good evening!")
        table.say("And good evening from me.")
        assert table.hear("line")[-1]["line_id"] == 4
        assert table.end().status == 0


def test_others_can_call_only_where_there_is_a_key(command: Command) -> None:
    refused = command("serve", "--host", "0.0.0.0", "--port", "0", "--no-nights")
    assert refused.status == 1
    assert "At 0.0.0.0 others could call, so a key is needed; make one with `understudy serve key new NAME`." in refused.err


def test_keys_are_made_once_and_listed_without_their_secret(command: Command) -> None:
    assert "There is no key" in command("serve", "key", "list").out
    made = command("serve", "key", "new", "my game", "--consent", "--gm", "--json").value
    assert made["key"].startswith(f"usk-{made['handle']}-")
    assert "in use" in command("serve", "key", "new", "my game").err
    assert "consents to training" in command("serve", "key", "new", "other", "--gm").err
    assert "needs a name" in command("serve", "key", "new", " ").err
    listed = command("serve", "key", "list", "--json")
    assert made["key"] not in listed.out
    assert [(one["name"], one["role"], one["consent"]) for one in listed.value["keys"]] == [("my game", "gm", "given")]
    assert "teaches by its nature; revoke it" in command("serve", "key", "consent", "my game", "refused").err
    assert command("serve", "key", "revoke", made["handle"]).status == 0
    assert "No key in use goes by 'my game'" in command("serve", "key", "consent", "my game", "given").err
    assert "revoked" in command("serve", "key", "list").out


async def test_a_sound_home_is_clean_and_a_lost_adapter_ends_with_one(open_table: OpenTable, command: Command) -> None:
    await said(await open_table("Four copper."), "An ale?")
    clean = await asyncio.to_thread(command, "db", "check")
    assert (clean.status, "nothing is lost" in clean.out) == (0, True)
    async with open_table.stores[0].session() as session:
        from db.queries import adapters
        from tests.bot.conftest import NOW

        version = adapters.Version("mira-1", "mira", str(open_table.home / "gone.gguf"), "base", "retired", {}, NOW)
        await adapters.add_version(session, open_table.tables[0].state.campaign, version)
    lost = await asyncio.to_thread(command, "db", "check", "--json")
    assert (lost.status, lost.value["clean"], lost.value["findings"][0]["about"]) == (1, False, "adapter")


async def test_a_home_moves_to_postgresql_and_goes_on_there(
    open_table: OpenTable, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(await open_table("Four copper."), "An ale?")
    for store in open_table.stores:
        await store.close()
    for url in postgres_urls():
        copied = await asyncio.to_thread(command, "db", "copy", url, "--json")
        assert (copied.status, copied.value["rows"]["turns"]) == (0, 2)
        again = await asyncio.to_thread(command, "db", "copy", url)
        assert "is not empty" in again.err
        monkeypatch.setenv("UNDERSTUDY_DATABASE_URL", url)
        assert (await asyncio.to_thread(command, "db", "check")).status == 0
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT text FROM turns ORDER BY id").fetchall() == [("An ale?",), ("Four copper.",)]
    onto_itself = await asyncio.to_thread(command, "db", "copy", f"sqlite:///{open_table.home / 'db.sqlite'}")
    assert onto_itself.status == 1
