"""What the API takes: OpenAI's fields, and ours beside them.

Unknown fields are ignored, as OpenAI-compatible servers do; fields that would change what a line is
(tools, several choices, images) are refused rather than passed over.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from db.values import storable

LONGEST = 32_768
_MOST = 2000


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        """Text a database cannot keep is made such as it can."""
        if not isinstance(given, dict):
            return given
        return {name: storable(value) if isinstance(value, str) else value for name, value in given.items()}


class ChatMessage(_Model):
    """A message of the client's history."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str = Field("", max_length=LONGEST)
    name: str | None = Field(None, max_length=200)

    @field_validator("content", mode="before")
    @classmethod
    def _text_only(cls, content: Any) -> Any:
        """Join text parts; nothing but text can be read."""
        if content is None:
            return ""
        if not isinstance(content, list):
            return content
        parts = [part for part in content if isinstance(part, dict)]
        if len(parts) != len(content) or any(part.get("type") != "text" for part in parts):
            raise ValueError("NPCs read text only; leave images, sounds and files out")
        return "\n".join(str(part.get("text", "")) for part in parts)


class Scene(_Model):
    """Where the conversation takes place; a change begins a new scene."""

    place: str | None = Field(None, max_length=200)
    reason: str | None = Field(None, max_length=200)
    mood: str | None = Field(None, max_length=200)
    familiarity: str | None = Field(None, max_length=200)

    def changes(self) -> dict[str, str]:
        """The fields that were given."""
        return {name: value for name, value in self.model_dump().items() if value is not None}


class Player(_Model):
    """Who speaks to the NPC.

    Attributes:
        id: who it is, from one request to the next; the name where absent.
        learn: False refuses that this player's words are ever trained on, True takes that back; a
            key that does not consent is not overruled.
    """

    name: str = Field("", max_length=200)
    id: str | None = Field(None, max_length=200)
    learn: bool | None = None


class StreamOptions(_Model):
    """OpenAI's options of a stream."""

    include_usage: bool = False


class CompletionRequest(_Model):
    """A line is asked for.

    Attributes:
        user: OpenAI's identifier of the end user; the player's id where `player` gives none.
        another: id of a line that is to be said another way, instead of something being said.
    """

    model: str = Field(max_length=400)
    messages: list[ChatMessage] = Field(default_factory=list, max_length=_MOST)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    logprobs: bool | None = None
    response_format: dict[str, Any] | None = None
    user: str | None = Field(None, max_length=200)
    scene: Scene | None = None
    player: Player | None = None
    conversation: str | None = Field(None, min_length=1, max_length=200)
    another: int | str | None = None

    @field_validator("player", mode="before")
    @classmethod
    def _by_name(cls, player: Any) -> Any:
        return {"name": player} if isinstance(player, str) else player

    @field_validator("scene", mode="before")
    @classmethod
    def _by_place(cls, scene: Any) -> Any:
        return {"place": scene} if isinstance(scene, str) else scene

    @field_validator("n")
    @classmethod
    def _one(cls, n: int | None) -> int | None:
        if n not in {None, 1}:
            raise ValueError("an NPC says one line at a time; ask again for another take")
        return n

    @field_validator("tools", "functions")
    @classmethod
    def _no_tools(cls, tools: list[Any] | None) -> list[Any] | None:
        if tools:
            raise ValueError("NPCs call no tools; leave it out")
        return tools

    @field_validator("logprobs")
    @classmethod
    def _no_logprobs(cls, logprobs: bool | None) -> bool | None:
        if logprobs:
            raise ValueError("log-probabilities are not given; leave it out")
        return logprobs

    @field_validator("response_format")
    @classmethod
    def _plain(cls, response_format: dict[str, Any] | None) -> dict[str, Any] | None:
        if response_format and response_format.get("type", "text") != "text":
            raise ValueError("NPCs speak plain text; leave it out")
        return response_format

    @property
    def most_tokens(self) -> int | None:
        """How long the line may be at most, if the client says so."""
        given = [most for most in (self.max_tokens, self.max_completion_tokens) if most is not None]
        return min(given) if given else None


class FeedbackRequest(_Model):
    """What somebody thought of a line.

    Attributes:
        line_id: as `understudy.line_id`, or the completion's `id`.
        text: the better words, with ``edit``.
        remove: take a reaction back.
    """

    line_id: int | str
    feedback: str = Field(max_length=20)
    text: str = Field("", max_length=4000)
    remove: bool = False
    player: Player | None = None
    user: str | None = Field(None, max_length=200)

    @field_validator("player", mode="before")
    @classmethod
    def _by_name(cls, player: Any) -> Any:
        return {"name": player} if isinstance(player, str) else player
