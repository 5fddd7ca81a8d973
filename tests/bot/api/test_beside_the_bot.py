"""`understudy bot --api`: the NPCs of a Discord bot behind an address, in the same process, counters included."""

import asyncio
import json
from pathlib import Path

import httpx2

from tests.bot.discord.wire import ended_well, running
from tests.fakes.discord_standin import DiscordStandIn
from tests.fakes.model_server import ModelServer


async def test_the_bot_serves_its_npcs_and_its_counters_beside_itself(home: Path) -> None:
    settings = {"UNDERSTUDY_API_PORT": "0", "UNDERSTUDY_OBSERVE_METRICS": "true", "UNDERSTUDY_OBSERVE_LOGS": "true"}
    async with ModelServer() as model, DiscordStandIn() as discord, running(discord, model, "--api", **settings) as bot:
        address = (await bot.event("api"))["address"]
        await bot.event("ready")
        model.script.append("Four copper for the ale.")
        body = {"model": "mira", "messages": [{"role": "user", "content": "What does the ale cost?"}]}
        async with httpx2.AsyncClient(timeout=30) as http:
            answer = (await http.post(f"{address}/chat/completions", json=body)).json()
            counters = (await http.get(address.replace("/v1", "/metrics"))).text
        assert answer["choices"][0]["message"]["content"] == "Four copper for the ale."
        assert 'understudy_lines_total{ended="whole",npc="mira"} 1' in counters
        await ended_well(bot)
    log = await asyncio.to_thread((home / "logs" / "understudy.jsonl").read_text, "utf-8")
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert [event for event in events if event in {"heard", "begins", "line"}] == ["heard", "begins", "line"]
