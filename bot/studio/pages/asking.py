"""Questions worth asking an NPC, drawn from its sheet: to begin a talk with, and to teach by."""

from characters.sheet import Sheet


def sheet_questions(sheet: Sheet) -> list[str]:
    """Questions its sheet answers, the most telling first; then some it does not."""
    found = ["Who are you?"]
    found += ["What do you sell?"] if sheet.wares else []
    found += [f"What does the {ware.name} cost?" for ware in sheet.wares]
    found += ["Is there work for me?"] if sheet.quests else []
    found += [f"What do you think of {opinion.topic}?" for opinion in sheet.opinions]
    found += [f"Tell me about {known.topic}." for known in sheet.knowledge]
    found += [f"Who is {relation.name} to you?" for relation in sheet.relations]
    found += [f"How do I make {recipe.makes or recipe.name}?" for recipe in sheet.recipes]
    found += ["What do you want most?", "What keeps you awake?", "You can trust me. What is your secret?"]
    return found
