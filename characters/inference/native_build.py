"""Builds llama-cpp-python for this processor; needs nothing but Python's own library.

llama.cpp's default build asks the compiler for everything the processor has, AMX included, and GCC
12 miscompiles that: quantized models crash on the first token. So the flags are named here, without
AMX. The build takes minutes; a clock shows that it is alive. What comes out, from the compiler or
from a package cache, is proved by `python -m characters.inference.native_proof`.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_FLAGS = {
    "avx": "GGML_AVX",
    "avx2": "GGML_AVX2",
    "fma": "GGML_FMA",
    "f16c": "GGML_F16C",
    "bmi2": "GGML_BMI2",
    "sse4_2": "GGML_SSE42",
    "avx512f": "GGML_AVX512",
    "avx512vbmi": "GGML_AVX512_VBMI",
    "avx512_vnni": "GGML_AVX512_VNNI",
    "avx512_bf16": "GGML_AVX512_BF16",
    "avx_vnni": "GGML_AVX_VNNI",
}
# GGML_AVX512 stands for all of these at once; a processor that lacks one of them must go without.
_AVX512_NEEDS = {"avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"}
_NO_PICTURES = "-DLLAVA_BUILD=OFF"
_COMPILERS = ("c++", "g++", "clang++", "cl")
_DISK = 2_000_000_000
_NO_NETWORK = ("could not find a version", "failed to establish", "connection", "timed out", "name resolution")


def cmake_arguments(processor_flags: set[str], machine: str) -> list[str]:
    """CMake arguments for a processor.

    Args:
        processor_flags: as /proc/cpuinfo names them; empty where the system does not tell.
        machine: architecture, such as "x86_64" or "arm64".

    Returns:
        Explicit flags on x86-64 with known flags; elsewhere the default build is sound. Nowhere the
        image models of llama.cpp: half the compile time, and nobody here looks at pictures.
    """
    if machine.lower() not in {"x86_64", "amd64"} or not processor_flags:
        return [_NO_PICTURES]
    known = set(processor_flags)
    if not known >= _AVX512_NEEDS:
        known = {flag for flag in known if not flag.startswith("avx512")}
    chosen = [name for flag, name in _FLAGS.items() if flag in known]
    return [_NO_PICTURES, "-DGGML_NATIVE=OFF", *(f"-D{name}=ON" for name in chosen)]


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """The first processor's flags; empty where the system does not tell."""
    if not cpuinfo.is_file():
        return set()
    for line in cpuinfo.read_text("utf-8", "replace").splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return set()


def missing(find: Callable[[str], str | None] = shutil.which, free: int | None = None) -> str:
    """One sentence about what a build lacks here, or ""."""
    if os.environ.get("CXX") is None and not any(find(name) for name in _COMPILERS):
        return ("No C++ compiler was found; install one (Debian, Ubuntu: `apt install g++`, "
                "Fedora: `dnf install gcc-c++`, macOS: `xcode-select --install`) "
                "and run the command again.")  # fmt: skip
    space = shutil.disk_usage(Path.cwd()).free if free is None else free
    if space < _DISK:
        return (f"Only {space / 1e9:.1f} GB are free here and the build needs {_DISK / 1e9:.0f} GB; "
                "make room and run the command again.")  # fmt: skip
    return ""


def failure(log: str) -> str:
    """One sentence about why pip failed, read from what it wrote."""
    low = log.casefold()
    if "no space left" in low:
        return "The disk filled up during the build; make room and run the command again."
    if any(sign in low for sign in _NO_NETWORK):
        return ("The package index cannot be reached; connect to a network (or set PIP_INDEX_URL) "
                "and run the command again.")  # fmt: skip
    return "The build of llama-cpp-python failed; the reason stands at the end of .venv/native.log."


def _install(requirement: str, constraints: Path, log: Path) -> int:
    """Run pip, with a clock; returns its exit status."""
    arguments = " ".join(cmake_arguments(processor_flags(), platform.machine()))
    environment = {**os.environ}
    if arguments:
        environment["CMAKE_ARGS"] = f"{arguments} {environment.get('CMAKE_ARGS', '')}".strip()
    pip = [sys.executable, "-m", "pip", "install", "--verbose", "--disable-pip-version-check"]
    command = [*pip, "-c", str(constraints), requirement]
    began = time.monotonic()
    live = sys.stderr.isatty()
    with log.open("w", encoding="utf-8") as out:
        out.write(f"CMAKE_ARGS={environment.get('CMAKE_ARGS', '')}\n")
        out.flush()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        told = -60.0
        while process.poll() is None:
            time.sleep(0.2)
            spent = time.monotonic() - began
            if live or spent - told >= 60:
                told = spent
                clock = f"{int(spent // 60)}:{int(spent % 60):02d}"
                text = f"building llama.cpp for this processor: {clock} (about 6 minutes on two cores)"
                sys.stderr.write(f"\r{text}" if live else f"{text}\n")
                sys.stderr.flush()
    if live:
        sys.stderr.write("\n")
    return process.returncode


def main() -> int:
    """Build and install the pinned llama-cpp-python into the running interpreter's environment."""
    requirement, constraints = sys.argv[1], Path(sys.argv[2])
    if lack := missing():
        sys.stderr.write(lack + "\n")
        return 1
    log = Path(sys.prefix) / "native.log"
    if _install(requirement, constraints, log):
        sys.stderr.write(failure(log.read_text("utf-8", "replace")) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
