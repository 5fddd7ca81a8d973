"""Where nights do not make way, the first word comes about as soon as without one."""

import json
import subprocess
import sys

import pytest

from characters.inference.starter import STARTER
from tests.fakes.program import PROGRAM

pytestmark = [pytest.mark.prove, pytest.mark.timeout(600), pytest.mark.skipif(not STARTER.is_file(), reason="no starter model lies here")]


def test_the_first_token_takes_at_most_a_third_longer_while_a_night_trains(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run([PROGRAM, "bench", "beside-a-night", "--json"], capture_output=True, text=True, check=False, timeout=570)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    without, beside = told["ms"]["to the first token"]
    with capsys.disabled():
        sys.stdout.write(f"\nto the first token: {without} ms without a night, {beside} ms beside one ({beside / without:.2f}); {told}\n")
    assert told["training_share"] > 0.2, "the training had no processor to train on"
    assert beside <= 1.3 * without
