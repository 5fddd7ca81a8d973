"""A stand-in for Discord on loopback: REST and gateway, for what only the wire shows.

The bot is the real program with an unmodified discord.py. People are played by calls on the
stand-in; every request the bot makes and every answer it gets is held against Discord's own
description, and what is wrong is collected in `faults`.
"""

import time
from typing import Any

from aiohttp import web

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import BOT, CHANNEL, GUILD
from tests.fakes.discord_rest import Asked, Rest

PREFIX = "/api/v10"


class DiscordStandIn(Rest):
    """One server with two channels; the bot, a GM and players are in it."""

    def __init__(self, *, token: str = "good.token.here", privileged: bool = True) -> None:
        super().__init__(token, privileged=privileged)
        self.threads: dict[int, int] = {}  # a thread's channel
        self.locale = "en-US"
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> "DiscordStandIn":
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/gw", self.serve)
        app.router.add_route("*", PREFIX + "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{self._port}/gw"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in self.sockets:
            await socket.close()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs to find us."""
        return {
            "DISCORD_TOKEN": self.token, "UNDERSTUDY_DISCORD_GATEWAY_URL": self.url,
            "UNDERSTUDY_DISCORD_API_URL": f"http://127.0.0.1:{self._port}{PREFIX}",
        }  # fmt: skip

    # --- people ----------------------------------------------------------------------------------

    async def open_channel(self, kind: int = 0) -> int:
        """One more channel; of kind 15 a forum."""
        made = {**payloads.channel(next(self.numbers), "parlour"), "type": kind}
        self.channels.append(made)
        await self.dispatch("CHANNEL_CREATE", made)
        return int(made["id"])

    async def open_thread(self, parent: int = CHANNEL) -> int:
        """A thread of a channel."""
        number = next(self.numbers)
        self.threads[number] = parent
        await self.dispatch("THREAD_CREATE", payloads.thread(number, parent))
        return number

    async def slash(self, person: str, command: str, /, *, channel: int = CHANNEL, **options: Any) -> Asked:
        """Somebody uses a slash command."""
        root, *inner = command.split()
        known = next(known for known in self.commands if known["name"] == root)
        listed = [{"name": key, "type": 5 if isinstance(value, bool) else 3, "value": value} for key, value in options.items()]
        for word in reversed(inner):
            listed = [{"name": word, "type": 1, "options": listed}]
        data = {"id": known["id"], "name": root, "type": 1, "options": listed, "guild_id": str(GUILD)}
        return await self._interact(2, person, channel, data)

    async def click(self, person: str, message: dict[str, Any], custom_id: str) -> Asked:
        """Somebody presses a button."""
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._interact(3, person, int(message["channel_id"]), data, message=message)

    async def menu(self, person: str, command: str, message: dict[str, Any]) -> Asked:
        """Somebody uses a message's menu."""
        known = next(known for known in self.commands if known["name"] == command)
        data = {"id": known["id"], "name": command, "type": 3, "target_id": message["id"], "guild_id": str(GUILD),
                "resolved": {"messages": {message["id"]: message}}}  # fmt: skip
        return await self._interact(2, person, int(message["channel_id"]), data)

    async def form(self, opened: Asked) -> None:
        """Wait until a form is open and somebody could have read it: the bot knows it only once our answer has reached it."""
        await self.until(lambda: opened.callback is not None)
        beats = len(self.heartbeats)
        await self.until(lambda: len(self.heartbeats) >= beats + 2)

    async def submit(self, person: str, opened: Asked, **values: str) -> Asked:
        """Somebody fills a form in."""
        assert opened.callback is not None
        form = opened.callback["data"]
        fields = [
            {"type": 18, "id": number, "component": {"type": 4, "id": 100 + number, "custom_id": name, "value": value}}
            for number, (name, value) in enumerate(values.items())
        ]
        data = {"custom_id": form["custom_id"], "components": fields}
        return await self._interact(5, person, int(opened.channel), data)

    async def _interact(self, kind: int, person: str, channel: int, data: dict[str, Any], **more: Any) -> Asked:
        number = next(self.numbers)
        asked = Asked(number, f"itoken-{number}", str(channel), kind, time.monotonic())
        self.asked[asked.token] = asked
        await self.dispatch("INTERACTION_CREATE", {
            "id": str(number), "application_id": str(BOT), "type": kind, "token": asked.token, "version": 1,
            "attachment_size_limit": 10_000_000, "guild_id": str(GUILD), "channel_id": str(channel),
            "channel": self._channel_of(channel), "member": self.person(person), "data": data, "locale": self.locale,
            "guild_locale": "en-US", "entitlements": [], "authorizing_integration_owners": {"0": str(GUILD)},
            "context": 0, "app_permissions": payloads.ALL, **more,
        })  # fmt: skip
        return asked

    def _channel_of(self, channel: int) -> dict[str, Any]:
        parent = self.threads.get(channel)
        return payloads.channel(channel) if parent is None else payloads.thread(channel, parent)

    async def react(self, person: str, message: dict[str, Any], emoji: str, *, remove: bool = False) -> None:
        """Somebody reacts."""
        member = self.person(person)
        event = {"user_id": member["user"]["id"], "channel_id": message["channel_id"], "message_id": message["id"],
                 "guild_id": str(GUILD), "emoji": {"id": None, "name": emoji}, "type": 0, "burst": False}  # fmt: skip
        await self.dispatch("MESSAGE_REACTION_REMOVE" if remove else "MESSAGE_REACTION_ADD",
                            event if remove else {**event, "member": member})  # fmt: skip

    async def say(self, person: str, text: str, channel: int = CHANNEL) -> dict[str, Any]:
        """Somebody writes in a channel."""
        member = self.person(person)
        said = payloads.message(next(self.numbers), str(channel), member["user"], {"content": text})
        self.messages[said["id"]] = said
        event = {**said, "guild_id": str(GUILD), "member": {k: v for k, v in member.items() if k != "user"}}
        await self.dispatch("MESSAGE_CREATE", event)
        return said
