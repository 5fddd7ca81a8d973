"""The builder's messages through the chat templates of other models, as they lie in the TRL wheel."""

import importlib.util
from pathlib import Path

import pytest

from characters.chat_template import ChatTemplate, TemplateFault
from characters.messages import Turn
from characters.prompt import Part, build_prompt
from tests.fakes.people import make_sheet, make_world


def _templates() -> list[Path]:
    found = importlib.util.find_spec("trl")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "chat_templates"
    names = ("gemma.jinja", "gemma3.jinja", "llama3", "llama3_2.jinja", "qwen2_5.jinja", "qwen3.jinja",
             "qwen3_instruct_2507.jinja", "phi3.jinja", "glm4moe.jinja", "cohere.jinja")  # fmt: skip
    return [path for path in sorted(folder.glob("*.jinja")) if path.name.startswith(names) and "training" not in path.name]


TEMPLATES = _templates()


@pytest.mark.skipif(not TEMPLATES, reason="the learning extra (trl) is not installed: run `make learning`")
@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_family_shows_who_the_npc_is_and_what_was_said_in_order(path: Path) -> None:
    template = ChatTemplate(path.read_text("utf-8"), bos="<bos>", eos="<eos>")
    turns = [Turn("Ana", "Good evening"), Turn("Mira", "Boots off.", "mira"), Turn("Bran", "What is the rope?")]
    try:
        text = build_prompt(Part("mira", make_sheet(), make_world()), turns, template=template).text
    except TemplateFault as fault:
        pytest.fail(f"{path.stem}: {fault}")
    wanted = ["You are Mira Dunmore", "Ana: Good evening", "Boots off.", "Bran: What is the rope?", "hempen rope: 1 gold"]
    places = [text.find(piece) for piece in wanted]
    assert all(place >= 0 for place in places), dict(zip(wanted, places, strict=True))
    assert places == sorted(places)
    assert text.count("<bos>") <= 1
