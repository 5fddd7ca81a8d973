"""`/healthz` and `/metrics` of the API, and request ids that reach the log."""

import json
import socket
from pathlib import Path

import httpx2
import pytest

from bot.api.app import Api
from bot.api.serving import served
from bot.commands.observing import observed
from bot.table.json_log import kept_log
from bot.wiring import find_house
from tests.bot.api.conftest import Serve


async def test_counters_and_health_are_served_where_they_are_asked_for(serve: Serve) -> None:
    api = await serve("Four copper.")
    assert (await api.http().get("/metrics")).status_code == 404
    await api.say("An ale?")
    watched = Api(api.api.host, "0.0.0.0", observed=True)
    async with served(watched.app, "127.0.0.1", 0) as address:
        http = api.http()
        assert (await http.get(f"{address}/healthz")).json() == {"status": "ok", "database": True}
        assert (await http.get(f"{address}/metrics")).status_code == 401
        key = await api.key()
        told = (await http.get(f"{address}/metrics", headers={"Authorization": f"Bearer {key}"})).text
    await watched.close()
    assert 'understudy_turns_total{source="api"}' in told
    assert 'understudy_requests_total{status="401"}' in told


async def test_a_database_that_is_gone_is_no_health(serve: Serve) -> None:
    api = await serve()
    watched = Api(api.api.host, observed=True)
    async with served(watched.app, "127.0.0.1", 0) as address:
        async with api.store.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TABLE feedback")
        assert (await api.http().get(f"{address}/metrics")).status_code == 200
        assert (await api.http().get(f"{address}/healthz")).status_code == 200
    await watched.close()


async def test_a_requests_id_is_in_its_answer_and_in_the_log(serve: Serve, home: Path) -> None:
    api = await serve("Four copper.")
    with kept_log(home) as file:
        body = {"model": "mira", "messages": [{"role": "user", "content": "An ale?"}]}
        answer = await api.http(headers={"X-Request-Id": "game-7"}).post("/v1/chat/completions", json=body)
        odd = await api.http(headers={"X-Request-Id": "no id / at all"}).post("/v1/chat/completions", json=body)
    assert answer.headers["x-request-id"] == "game-7"
    assert len(odd.headers["x-request-id"]) == 12
    events = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [event["event"] for event in events if event["interaction"] == "game-7"] == ["heard", "begins", "line"]
    assert "An ale?" not in file.read_text("utf-8")


async def test_beside_a_table_without_the_api_the_counters_have_a_port_of_their_own(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    api = await serve()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in (("METRICS", "true"), ("LOGS", "true"), ("PORT", str(port))):
        monkeypatch.setenv(f"UNDERSTUDY_OBSERVE_{name}", value)
    async with observed(find_house(), api.store):
        assert (await api.http().get(f"http://127.0.0.1:{port}/healthz")).json()["status"] == "ok"
        assert "understudy_up_seconds" in (await api.http().get(f"http://127.0.0.1:{port}/metrics")).text
        foreign = await api.http(headers={"Host": "evil.example"}).get(f"http://127.0.0.1:{port}/metrics")
        assert foreign.status_code == 403
        await api.say("An ale?")
    assert '"event": "line"' in (home / "logs" / "understudy.jsonl").read_text("utf-8")
    async with observed(find_house(), api.store, served_elsewhere=True):
        with pytest.raises(httpx2.ConnectError):
            await api.http().get(f"http://127.0.0.1:{port}/metrics")
