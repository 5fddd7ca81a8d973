"""The base model's own chat template, run safely.

Templates arrive inside model files, so they are code from strangers: they run in Jinja's immutable
sandbox. The same object renders for serving and for training, which is what keeps the two equal.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from characters.errors import UnderstudyError
from characters.messages import Message


class TemplateFault(UnderstudyError):
    """The model's chat template cannot be used."""


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _refuse
    # A prompt must be a pure function of its messages: the clock of a template is stopped.
    environment.globals["strftime_now"] = lambda _format: ""
    environment.filters["tojson"] = lambda value, **kw: json.dumps(value, ensure_ascii=False, **kw)
    return environment


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template with the tokens it needs.

    Attributes:
        source: the Jinja text, from ``tokenizer.chat_template`` of the GGUF.
        bos: the beginning-of-sequence token's text, or "".
        eos: the end-of-turn token's text.
        special_tokens: texts of all control tokens; a player's text may contain none of them.
        add_bos: whether the model file asks for a BOS that the template does not write.
    """

    source: str
    bos: str = ""
    eos: str = ""
    special_tokens: tuple[str, ...] = ()
    add_bos: bool = False

    @cached_property
    def hash(self) -> str:
        """Identifies the template wherever a line or a dataset says what rendered it."""
        tagged = f"template\0{self.source}\0{self.bos}\0{self.eos}"
        return "template-" + hashlib.sha256(tagged.encode()).hexdigest()[:12]

    @cached_property
    def takes_system(self) -> bool:
        """Whether a system message survives rendering; found by trying."""
        probe = [Message("system", "understudy-probe"), Message("user", "hello")]
        try:
            return "understudy-probe" in self._render(probe, add_generation_prompt=True)
        except TemplateError:
            return False

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool = True) -> str:
        """Return the text the model reads; a system role it lacks is folded into the first user.

        Raises:
            TemplateFault: the template does not parse or refuses the messages.
        """
        try:
            fitted = list(messages) if self.takes_system else fold_system(messages)
            return self._render(fitted, add_generation_prompt=add_generation_prompt)
        except TemplateError as error:
            raise TemplateFault(
                f"The model's chat template refuses this conversation ({error}); "
                "choose another model with `understudy model list`."
            ) from error

    @cached_property
    def _compiled(self) -> Template:
        return _environment().from_string(self.source)

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        text = self._compiled.render(
            messages=[{"role": m.role, "content": m.content} for m in messages],
            add_generation_prompt=add_generation_prompt,
            bos_token=self.bos,
            eos_token=self.eos,
        )
        return str(text)


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """Put the system text in front of the first user message."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    if not system:
        return rest
    for index, message in enumerate(rest):
        if message.role == "user":
            rest[index] = Message("user", f"{system}\n\n{message.content}")
            return rest
    return [Message("user", system), *rest]
