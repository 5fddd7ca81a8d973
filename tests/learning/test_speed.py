"""The speed benches at tiny sizes: models of every architecture load and speak, figures come out, ratios are printed."""

import dataclasses
import json
from pathlib import Path

import gguf
import pytest

from characters.inference.engine import Finish
from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from learning.speed.shapes import SHAPES, Kind, Shape, write_random_model
from learning.speed.timing import Timed, line_request
from tests.fakes.program import understudy

SMALL = dataclasses.replace(SHAPES["tiny"], vocabulary=4_352)


async def spoken(model: Path) -> Finish:
    engine = LlamaCppEngine(model, LoadOptions(context=256, cells=256, threads=1, copy_bonus=0.0))
    try:
        async for event in engine.generate(line_request("What does the ale cost?", "one", 8, 3)):
            if isinstance(event, Finish):
                return event
    finally:
        await engine.close()
    raise AssertionError("a stream ends with Finish")


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "qwen3"])
@pytest.mark.parametrize("kind", ["q8_0", "q4_k_m"])
async def test_a_random_model_of_every_architecture_speaks(tmp_path: Path, architecture: str, kind: Kind) -> None:
    shape = dataclasses.replace(SMALL, architecture=architecture, window=64 if architecture == "gemma3" else 0)
    model = write_random_model(tmp_path / "random.gguf", shape, kind)
    assert (await spoken(model)).timings.tokens >= 1


def test_the_shapes_have_as_many_weights_as_the_models_they_are_named_after() -> None:
    from learning.speed.shapes import _matrices

    def millions(shape: Shape) -> float:
        return sum(rows * columns for _, rows, columns in _matrices(shape)) / 1e6

    found = {name: round(millions(shape)) for name, shape in SHAPES.items() if name != "tiny"}
    assert found == {"llama-3.2-1b": 1236, "gemma-3-1b": 1000, "qwen3-0.6b": 596}


def test_rows_that_no_k_quantization_fits_stay_in_eight_bits(tmp_path: Path) -> None:
    model = write_random_model(tmp_path / "random.gguf", dataclasses.replace(SMALL, inner=544), "q4_k_m")
    forms = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(model).tensors}
    assert forms["blk.1.attn_q.weight"] == "Q4_K"
    assert forms["blk.0.attn_v.weight"] == forms["token_embd.weight"] == "Q6_K"
    assert forms["blk.0.ffn_down.weight"] == "Q8_0"


def test_a_rate_leaves_the_first_token_out() -> None:
    assert Timed(first=100.0, total=600.0, tokens=11).rate == pytest.approx(20.0)
    assert Timed(first=100.0, total=100.0, tokens=1).rate == 0.0


def test_a_long_campaign_is_harvested_and_the_figures_come_with_their_ratio() -> None:
    told = understudy("bench", "harvest", "--turns", "1500", "--share", "0.04", "--json").value
    assert told["turns"] == 1500
    assert 30 < told["reactions"] < 90
    assert told["rows"] >= told["reactions"]
    assert 0 < told["trainable"] <= told["rows"]
    assert told["ratio"] > 0


def test_prefill_is_measured_beside_a_server(tmp_path: Path) -> None:
    model = write_random_model(tmp_path / "random.gguf", SMALL)
    done = understudy("bench", "prefill", "--model", model, "--length", "100", "--rounds", "2", "--threads", "1", "--json", LLAMA_SERVER="")
    told = json.loads(done.out)
    assert told["peer"] == "llama-cpp-python's server"
    [row] = told["lengths"]
    assert row["ours"] > 0
    assert row["ratio"] == pytest.approx(row["ours"] / row["peer"], abs=0.02)


def test_a_shape_nobody_knows_is_one_sentence() -> None:
    done = understudy("bench", "switch", "--shape", "llama-9-900b")
    assert done.status == 1
    assert done.err.strip() == "There is no shape 'llama-9-900b'; choose one of llama-3.2-1b, gemma-3-1b, qwen3-0.6b, tiny."
