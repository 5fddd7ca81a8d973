"""What comes of a command besides what is said: an acknowledgement."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ack:
    """A command was carried out; `data` is for programs, `text` for people."""

    command: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)
