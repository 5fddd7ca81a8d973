"""What tests of the database share."""

from pathlib import Path

import pytest

from db.home import Home
from db.store import Store
from tests.fakes.evening import Evening


@pytest.fixture
async def evening(store: Store, home: Path) -> Evening:
    home.mkdir()
    return await Evening(store, Home(home)).begin()
