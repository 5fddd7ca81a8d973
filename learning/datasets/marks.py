"""Takes a rendered prompt apart again, for exports that want messages.

Rows carry the text a model reads. What stands between the messages is the same in all of them, and
no message can contain it (the prompt builder takes template tokens out), so the text can be cut
where the template joined it. The joints are found by rendering a talk of known words.
"""

from dataclasses import asdict, dataclass

from characters.chat_template import ChatTemplate
from characters.messages import Message

_SYSTEM, _ASKED, _SAID, _LAST = ("understudy-system", "understudy-asked", "understudy-said", "understudy-last")


@dataclass(frozen=True)
class Marks:
    """What a template writes before, between and after messages.

    Attributes:
        after_system: None where the system text is folded into the first user message.
        end: after the last user message; where the reply begins.
    """

    begin: str
    after_system: str | None
    after_user: str
    after_assistant: str
    end: str

    def as_json(self) -> dict[str, str | None]:
        """For a manifest."""
        return asdict(self)

    def messages(self, prompt: str) -> list[Message]:
        """The messages of a prompt.

        Raises:
            ValueError: the prompt was not made by this template.
        """
        if not (prompt.startswith(self.begin) and prompt.endswith(self.end)):
            raise ValueError("the prompt does not begin and end as its template has it")
        rest = prompt[len(self.begin) : len(prompt) - len(self.end)]
        found = []
        if self.after_system is not None:
            system, joint, rest = rest.partition(self.after_system)
            if not joint:
                raise ValueError("the prompt has no system text")
            found.append(Message("system", system))
        joints = (self.after_user, self.after_assistant)
        while True:
            asked = (len(found) - (self.after_system is not None)) % 2 == 0
            text, joint, rest = rest.partition(joints[0] if asked else joints[1])
            found.append(Message("user" if asked else "assistant", text))
            if not joint:
                break
        if found[-1].role != "user":
            raise ValueError("the prompt does not end with something to answer")
        return found


def marks_of(template: ChatTemplate) -> Marks | None:
    """The marks of a template; None where its messages cannot be told apart."""
    words = [_SYSTEM, _ASKED, _SAID, _LAST] if template.takes_system else [_ASKED, _SAID, _LAST]
    talk = [Message("user", _ASKED), Message("assistant", _SAID), Message("user", _LAST)]
    text = template.render([Message("system", _SYSTEM), *talk] if template.takes_system else talk)
    joints = []
    for word in words:
        before, found, text = text.partition(word)
        if not found:
            return None
        joints.append(before)
    begin, *between = joints
    if not all(joint.strip() for joint in between):
        return None
    after_system = between[0] if template.takes_system else None
    return Marks(begin, after_system, between[-2], between[-1], text)


def proven_marks(template: ChatTemplate, prompts: list[str]) -> Marks | None:
    """The marks of a template if they take these prompts apart so that rendering gives them again."""
    marks = marks_of(template)
    try:
        if marks is None or any(template.render(marks.messages(prompt)) != prompt for prompt in prompts):
            return None
    except ValueError:
        return None
    return marks
