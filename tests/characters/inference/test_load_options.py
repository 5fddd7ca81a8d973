"""How a model is loaded where nobody says how."""

from pathlib import Path

import pytest

from characters.inference.llama_options import LoadOptions


def test_a_small_model_computes_alone_and_a_large_one_on_every_core_up_to_eight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = tmp_path / "small.gguf", tmp_path / "large.gguf"
    small.write_bytes(b"GGUF")
    with large.open("wb") as file:
        file.truncate(1 << 30)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert LoadOptions().threads_for(small) == 1
    assert LoadOptions().threads_for(large) == 6
    monkeypatch.setattr("os.cpu_count", lambda: 32)
    assert LoadOptions().threads_for(large) == 8
    assert LoadOptions(threads=3).threads_for(small) == 3
