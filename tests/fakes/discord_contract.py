"""Discord's own description of its REST API, to hold requests and answers against.

The file is Discord's, not ours, and lies beside the project; where it does not, tests that need it
say so and skip. Two things it forbids are done by discord.py everywhere and taken by Discord:
snowflakes written as integers, and `nsfw` on commands.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

_ROOT = Path(__file__).resolve().parents[2]
_PLACES = ("data/discord/openapi.json", "shared/data/discord/openapi.json")
WHERE = next((root / place for root in (_ROOT, _ROOT.parent) for place in _PLACES if (root / place).is_file()), None)
_SNOWFLAKE = {"type": ["string", "integer"], "format": "snowflake"}
_METHODS = ("get", "put", "post", "patch", "delete")


@cache
def _spec() -> dict[str, Any]:
    assert WHERE is not None
    spec: dict[str, Any] = json.loads(WHERE.read_text("utf-8"))
    spec["components"]["schemas"]["SnowflakeType"] = {"type": ["string", "integer"]}
    return spec


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Every path as a pattern, those with fewer blanks first."""
    found = sorted(_spec()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "$"), path) for path in found]


def operation(method: str, path: str) -> dict[str, Any]:
    """What Discord says of a request.

    Raises:
        AssertionError: Discord knows no such request.
    """
    for pattern, name in _paths():
        known = _spec()["paths"][name]
        if pattern.match(path) and method.lower() in known:
            found: dict[str, Any] = known[method.lower()]
            return found
    raise AssertionError(f"Discord knows no {method} {path}")


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    return list(_faults_of(json.dumps(schema, sort_keys=True), json.dumps(value, sort_keys=True)))


@cache  # the commands alone take most of a second, and every bot of every test makes the same ones known
def _faults_of(schema: str, value: str) -> tuple[str, ...]:
    found = _validator(schema).iter_errors(json.loads(value))
    return tuple(f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}" for fault in found)


@cache
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**json.loads(schema), "components": _spec()["components"]})


def check_request(method: str, path: str, body: Any) -> list[str]:
    """What is wrong with a request; its rules that the description does not state included."""
    try:
        known = operation(method, path)
    except AssertionError as error:
        return [str(error)]
    content = known.get("requestBody", {}).get("content", {}).get("application/json")
    faults = _faults(content["schema"], body) if content and body is not None else []
    return [f"{method} {path}: {fault}" for fault in [*faults, *_unwritten(body)]]


def check_response(method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer."""
    responses = operation(method, path).get("responses", {})
    found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
    if found is None:
        return [f"{method} {path}: {status} is no answer Discord gives"]
    content = found.get("content", {}).get("application/json")
    return [f"{method} {path} -> {fault}" for fault in _faults(content["schema"], body)] if content else []


def _unwritten(body: Any) -> list[str]:
    """Rules Discord's description does not state."""
    if not isinstance(body, dict):
        return _commands(body) if isinstance(body, list) else []
    data = body.get("data") if isinstance(body.get("data"), dict) else body
    faults = []
    if len(str(data.get("content") or "")) > 2000:
        faults.append("content is longer than 2000 characters")
    if len(data.get("username") or "") > 80 or re.search("clyde|discord", data.get("username") or "", re.IGNORECASE):
        faults.append("no name for a webhook")
    mentions = data.get("allowed_mentions")
    if "content" in data and (mentions is None or mentions.get("parse") != []):
        faults.append("somebody could be pinged")
    faults += [f"a row of {len(row['components'])}" for row in data.get("components") or [] if len(row.get("components", [])) > 5]
    return faults


def _commands(listed: list[Any]) -> list[str]:
    faults = []
    for command in listed:
        if command.get("type", 1) == 1 and not re.fullmatch(r"[-_'\w]{1,32}", command["name"]):
            faults.append(f"{command['name']} is no name for a command")
        if command.get("type", 1) == 1 and not command.get("description"):
            faults.append(f"{command['name']} has no description")
        options = command.get("options", [])
        needed = [bool(option.get("required")) for option in options]
        if needed != sorted(needed, reverse=True):
            faults.append(f"{command['name']}: a required option after an optional one")
        if len({option["name"] for option in options}) < len(options):
            faults.append(f"{command['name']}: two options of one name")
        faults += _commands([option for option in options if option.get("type") in (1, 2)])
    return faults
