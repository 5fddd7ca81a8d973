"""Who may ask: keys, hosts, sites, sizes; and refusals in OpenAI's shape."""

import asyncio
import json
from typing import Any

import openai
import pytest

from bot.api.guard import Guard
from db.models import ApiKeyRow, Participant
from db.queries import api as keys
from tests.bot.api.conftest import NOW, Serve

ASK = {"model": "mira", "messages": [{"role": "user", "content": "Hello!"}]}


async def test_a_key_is_kept_as_a_hash_and_opens_its_campaign_alone(serve: Serve, home: Any) -> None:
    api = await serve()
    secret = await api.key(campaign="home")
    assert (await api.say("Hello!", secret)).choices[0].message.content == "Aye."
    stored = (await api.rows(ApiKeyRow))[0]
    assert stored.secret_hash.startswith("sha256-")
    assert all(secret.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())
    other = await api.key("other", campaign="elsewhere")
    with pytest.raises(openai.NotFoundError, match="There is no model 'home/mira' for this key"):
        await api.say("Hello!", other)
    assert {model.id.partition("/")[0] async for model in await api.client(other).models.list()} == {"elsewhere"}


async def test_a_revoked_key_and_an_unknown_one_open_nothing(serve: Serve) -> None:
    api = await serve()
    secret = await api.key("game")
    async with api.store.session() as session:
        await keys.revoke(session, "game", NOW)
    for key in (secret, "usk-00000000-guessed"):
        with pytest.raises(openai.AuthenticationError, match="opens nothing"):
            await api.say("Hello!", key)


async def test_an_address_others_can_reach_needs_a_key_for_everything(serve: Serve) -> None:
    api = await serve(listens_at="0.0.0.0")
    for path in ("/v1/models", "/v1/models/mira"):
        answer = await api.http().get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "missing_api_key")
    for path, body in (("/v1/chat/completions", ASK), ("/v1/feedback", {"line_id": 1, "feedback": "up"})):
        assert (await api.http().post(path, json=body)).status_code == 401
    secret = await api.key()
    assert (await api.say("Hello!", secret)).choices[0].message.content == "Aye."
    with pytest.raises(openai.AuthenticationError):
        await api.say("Hello!", "sk-something")


async def test_somebody_between_means_a_key_is_needed(serve: Serve) -> None:
    api = await serve(names="inn.example")
    assert (await api.http(headers={"X-Forwarded-For": "10.0.0.9"}).get("/v1/models")).status_code == 401
    assert (await api.http(headers={"Host": "inn.example"}).get("/v1/models")).status_code == 401
    assert (await api.http().get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.example"}, "foreign_host"),
        ({"Host": "localhost.evil.example:8321"}, "foreign_host"),
        ({"Host": "10.0.0.7"}, "foreign_host"),
        ({"Origin": "https://evil.example"}, "cross_site"),
        ({"Origin": "null"}, "cross_site"),
        ({"Sec-Fetch-Site": "cross-site"}, "cross_site"),
        ({"Sec-Fetch-Site": "same-site"}, "cross_site"),
    ],
)
async def test_foreign_hosts_and_pages_of_other_sites_are_refused(serve: Serve, headers: dict[str, str], code: str) -> None:
    api = await serve()
    for answer in (
        await api.http(headers=headers).post("/v1/chat/completions", json=ASK),
        await api.http(headers=headers).get("/v1/models"),
        await api.http(headers=headers).get("/docs"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    assert await api.texts() == []


@pytest.mark.parametrize("host", ["localhost:8321", "127.0.0.1", "[::1]:8321", "Inn.Example"])
async def test_names_of_this_machine_are_known(serve: Serve, host: str) -> None:
    api = await serve(names="inn.example, other")
    assert (await api.http(headers={"Host": host}).get("/docs")).status_code == 200


async def test_a_form_of_a_web_page_is_refused(serve: Serve) -> None:
    api = await serve()
    answer = await api.http().post("/v1/chat/completions", content=json.dumps(ASK), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_a_body_is_read_up_to_the_limit_and_no_further(serve: Serve) -> None:
    api = await serve(body_kib=16)
    large = {**ASK, "padding": "x" * 20_000}
    answer = await api.http().post("/v1/chat/completions", json=large)
    assert (answer.status_code, answer.json()["error"]["message"]) == (413, "The request is larger than 16 KiB; send less history.")

    async def endless() -> Any:
        for _ in range(64):
            yield b"x" * 1024

    chunked = await api.http().post("/v1/chat/completions", content=endless(), headers={"Content-Type": "application/json"})
    assert chunked.status_code == 413
    assert await api.texts() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/v2/nothing", None, 404, "nothing at this address"),
        ("GET", "/v1/chat/completions", None, 405, "another method"),
        ("POST", "/v1/chat/completions", b"{not json", 400, "no valid JSON"),
        ("POST", "/v1/chat/completions", b"[]", 400, "cannot be used"),
        ("POST", "/v1/chat/completions", b'{"messages": []}', 400, "The field model cannot be used"),
        ("POST", "/v1/feedback", b'{"line_id": 1, "feedback": "meh"}', 400, "'meh' is no feedback"),
        ("POST", "/v1/feedback", b'{"line_id": 77, "feedback": "up"}', 404, "There is no line 77"),
        ("GET", "/v1/models/home/nobody", None, 404, "There is no model"),
    ],
)
async def test_refusals_have_openais_shape_and_one_sentence(
    serve: Serve, method: str, path: str, body: bytes | None, status: int, words: str
) -> None:
    api = await serve()
    answer = await api.http().request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, set(answer.json()["error"])) == (status, {"message", "type", "param", "code"})
    message = answer.json()["error"]["message"]
    assert words in message
    assert message.endswith(".")


async def test_more_lines_at_once_than_a_key_may_ask_for_wait_their_turn(serve: Serve) -> None:
    api = await serve(*["one two three four"] * 8, pace=0.08, at_once=2)
    answers = await asyncio.gather(*[api.say("Hello!") for _ in range(4)], return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, openai.RateLimitError)]
    assert len(refused) == 2
    assert refused[0].response.headers["retry-after"] == "2"
    assert (await api.say("Hello!")).choices[0].message.content == "one two three four"


async def test_the_page_of_the_api_fetches_nothing_and_shows_every_address(serve: Serve) -> None:
    api = await serve()
    page, schema = await api.http().get("/docs"), (await api.http().get("/openapi.json")).json()
    assert set(schema["paths"]) == {"/v1/models", "/v1/models/{model}", "/v1/chat/completions", "/v1/feedback"}
    for path in schema["paths"]:
        assert path in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_what_is_no_http_passes_the_guard_by() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await Guard(app, "127.0.0.1", [], 10)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]


@pytest.mark.parametrize(("consent", "learn", "stands"), [
    ("given", None, "given"), ("refused", None, "unasked"), ("given", False, "refused"), ("refused", True, "unasked"),
])  # fmt: skip
async def test_a_keys_consent_is_its_players_and_their_own_word_only_narrows_it(
    serve: Serve, consent: str, learn: bool | None, stands: str
) -> None:
    api = await serve()
    secret = await api.key(consent=consent)
    await api.say("Hello!", secret, player={"name": "Ana", "learn": learn})
    assert [person.consent for person in await api.rows(Participant)] == [stands]


async def test_a_changed_consent_counts_for_what_was_said_before_and_a_players_refusal_stands(serve: Serve) -> None:
    api = await serve()
    secret = await api.key("game", consent="given")
    await api.say("Hello!", secret, player="Ana")
    await api.say("Hello!", secret, player={"name": "Ben", "learn": False})
    for choice, stand in (("refused", ["unasked", "refused"]), ("given", ["given", "refused"])):
        async with api.store.session() as session:
            await keys.set_key_consent(session, "game", choice, NOW)
        assert [person.consent for person in await api.rows(Participant)] == stand


async def test_a_program_of_this_machine_without_a_key_teaches_nothing(serve: Serve) -> None:
    api = await serve()
    await api.say("Hello!", player="Ana")
    person = (await api.rows(Participant))[0]
    assert (person.key, person.role, person.consent) == ("api:here:ana", "player", "unasked")
