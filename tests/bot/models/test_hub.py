"""A pull: the right file, whole, from where it broke, and what it says when it cannot."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.models.errors import ChecksumWrong, PullFailed, ShelfError
from bot.models.hub import Offer, fetch, look_up
from tests.fakes.hub import COMMIT, Hub, sha256

DATA = b"GGUF" + bytes(range(256)) * 4000
REPO = "somebody/tiny-GGUF"


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 65_536)  # what a broken pull may lose
    for name in [name for name in os.environ if name.casefold().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub({"tiny-Q4_K_M.gguf": DATA, "tiny-Q8_0.gguf": DATA + b"8", "README.md": b"# tiny"}) as running:
        yield running


def offer(hub: Hub, file: str | None = None) -> Offer:
    return look_up(REPO, file, "main", hub.url)


def test_the_usual_file_is_chosen_where_none_is_named(hub: Hub) -> None:
    assert offer(hub) == Offer(REPO, COMMIT, "tiny-Q4_K_M.gguf", len(DATA), sha256(DATA), "apache-2.0")
    assert offer(hub, "tiny-Q8_0.gguf").size == len(DATA) + 1


def test_a_file_comes_whole(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "half.part"
    assert fetch(offer(hub), half, hub.url) == 0
    assert half.read_bytes() == DATA


def test_a_pull_that_broke_goes_on_where_it_broke(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "half.part"
    hub.mishaps.extend([400_000, ("status", 503), ("status", 403)])
    with pytest.raises(PullFailed, match="are kept, and the next pull goes on"):
        fetch(offer(hub), half, hub.url)
    there = half.stat().st_size
    assert 0 < there <= 400_000
    hub.mishaps.clear()
    assert fetch(offer(hub), half, hub.url) == there
    assert half.read_bytes() == DATA
    assert hub.ranges[-1] == f"bytes={there}-"


def test_a_hub_that_ignores_the_range_is_read_from_the_beginning(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "half.part"
    half.write_bytes(DATA[:1000])
    hub.mishaps.append("whole")
    fetch(offer(hub), half, hub.url)
    assert half.read_bytes() == DATA


def test_other_bytes_than_promised_are_thrown_away(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "half.part"
    hub.mishaps.append("other")
    with pytest.raises(ChecksumWrong, match="thrown away"):
        fetch(offer(hub), half, hub.url)
    assert not half.exists()


def test_a_half_that_is_longer_than_the_file_is_begun_anew(hub: Hub, tmp_path: Path) -> None:
    half = tmp_path / "half.part"
    half.write_bytes(DATA + b"more")
    assert fetch(offer(hub), half, hub.url) == 0
    assert half.read_bytes() == DATA


@pytest.mark.parametrize(("repo", "file", "error", "said"), [
    ("nobody/nothing", None, PullFailed, "check owner, name and revision"),
    ("no repository at all", None, PullFailed, "owner/name"),
    (REPO, "tiny-Q2_K.gguf", ShelfError, "has no file"),
    (REPO, "README.md", ShelfError, "not a whole GGUF"),
])  # fmt: skip
def test_what_is_not_there_is_said_in_one_sentence(
    hub: Hub, repo: str, file: str | None, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        look_up(repo, file, "main", hub.url)
    assert "\n" not in str(raised.value)


def test_several_files_without_a_usual_one_are_named() -> None:
    with Hub({"a.gguf": DATA, "b-00001-of-00002.gguf": DATA, "c.gguf": DATA}) as hub, pytest.raises(ShelfError, match=r"a.gguf, .*name one"):
        look_up(REPO, None, "main", hub.url)
    with Hub({"b-00001-of-00002.gguf": DATA}) as hub, pytest.raises(ShelfError, match="no whole GGUF"):
        look_up(REPO, None, "main", hub.url)


def test_a_hub_that_cannot_be_reached_is_said_with_the_way_round() -> None:
    with Hub({}) as gone:
        url = gone.url
    with pytest.raises(PullFailed, match="model import FILE"):
        look_up(REPO, None, "main", url)
