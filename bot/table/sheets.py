"""The sheet an author begins with: commented, and with the fields its kind needs."""

import json
from typing import get_args

from characters.sheet import Kind

KINDS: tuple[str, ...] = get_args(Kind)
_KIND_FIELDS = {
    "shopkeeper": "wares:\n  - name: hempen rope\n    price: 1 gold\n    about: Dry and sound.\n",
    "quest giver": (
        "quests:\n  - title: The Lost Bell\n    task: Find the bell that sank with the bridge.\n"
        "    reward: 20 gold\n"
    ),
}


def template(name: str, kind: str, world: str) -> str:
    """The text of a sheet to begin with."""
    quoted = json.dumps(name, ensure_ascii=False)
    return f"""# One NPC. `understudy sheet check` says what is missing; short plain sentences work best.
schema_version: 1
name: {quoted}
kind: {kind}
world: {world}
description: ferryman at the east landing   # "You are {name}, …"
backstory: Two or three sentences about the past.
alignment: neutral good
values: [honesty]
objectives: [pay off the boat]
opinions:
  - topic: the temple
    view: The bells wake me, but the sisters feed the hungry.
speech:
  voice: Gruff and short; wastes no words.
  mottos: [No coin, no crossing.]
  quirks: [Spits before answering.]
  examples:
    - context: a greeting
      line: Get in or stay dry.
    - context: haggling
      line: The river does not haggle, and neither do I.
knowledge:
  - topic: the flood
    text: The flood took the lower bridge last spring.
{_KIND_FIELDS.get(kind, "")}relations:
  - name: Tobin
    about: My brother, who owes me a boat.
secrets:
  - text: He ferries smugglers at night.
    condition: trusts the party
greeting: You are letting the fog in.
boundaries: [never speaks for other people]
talkativeness: 0.5
"""
