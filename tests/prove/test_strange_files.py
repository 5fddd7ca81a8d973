"""A hundred thousand mutated cards, archives, sheets and lorebooks; none takes a second of computing."""

from pathlib import Path

import pytest

from tests.fakes.strange_files import try_all


@pytest.mark.prove
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("part", range(20))
def test_five_thousand_of_a_hundred_thousand_strange_files(part: int, tmp_path: Path):
    tally = try_all(1000 + part, 5000, tmp_path)
    print(f"{tally.taken} taken, {tally.refused} refused, slowest {tally.slowest:.3f} s ({tally.which})")  # noqa: T201
    assert tally.slowest < 1.0, tally.which
