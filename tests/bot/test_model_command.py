"""`understudy model`: a model comes, is listed, and is proved, all through the command."""

from pathlib import Path

import pytest

from tests.fakes.hub import Hub, sha256
from tests.fakes.program import understudy

ONLINE = {"HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}


def test_a_model_is_pulled_once_listed_and_found_whole(tiny_model: Path, home: Path) -> None:
    data = tiny_model.read_bytes()
    with Hub({"tiny.gguf": data}) as hub:
        done = understudy("model", "pull", hub.repo, "--json", **ONLINE, HF_ENDPOINT=hub.url)
        assert done.status == 0, done.err
        assert (done.value["sha256"], done.value["licence"], done.value["compared"]) == (sha256(data), "apache-2.0", True)
        fetched = len(hub.ranges)
        again = understudy("model", "pull", hub.repo, "--json", **ONLINE, HF_ENDPOINT=hub.url)
        assert again.status == 0, again.err
        assert len(hub.ranges) == fetched == 1, "what is here is not fetched again"
    assert (home / "models" / "tiny.gguf").read_bytes() == data
    names = [one["name"] for one in understudy("model", "list", "--json").value["models"]]
    assert names == ["starter", "tiny.gguf"]


def test_a_checksum_from_elsewhere_is_kept_to() -> None:
    with Hub({"tiny.gguf": b"GGUF anything"}, checksums=False) as hub:
        done = understudy("model", "pull", hub.repo, "--sha256", "0" * 64, **ONLINE, HF_ENDPOINT=hub.url)
    assert done.status == 1
    assert "thrown away" in done.err


def test_a_file_that_llama_cpp_refuses_does_not_stay(home: Path) -> None:
    with Hub({"bad.gguf": b"GGUF and nothing that follows"}) as hub:
        done = understudy("model", "pull", hub.repo, **ONLINE, HF_ENDPOINT=hub.url)
    assert done.status == 1
    assert not list((home / "models").glob("*.gguf"))


def test_a_model_is_imported_and_proved(tiny_model: Path) -> None:
    taken = understudy("model", "import", tiny_model, "--as", "mine", "--licence", "mit", "--json")
    assert taken.status == 0, taken.err
    proved = understudy("model", "verify", "mine", "--no-training", "--json")
    found = {one["name"]: one for one in proved.value["findings"]}
    assert proved.status == 0, proved.out + proved.err
    assert all(found[name]["ok"] for name in ("file", "load", "chat template", "tokens", "speaks"))
    Path(taken.value["path"]).write_bytes(tiny_model.read_bytes() + b"x")
    changed = understudy("model", "verify", "mine", "--no-training", "--json")
    assert changed.status == 1
    assert "changed since it came" in changed.value["findings"][0]["found"]


def test_without_a_network_the_way_round_is_named() -> None:
    done = understudy("model", "pull", "somebody/tiny-GGUF", HF_HUB_OFFLINE="1")
    assert done.status == 1
    assert "understudy model import FILE" in done.err


def test_what_is_not_there_is_said() -> None:
    done = understudy("model", "verify", "nobody")
    assert done.status == 1
    assert "understudy model list" in done.err


async def test_training_is_proved_by_doing_it(tiny_model: Path) -> None:
    pytest.importorskip("torch")
    from characters.inference.llama_cpp_engine import LlamaCppEngine
    from characters.inference.llama_options import LoadOptions
    from learning.commands.verify import checks

    engine = LlamaCppEngine(tiny_model, LoadOptions(1024, 2048, threads=1, extra_buffers=False))
    try:
        found = [finding async for finding in checks(tiny_model, engine)]
    finally:
        await engine.close()
    assert [name for name, _, _ in found] == ["llama.cpp against transformers", "training"]
    assert all(ok for _, ok, _ in found), found
    assert "token ids equal on" in found[0][2]
