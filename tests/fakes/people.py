"""A small cast for tests: one innkeeper, one world, written for the tests alone."""

from characters.sheet import (
    Knowledge,
    Opinion,
    Quest,
    Recipe,
    Relation,
    Secret,
    Sheet,
    Speech,
    SpeechExample,
    Ware,
)  # fmt: skip
from characters.world import Calendar, Place, World, WorldPerson


def make_world() -> World:
    return World(
        name="Greywater",
        description="A river town of smugglers and bells.",
        political_organisation="A council of five guild masters rules the town.",
        important_people=(WorldPerson(name="Ostan Reed", about="The oldest guild master, deaf in one ear."),),
        places=(Place(name="Old Mill", about="A ruined mill where the river bends.", way="Follow the river north."),),
        calendar=Calendar(date="the third of Thaw"),
        names=("Anwen", "Bress", "Corvin", "Dara", "Eskil", "Fenna", "Garth", "Hild"),
    )


def make_sheet(**changes: object) -> Sheet:
    fields: dict[str, object] = {
        "name": "Mira Dunmore",
        "kind": "shopkeeper",
        "description": "innkeeper of the Lantern Rest",
        "world": "greywater",
        "backstory": "She was a soldier for ten years. She bought the inn with her pay.",
        "objectives": ("keep the inn open through the winter",),
        "opinions": (Opinion(topic="the temple", view="The bells wake me, but the sisters feed the hungry."),),
        "speech": Speech(
            voice="Blunt and warm.",
            mottos=("Pay first, weep later.",),
            examples=(SpeechExample(context="a greeting", line="Boots off, or feet off."),),
        ),
        "knowledge": (Knowledge(topic="the flood", text="The flood took the lower bridge last spring."),),
        "wares": (
            Ware(name="brown ale", price="4 copper", about="Strong and cloudy."),
            Ware(name="hempen rope", price="1 gold"),
        ),
        "recipes": (Recipe(name="river stew", ingredients=("2 eels", "1 onion"), steps="Simmer for an hour."),),
        "quests": (Quest(title="The Lost Bell", task="Find the bell that sank with the bridge.", reward="20 gold"),),
        "relations": (Relation(name="Tobin", about="My brother, the ferryman."),),
        "secrets": (Secret(text="She hides a deserter in the cellar.", condition="trusts the party"),),
    }
    return Sheet.model_validate({**fields, **changes})
