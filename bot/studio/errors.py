"""What can go wrong with the page itself, each as one sentence."""

from characters.errors import UnderstudyError


class StudioError(UnderstudyError):
    """The studio cannot be opened, or refuses something."""
