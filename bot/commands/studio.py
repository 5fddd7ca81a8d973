"""Opening the studio, for the commands that can: its address, its tables, and the browser."""

import contextlib
import os
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bot.commands.beside import learning_is_installed
from bot.wiring import House

if TYPE_CHECKING:
    from bot.studio.address import Address
    from bot.studio.studio import Studio, Tables
    from characters.inference.engine import Engine
    from db.store import Store


def address_of(house: House, host: str | None = None, port: int | None = None) -> "Address":
    """Where the studio is to be served."""
    from bot.studio.address import find_address

    settings, secret = house.settings.studio, house.loaded.secrets.get("studio.password")
    password = secret.get_secret_value() if secret else ""
    wanted = settings.port if port is None else port
    return find_address(host or settings.host, wanted, password, settings.names)


def make_studio(house: House, store: "Store", engine: "Engine", tables: "Tables") -> "Studio":
    """The studio over what a face has open already."""
    from bot.commands.doctor import looked_at
    from bot.commands.privacy import NOT_REACHED
    from bot.studio.studio import Machine, Studio

    return Studio(
        store, engine, house.library(), house.settings, house.home, house.model, lambda: datetime.now(UTC), tables,
        learns=learning_is_installed, machine=Machine(lambda: looked_at(house), lambda: _models(house),
                                                      house.loaded.rows, NOT_REACHED),
    )  # fmt: skip


def _models(house: House) -> list[dict[str, Any]]:
    from bot.models.shelf import Shelf

    return [found.as_json() for found in Shelf(house.home.folder("models"), house.model).models()]


@contextlib.asynccontextmanager
async def opened(studio: "Studio", address: "Address", tell: Callable[[str], None] = click.echo) -> AsyncIterator[None]:
    """Serve the studio, and say where."""
    from bot.studio.serving import served

    async with served(studio, address):
        tell(f"The studio is open at {address.key_url}")
        yield


def show_in_browser(address: "Address") -> bool:
    """Open the page, where there is a screen to open it on."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    with contextlib.suppress(webbrowser.Error):
        return webbrowser.open(address.key_url)
    return False
