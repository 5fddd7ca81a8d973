"""What tests of the database share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from db.home import Home
from db.store import Store
from tests.fakes.evening import Evening


@pytest.fixture
async def evening(store: Store, home: Path) -> Evening:
    home.mkdir()
    return await Evening(store, Home(home)).begin()


@pytest.fixture
def bare(database_url: str) -> Iterator[Engine]:
    """A database without any schema yet, for tests of migrations."""
    url = make_url(database_url)
    driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    made = create_engine(url.set(drivername=driver))
    yield made
    made.dispose()
