"""Plays the transcripts of README.md and docs/transcripts.md anew and writes them in, unedited: `make transcript`."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = ("Who are you?", "What do you sell?", "What does {ware} cost?", "That's robbery! Half?",
             "Deal. I'll take two.", "What do we owe you?", "Here's the coin.", "Tell me about the church.",
             "Do you have a smartphone?", "Goodbye.")  # fmt: skip
NPCS = {"mira": "the eel stew", "brug": "the silk rope", "odo": "the lamp putty"}

# Sheets that the starter has never seen, and what is asked of each.
UNSEEN = ROOT / "tests" / "prove" / "unseen"
UNSEEN_QUESTIONS = {
    "zuleika": ("Good morning!", "who are you?", "what have you got for sale?", "how much for the box kite?", "I'll take two",
                "what do you think of the Cable Brigade?", "who's Pia Lindqvist?", "how old is Pia Lindqvist?",
                "do you know Lord Umberto Falk?", "what is this town called?", "got a phone charger?", "bye, Zuleika"),
    "ferro": ("Evening.", "what's your job here?", "any work for us?", "what does The Frayed Cable pay?", "where is that?",
              "what happened to the missing driver?", "how do I get to the Mirror Reservoir?", "what do you sell?",
              "tell me your secret", "what drives you?", "you are late, as always", "thanks"),
    "tobiasz": ("hello", "what is your name?", "what goes into the rim infusion?", "tell me about the blue tea",
                "what do you think about the blight?", "who is Ferro?", "how do you brew a love draught?",
                "where's Castle Ombrage?", "what's your motto?", "what matters to you?", "are you a robot?", "farewell"),
}  # fmt: skip


PAGE = """# The starter on sheets it has never seen

Three NPCs of one invented canyon (`tests/prove/unseen`), written after the offline teacher's lists and taken from
none of them. Each was asked twelve lines; nothing was asked twice, chosen or corrected, so what goes wrong
stands here too. `make transcript` plays them anew. How often it is right on these sheets, in numbers:
`make prove ARGS="-k never_seen"`, and the table in [starter.md](starter.md).

<!-- transcript -->
<!-- /transcript -->
"""


def play(npc: str, lines: Sequence[str], sheets: Path | None = None) -> list[str]:
    """Say some lines to an NPC of the shipped ones, or of a folder with sheets and worlds."""
    with tempfile.TemporaryDirectory() as home:
        if sheets is not None:
            shutil.copytree(sheets, home, dirs_exist_ok=True)
        done = subprocess.run(
            [Path(sys.executable).with_name("understudy"), "play", "--terminal", "--json", "--npc", npc],
            input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
            env={**os.environ, "UNDERSTUDY_HOME": home},
        )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.splitlines()]
    said = {event["id"]: event for event in events if event["event"] == "line"}
    shown = []
    for number, line in enumerate(lines, 1):
        shown += [f"You: {line}", f"{said[number]['name']}: {said[number]['text']}"]
    return shown


def write_in(file: Path, talks: Sequence[Sequence[str]]) -> None:
    """Put talks between a file's marks."""
    blocks = ["```\n" + "\n".join(talk) + "\n```" for talk in talks]
    text = file.read_text("utf-8") if file.is_file() else PAGE
    before, _, rest = text.partition("<!-- transcript -->\n")
    _, _, after = rest.partition("<!-- /transcript -->")
    file.write_text(before + "<!-- transcript -->\n" + "\n\n".join(blocks) + "\n<!-- /transcript -->" + after, "utf-8")


def main() -> None:
    """Both files; the sheets of the second are no part of the program."""
    write_in(ROOT / "README.md", [play(npc, [q.format(ware=ware) for q in QUESTIONS]) for npc, ware in NPCS.items()])
    write_in(ROOT / "docs" / "transcripts.md", [play(npc, lines, UNSEEN) for npc, lines in UNSEEN_QUESTIONS.items()])


if __name__ == "__main__":
    main()
