"""What is said through the API: logged as such, learnt from only with consent, handed over and forgotten like all else."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from db import forgetting
from db.home import Home
from db.models import Participant, TurnRow
from db.provenance import Policy
from db.queries import api as keys
from db.queries import harvest, privacy
from learning.harvest import Candidate
from learning.harvest import harvest as to_candidates
from tests.bot.api.conftest import NOW, Serve, Served

CANARY = "The heron of Vellmark owes my grandmother seven silver spoons and a kettle."
QUOTING = "So the heron of Vellmark owes my grandmother seven silver spoons, does it?"


async def learnable(api: Served) -> list[Candidate]:
    async with api.store.session() as session:
        return to_candidates(await harvest.heard_lines(session, 1, "mira"), Policy())


async def rated(api: Served, key: str, *, edit: str = "", **player: Any) -> None:
    line = await api.say("What does an ale cost in this house?", key, **player)
    body = {"line_id": line.id, "feedback": "edit" if edit else "👍", "text": edit, **player}
    answer = await api.http(headers={"Authorization": f"Bearer {key}"}).post("/v1/feedback", json=body)
    assert answer.status_code == 200


async def test_text_is_logged_with_its_own_source(serve: Serve) -> None:
    api = await serve("Four copper.")
    await api.say("An ale?")
    assert [turn.source for turn in await api.rows(TurnRow)] == ["api", "npc"]


@pytest.mark.parametrize("edit", ["", "Four copper, and wipe your boots."])
async def test_only_with_a_keys_consent_is_anything_learnt_and_the_consent_of_now_counts(serve: Serve, edit: str) -> None:
    api = await serve("Four copper.")
    secret = await api.key("game", consent="refused")
    await rated(api, secret, edit=edit)
    assert {row.reason for row in await learnable(api) if not row.trainable} == {"what it answers: its API key has not opted in"}
    assert not any(row.trainable for row in await learnable(api))
    async with api.store.session() as session:
        await keys.set_key_consent(session, "game", "given", NOW)
    found = await learnable(api)
    assert found
    assert all(row.trainable for row in found)


async def test_a_player_who_refuses_is_left_out_whatever_the_key_says(serve: Serve) -> None:
    api = await serve("Four copper.", "Four copper.")
    secret = await api.key(consent="given")
    await rated(api, secret, player={"name": "Ana"})
    await rated(api, secret, player={"name": "Ben", "learn": False})
    assert [row.trainable for row in await learnable(api)] == [True, False]


async def test_an_edit_of_somebody_who_refuses_is_not_learnt_though_the_question_is_anothers(serve: Serve) -> None:
    api = await serve("Four copper.")
    secret = await api.key(consent="given")
    line = await api.say("What does an ale cost in this house?", secret, player="Ana")
    http = api.http(headers={"Authorization": f"Bearer {secret}"})
    body = {"line_id": line.id, "feedback": "edit", "text": "Forty gold, you fool.", "player": {"name": "Ben", "learn": False}}
    assert (await http.post("/v1/feedback", json=body)).status_code == 200
    assert {row.reason for row in await learnable(api)} == {"the words written for it: its author opted out"}


async def test_a_player_is_handed_over_and_forgotten_to_the_last_byte(serve: Serve, home: Path) -> None:
    api = await serve(QUOTING, "Four copper.")
    secret = await api.key("game", consent="given")
    told = await api.say(CANARY, secret, player={"name": "Ana", "id": "ana-17"}, conversation="ana's tavern")
    await api.say("What does an ale cost?", secret, player="Ben", conversation="ana's tavern")
    handle = (await api.rows(Participant))[0].key.split(":")[1]
    async with api.store.session() as session:
        known = await privacy.find_person(session, f"api:{handle}:ana-17")
    handed = await forgetting.export(api.store, Home(home), known)
    assert [turn["source"] for turn in handed["turns"]] == ["api"]
    assert CANARY in json.dumps(handed)
    await forgetting.forget(api.store, Home(home), known, NOW)
    with sqlite3.connect(home / "db.sqlite") as database:
        dump = "\n".join(database.iterdump())
    for gone in ("Vellmark", "ana-17", "ana's tavern", "'Ana'"):
        assert gone not in dump
    assert "What does an ale cost?" in dump
    again = await api.say("Hello!", secret, player="Ben", past=[{"role": "user", "content": CANARY},
                          {"role": "assistant", "content": QUOTING}])  # fmt: skip
    assert again.understudy["line_id"] != told.understudy["line_id"]
