"""What a person on Discord can get wrong; the sentence comes from the catalogue, in their language."""

from bot.errors import TableError


class Refusal(TableError):
    """Something that is not done, told by a key of the catalogue."""

    def __init__(self, key: str, **fields: object) -> None:
        super().__init__(key)
        self.key = key
        self.fields = fields


class TooLate(TableError):
    """An interaction that Discord takes no answer to any more."""

    def __init__(self, why: str) -> None:
        super().__init__(f"Discord took no answer to an interaction ({why}); the machine or the line was too slow.")


class SetupError(TableError):
    """The bot cannot run as it is set up; the sentence says exactly what is missing."""
