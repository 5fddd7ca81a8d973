"""The flags a build gets, and the sentence a person gets when it cannot be."""

from pathlib import Path

import pytest

from characters.inference.native_build import cmake_arguments, failure, missing, processor_flags

AVX512 = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}


def test_amx_is_never_asked_for_whatever_the_processor_has() -> None:
    found = " ".join(cmake_arguments({"avx", "avx2", "fma", "amx_tile", "amx_int8", *AVX512}, "x86_64"))
    assert "-DGGML_NATIVE=OFF" in found
    assert "-DGGML_AVX512=ON" in found
    assert "AMX" not in found


def test_a_processor_with_half_of_avx512_goes_without_it() -> None:
    found = " ".join(cmake_arguments({"avx2", "avx512f", "avx512cd"}, "x86_64"))
    assert "AVX512" not in found
    assert "-DGGML_AVX2=ON" in found


@pytest.mark.parametrize("machine", ["arm64", "aarch64"])
def test_other_processors_keep_the_default_build(machine: str) -> None:
    assert not any("GGML" in argument for argument in cmake_arguments({"avx2"}, machine))


def test_flags_are_read_from_the_first_processor(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("model name\t: X\nflags\t\t: avx avx2 fma\nflags\t\t: other\n")
    assert processor_flags(path) == {"avx", "avx2", "fma"}
    assert processor_flags(tmp_path / "none") == set()


def test_a_missing_compiler_and_a_full_disk_are_one_sentence_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    assert "No C++ compiler" in missing(find=lambda name: None, free=10**12)
    assert "0.5 GB" in missing(find=lambda name: "/usr/bin/c++", free=5 * 10**8)
    assert missing(find=lambda name: "/usr/bin/c++", free=10**12) == ""


def test_what_pip_wrote_becomes_one_sentence() -> None:
    assert "disk" in failure("error: No space left on device")
    assert "package index" in failure("ERROR: Could not find a version that satisfies")
    assert "native.log" in failure("fatal error: something else")
