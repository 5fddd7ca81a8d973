"""Keeps constraints.txt honest: exact pins of everything that is installed, for every platform.

`python tests/pins.py --write` writes the file from the environment; a test compares the two.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
_OURS = {"understudy", "pip", "setuptools", "wheel"}


def canonical(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Name → version of everything in this environment, without local labels such as `+cpu`."""
    found = {canonical(d.metadata["Name"]): d.version.partition("+")[0] for d in importlib.metadata.distributions()}
    return {name: version for name, version in sorted(found.items()) if name not in _OURS}


def pinned() -> dict[str, str]:
    """Name → version of constraints.txt."""
    lines = (line.partition("#")[0].strip() for line in CONSTRAINTS.read_text("utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


if __name__ == "__main__":
    if "--write" not in sys.argv:
        sys.exit("nothing done; say --write to write constraints.txt")
    head = "# Exact versions of everything, direct and indirect; written by `make constraints`.\n"
    CONSTRAINTS.write_text(head + "".join(f"{name}=={version}\n" for name, version in installed().items()), "utf-8")
