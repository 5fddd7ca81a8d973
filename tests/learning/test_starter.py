"""The starter's whole making, in small: rows, training, export, and llama.cpp saying the same as torch."""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from characters.inference.llama_cpp_engine import LlamaCppEngine
from characters.inference.llama_options import LoadOptions
from learning.gguf.base import Description, LlamaShape, write_llama
from learning.starter.corpus import Reader
from learning.starter.tokens import SPECIALS, TEMPLATE, token_id, train_tokenizer
from learning.teachers.offline.invent import Spice
from tests.fakes.tiny_model import tiny_tokenizer

ROOT = Path(__file__).resolve().parents[2]
SMALL = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}


@pytest.fixture(scope="module")
def reader() -> Reader:
    made = Reader(tiny_tokenizer(), 1, Spice(), ["The river rose in the night, and by morning the bridge was gone."])
    texts = [turn.text for _ in range(200) for turn in made.playwright.conversation(6).turns]
    return Reader(train_tokenizer(texts, 1024), 1, Spice(), made.prose)


def test_every_reply_and_its_end_is_a_target_and_nothing_else_is(reader: Reader) -> None:
    ids, wanted = reader.conversation(512)
    assert len(ids) == len(wanted) == 512
    text = "".join(
        reader.tokenizer.decode([token], skip_special_tokens=False) if want else "\x00" for token, want in zip(ids, wanted, strict=True)
    )
    said = [part for part in text.split("\x00") if part]
    assert said
    assert all(part.endswith("<|end|>") and part.count("<|") == 1 for part in said)


def test_padding_is_never_a_target_and_never_the_end_of_a_turn(reader: Reader) -> None:
    assert reader.pad != reader.end
    for _ in range(10):
        ids, wanted = reader.conversation(512)
        assert not any(want and token == reader.pad for token, want in zip(ids, wanted, strict=True))


def test_the_copying_task_repeats_what_stood_before(reader: Reader) -> None:
    ids, wanted = reader.induction(256)
    assert min(ids) >= len(SPECIALS)
    for at in range(1, len(ids)):
        if wanted[at]:
            pair = (ids[at - 1], ids[at])
            assert pair in set(itertools.pairwise(ids[:at]))


def make(reader: Reader, **changes: Any) -> Any:
    from learning.starter.model import make_model

    tokenizer = reader.tokenizer
    pad, end = token_id(tokenizer, "<|pad|>"), token_id(tokenizer, TEMPLATE.eos)
    return make_model(tokenizer.get_vocab_size(), pad, end, **{**SMALL, **changes})


def test_planted_heads_copy_before_any_training(reader: Reader) -> None:
    import torch

    from learning.starter.model import plant_copying
    from learning.starter.train import masked_loss

    rows = [reader.induction(256) for _ in range(8)]
    ids, wanted = torch.tensor([r[0] for r in rows]), torch.tensor([r[1] for r in rows])
    torch.manual_seed(0)
    chance = np.log(reader.tokenizer.get_vocab_size())
    wide = {"hidden_size": 256, "num_attention_heads": 4, "num_key_value_heads": 4}
    planted = make(reader, **wide)
    plant_copying(planted)
    with torch.no_grad():
        assert masked_loss(planted, ids, wanted).item() < chance - 0.5 < masked_loss(make(reader, **wide), ids, wanted).item()


def test_a_short_training_lowers_the_loss_and_the_checkpoint_is_the_model(reader: Reader, tmp_path: Path) -> None:
    import torch

    from learning.starter.train import Plan, load, train

    model = make(reader)
    plan = Plan(tokens=160 * 1024, minutes=5, batch_tokens=1024, prose_until=0.0, threads=1, compile=False)
    train(model, reader.tokenizer, plan, Spice(), [], tmp_path)
    losses = [json.loads(line)["conversation"] for line in (tmp_path / "log.jsonl").read_text("utf-8").splitlines()]
    assert losses[-1] < losses[0] - 0.5
    again = make(reader)
    load(again, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


async def test_llama_cpp_reads_the_export_as_torch_does(reader: Reader, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(3)
    model = make(reader)
    state = {k: v.detach().float().numpy() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    shape = LlamaShape(**SMALL, max_position_embeddings=2048)
    path = tmp_path / "small.gguf"
    write_llama(path, state, shape, reader.tokenizer, TEMPLATE, Description("small"), quantize=False)
    engine = LlamaCppEngine(path, LoadOptions(threads=1))
    try:
        can = await engine.capabilities()
        assert can.template is not None
        assert (can.template.source, can.template.eos, set(can.template.special_tokens)) == (TEMPLATE.source, "<|end|>", set(SPECIALS))
        texts = ["<|user|>Ana: how much, 3 coppers?<|end|><|assistant|>", "Don't!  Twice  the space\n\nand é ✖."]
        for _ in range(20):
            texts += [turn.text for turn in reader.playwright.conversation(3).turns]
        for text in texts:
            assert await engine.tokenize(text) == reader.tokenizer.encode(text).ids
        prompt, reply = texts[2], texts[3]
        ids = reader.tokenizer.encode(prompt).ids
        target = reader.tokenizer.encode(reply).ids
        with torch.no_grad():
            logits = model(torch.tensor([ids + target])).logits[0].log_softmax(-1)
        expected = sum(logits[len(ids) - 1 + at, token].item() for at, token in enumerate(target))
        assert (await engine.score(prompt, [reply]))[0].logprob == pytest.approx(expected, rel=2e-3)
    finally:
        await engine.close()


def test_a_recipe_is_made_run_by_run_and_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "runs"
    recipe.write_text("- {name: one, tokens: 4096, minutes: 2}\n- {name: two, tokens: 4096, minutes: 2, version: '9'}\n- {name: mean, mean_of: [one, two], version: '9'}\n", "utf-8")
    command = [sys.executable, "-m", "learning.starter", "--recipe", str(recipe), "--out", str(out), "--data", str(tmp_path), "--no-compile"]
    (out / "one").mkdir(parents=True)
    tiny_tokenizer().save(str(out / "one" / "tokenizer.json"))
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    made = {name: (out / name / "starter.gguf").stat().st_mtime_ns for name in ("one", "two")}
    assert b"Understudy Starter v9" in (out / "two" / "starter.gguf").read_bytes()
    assert b"Understudy Starter v9" in (out / "mean" / "starter.gguf").read_bytes()
    (out / "two" / "starter.gguf").unlink()
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    assert (out / "one" / "starter.gguf").stat().st_mtime_ns == made["one"]
    assert (out / "two" / "starter.gguf").is_file()


def test_the_mean_of_two_starters_lies_in_the_middle_of_them(reader: Reader, tmp_path: Path) -> None:
    import torch

    from learning.gguf.base_model import load_base
    from learning.starter.averaging import average
    from learning.starter.export import export
    from learning.starter.model import SHAPE

    files = [tmp_path / f"{seed}.gguf" for seed in range(2)]
    for seed, path in enumerate(files):
        torch.manual_seed(seed)
        export(make(reader, **SHAPE), reader.tokenizer, path, "9")
    average(files, tmp_path / "mean.gguf", "9")
    one, two, mean = (load_base(path)[0].state_dict() for path in (*files, tmp_path / "mean.gguf"))
    for name in mean:
        apart = (one[name].float() - two[name].float()).abs().mean()
        off = (mean[name].float() - (one[name].float() + two[name].float()) / 2).abs().mean()
        assert off <= apart / 20, name


@pytest.mark.parametrize(("text", "fault"), [
    ("one: two", "list of runs"), ("- {name: one}", "name tokens and minutes, or"),
    ("- {name: a, tokens: 1, minutes: 1}\n- {name: b, mean_of: [c]}", "mean of c"), ("- {name: one, tokens: 1, minutes: 1, speed: 3}", "speed"),
    ("- {name: a, tokens: 1, minutes: 1}\n- {name: a, tokens: 1, minutes: 1}", "alike"),
])  # fmt: skip
def test_a_recipe_with_a_fault_is_refused_in_a_sentence(text: str, fault: str, tmp_path: Path) -> None:
    from learning.errors import RecipeInvalid
    from learning.starter.recipe import read_recipe

    (tmp_path / "recipe.yaml").write_text(text, "utf-8")
    with pytest.raises(RecipeInvalid, match=r"recipe\.yaml") as refused:
        read_recipe(tmp_path / "recipe.yaml")
    assert fault in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_shipped_recipe_can_be_read_and_ends_on_the_version_that_ships() -> None:
    from learning.starter.recipe import read_recipe

    runs = read_recipe(ROOT / "learning" / "starter" / "recipe.yaml")
    shipped = (ROOT / "characters" / "inference" / "models" / "starter.gguf").read_bytes()[:4096]
    assert f"Understudy Starter v{runs[-1].version}".encode() in shipped
