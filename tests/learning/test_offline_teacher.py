"""What the offline teacher writes: whole sentences, true to the sheet, and refusals where there is nothing."""

import itertools
import os
import random
import re
import subprocess
import sys

import pytest

from characters.prompt import Budget, build_prompt
from learning.exam.phrasings import phrasings
from learning.exam.rejecting import rejects
from learning.teachers.growth_prompts import SHOWN, WANTED, listed_questions
from learning.teachers.offline import manners
from learning.teachers.offline.dialogue import Conversation, Exchange, Playwright
from learning.teachers.offline.grammar import expand
from learning.teachers.offline.invent import Inventor, Spice
from learning.teachers.offline.listing import list_messages
from learning.teachers.offline.plans import FROM_PLAY
from learning.teachers.offline.wrapping import AFTER, BEFORE, as_asked, strange


def played(seed: int, count: int = 40) -> list[Conversation]:
    rng = random.Random(seed)
    playwright = Playwright(rng, Inventor(rng))
    return [playwright.conversation(8) for _ in range(count)]


@pytest.fixture(scope="module")
def conversations() -> list[Conversation]:
    return played(5, 150)


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
        if exchange.kind in FROM_PLAY or conversation.exchanges[0].question is not conversation.turns[0]:
            continue
        again = build_prompt(conversation.part, conversation.turns[:1], budget=Budget(context=100_000))
        of_the_house = {fact for fact in exchange.reply.at_hand if fact.source not in {"memory", "secret"}}
        assert set(again.at_hand) >= of_the_house


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


def of_kind(conversations: list[Conversation], *kinds: str) -> list[tuple[Conversation, Exchange]]:
    return [(c, e) for c in conversations for e in c.exchanges if e.kind in kinds]


def test_who_and_where_it_is_it_says_also_when_nothing_of_that_is_at_hand(conversations: list[Conversation]) -> None:
    unaided = 0
    for conversation, exchange in of_kind(conversations, "name", "trade", "home"):
        sheet, world, said = conversation.part.sheet, conversation.part.world, exchange.reply.text
        home = world.name if world else ""
        known = {"name": [sheet.name], "trade": [sheet.description], "home": [home or sheet.description]}[exchange.kind]
        assert any(value.casefold() in said.casefold() for value in known), (exchange.kind, said)
        unaided += not any(fact.key == "name" for fact in exchange.reply.at_hand)
    assert unaided > 10


def test_who_asks_the_way_is_told_the_way_and_who_asks_what_is_there_is_told_that(conversations: list[Conversation]) -> None:
    apart = 0
    for conversation, exchange in of_kind(conversations, "where", "place"):
        world = conversation.part.world
        place = next((p for p in world.places if exchange.truth.startswith(f"{p.name}: ")), None) if world else None
        if place is None or not place.way or place.way in place.about:
            continue
        said = exchange.reply.text.casefold()
        wanted, other = (place.way, place.about) if exchange.kind == "where" else (place.about, place.way)
        if wanted.casefold().rstrip(".!?") in said:
            apart += other.casefold().rstrip(".!?") not in said
    assert apart > 10


def test_a_list_of_wares_names_what_is_sold_and_no_price_of_another() -> None:
    named = priced = 0
    for conversation, exchange in of_kind(played(8, 300), "wares"):
        wares = {ware.name: ware.price for ware in conversation.part.sheet.wares}
        if not wares:
            assert rejects(exchange.reply.text, ""), exchange.reply.text
            continue
        said = exchange.reply.text.casefold()
        named += any(name.casefold() in said for name in wares)
        for name, price in wares.items():
            priced += f"{name} at {price}".casefold() in said
        offered = {price.casefold() for price in wares.values()}
        assert set(re.findall(r"at (\d+ \w+)", said)) <= offered
    assert named > 15
    assert priced > 5


def test_what_no_sheet_says_of_a_person_is_refused_although_the_person_is_at_hand(conversations: list[Conversation]) -> None:
    private = of_kind(conversations, "age", "kin")
    assert sum(any(fact.key.startswith(("relations.", "people.")) for fact in e.reply.at_hand) for _, e in private) >= 5
    for _, exchange in private:
        assert rejects(exchange.reply.text, "them"), exchange.reply.text


def test_every_refusal_reads_as_one() -> None:
    tables = (manners.UNKNOWN_AT_ALL_LINES, manners.UNKNOWN_LINES, manners.UNKNOWN_PERSON_LINES, manners.UNKNOWN_PLACE_LINES, manners.NOT_SOLD_LINES,
              manners.MODERN_LINES, manners.UNKNOWN_OF_PERSON_LINES, manners.COMMON_LINES["secret"])  # fmt: skip
    for line in itertools.chain.from_iterable(tables):
        said = line.replace("{x}", "silver mirror").replace("{X}", "Silver mirror").replace("{addr}", "friend")
        assert rejects(said, "silver mirror"), said


def test_many_refusals_are_made_with_facts_on_other_things_at_hand(conversations: list[Conversation]) -> None:
    refused = of_kind(conversations, "unknown", "modern", "secret")
    assert sum(bool(exchange.reply.at_hand) for _, exchange in refused) > len(refused) / 8


def test_the_same_thing_may_be_in_the_sheet_and_in_the_world_and_an_opinion_is_the_sheets(conversations: list[Conversation]) -> None:
    both = 0
    for _, exchange in of_kind(conversations, "opinion"):
        others = [fact for fact in exchange.reply.at_hand if fact.text != exchange.truth and fact.source == "world"]
        told = exchange.truth.partition(": ")[2].casefold()
        assert told.rstrip(".!?") in exchange.reply.text.casefold(), exchange
        both += bool(others)
    assert both, "it happens"


def test_talk_around_a_question_keeps_its_slots_and_what_it_is_about() -> None:
    rng = random.Random(2)
    for _ in range(600):
        asked = as_asked(rng, "(what|how much) for the {x}, {npc}?", ("The river rose in the night.",))
        assert asked.count("{x}") == 1
        assert asked.count("{npc}") == 1


def test_a_thing_asked_of_in_words_that_tell_nothing_is_answered_from_what_is_at_hand(conversations: list[Conversation]) -> None:
    asked = of_kind(conversations, "strange")
    assert len(asked) > 25
    for _, exchange in asked:
        at_hand = " ".join(fact.text for fact in exchange.reply.at_hand).casefold()
        said = set(re.findall(r"\w+", exchange.reply.text.casefold()))
        assert len(said & set(re.findall(r"\w+", at_hand))) >= min(2, len(said)), exchange


def test_a_strange_question_holds_what_it_asks_about_once() -> None:
    rng = random.Random(4)
    for _ in range(300):
        assert strange(rng, ("The river rose in the night, and by morning the bridge was gone.", "Go.")).count("{x}") == 1
        assert "your trade" in strange(rng, (), "your trade")


def test_no_talk_around_a_question_is_the_exams() -> None:
    def grams(text: str) -> set[tuple[str, ...]]:
        found = re.findall(r"[a-z']+", re.sub(r"\{\w+\}", " ", text).casefold())
        return {tuple(found[at : at + 6]) for at in range(len(found) - 5)}

    rng = random.Random(3)
    said = {gram for pattern in (*BEFORE, *AFTER) for _ in range(20) for gram in grams(expand(rng, pattern))}
    assert said
    assert not said & {gram for texts in phrasings().values() for text in texts for gram in grams(text)}


def test_what_a_player_told_is_asked_for_again_and_known(conversations: list[Conversation]) -> None:
    recalled = of_kind(conversations, "recall")
    assert len(recalled) > 5
    for _, exchange in recalled:
        told_words = {word.casefold() for word in re.findall(r"\w+", exchange.truth)}
        assert told_words & {word.casefold() for word in re.findall(r"\w+", exchange.reply.text)}, exchange


def test_small_talk_is_answered_in_its_own_words_and_with_nothing_at_hand(conversations: list[Conversation]) -> None:
    chatted = of_kind(conversations, "chat")
    assert len(chatted) > 20
    assert all(not exchange.reply.at_hand for _, exchange in chatted)


def test_several_of_a_ware_are_summed_up_also_when_the_talk_has_gone_on(conversations: list[Conversation]) -> None:
    bought = of_kind(conversations, "buy_n")
    assert bought
    assert all(any(fact.source == "sum" for fact in exchange.reply.at_hand) for _, exchange in bought)


def test_who_pays_is_thanked_with_what_was_paid_at_hand(conversations: list[Conversation]) -> None:
    paid = [exchange for c in conversations for exchange in c.exchanges if exchange.kind == "paid"]
    assert any(exchange.reply.at_hand for exchange in paid)
    assert all(fact.source == "sum" for exchange in paid for fact in exchange.reply.at_hand)


def test_a_list_of_questions_goes_on_from_the_ninth_in_the_prompt_of_growth() -> None:
    rng = random.Random(2)
    system, user, answer = list_messages(rng, Inventor(rng))
    assert system.content.startswith("People ask ")
    assert len(listed_questions(user.content)) == SHOWN
    assert answer.content.startswith("9. ")
    assert len(set(listed_questions(answer.content))) == WANTED


def test_what_somebody_said_is_told_in_his_words_and_only_where_it_is_remembered(conversations: list[Conversation]) -> None:
    told = [e for c in conversations for e in c.exchanges if e.kind == "remembered"]
    assert len(told) > 4
    for one in told:
        [memory] = [fact for fact in one.reply.at_hand if fact.source == "memory"]
        assert memory.text.partition(" said: ")[2].rstrip(".") in one.reply.text or memory.text.partition(" said: ")[2][1:].rstrip(".") in one.reply.text


def test_a_secret_is_told_where_it_may_be_told_and_refused_where_it_is_not_at_hand(conversations: list[Conversation]) -> None:
    exchanges = [e for c in conversations for e in c.exchanges]
    opened = [e for e in exchanges if e.kind == "confided"]
    kept = [e for e in exchanges if e.kind == "secret"]
    assert len(opened) > 2 < len(kept)
    assert all(e.truth[1:].rstrip(".!?") in e.reply.text for e in opened)
    assert all(fact.source != "secret" for e in kept for fact in e.reply.at_hand)


def test_whatever_it_invents_from_few_words_is_a_valid_sheet_and_no_name_comes_twice() -> None:
    rng = random.Random(12)
    inventor = Inventor(rng, Spice(("The bridle broke at noon.",)))
    for _ in range(600):
        inventor.sheet(world=inventor.world() if rng.random() < 0.5 else None)
