"""NPCs with a name and a face of their own: one webhook of ours a channel, another face every line.

A picture that is anywhere on the web goes with each message. A picture that lies on this machine
has no address, so it becomes the default picture of a webhook: at most ten of those a channel, and
the least recently used is given to whoever needs one. Without the permission the bot speaks
itself, under the NPC's name in bold.
"""

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord

log = logging.getLogger(__name__)

POOL = 10
_NAME = 80
_HOOK = "Understudy"
_UNKNOWN_WEBHOOK = 10015
_NO_ROOM = 30007  # a channel has fifteen webhooks at most, other programs' included
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
_MAX_PICTURE = 8 * 1024 * 1024
_REMEMBERED = 5000
QUIET = discord.AllowedMentions.none()


@dataclass(frozen=True)
class Face:
    """How an NPC looks: a name, and a picture's address or its bytes."""

    name: str
    url: str | None = None
    picture: bytes | None = None


def face_of(name: str, avatar: str, folder: Path) -> Face:
    """The face of a sheet; a picture that cannot be had is no picture.

    Args:
        avatar: an address, or a file in the home's `avatars` folder.
    """
    if re.match(r"https?://", avatar):
        return Face(name, url=avatar)
    file = folder / avatar
    ours = bool(avatar) and Path(avatar).name == avatar and file.suffix.casefold() in _PICTURES and file.is_file()
    return Face(name, picture=file.read_bytes()) if ours and file.stat().st_size <= _MAX_PICTURE else Face(name)


def webhook_name(name: str) -> str:
    """A name Discord takes for a webhook: not empty, not too long, without the words it refuses."""
    name = re.sub(r"(?i)dis(?=cord)|cly(?=de)", lambda found: found[0] + "-", " ".join(name.split()))
    return name[:_NAME].strip() or "Somebody"


Home = discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.StageChannel


def home_of(channel: Any) -> Home | None:
    """The channel whose webhooks serve a channel: a thread's or post's is its parent."""
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return channel if isinstance(channel, Home) else None


class Personas:
    """Speaks, changes and takes back as NPCs."""

    def __init__(self) -> None:
        self._hooks: dict[int, list[discord.Webhook]] = {}
        self._pool: dict[int, OrderedDict[str, discord.Webhook]] = {}
        self._through: OrderedDict[int, discord.Webhook | None] = OrderedDict()  # by message, the last ones
        self.own: set[int] = set()  # ids of our webhooks, so that nobody answers himself

    def may(self, channel: Any) -> bool:
        """Whether webhooks can be used in a channel."""
        home = home_of(channel)
        return home is not None and home.permissions_for(home.guild.me).manage_webhooks

    async def say(self, channel: Any, face: Face, text: str, **more: Any) -> discord.Message:
        """Speak as somebody, and return the message."""
        if self.may(channel):
            try:
                return await self._through_hook(channel, face, text, more)
            except discord.HTTPException as error:
                if not isinstance(error, discord.Forbidden) and error.code != _NO_ROOM:
                    raise
                log.warning("Discord refuses a webhook in channel %s; the bot speaks there itself.", channel.id)
        message: discord.Message = await channel.send(bold(face.name, text), allowed_mentions=QUIET, **more)
        self._note(message.id, None)
        return message

    async def _through_hook(self, channel: Any, face: Face, text: str, more: dict[str, Any]) -> discord.Message:
        home = home_of(channel)
        assert home is not None
        options: dict[str, Any] = {**_thread(channel), **more, "username": webhook_name(face.name)}
        if face.url:
            options["avatar_url"] = face.url
        for again in (False, True):
            hook = await self._hook(home, face)
            try:
                message: discord.Message = await hook.send(text, wait=True, allowed_mentions=QUIET, **options)
                self._note(message.id, hook)
                return message
            except discord.NotFound as error:  # somebody deleted it: one new one, and no more
                if again or error.code != _UNKNOWN_WEBHOOK:
                    raise
                self._forget(home.id, hook)
        raise AssertionError("both tries return or raise")

    async def _hook(self, home: Home, face: Face) -> discord.Webhook:
        hooks = await self._known(home)
        if face.picture is None:
            plain = next((hook for hook in hooks if hook.name == _HOOK), None)
            return plain or await self._make(home, _HOOK, None)
        pool = self._pool.setdefault(home.id, OrderedDict())
        name = webhook_name(face.name)
        if name in pool:
            pool.move_to_end(name)
            return pool[name]
        free = next((hook for hook in hooks if hook.name != _HOOK and hook not in pool.values()), None)
        if free is None and len(pool) < POOL:
            free = await self._make(home, name, face.picture)
        else:
            free = free or pool.popitem(last=False)[1]
            free = await free.edit(name=name, avatar=face.picture, reason="an NPC's face")
        pool[name] = free
        return free

    async def _known(self, home: Home) -> list[discord.Webhook]:
        """Our webhooks of a channel; Discord is asked once."""
        if home.id not in self._hooks:
            me = home.guild.me.id
            found = [hook for hook in await home.webhooks() if hook.user and hook.user.id == me and hook.token]
            self._hooks[home.id] = found
            self.own |= {hook.id for hook in found}
        return self._hooks[home.id]

    async def _make(self, home: Home, name: str, picture: bytes | None) -> discord.Webhook:
        hook = await home.create_webhook(name=name, avatar=picture, reason="NPCs speak through it")
        self._hooks.setdefault(home.id, []).append(hook)
        self.own.add(hook.id)
        return hook

    def _forget(self, home: int, gone: discord.Webhook) -> None:
        self._hooks[home] = [hook for hook in self._hooks.get(home, []) if hook.id != gone.id]
        pool = self._pool.get(home, OrderedDict())
        for name in [name for name, hook in pool.items() if hook.id == gone.id]:
            del pool[name]

    async def change(self, channel: Any, message: int, text: str | None, name: str, **more: Any) -> None:
        """Change a message that was said; one that is gone stays gone."""
        try:
            own = await self._owner(channel, message)
            if own is None:
                new = {} if text is None else {"content": bold(name, text)}
                await channel.get_partial_message(message).edit(allowed_mentions=QUIET, **new, **more)
            else:
                options: dict[str, Any] = {**_thread(channel), **more}
                if text is not None:
                    options["content"] = text
                await own.edit_message(message, allowed_mentions=QUIET, **options)
        except discord.NotFound:
            log.info("Message %s is gone.", message)

    async def take_back(self, channel: Any, message: int) -> None:
        """Delete a message that was said."""
        try:
            own = await self._owner(channel, message)
            if own is None:
                await channel.get_partial_message(message).delete()
            else:
                await own.delete_message(message, **_thread(channel))
        except discord.NotFound:
            log.info("Message %s is gone already.", message)

    def _note(self, message: int, hook: discord.Webhook | None) -> None:
        self._through[message] = hook
        while len(self._through) > _REMEMBERED:
            self._through.popitem(last=False)

    async def _owner(self, channel: Any, message: int) -> discord.Webhook | None:
        """The webhook a message was said through; None where the bot said it itself."""
        if message not in self._through:  # of an earlier run
            home = home_of(channel)
            hooks = await self._known(home) if home is not None and self.may(channel) else []
            said = await channel.fetch_message(message)
            self._note(message, next((hook for hook in hooks if hook.id == said.webhook_id), None))
        return self._through[message]


def _thread(channel: Any) -> dict[str, Any]:
    return {"thread": channel} if isinstance(channel, discord.Thread) else {}


def bold(name: str, text: str) -> str:
    """A line as the bot says it for somebody; a quotation stays above it."""
    above, rest = "", text
    if text.startswith("> ") and "\n" in text:
        above, _, rest = text.partition("\n")
        above += "\n"
    return f"{above}**{discord.utils.escape_markdown(name)}:** {rest}"
