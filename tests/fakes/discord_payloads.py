"""The payloads of a very small Discord: one server, one bot, a few people, as whole as Discord's description asks."""

from typing import Any

BOT, GUILD, CHANNEL, EVERYBODY, GM_ROLE = 1000, 2000, 3000, 2000, 2001
SINCE = "2026-05-01T20:00:00+00:00"
ALL = str((1 << 52) - 1)


def user(number: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(number), "username": name, "discriminator": "0000", "avatar": None, "public_flags": 0, "flags": 0,
        "global_name": name, "primary_guild": None, "bot": bot,
    }  # fmt: skip


US = user(BOT, "Understudy", bot=True)


def member(number: int, name: str, roles: tuple[int, ...] = ()) -> dict[str, Any]:
    return {
        "user": user(number, name), "roles": [str(role) for role in roles], "flags": 0, "joined_at": SINCE,
        "deaf": False, "mute": False, "nick": None, "avatar": None, "permissions": ALL, "pending": False,
        "premium_since": None, "communication_disabled_until": None, "banner": None,
    }  # fmt: skip


def role(number: int, name: str, permissions: str = ALL) -> dict[str, Any]:
    return {"id": str(number), "name": name, "color": 0, "hoist": False, "position": 0 if number == EVERYBODY else 1,
            "permissions": permissions, "managed": False, "mentionable": False, "flags": 0, "icon": None,
            "unicode_emoji": None, "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}}  # fmt: skip


def channel(number: int = CHANNEL, name: str = "tavern") -> dict[str, Any]:
    return {"id": str(number), "type": 0, "name": name, "position": 0, "guild_id": str(GUILD), "permission_overwrites": [],
            "nsfw": False, "flags": 0, "parent_id": None, "topic": None, "rate_limit_per_user": 0}  # fmt: skip


def thread(number: int, parent: int = CHANNEL) -> dict[str, Any]:
    return {
        "id": str(number), "type": 11, "name": "a quiet corner", "guild_id": str(GUILD), "parent_id": str(parent), "owner_id": "5",
        "message_count": 0, "member_count": 1, "rate_limit_per_user": 0, "flags": 0, "total_message_sent": 0,
        "thread_metadata": {"archived": False, "auto_archive_duration": 1440, "archive_timestamp": SINCE, "locked": False},
    }  # fmt: skip


def guild() -> dict[str, Any]:
    return {
        "id": str(GUILD), "name": "Highcairn", "owner_id": "5", "unavailable": False, "member_count": 3,
        "roles": [role(EVERYBODY, "@everyone", str((1 << 52) - 1 - (1 << 3) - (1 << 5))), role(GM_ROLE, "GM", "0")],
        "channels": [channel(), channel(CHANNEL + 1, "cellar")],
        "members": [{**member(BOT, "Understudy"), "user": US}], "threads": [], "emojis": [], "stickers": [],
        "voice_states": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [], "features": [],
        "premium_tier": 0, "preferred_locale": "en-US", "verification_level": 0, "afk_timeout": 300, "nsfw_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "system_channel_flags": 0,
        "large": False, "premium_progress_bar_enabled": False,
    }  # fmt: skip


def fetched_guild(permissions: str) -> dict[str, Any]:
    """The server as REST tells of it."""
    nothing = dict.fromkeys((
        "icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id", "afk_channel_id",
        "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code", "rules_channel_id",
        "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data",
    ))  # fmt: skip
    known = {name: value for name, value in guild().items() if name not in {
        "channels", "members", "threads", "voice_states", "presences", "stage_instances", "guild_scheduled_events", "unavailable",
        "member_count", "large",
    }}  # fmt: skip
    return {
        **known, **nothing, "region": "deprecated", "widget_enabled": False, "max_members": 100, "nsfw": False,
        "max_stage_video_channel_users": 0, "max_video_channel_users": 0, "premium_subscription_count": 0,
        "roles": [role(EVERYBODY, "@everyone", permissions)],
    }  # fmt: skip


def application() -> dict[str, Any]:
    return {
        "id": str(BOT), "name": "Understudy", "icon": None, "description": "", "type": None, "verify_key": "0" * 64,
        "flags": 0, "flags_new": "0", "redirect_uris": [], "interactions_endpoint_url": None,
        "role_connections_verification_url": None, "owner": user(5, "olga"), "approximate_guild_count": 1,
        "approximate_user_install_count": 0, "approximate_user_authorization_count": 0, "explicit_content_filter": 0,
        "team": None, "eligible_oauth2_scopes": [], "bot_public": True, "bot_require_code_grant": False,
        "bot": US, "summary": "",
    }  # fmt: skip


def components(given: list[Any] | None) -> list[Any]:
    """Components as Discord gives them back: everything has a number."""
    numbered, count = [], 0
    for row in given or []:
        inner = []
        for item in row.get("components", []):
            count += 1
            whole = {**item, "id": count}
            if "emoji" in item:
                whole["emoji"] = {name: value for name, value in item["emoji"].items() if value is not None}
            inner.append({name: value for name, value in whole.items() if name != "disabled" or value})
        count += 1
        numbered.append({**row, "id": count, "components": inner})
    return numbered


def message(number: int, where: str, author: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    made = {
        "id": str(number), "channel_id": where, "type": 0, "content": body.get("content") or "", "mentions": [],
        "mention_roles": [], "attachments": [], "embeds": [], "timestamp": SINCE, "edited_timestamp": None,
        "flags": body.get("flags", 0), "components": components(body.get("components")), "author": author,
        "pinned": False, "mention_everyone": False, "tts": False,
    }  # fmt: skip
    if "webhook_id" in body:
        made |= {"webhook_id": body["webhook_id"], "application_id": str(BOT)}
    return made


def webhook(number: int, where: str, name: str, avatar: str | None) -> dict[str, Any]:
    return {
        "id": str(number), "type": 1, "name": name, "avatar": "a" * 32 if avatar else None, "channel_id": where,
        "guild_id": str(GUILD), "application_id": str(BOT), "token": f"token-{number}", "user": US,
    }  # fmt: skip


def command(number: int, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(number), "application_id": str(BOT), "version": "1", "default_member_permissions": None, "type": 1,
        "description": "", **{name: value for name, value in given.items() if value is not None and name != "nsfw"},
    }  # fmt: skip
