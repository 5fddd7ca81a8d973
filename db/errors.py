"""What can go wrong with the database, each as one sentence.

StoreError
├── StoreLocked       somebody else holds it
│   └── NightElsewhere    another machine runs the campaign's night
├── StoreCorrupt      the file is damaged or no database
├── StoreUnwritable   no room, no permission, read-only
└── StoreUnreachable  the server does not answer
"""

from characters.errors import UnderstudyError


class StoreError(UnderstudyError):
    """The database cannot keep or give what was asked."""


class StoreLocked(StoreError):
    """Another process holds the database."""


class NightElsewhere(StoreLocked):
    """Another machine runs the campaign's night; a service that hears the status gives its request back."""

    status = 76


class StoreCorrupt(StoreError):
    """The database is damaged."""


class StoreUnwritable(StoreError):
    """The database cannot be written."""


class StoreUnreachable(StoreError):
    """The database server does not answer."""
