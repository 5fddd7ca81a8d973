"""What a run would ask and cost, from its real prompts and answers of usual length; nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from learning.teachers.protocol import Teacher, TeacherRequest


@dataclass
class Estimate:
    """Counts requests and tokens, and prices them."""

    teacher: Teacher
    requests: float = 0.0
    read: float = 0.0
    written: float = 0.0
    likely: float = 0.0
    most: float = 0.0

    def add(self, samples: Sequence[TeacherRequest], count: float, usual: int) -> None:
        """So many requests like these samples.

        Args:
            usual: tokens of a usual answer.
        """
        from learning.teachers.protocol import NANO, likely_tokens, most_tokens

        share = count / max(1, len(samples))
        self.requests += count if samples else 0
        for request in samples:
            tokens = sum(likely_tokens(message.content) for message in request.messages)
            self.read += share * tokens
            self.written += share * usual
            self.likely += share * self.teacher.prices.nano(tokens, usual) / NANO
            worst = self.teacher.prices.nano(most_tokens(request.messages), request.sampling.max_tokens)
            self.most += share * worst / NANO

    def told(self, npc: str, what: str, **more: Any) -> dict[str, Any]:
        """The estimate for people and programs.

        Args:
            what: what is to be made, such as "600 rows".
        """
        counts = {"requests": round(self.requests), "prompt_tokens": round(self.read),
                  "completion_tokens": round(self.written)}  # fmt: skip
        summary = (
            f"{npc}: {what} by {self.teacher.name} take about {counts['requests']} requests, "
            f"{counts['prompt_tokens']} tokens read and {counts['completion_tokens']} written: about "
            f"{self.likely:.2f}, {self.most:.2f} if every answer were as long as it may be. Nothing was asked."
        )
        return {"npc": npc, "teacher": self.teacher.name, **counts, "cost": self.likely, "cost_at_most": self.most,
                **more, "summary": summary}  # fmt: skip
