"""What can go wrong with model files on their way here, each as one sentence."""

from characters.errors import UnderstudyError


class ShelfError(UnderstudyError):
    """A model file that cannot be put on the shelf, or is not there."""


class PullFailed(ShelfError):
    """The hub did not give the file; what came so far is kept."""


class ChecksumWrong(ShelfError):
    """The file that came is not the file that was promised."""
