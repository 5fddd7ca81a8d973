"""Makes keys: a handle that may be shown, and a secret that is shown once."""

import secrets
from datetime import datetime

from bot.errors import TableError
from db.queries.api import ApiKey

PREFIX = "usk-"


def new_key(name: str, campaign: str | None, role: str, consent: str, now: datetime) -> tuple[ApiKey, str]:
    """A key and its secret.

    Raises:
        TableError: a GM's key without consent, or a name that is none.
    """
    name = " ".join(name.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise TableError("A key needs a name of up to 100 letters, such as `understudy serve key new my-game`.")
    if role == "gm" and consent != "given":
        raise TableError("A GM's key teaches by its nature, so it consents to training; add --consent, or leave --gm.")
    handle = secrets.token_hex(4)
    return ApiKey(handle, name, campaign, role, consent, now), f"{PREFIX}{handle}-{secrets.token_urlsafe(32)}"
