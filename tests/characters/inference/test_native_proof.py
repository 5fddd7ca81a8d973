"""The native build is tried in a process of its own before anybody relies on it."""

from pathlib import Path

from characters.inference.native_proof import decodes


def test_the_build_that_serves_these_tests_is_proved_to_decode(tiny_model: Path) -> None:
    assert decodes(tiny_model, extra_buffers=False)


def test_what_cannot_be_loaded_is_not_proved(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and nothing else")
    assert not decodes(broken, extra_buffers=False)
