"""What NPCs remember follows the turns it was made of: as they are said, reworded, taken back, expired, or forgotten."""

from datetime import timedelta

from sqlalchemy import select, text

from characters.remembering import extract, familiarity, note_heard, note_manner, note_spoken, statements
from db import forgetting
from db.models import Feedback, Memory, StyleExampleRow
from db.queries import lines, memories, places, presence, reactions, told
from db.queries.reactions import Reaction, Taught
from db.values import StoredTurn
from tests.fakes.evening import NOW, Evening


async def texts(evening: Evening, npc: str = "mira") -> list[str]:
    async with evening.store.session() as session:
        return [one.text for one in await memories.shown(session, evening.campaign, npc)][::-1]


async def found(evening: Evening, question: str, npc: str = "mira") -> list[str]:
    async with evening.store.session() as session:
        return [one.fact.text for one in await memories.find(session, evening.campaign, npc, question)]


async def test_whoever_is_there_remembers_and_finds_it_in_other_words(evening: Evening) -> None:
    await evening.says(evening.ana, "I sold the mare to a pedlar outside Kessel. What do you say?")
    async with evening.store.session() as session:
        await presence.enter(session, evening.scene, "brug", "npc", NOW)
    await evening.says(evening.ben, "The smith keeps a spare key under the anvil.")
    assert await texts(evening, "brug") == ["Ben said: The smith keeps a spare key under the anvil."]
    assert await found(evening, "Who bought the horse?") == ["Ana said: I sold the mare to a pedlar outside Kessel."]
    assert await found(evening, "Who bought the horse?", "brug") == []
    assert (await found(evening, "Where is the smith's key?", "brug"))[0].endswith("under the anvil.")


async def test_a_memory_is_reworded_and_taken_back_with_its_turn(evening: Evening) -> None:
    turn = await evening.says(evening.ana, "The heron statue is made of tin.")
    async with evening.store.session() as session:
        await places.reword(session, turn, "The heron statue is made of silver.")
    assert await texts(evening) == ["Ana said: The heron statue is made of silver."]
    async with evening.store.session() as session:
        [row] = await session.scalars(select(Memory))
        await memories.reword(session, evening.campaign, row.id, "The heron statue is of pure silver.")
        await places.reword(session, turn, "The heron statue is made of lead.")
    assert await texts(evening) == ["The heron statue is of pure silver."], "what the GM rewrote stays the GM's"
    assert await found(evening, "Is the heron pure?") == ["The heron statue is of pure silver."]
    async with evening.store.session() as session:
        await lines.retract(session, turn, NOW)
    assert await texts(evening) == await found(evening, "Is the heron silver?") == []


async def test_channel_text_that_expires_is_not_remembered_any_longer(evening: Evening) -> None:
    async with evening.store.session() as session:
        said = StoredTurn(0, "Ana", "The bishop keeps a tame wolf.", None, "channel")
        await lines.add_turn(session, evening.scene, said, NOW, participant=evening.ana.id)
    assert await found(evening, "What of the bishop's wolf?")
    async with evening.store.session() as session:
        await places.expire_channel_text(session, NOW + timedelta(days=31))
    assert await texts(evening) == []


async def test_what_an_npc_promises_and_how_it_is_spoken_to_stays_with_it(evening: Evening) -> None:
    asked = await evening.says(evening.ana, "You are a liar and a fool, innkeeper!")
    await evening.answers(asked, "I promise I will throw the soup at you tomorrow.")
    kept = await texts(evening)
    assert kept == ["Ana said: You are a liar and a fool, innkeeper!",
                    "You said to Ana: I promise I will throw the soup at you tomorrow.", "Ana insulted you."]  # fmt: skip
    async with evening.store.session() as session:
        met = await memories.acquaintances(session, evening.campaign, "mira", evening.scene + 1)
        assert met == {"Ana": (1, -2.0)}
        await lines.retract(session, asked, NOW)
    assert await texts(evening) == []


async def test_forgetting_a_person_reaches_what_npcs_remember_of_them_down_to_the_index(evening: Evening) -> None:
    await evening.says(evening.ana, "My uncle Zebulon hid the xylophone in Quorth.")
    await evening.says(evening.ben, "The weather in Marl is dreadful.")
    async with evening.store.session() as session:
        await told.tell(session, evening.campaign, "mira", "Gratitude is owed to Zebulon.", NOW, by=evening.gm.id)
    person = await evening.knows("Ana")
    exported = await forgetting.export(evening.store, evening.home, person)
    assert [one["text"] for one in exported["memories"]] == ["Ana said: My uncle Zebulon hid the xylophone in Quorth."]
    await forgetting.forget(evening.store, evening.home, person, NOW)
    assert await texts(evening) == ["Ben said: The weather in Marl is dreadful.", "Gratitude is owed to Zebulon."]
    if evening.store.engine.dialect.name == "sqlite":
        async with evening.store.session() as session:
            left = await session.scalars(text("SELECT term FROM memory_counts"))
            assert not {"xylophon", "quorth"} & set(left)
    await forgetting.forget(evening.store, evening.home, await evening.knows("local:gm"), NOW)
    assert await texts(evening) == ["Ben said: The weather in Marl is dreadful."], "what a GM told is the GM's"


def test_only_what_says_something_is_remembered() -> None:
    for idle in ("Good evening!", "Where is the mill?", "rolls 1d20+3: 17", "Tell me about the abbey.", "Thank you, friend.", "Aye.",
                 "I don't know that place, my friend."):
        assert note_heard("Ana", idle) is None, idle
    assert statements("Hello! The mill burnt down. Who did it?") == ["The mill burnt down."]
    kinds = {text: noted.kind for text in ("I owe you two crowns for the eel.", "I'll bring the rope tomorrow.", "The moon is red tonight.")
             if (noted := note_heard("Ana", text))}  # fmt: skip
    assert list(kinds.values()) == ["debt", "promise", "heard"]
    assert note_heard("You", "The moon is red tonight.").text.startswith("A visitor said")  # type: ignore[union-attr]
    assert note_spoken("Ana", "Aye, the soup is hot.") is None
    assert note_manner("Ana", "A pint, please.") is None


def test_familiarity_grows_with_scenes_and_moves_with_regard() -> None:
    assert [familiarity(n, 0) for n in (0, 1, 3, 9)] == ["", "met before", "an acquaintance", "well known"]
    assert (familiarity(3, 4), familiarity(1, -4), familiarity(9, -9)) == (
        "an acquaintance and liked", "met before and disliked", "well known and hated",
    )  # fmt: skip


def test_a_scene_is_told_by_its_promises_names_and_numbers() -> None:
    said = [("Ana", "Good evening."), ("Ben", "It is warm tonight."), ("Ana", "I swear I will bring Tobin forty crowns."), ("Ben", "What?")]
    assert extract(said, 1) == [2]


async def test_a_typo_mended_in_a_question_leaves_what_was_promised_in_the_answer(evening: Evening) -> None:
    asked = await evening.says(evening.ana, "Will you keep the mare for us until spring?")
    await evening.answers(asked, "I promise I will keep the mare until spring.")
    promised = "You said to Ana: I promise I will keep the mare until spring."
    assert promised in await texts(evening)
    async with evening.store.session() as session:
        before = [row.id for row in await session.scalars(select(Memory).order_by(Memory.id))]
        await places.reword(session, asked, "Will you keep the mare for us until spring?")
        assert [row.id for row in await session.scalars(select(Memory).order_by(Memory.id))] == before
        await places.reword(session, asked, "Will you keep the grey mare for us until spring?")
    assert promised in await texts(evening)


async def test_a_deleted_question_is_kept_nowhere_and_a_deleted_line_is_no_example(evening: Evening) -> None:
    asked = await evening.says(evening.ana, "Where does my brother hide?")
    line = await evening.answers(asked, "Not here.")
    async with evening.store.session() as session:
        for number, question in enumerate(("Where does my brother hide?", "Where is he?")):
            await reactions.react(session, Reaction(line, "edit", evening.gm.id, None, question, f"Said {number}."), NOW)
        await reactions.teach(session, Taught(evening.campaign, "mira", "Where does my brother hide?", "Not here.", "edited", line), NOW)
        await places.unsay(session, asked, NOW)
        kept = [row.asked for row in await session.scalars(select(Feedback).order_by(Feedback.id))]
        shown = [(row.asked, row.active) for row in await session.scalars(select(StyleExampleRow))]
    assert kept == ["", "Where is he?"], "the GM's own words stay"
    assert shown == [("", False)]
    async with evening.store.session() as session:
        await reactions.teach(session, Taught(evening.campaign, "mira", "Who goes?", "Nobody.", "approved", line), NOW)
        await places.unsay(session, line, NOW)
        assert await reactions.style_examples(session, evening.campaign, "mira") == ()
