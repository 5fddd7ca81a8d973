"""What the offline teacher writes: whole sentences, true to the sheet, and refusals where there is nothing."""

import os
import random
import re
import subprocess
import sys

import pytest

from characters.prompt import Budget, build_prompt
from learning.teachers.offline.dialogue import Conversation, Playwright
from learning.teachers.offline.invent import Inventor


def played(seed: int, count: int = 40) -> list[Conversation]:
    rng = random.Random(seed)
    playwright = Playwright(rng, Inventor(rng))
    return [playwright.conversation(8) for _ in range(count)]


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    return played(5, 120)


def test_the_same_seed_writes_the_same_conversations() -> None:
    assert [c.turns for c in played(3, 5)] == [c.turns for c in played(3, 5)]
    assert [c.turns for c in played(3, 5)] != [c.turns for c in played(4, 5)]


def test_no_template_slot_is_left_in_anything_that_is_said(conversations: list[Conversation]) -> None:
    for conversation in conversations:
        for turn in conversation.turns:
            assert turn.text.strip()
            assert not re.search(r"[{}|<>]", turn.text), turn.text


def test_a_price_that_is_told_stands_at_hand(conversations: list[Conversation]) -> None:
    told = 0
    for conversation in conversations:
        for exchange in conversation.exchanges:
            if exchange.kind != "price":
                continue
            amounts = set(re.findall(r"\d+ (?:copper|silver|gold)", exchange.reply.text))
            at_hand = " ".join(fact.text for fact in exchange.reply.at_hand)
            assert all(amount in at_hand for amount in amounts), exchange
            told += bool(amounts)
    assert told > 30


def test_what_is_asked_for_and_not_there_is_refused_without_a_price(conversations: list[Conversation]) -> None:
    refused = [e for c in conversations for e in c.exchanges if e.kind in {"unknown", "modern"}]
    assert len(refused) > 60
    for exchange in refused:
        at_hand = " ".join(fact.text for fact in exchange.reply.at_hand)
        for amount in re.findall(r"\d+ (?:copper|silver|gold)", exchange.reply.text):
            assert amount in at_hand


def test_what_it_writes_is_what_serving_would_show(conversations: list[Conversation]) -> None:
    """The last question of a talk, built anew by the prompt builder, has the same facts at hand."""
    for conversation in conversations[:30]:
        exchange = conversation.exchanges[0]
        if exchange.kind in {"said", "direction"} or conversation.exchanges[0].question is not conversation.turns[0]:
            continue
        again = build_prompt(conversation.part, conversation.turns[:1], budget=Budget(context=100_000))
        assert set(again.at_hand) >= set(exchange.reply.at_hand) or not exchange.reply.at_hand


def test_talks_differ(conversations: list[Conversation]) -> None:
    replies = [turn.text for c in conversations for turn in c.turns if turn.npc]
    assert len(set(replies)) > 0.85 * len(replies)


def test_a_seed_writes_the_same_rows_in_every_process() -> None:
    code = "from learning.anchors import general_candidates; print([(part.sheet, row.completion) for part, row in general_candidates(24, 41)])"
    told = {
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True).stdout
        for salt in ("1", "2")
    }
    assert len(told) == 1
