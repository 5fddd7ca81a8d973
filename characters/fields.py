"""Field types and rules that sheets and worlds share.

Both are data written by hand, so the schemas are strict: unknown keys are refused, text is
stripped, and an empty string where text is required is an error rather than a silent blank.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
OptionalText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]

SCHEMA_VERSION = 1


class Strict(BaseModel):
    """Immutable, and deaf to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Owned(Strict):
    """A fact with owners: who may know it, and since when.

    Attributes:
        known_by: NPC slugs or participant names; empty means whoever holds the sheet or lore.
        known_since: a campaign date or the name of a scene; empty means always.
    """

    known_by: tuple[ShortText, ...] = ()
    known_since: OptionalText = ""
