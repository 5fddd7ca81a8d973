"""Mutated cards, archives, sheets and lorebooks: taken or refused in a sentence, never worse."""

from pathlib import Path

from tests.fakes.strange_files import try_all


def test_two_thousand_strange_files_are_taken_or_refused(tmp_path: Path):
    tally = try_all(1, 2000, tmp_path, every=8)
    assert tally.taken + tally.refused == 2000
    assert tally.kinds["npc"] > 300
    assert tally.kinds["lore"] > 100
    assert tally.refused > 300
