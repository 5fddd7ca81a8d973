"""The errors a person may see.

    UnderstudyError            safe to show: one sentence saying what is wrong, where, and what to do
    ├── SheetError             a sheet or world file is broken or missing
    ├── CardError              a character card or lorebook from elsewhere cannot be read
    ├── EngineError            the model cannot speak (characters.inference.errors)
    ├── StoreError             the database cannot keep or give (db.errors)
    └── …                      each half adds its own leaves

Anything that is not an UnderstudyError is a defect of ours: it is logged, and apologised for.
"""


class UnderstudyError(Exception):
    """An error whose message may be shown to a person as it is.

    Attributes:
        status: the exit status of a command that ends with it.
    """

    status = 1


class SheetError(UnderstudyError):
    """A sheet or world that cannot be used; `faults` lists every fault found in it."""

    def __init__(self, message: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults or (message,)


class CardError(UnderstudyError):
    """A character card, a lorebook or a folder of notes that cannot be used; nothing of it was taken over."""
