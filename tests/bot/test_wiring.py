"""What the settings make of an engine."""

from pathlib import Path

import pytest

from bot.wiring import find_house, make_engine
from characters.inference.llama_cpp_engine import LlamaCppEngine
from db.settings import TABLES


@pytest.mark.parametrize(("setting", "terminal", "bot"), [(0, 1, 4), (1, 1, 1), (2, 2, 2)])
def test_one_person_has_one_line_at_once_and_several_tables_four_unless_the_settings_say(
    home: Path, setting: int, terminal: int, bot: int
) -> None:
    house = find_house({"engine.streams": setting, "engine.extra_buffers": False})
    alone, several = make_engine(house), make_engine(house, TABLES)
    assert isinstance(alone, LlamaCppEngine)
    assert isinstance(several, LlamaCppEngine)
    assert (alone.options.streams, several.options.streams) == (terminal, bot)
