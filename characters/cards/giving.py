"""From a sheet to a character card that SillyTavern plays, and that comes back as the same sheet.

An NPC that came from a card goes out in that card, with only what its author changed since; one of ours
gets a card of its own. Either carries its sheet under `extensions.understudy`, with a fingerprint of
the prose: whoever edits the prose elsewhere gets a sheet made from the new prose.
"""

import copy
import hashlib
import json
from typing import Any

from pydantic import ValidationError

from characters.cards.card import FIELDS, Card
from characters.loose import dict_of, text_of
from characters.sheet import Quest, Sheet

SPACE = "understudy"


def own_sheet(card: Card) -> Sheet | None:
    """The sheet a card of ours carries, unless its prose was changed since."""
    kept = dict_of(card.extensions.get(SPACE))
    if not isinstance(kept.get("sheet"), dict) or kept.get("prose") != _fingerprint(card.data):
        return None
    try:
        return Sheet.model_validate(kept["sheet"])
    except (ValidationError, RecursionError):
        return None


def sheet_to_card(sheet: Sheet, original: Card | None = None, draft: Sheet | None = None,
                  *, secrets: bool = True) -> Card:  # fmt: skip
    """Make the card of an NPC.

    Args:
        original: the card it came from.
        draft: the sheet that card gives today; what the sheet shares with it needs no change of the card.
        secrets: whether its secrets go along; nobody can play them without, and everybody can read them with.
    """
    if not secrets:
        sheet = sheet.model_copy(update={"secrets": ()})
    if original is not None and draft is not None and _same(sheet, draft):
        return original
    raw = copy.deepcopy(original.raw) if original is not None else _empty(sheet)
    made = Card(raw, original.version if original else 3, original.container if original else "png",
                original.picture if original else None, original.source if original else b"")  # fmt: skip
    data = made.data
    _fill(data, sheet, draft)
    extensions = dict_of(data.get("extensions"))
    extensions["talkativeness"] = str(sheet.talkativeness)
    kept = {"sheet": sheet.model_dump(mode="json", exclude_defaults=True), "prose": _fingerprint(data)}
    data["extensions"] = {**extensions, SPACE: kept}
    return made


def _same(sheet: Sheet, draft: Sheet) -> bool:
    here = {"world", "avatar"}  # where it lives with us, not what it is
    return sheet.model_dump(exclude=here) == draft.model_dump(exclude=here)


def _fill(data: dict[str, Any], sheet: Sheet, draft: Sheet | None) -> None:
    """Write the fields that the sheet has changed."""
    prose = {"greeting", "speech", "talkativeness", "name", "world", "avatar", "nsfw"}
    if draft is None or sheet.name != draft.name:
        data["name"] = sheet.name
    if draft is None or sheet.greeting != draft.greeting:
        data["first_mes"] = sheet.greeting
    if draft is None or sheet.speech.examples != draft.speech.examples:
        data["mes_example"] = _examples(sheet)
    if draft is None or sheet.speech.model_dump(exclude={"examples"}) != draft.speech.model_dump(exclude={"examples"}):
        data["personality"] = " ".join([sheet.speech.voice, *sheet.speech.quirks])
    if draft is None or sheet.model_dump(exclude=prose) != draft.model_dump(exclude=prose):
        data["description"] = _description(sheet)


def _empty(sheet: Sheet) -> dict[str, Any]:
    data = dict.fromkeys((*FIELDS, "creator_notes", "system_prompt", "post_history_instructions", "creator",
                          "character_version"), "")  # fmt: skip
    lists: dict[str, Any] = {"alternate_greetings": [], "group_only_greetings": [], "tags": [sheet.kind]}
    book = {"name": sheet.name, "extensions": {}, "entries": _entries(sheet)}
    rest: dict[str, Any] = {"extensions": {}, "character_book": book} if book["entries"] else {"extensions": {}}
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": {**data, **lists, **rest}}


def _description(sheet: Sheet) -> str:
    lines = [f"{{{{char}}}} is {sheet.name}, {sheet.description}.", sheet.backstory,
             f"Alignment: {sheet.alignment}" if sheet.alignment else "",
             "Values: " + ", ".join(sheet.values) if sheet.values else "",
             "Wants: " + "; ".join(sheet.objectives) if sheet.objectives else "",
             "Sayings: " + " ".join(f'"{motto}"' for motto in sheet.speech.mottos) if sheet.speech.mottos else "",
             "Sells: " + "; ".join(f"{w.name} ({w.price})" for w in sheet.wares) if sheet.wares else "",
             "Never: " + "; ".join(sheet.boundaries) if sheet.boundaries else ""]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _examples(sheet: Sheet) -> str:
    blocks = (f"<START>\n{{{{user}}}}: {e.context}\n{{{{char}}}}: {e.line}" for e in sheet.speech.examples)
    return "\n".join(blocks)


def _entries(sheet: Sheet) -> list[dict[str, Any]]:
    """What it knows, as the lorebook of its card: there a question finds it, as it does here."""
    known = [(item.topic, item.text) for item in sheet.knowledge if not item.known_by]
    known += [(item.topic, f"On {item.topic}, {sheet.first_name} says: {item.view}") for item in sheet.opinions]
    known += [(item.name, f"{item.name}: {item.about}") for item in sheet.relations]
    known += [(item.name, f"{item.name} costs {item.price}. {item.about}".strip()) for item in sheet.wares]
    known += [(item.name, f"{item.name} needs: {', '.join(item.ingredients)}. {item.steps}".strip())
              for item in sheet.recipes]  # fmt: skip
    known += [(item.title, _task(item)) for item in sheet.quests]
    return [
        {
            "keys": [topic.removeprefix("the ")], "content": text, "extensions": {}, "enabled": True,
            "insertion_order": 100 + number, "use_regex": False, "constant": False, "name": topic, "id": number,
            "comment": topic, "selective": False, "secondary_keys": [], "position": "after_char",
            "case_sensitive": False,
        }
        for number, (topic, text) in enumerate(known)
    ]  # fmt: skip


def _task(quest: Quest) -> str:
    parts = {"": f"{quest.title}: {quest.task}", "Reward: ": quest.reward, "Place: ": quest.place}
    return " ".join(f"{label}{text}" for label, text in parts.items() if text)


def _fingerprint(data: dict[str, Any]) -> str:
    fields = [text_of(data.get(name)).strip() for name in FIELDS]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:16]
