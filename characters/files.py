"""Files that are whole or not there: a program may be killed between any two bytes it writes."""

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file; it appears under its name, and replaces what was there, only when all of it is on the disk."""
    half = path.with_name(f".{path.name}.partial")
    try:
        with half.open("wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
