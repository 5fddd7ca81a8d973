"""Proves the native build: decode with a quantized model, in a process that may crash.

llama.cpp's repacked weights crash on some processors with some compilers, and a wheel from a
package cache may have been built with any flags. So every build is tried once on the bundled
model, and what was found is kept beside the build's own identity. There are two steps and no
more: repacked weights, else none (`use_extra_bufts=False`).
"""

import contextlib
import hashlib
import importlib.util
import json
import platform
import subprocess
import sys
from pathlib import Path

from characters.files import write_whole
from characters.inference.starter import STARTER


def decodes(model: Path, *, extra_buffers: bool) -> bool:
    """Whether a child process survives decoding with a model."""
    done = subprocess.run(
        [sys.executable, "-m", "characters.inference.native_probe", str(model), "1" if extra_buffers else "0"],
        capture_output=True, text=True, timeout=120, check=False, cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    return done.returncode == 0 and done.stdout.strip().endswith("decoded")


def build_id() -> str:
    """Identifies the native library and the processor it runs on."""
    found = importlib.util.find_spec("llama_cpp")
    if found is None or found.origin is None:
        return "absent"
    libraries = sorted((Path(found.origin).parent / "lib").glob("*"))
    marks = [f"{path.name}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for path in libraries]
    return hashlib.sha256("\n".join([*marks, platform.processor(), platform.machine()]).encode()).hexdigest()[:16]


def extra_buffers_work(cache: Path, model: Path = STARTER) -> bool:
    """Whether repacked weights may be used here; found out once for each build.

    Args:
        cache: the folder in which the answer is kept.
    """
    note = cache / "native.json"
    build = build_id()
    with contextlib.suppress(OSError, ValueError, KeyError):  # none yet, or not a whole one: it is found out again
        known = json.loads(note.read_text("utf-8"))
        if known["build"] == build:
            return bool(known["extra_buffers"])
    if not model.is_file():
        return False
    works = decodes(model, extra_buffers=True)
    write_whole(note, json.dumps({"build": build, "extra_buffers": works}))
    return works


def main() -> int:
    """Prove the installed build on the starter and say what was found; exit status 1 when neither way works."""
    if not STARTER.is_file():
        sys.stderr.write(
            f"There is no starter model at {STARTER} to prove the build with; restore it from the repository.\n"
        )
        return 1
    if decodes(STARTER, extra_buffers=True):
        sys.stderr.write("llama.cpp decodes here, with repacked weights\n")
        return 0
    if decodes(STARTER, extra_buffers=False):
        sys.stderr.write("llama.cpp decodes here without repacked weights (with them it crashes); they stay off\n")
        return 0
    sys.stderr.write(
        "The installed llama.cpp cannot decode on this processor; "
        "run `PIP_NO_CACHE_DIR=1 make native play` to build it anew.\n"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
