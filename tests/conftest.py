"""Every test starts clean: a home of its own, no settings from outside, no network but loopback."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.store import Store
from tests.fakes.databases import postgres_urls, template_database
from tests.fakes.tiny_model import write_small_model, write_tiny_model

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    local = self.family == socket.AF_UNIX or (isinstance(address, tuple) and address[0] in {"127.0.0.1", "::1", "localhost"})
    if not local:
        raise OSError(f"a test tried to reach {address}; tests stay on loopback")
    _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("UNDERSTUDY_", "DISCORD_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of 0.2 million parameters: it babbles, but through all of llama.cpp."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of two million parameters: slow enough to be interrupted, and it can be taught an evening."""
    return write_small_model(tmp_path_factory.mktemp("small") / "small.gguf")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest schema, copied for every test that needs one."""
    return template_database(tmp_path_factory.mktemp("db") / "db.sqlite")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own: always SQLite, and PostgreSQL where a server answers."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'db.sqlite'}"
        return
    yield from postgres_urls()


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest comes first, or one of two processes waits for it at the end."""
    items.sort(key=lambda item: item.path.name != "test_night.py")
