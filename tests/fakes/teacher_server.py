"""A teacher on loopback: answers by a function, counts what it was paid for, and misbehaves as scripted."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.fakes.model_server import ModelServer


class TeacherServer(ModelServer):
    """Answers whatever `answer` makes of a request; the script goes first.

    Attributes:
        received, paid: how often each request came in, and how often it was answered to its end, by content.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__()
        self.answer = answer
        self.received: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()

    def next(self, request: dict[str, Any]) -> Any:
        self.received[content(request)] += 1
        return self.script.popleft() if self.script else self.answer(request)

    def served(self, request: dict[str, Any]) -> None:
        self.paid[content(request)] += 1


def content(request: dict[str, Any]) -> str:
    """What is paid for: the text; another seed over the same text is the same."""
    return json.dumps(request["messages"], sort_keys=True)


def asked(request: dict[str, Any]) -> str:
    """The whole text of a request."""
    return "\n".join(message["content"] for message in request["messages"])
