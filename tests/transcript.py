"""Plays the README's transcript anew and writes it in, unedited: `make transcript`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
QUESTIONS = ("Who are you?", "What do you sell?", "What does {ware} cost?", "Tell me about the church.",
             "Do you have a smartphone?", "I'll take two.", "Goodbye.")  # fmt: skip
NPCS = {"mira": "the eel stew", "brug": "the silk rope", "odo": "the lamp putty"}


def play(npc: str, ware: str) -> list[str]:
    lines = [question.format(ware=ware) for question in QUESTIONS]
    with tempfile.TemporaryDirectory() as home:
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


def main() -> None:
    blocks = ["```\n" + "\n".join(play(npc, ware)) + "\n```" for npc, ware in NPCS.items()]
    text = README.read_text("utf-8")
    before, _, rest = text.partition("<!-- transcript -->\n")
    _, _, after = rest.partition("<!-- /transcript -->")
    README.write_text(before + "<!-- transcript -->\n" + "\n\n".join(blocks) + "\n<!-- /transcript -->" + after, "utf-8")


if __name__ == "__main__":
    main()
