"""Reinforcement: what is rewarded, where answers end, and the real trainer for a few steps on a tiny model."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from learning.errors import RecipeInvalid
from learning.recipes.config import LoraSettings, RlooConfig
from learning.recipes.preferences import Start
from learning.recipes.rewards import Said, brief, form, rewards_of
from learning.recipes.rloo import Listener, stops_of, train_rloo
from learning.starter.tokens import TEMPLATE

_CONFIG = RlooConfig(lora=LoraSettings(rank=4, alpha=8), learning_rate=5e-3, epochs=1, batch=4, generations=2,
                     reply=8, pregenerated=0.5, rewards={"vowels": 1.0}, checkpoint_every=1, threads=1)  # fmt: skip


def said(text: str, *, ended: bool = True) -> Said:
    return Said("Ana: The rope?\n", text, ended)


@pytest.mark.parametrize("text", ["", "Aye", "The rope rope rope", "As an AI I cannot sell rope.", "[Direction: none]"])
def test_a_line_without_form_is_punished(text: str) -> None:
    assert form(said(text)) == -1


def test_a_line_that_ends_and_says_something_is_rewarded_and_one_that_does_not_end_is_not() -> None:
    assert form(said("Three silver, and wipe your boots.")) == 1
    assert form(said("Three silver, and wipe your boots.", ended=False)) == -1


def test_brevity_is_rewarded_by_degrees() -> None:
    found = [brief(said(" ".join(f"w{at}" for at in range(words)))) for words in (5, 10, 20, 30, 50)]
    assert found == [1.0, 1.0, 0.0, -1.0, -1.0]


def test_a_reward_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(RecipeInvalid, match="no reward 'charm'; rewards are brief, form"):
        rewards_of({"charm": 1.0})


def test_another_speakers_name_ends_an_answer_as_it_does_in_serving() -> None:
    assert stops_of("<|user|>Ana: Hello.\nDorian: And?<|end|>") == ("\n[", "\nAna:", "\nDorian:")


class Letters:
    """A tokenizer of letters, for what a listener needs of one."""

    eos_token_id = 0

    def decode(self, ids: Sequence[int], skip_special_tokens: bool) -> str:
        return "".join(chr(one) for one in ids if one)


def heard(text: str) -> tuple[str, Said]:
    listener, prompt = Listener(Letters()), "Ana: The rope?\n"
    ids = listener.cut(prompt, [0 if letter == "$" else ord(letter) for letter in text])
    return "".join(chr(one) if one else "$" for one in ids), listener.heard(prompt, ids)


def test_an_answer_is_cut_where_serving_would_stop() -> None:
    assert heard("Three silver.$ more")[0] == "Three silver.$"
    cut, found = heard("Three silver.\nAna: And the ale?$")
    assert cut == "Three silver.\nAna:"
    assert (found.text, found.ended) == ("Three silver.", True)
    cut, found = heard("rope rope rope rope rope$")
    assert (cut, found.ended) == ("rope rope rope", False)
    assert heard("Three sil")[1] == Said("Ana: The rope?\n", "Three sil", False)


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Said]]:
    """An interrupted training, gone on with: its folder, and everything that was rewarded in it."""
    listened: list[Said] = []

    def vowels(answers: Sequence[Said]) -> list[float | None]:
        listened.extend(answers)
        return [sum(letter in "aeiou" for letter in one.text) / max(1, len(one.text)) for one in answers]

    def interrupt(done: float, left: float) -> None:
        if done >= 0.5:
            raise KeyboardInterrupt

    out = tmp_path_factory.mktemp("rloo") / "out"
    rows = [{"prompt": f"Ana: What about the rope, number {at}?\n", "completion": f"Aye.{TEMPLATE.eos}"} for at in range(7)]
    with pytest.raises(KeyboardInterrupt):
        train_rloo(Start(tiny_model), rows, _CONFIG, out, interrupt, evaluators={"vowels": vowels})
    found = train_rloo(Start(tiny_model), rows, _CONFIG, out, lambda *_: None, evaluators={"vowels": vowels})
    assert (found.rows, len(found.losses), len(found.rewards)) == (7, 4, 4)
    return out, listened


def test_an_interrupted_reinforcement_goes_on_and_leaves_an_adapter(trained: tuple[Path, list[Said]]) -> None:
    assert (trained[0] / "adapter_model.safetensors").is_file()
    assert not trained[0].with_name("out.work").exists()


def test_answers_of_the_dataset_are_mixed_with_what_the_model_says(trained: tuple[Path, list[Said]]) -> None:
    known = [one for one in trained[1] if (one.text, one.ended) == ("Aye.", True)]
    assert 0 < len(known) < len(trained[1])


def test_a_batch_holds_whole_groups() -> None:
    with pytest.raises(ValueError, match="multiple of generations"):
        RlooConfig(batch=6, generations=4)
