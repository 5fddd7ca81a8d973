"""What an NPC may not know is in no part of its prompt."""

import pytest

from characters.knowing import When, day_of, has_come, known_sheet
from characters.messages import Scene, Turn
from characters.prompt import Part, build_prompt
from characters.sheet import Knowledge, Opinion, Quest, Recipe, Relation, Ware
from characters.world import Calendar, Lore
from tests.fakes.people import make_sheet, make_world

MONTHS = ("Thaw", "Seed", "Fog", "Deep Frost")
OWNED = {
    "opinions": (Opinion(topic="the marl king", view="marl is rotten", known_by=("odo",)),),
    "knowledge": (Knowledge(topic="the marl gate", text="The marl gate is open.", known_by=("Odo",)),),
    "wares": (Ware(name="marl powder", price="9 gold", known_by=("odo",)),),
    "recipes": (Recipe(name="marl stew", ingredients=("marl",), known_by=("odo",)),),
    "quests": (Quest(title="The Marl Hunt", task="Hunt marl.", known_by=("odo",)),),
    "relations": (Relation(name="Marl", about="A cousin.", known_by=("odo",)),),
}


def everything(sheet: object, question: str, when: When = When(), world: object = None) -> str:
    part = Part("mira", sheet, world or make_world(), when=when)
    return "\n".join(message.content for message in build_prompt(part, [Turn("Ana", question)]).messages).casefold()


@pytest.mark.parametrize("field", sorted(OWNED))
def test_what_belongs_to_others_is_in_no_part_of_the_prompt(field: str) -> None:
    sheet = make_sheet(**{field: OWNED[field]})
    asked = "What of marl? What do you sell, what can you make, any work? Tell me of Marl and the marl gate"
    assert everything(sheet, "tell me").count("marl") == 0
    assert everything(sheet, asked).count("marl") == asked.casefold().count("marl")
    mine = sheet.model_copy(update={field: tuple(item.model_copy(update={"known_by": ("Mira",)}) for item in OWNED[field])})
    assert everything(mine, asked).count("marl") > asked.casefold().count("marl")


def test_a_fact_is_known_from_its_campaign_date_on() -> None:
    lore = Lore(topic="the queen", text="The queen is dead.", known_since="the fourth of Seed")
    world = make_world().model_copy(update={"lore": (lore,), "calendar": Calendar(months=MONTHS, date="the third of Seed")})
    assert "queen is dead" not in everything(make_sheet(), "And the queen?", world=world)
    for date, known in (("the 3rd of Seed", False), ("the 4th of Seed", True), ("the first of Fog", True), ("the first of Thaw", False)):
        assert ("queen is dead" in everything(make_sheet(), "And the queen?", When(date), world)) is known, date


def test_a_fact_is_known_once_its_scene_has_been() -> None:
    told = Knowledge(topic="the well", text="The well is poisoned.", known_since="the old mill")
    sheet = make_sheet(knowledge=(told,))
    assert "poisoned" not in everything(sheet, "What of the well?")
    assert "poisoned" not in everything(sheet, "What of the well?", When("", ("the mill",)))
    assert "poisoned" in everything(sheet, "What of the well?", When("", ("at the old mill, by night",)))


@pytest.mark.parametrize(
    ("text", "day"),
    [("the twelfth of Fog", (None, 2, 12)), ("12 Fog 312", (312, 2, 12)), ("Deep Frost the twenty-first, 4", (None, 3, 21)),
     ("in Thaw", (None, 0, 1)), ("when the bell rang", None)],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(text: str, day: object) -> None:
    found = day_of(text, MONTHS)
    assert (found if found is None or day is None else (found[0] if day[0] is not None else None, *found[1:])) == day


def test_years_count_where_both_dates_tell_one() -> None:
    calendar = Calendar(months=MONTHS, date="2 Thaw 311")
    assert not has_come("1 Thaw 312", When(), calendar)
    assert has_come("1 Thaw 312", When("2 Thaw 312"), calendar)


def test_secrets_are_in_no_prompt() -> None:
    assert known_sheet(make_sheet(), "mira").secrets == ()
    assert "deserter" not in everything(make_sheet(), "What do you hide in the cellar? Is it a secret?")


def test_whoever_is_there_ends_a_line_that_begins_to_speak_for_them() -> None:
    scene = Scene(present=("Ben", "Odo Flint", "Odo", "Mira Dunmore", "Mira"))
    stops = build_prompt(Part("mira", make_sheet()), [Turn("Ana", "hello")], scene=scene).stop
    assert {"\nAna:", "\nBen:", "\nOdo:", "\nOdo Flint:", ". Odo:", "! Ben:"} <= set(stops)
    assert not any("Mira" in stop for stop in stops)
