"""Settings, and where each of them came from.

Built-in default < understudy.toml in the home < environment `UNDERSTUDY_SECTION_NAME` < command
line. Secrets are read from the environment alone and never shown.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from characters.errors import UnderstudyError

TABLES = 4  # lines spoken at once where several tables may talk, unless `engine.streams` says


class SettingsError(UnderstudyError):
    """A setting that cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(_Section):
    """What speaks: a local GGUF, or an OpenAI-compatible server when `url` is set."""

    model: str = Field("", description="GGUF file; empty for the bundled starter")
    url: str = Field("", description="OpenAI-compatible server, e.g. http://127.0.0.1:8080/v1")
    remote_model: str = Field("default", description="model name to ask the server for")
    adapters: Literal["none", "llama-server", "vllm"] = Field(
        "none", description="what kind of server it is, if it is to speak with adapters"
    )
    context: int = Field(2048, ge=256, le=131_072, description="tokens of prompt and reply together")
    kv_tokens: int = Field(6144, ge=512, description="tokens kept evaluated over all conversations")
    threads: int = Field(0, ge=0, le=256, description="compute threads; 0 for as many as suit the model")
    streams: int = Field(0, ge=0, le=16, description="lines spoken at once; 0 for 4, and 1 where one person plays")
    copy_bonus: float | None = Field(None, ge=0, le=100, description="nats for a fact at hand's next word")
    patience: float = Field(60.0, gt=0, description="seconds without a sign before the model counts as hung")
    system_budget: int = Field(0, ge=0, description="tokens of system text; 0 lets the model file say")
    extra_buffers: bool = Field(True, description="llama.cpp's repacked weights (see `understudy doctor`)")


class SamplingSettings(_Section):
    """How the next token is chosen."""

    temperature: float = Field(0.4, ge=0, le=2)
    top_k: int = Field(64, ge=0, description="only so many of the likeliest tokens are looked at; 0 for all")
    top_p: float = Field(0.95, gt=0, le=1)
    min_p: float = Field(0.08, ge=0, le=1)
    repetition_penalty: float = Field(1.0, ge=1, le=2)
    max_tokens: int = Field(110, ge=8, le=1000)


class MemorySettings(_Section):
    """What NPCs remember."""

    embeddings: Literal["off", "engine"] = Field(
        "off", description="engine: the local model makes vectors, by which memories are found beside full text"
    )
    embedding_model: str = Field("", description="GGUF that makes the vectors; empty for the model that speaks")


class DatabaseSettings(_Section):
    """Where things are kept."""

    url: str = Field("", description="empty for SQLite in the home; postgresql://… for a server")


class TableSettings(_Section):
    """The table."""

    campaign: str = Field("home", min_length=1, max_length=200)
    npc: str = Field("mira", description="who is there when a new table opens")
    name: str = Field("You", min_length=1, max_length=40, description="what the one at the keyboard is called")
    swap: Literal["scene", "line"] = Field("line", description="when a promoted voice is heard: next scene or line")


class PrivacySettings(_Section):
    """What may be learnt from."""

    channel_text: Literal["never", "express_permission"] = "never"


class NightSettings(_Section):
    """When NPCs learn, and how much of the machine they may have for it."""

    cron: str = Field("0 4 * * *", description="minute, hour, day, month, weekday (0 is Sunday)")
    timezone: str = Field("", description="such as Europe/Berlin; empty for this machine's")
    run_on_start: bool = Field(True, description="make up for a night that was missed, when the service starts")
    idle_minutes: float = Field(20, gt=0, description="silence after which an evening counts as over")
    minutes: float = Field(60, gt=0, description="time box for one NPC's night")
    promote: Literal["ask", "automatic"] = Field("ask", description="who lets an adapter that passed the gate speak")
    judge: bool = Field(False, description="ask the judge of teacher.judge at the gate, once people agreed with it")
    judge_budget: float = Field(0.0, ge=0, description="what a night's judge may cost in all; 0 for no limit")
    reinforce: Literal["never", "rules", "judge"] = Field(
        "never", description="end a night's training by rewards for the NPC's own answers: by rules, or a judge too"
    )
    yields: bool = Field(True, description="keep out of the way of sessions; false on a machine that serves none")

    @field_validator("cron")
    @classmethod
    def _five_fields(cls, cron: str) -> str:
        if len(cron.split()) != 5:
            raise ValueError("it has five fields, such as 0 4 * * *")
        return cron

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str) -> str:
        try:
            if timezone:
                ZoneInfo(timezone)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError("there is no such time zone; write one such as Europe/Berlin") from error
        return timezone


class StudioSettings(_Section):
    """The studio in the browser."""

    host: str = Field("127.0.0.1", min_length=1, description="address to serve at; any other asks for a password")
    port: int = Field(8777, ge=0, le=65535, description="the first port to try; 0 lets the system choose")
    names: str = Field("", description="further names of this machine, by comma, such as a reverse proxy's")


class DiscordSettings(_Section):
    """The Discord bot; each server's own choices are kept in the database."""

    api_url: str = Field("", description="another address for the REST API, such as a proxy's; empty for Discord's")
    gateway_url: str = Field("", description="another address for the gateway (ws:// or wss://); empty for Discord's")
    shards: int = Field(1, ge=0, le=1024, description="connections to the gateway; 0 lets Discord say")
    shard_ids: str = Field("", description="the ones this process holds, such as 0-3 or 0,2; empty for all")
    message_content: bool = Field(False, description="ask for the Message Content intent, which table mode needs")
    gm_roles: str = Field("dm, gm, dungeon master, game master", description="names of the roles a GM has, by comma")
    campaign: str = Field("", description="one campaign for one server; empty for a campaign a server, by its id")
    controls: Literal["buttons", "reactions", "menu"] = Field("buttons", description="how the newest line is rated")
    stream: Literal["edits", "sentences", "whole"] = Field("edits", description="how a line appears")
    edit_seconds: float = Field(1.2, ge=0.5, le=10, description="between two edits of a line that is being spoken")
    gather_idle: float = Field(2.0, ge=0, le=10, description="table mode: seconds of silence that end a burst")
    gather_most: float = Field(8.0, ge=0, le=30, description="table mode: seconds a burst lasts at most")
    cooldown: float = Field(2.0, ge=0, le=60, description="seconds between two lines one person asks for")
    keep_channel_days: int = Field(30, ge=1, le=365, description="days until ordinary channel text is emptied")
    guild: str = Field("", description="a server's id: commands are made known to it alone (for development)")


TeacherKind = Literal["offline", "local", "openai"]


class TeacherSettings(_Section):
    """Who writes training data and judges it: offline (rules, no network), local (engine.model) or openai."""

    bootstrap: TeacherKind = Field("offline", description="who writes conversations for `teach bootstrap`")
    document: TeacherKind = Field("offline", description="who writes questions and answers for `teach document`")
    clean: TeacherKind = Field("offline", description="who looks over what `teach document` wrote")
    judge: TeacherKind = Field("offline", description="who judges lines for `teach judge` and `exam --judge`")
    grow: TeacherKind = Field("local", description="who grows a pool of questions for `teach grow`")
    url: str = Field("", description="OpenAI-compatible server, e.g. https://api.openai.com/v1")
    model: str = Field("", description="model name to ask the server for")
    prompt_price: float = Field(0.0, ge=0, description="price of a million tokens read, in your currency")
    completion_price: float = Field(0.0, ge=0, description="price of a million tokens written")
    concurrency: int = Field(4, ge=1, le=256, description="requests to the server at a time")
    patience: float = Field(60.0, gt=0, description="seconds without a sign before a request counts as stalled")


class ApiSettings(_Section):
    """The API other programs speak with NPCs through (`understudy serve`)."""

    beside: bool = Field(False, description="serve it beside play and bot, too")
    host: str = Field("127.0.0.1", min_length=1, description="address to listen at; any other needs a key")
    port: int = Field(8321, ge=0, le=65_535, description="port to listen at; 0 takes a free one")
    names: str = Field("", description="other names this machine is called by (Host headers), by comma")
    body_kib: int = Field(1024, ge=16, le=65_536, description="largest request, in KiB")
    at_once: int = Field(4, ge=1, le=256, description="lines one key may ask for at the same time")


class ObserveSettings(_Section):
    """What operators watch; nothing of it holds what people said."""

    logs: bool = Field(False, description="keep the log as JSON lines in logs/understudy.jsonl")
    metrics: bool = Field(False, description="serve /metrics and /healthz (with the API, else at observe.port)")
    port: int = Field(9187, ge=0, le=65_535, description="port of 127.0.0.1 they are served at beside play and bot")


class Settings(_Section):
    """All settings."""

    engine: EngineSettings = EngineSettings()
    sampling: SamplingSettings = SamplingSettings()
    database: DatabaseSettings = DatabaseSettings()
    memory: MemorySettings = MemorySettings()
    table: TableSettings = TableSettings()
    privacy: PrivacySettings = PrivacySettings()
    nights: NightSettings = NightSettings()
    discord: DiscordSettings = DiscordSettings()
    teacher: TeacherSettings = TeacherSettings()
    studio: StudioSettings = StudioSettings()
    api: ApiSettings = ApiSettings()
    observe: ObserveSettings = ObserveSettings()


_PASSWORD = re.compile(r"(://[^/@\s:]*:)\S*(@)")  # of a URL
SECRETS = {
    "engine.api_key": "UNDERSTUDY_ENGINE_API_KEY", "discord.token": "DISCORD_TOKEN",
    "teacher.api_key": "UNDERSTUDY_TEACHER_API_KEY",
    "studio.password": "UNDERSTUDY_STUDIO_PASSWORD",
}  # fmt: skip


@dataclass(frozen=True)
class Loaded:
    """Settings with the origin of every value, and the secrets."""

    settings: Settings
    origins: Mapping[str, str]
    secrets: Mapping[str, SecretStr]

    def rows(self) -> list[dict[str, Any]]:
        """Every setting with its value and origin; secrets only as set or not, a URL without its password."""
        listed = [
            {"name": f"{section}.{name}", "value": _shown(value),
             "origin": self.origins.get(f"{section}.{name}", "default")}
            for section, values in self.settings.model_dump().items()
            for name, value in values.items()
        ]  # fmt: skip
        for name, variable in SECRETS.items():
            value = "(set)" if name in self.secrets else "(not set)"
            listed.append({"name": name, "value": value, "origin": f"environment {variable}"})
        return listed


def _shown(value: Any) -> Any:
    return _PASSWORD.sub(r"\1***\2", value) if isinstance(value, str) else value


def load_settings(
    file: Path, environment: Mapping[str, str], command_line: Mapping[str, Any] | None = None
) -> Loaded:
    """Read all sources, later ones winning.

    Args:
        command_line: values by dotted name; None values are ignored.

    Raises:
        SettingsError: one sentence naming the source and the key.
    """
    values: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}

    def put(section: str, name: str, value: Any, origin: str) -> None:
        values.setdefault(section, {})[name] = value
        origins[f"{section}.{name}"] = origin

    for section, names in _read_file(file).items():
        for name, value in names.items():
            put(section, name, value, str(file))
    for section, model in _sections().items():
        for name in model.model_fields:
            variable = f"UNDERSTUDY_{section}_{name}".upper()
            if variable in environment:
                put(section, name, environment[variable], f"environment {variable}")
    for dotted, value in (command_line or {}).items():
        if value is not None:
            section, _, name = dotted.partition(".")
            put(section, name, value, "command line")
    secrets = {name: SecretStr(environment[var]) for name, var in SECRETS.items() if environment.get(var)}
    return Loaded(_validated(values, origins, file), origins, secrets)


def _sections() -> dict[str, type[BaseModel]]:
    return {name: type(field.default) for name, field in Settings.model_fields.items()}


def _read_file(file: Path) -> dict[str, dict[str, Any]]:
    if not file.is_file():
        return {}
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML ({error}); correct it or move it away.") from error
    for section, names in read.items():
        if section not in _sections() and isinstance(names, dict):
            raise SettingsError(
                f"{file}: there is no section [{section}]; `understudy config show` lists all settings."
            )
        if not isinstance(names, dict):
            raise SettingsError(f"{file}: {section} stands outside a section; put it under one, such as [engine].")
    return read


def _validated(values: dict[str, dict[str, Any]], origins: Mapping[str, str], file: Path) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"][:2])
        origin = origins.get(name, str(file))
        remedy = "remove it; `understudy config show` lists all settings" if fault["type"] == "extra_forbidden" else (
            f"correct it ({fault['msg'].lower()})")  # fmt: skip
        what = "is no setting" if fault["type"] == "extra_forbidden" else f"cannot be {fault['input']!r}"
        raise SettingsError(f"The setting {name} from {origin} {what}; {remedy}.") from error
