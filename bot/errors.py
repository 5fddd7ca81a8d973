"""What a person at the table can get wrong, each as one sentence."""

from characters.errors import UnderstudyError


class TableError(UnderstudyError):
    """Something that cannot be done at the table now."""
