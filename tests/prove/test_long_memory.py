"""A campaign of ten thousand turns is remembered: two hundred questions, a third of them in other words."""

import json
import sys
from pathlib import Path

import pytest

from bot.commands.long_memory import measure, read_probes

PROBES = Path(__file__).parent / "memory_probes.yaml"

pytestmark = pytest.mark.prove


def test_a_third_of_the_probes_share_no_telling_word_with_what_was_said() -> None:
    probes = read_probes(PROBES)
    assert len(probes) == 200
    assert len([probe for probe in probes if not probe.shared]) == len([p for p in probes if p.group == "unshared"]) == 67


@pytest.mark.timeout(1500)
async def test_the_right_memory_is_among_the_five_offered_in_three_of_four_within_twenty_milliseconds(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = (await measure(database_url, 10_000, read_probes(PROBES))).as_json()
    with capsys.disabled():
        sys.stdout.write(f"\n{database_url.partition(':')[0]}: {json.dumps(found)}\n")
    assert found["offered_all"] >= 0.75
    assert found["median_ms"] <= 20
