"""How a client's history joins what is kept: everything is stored once, and swipes are takes."""

from typing import Any

import openai
import pytest

from db.models import Feedback, PlaySession, Take, TurnRow
from tests.bot.api.conftest import Serve, Served

HELLO = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Welcome in."}]
ALE = [*HELLO, {"role": "user", "content": "An ale, please."}, {"role": "assistant", "content": "Four copper."}]


async def read(api: Served) -> str:
    """The last prompt the model read."""
    prompt: str = api.engine.history[-1].prompt
    return prompt


async def test_a_history_that_grows_with_every_request_is_stored_once(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.", "By the well.")
    first = await api.say("Hello!")
    second = await api.say("An ale, please.", past=HELLO)
    third = await api.say("Where is the inn?", past=[{"role": "system", "content": "You are an astronaut."}, *ALE])
    assert await api.texts() == ["Hello!", "Welcome in.", "An ale, please.", "Four copper.", "Where is the inn?", "By the well."]
    assert len(await api.rows(PlaySession)) == 1
    assert first.understudy["conversation"] == second.understudy["conversation"] == third.understudy["conversation"]
    prompt = await read(api)
    assert prompt.count("An ale, please.") == prompt.count("Welcome in.") == 1
    assert "astronaut" not in prompt


async def test_a_history_from_elsewhere_is_read_and_not_stored(serve: Serve) -> None:
    api = await serve("Four copper, as I said.", "And bread is two.")
    await api.say("How much was it?", past=ALE)
    assert "An ale, please." in await read(api)
    assert await api.texts() == ["How much was it?", "Four copper, as I said."]
    past = [*ALE, {"role": "user", "content": "How much was it?"}, {"role": "assistant", "content": "Four copper, as I said."}]
    await api.say("And the bread?", past=past)
    assert "An ale, please." in await read(api)
    assert (await read(api)).count("How much was it?") == 1
    assert await api.texts() == ["How much was it?", "Four copper, as I said.", "And the bread?", "And bread is two."]


async def test_a_history_whose_beginning_was_dropped_goes_on_where_it_was(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.", "By the well.")
    await api.say("Hello!")
    await api.say("An ale, please.", past=HELLO)
    await api.say("Where is the inn?", past=ALE[2:])
    assert len(await api.rows(PlaySession)) == 1


async def test_the_same_question_again_is_another_take_and_going_on_from_one_keeps_it(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.", "Five, for you.", "Bread is two.")
    await api.say("Hello!")
    first = await api.say("An ale, please.", past=HELLO)
    swiped = await api.say("An ale, please.", past=HELLO)
    assert swiped.understudy["line_id"] == first.understudy["line_id"]
    assert swiped.understudy["take"] == 2
    await api.say("And bread?", past=ALE)  # the client went back to the first take
    line = next(turn for turn in await api.rows(TurnRow) if turn.id == first.understudy["line_id"])
    assert line.text == "Four copper."
    assert [given.kind for given in await api.rows(Feedback)] == ["regen", "keep"]
    assert (await api.texts()).count("An ale, please.") == 1


async def test_a_rewound_history_begins_a_conversation_of_its_own_and_takes_nothing_back(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.", "Gladly.", "Yes.")
    await api.say("Hello!")
    await api.say("An ale, please.", past=HELLO)
    await api.say("A bed, please.", past=HELLO)
    assert len(await api.rows(PlaySession)) == 2
    assert "An ale" not in await read(api)
    assert all(turn.retracted_at is None for turn in await api.rows(TurnRow))


async def test_a_named_conversation_keeps_the_history_itself(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.", "Well met.")
    await api.say("Hello!", conversation="tavern", player="Ana")
    await api.say("An ale, please.", conversation="tavern", player="Ben")
    assert "Ana: Hello!" in await read(api)
    assert "Ben: An ale, please." in await read(api)
    await api.say("Hello?", conversation="cellar", player="Ana")
    assert "An ale, please." not in await read(api)
    assert all("tavern" not in session.place for session in await api.rows(PlaySession))


async def test_npcs_of_a_named_conversation_hear_each_other_from_when_they_are_there(serve: Serve) -> None:
    api = await serve("Welcome in.", "Well met.", "Four copper.", "I heard that.")
    for npc, text in (("mira", "Hello!"), ("odo", "Good evening."), ("mira", "An ale, please."), ("odo", "Did you hear her?")):
        await api.say(text, model=f"home/{npc}", conversation="tavern")
    assert "Four copper." in await read(api)
    assert "Welcome in." not in await read(api)


async def test_the_name_a_completion_gives_its_conversation_goes_on_with_it(serve: Serve) -> None:
    api = await serve("Welcome in.", "Four copper.")
    first = await api.say("Hello!")
    again = await api.say("An ale, please.", conversation=first.understudy["conversation"])
    assert again.understudy["conversation"] == first.understudy["conversation"]
    assert len(await api.rows(PlaySession)) == 1


async def test_two_players_with_equal_histories_are_not_mixed_up(serve: Serve) -> None:
    api = await serve("Welcome in.", "Welcome in.", "Four copper.")
    await api.say("Hello!", player="Ana")
    await api.say("Hello!", player="Ben")
    await api.say("An ale, please.", player="Ana", past=HELLO)
    assert await api.texts() == ["Hello!", "Welcome in.", "Hello!", "Welcome in.", "An ale, please.", "Four copper."]
    ale = (await api.rows(TurnRow))[4]
    assert ale.scene_id == (await api.rows(TurnRow))[0].scene_id


async def test_another_take_may_be_asked_for_by_its_line(serve: Serve) -> None:
    api = await serve("Welcome in.", "Come in, come in.")
    first = await api.say("Hello!")
    other = await api.client().chat.completions.create(model="mira", messages=[], extra_body={"another": first.id})
    assert (other.choices[0].message.content, other.understudy["take"]) == ("Come in, come in.", 2)
    assert [take.number for take in await api.rows(Take)] == [1, 2]


async def test_a_scene_is_set_and_a_changed_one_begins_anew(serve: Serve) -> None:
    api = await serve("A.", "B.", "C.")
    for place in ("the cellar", "the cellar", "the roof"):
        await api.say("Hello!", conversation="x", scene={"place": place, "mood": "dark"})
    scenes = [turn.scene_id for turn in await api.rows(TurnRow)]
    assert scenes[0] == scenes[2] != scenes[4]
    assert "the roof" in await read(api)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "nothing to answer"),
        ([{"role": "system", "content": "Be nice."}], "nothing to answer"),
        (HELLO, "The last message must be the user's"),
        ([{"role": "user", "content": "   "}], "nothing to answer"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], "NPCs read text only"),
        ([{"role": "user", "content": "x" * 5000}], "one turn holds 4000"),
        ([{"role": "user", "content": "x" * 50_000}], "messages.0.content"),
        ([{"role": "wizard", "content": "x"}], "messages.0.role"),
    ],
)
async def test_messages_that_say_nothing_or_too_much_are_one_sentence(serve: Serve, messages: list[Any], words: str) -> None:
    api = await serve()
    with pytest.raises(openai.BadRequestError) as refused:
        await api.client().chat.completions.create(model="mira", messages=messages)
    assert words in refused.value.body["message"]  # type: ignore[index]
    assert await api.texts() == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"n": 2}, "one line at a time"),
        ({"tools": [{"type": "function"}]}, "no tools"),
        ({"logprobs": True}, "not given"),
        ({"response_format": {"type": "json_object"}}, "plain text"),
        ({"another": "line-9999"}, "no line 9999"),
        ({"another": "the last"}, "names no line"),
        ({"model": "home/nobody"}, "There is no model 'home/nobody'"),
        ({"model": "elsewhere/mira"}, "There is no model 'elsewhere/mira'"),
    ],
)
async def test_what_an_npc_cannot_do_is_refused_and_not_passed_over(serve: Serve, extra: dict[str, Any], words: str) -> None:
    api = await serve()
    with pytest.raises(openai.APIStatusError) as refused:
        await api.say("Hello!", **extra)
    assert words in refused.value.body["message"]  # type: ignore[index]
    assert (refused.value.status_code, await api.texts()) in ((400, []), (404, []))


async def test_a_line_is_no_longer_than_asked_for_and_then_says_why_it_ended(serve: Serve) -> None:
    api = await serve("one two three four five six seven eight nine ten eleven twelve")
    cut = await api.say("Hello!", max_tokens=9)
    assert cut.choices[0].message.content == "one two three four five six seven eight nine"
    assert cut.choices[0].finish_reason == "length"


async def test_talk_among_people_is_stored_and_not_answered(serve: Serve) -> None:
    api = await serve()
    said = await api.say("// pizza is here")
    assert (said.choices[0].message.content, said.understudy["line_id"]) == ("", None)
    assert await api.texts() == ["// pizza is here"]
