"""Reinforcement on the model's own answers: prompts in, a PEFT adapter out. Reads from top to bottom.

REINFORCE with a leave-one-out baseline (Ahmadian et al. 2024): of several answers to one prompt each
is made likelier by how much its reward lies above that of the others, less what it cost to leave the
reference (KL). Some answers are not said anew but taken from the dataset, as AIRL mixes its samples;
they are weighed by the model as it is now, like the others.

An answer ends in training where serving would end it: at its end token, where another speaker's line
would begin, or when it loops. An interrupted training goes on from its last checkpoint, but what is
said after that is said anew: resumable, not identical.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from characters.inference.stopping import StopFilter, loops
from learning.errors import NothingToLearn
from learning.recipes.config import RlooConfig
from learning.recipes.preferences import Start, start_model
from learning.recipes.rewards import Reward, Said, rewards_of
from learning.recipes.run import Progress, Run, Trained
from learning.recipes.training import Row, common_arguments, count_tokens, prepare

_SPEAKER = re.compile(r"(?:^|\n|>)([A-Z][\w' .-]{0,39}): ")
_ANSWERS = ("completion", "chosen", "rejected")

Ids = list[int]


def train_rloo(
    start: Start,
    rows: Sequence[Row],
    config: RlooConfig,
    out: Path,
    progress: Progress,
    *,
    evaluators: Mapping[str, Reward] | None = None,
) -> Trained:
    """Train an adapter to give answers that are rewarded.

    Args:
        start: the base, and the adapter to go on with.
        rows: dicts with a prompt; their answers, if any (completion, chosen, rejected), are the
            pre-generated samples.
        out: a folder for the adapter, new or empty; it appears whole. A call with the same arguments
            goes on with an interrupted one.
        progress: told (share done, seconds left) from the third step on.
        evaluators: rewards the configuration may name besides the rules.

    Raises:
        NothingToLearn: no prompt is left to answer.
        LearningError: the base or the configuration cannot be used here, or `out` is taken.
    """
    prepare(config)
    from datasets import Dataset
    from trl import RLOOConfig as Arguments

    rewards = rewards_of(config.rewards, evaluators)
    run = Run(out, config, progress)
    run.open([start.identity(), list(rows)])
    model, tokenizer, lora = start_model(start, config)
    room = config.max_length - config.reply
    kept = [row for row in rows if count_tokens(tokenizer, row["prompt"]) <= room]
    left = {f"longer than {room} tokens": len(rows) - len(kept)} if len(kept) < len(rows) else {}
    prompts = list(dict.fromkeys(row["prompt"] for row in kept))
    if not prompts:
        raise NothingToLearn("No prompt is left to answer; play some lines, or make some with a teacher, first.")
    data = _whole_batches(prompts, config)
    shared = {name: value for name, value in common_arguments(config, run.work).items() if name != "max_length"}
    arguments = Arguments(
        **shared, num_generations=config.generations, max_completion_length=config.reply, beta=config.beta,
        temperature=config.temperature, normalize_advantages=True, reward_weights=[weight for *_, weight in rewards],
    )  # fmt: skip
    listener = Listener(tokenizer)
    trainer = _hybrid(listener, _known_answers(tokenizer, kept, config.reply), config)(
        model=model, args=arguments, train_dataset=Dataset.from_list([{"prompt": prompt} for prompt in data]),
        processing_class=tokenizer, peft_config=lora,
        reward_funcs=[_named(name, reward, listener) for name, reward, _ in rewards],
    )  # fmt: skip
    run.train(trainer, len(data))
    return run.finish(len(prompts), left, {})


def _whole_batches(prompts: Sequence[str], config: RlooConfig) -> list[str]:
    """Prompts so that every step is full: TRL leaves out the rest of them silently."""
    step = config.batch // config.generations
    missing = -len(prompts) % step
    return [*prompts, *(prompts[at % len(prompts)] for at in range(missing))]


def stops_of(prompt: str) -> tuple[str, ...]:
    """Strings that would begin another's line, as serving stops at them: a bracket, or a name that spoke."""
    return ("\n[", *(f"\n{name}:" for name in dict.fromkeys(_SPEAKER.findall(prompt))))


class Listener:
    """Hears an answer as the table does.

    Args:
        tokenizer: of the model that speaks.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def cut(self, prompt: str, ids: Sequence[int]) -> Ids:
        """The tokens up to where serving would stop reading them; what a model says after was never said."""
        stop, shown = StopFilter(stops_of(prompt)), ""
        for count, token in enumerate(ids, 1):
            if token == self._tokenizer.eos_token_id:
                return list(ids[:count])
            text = self._tokenizer.decode(ids[:count], skip_special_tokens=True)
            stop.feed(text[len(shown) :])
            shown = text
            if stop.stopped or loops(text):
                return list(ids[:count])
        return list(ids)

    def heard(self, prompt: str, ids: Ids) -> Said:
        """What the table hears of an answer that is cut already."""
        stop = StopFilter(stops_of(prompt))
        text = stop.feed(self._tokenizer.decode(ids, skip_special_tokens=True))
        text += stop.flush()
        ended = stop.stopped or ids[-1:] == [self._tokenizer.eos_token_id]
        return Said(prompt, text.strip(), ended)


def _known_answers(tokenizer: Any, rows: Sequence[Row], longest: int) -> dict[tuple[int, ...], list[Ids]]:
    """The dataset's answers of at most so many tokens, by the tokens of their prompts."""
    known: dict[tuple[int, ...], list[Ids]] = defaultdict(list)
    for row in rows:
        prompt = tuple(tokenizer(row["prompt"], add_special_tokens=False)["input_ids"])
        for name in _ANSWERS:
            if text := str(row.get(name) or "").strip():
                whole = text if text.endswith(tokenizer.eos_token) else text + tokenizer.eos_token
                ids = tokenizer(whole, add_special_tokens=False)["input_ids"]
                if len(ids) <= longest:
                    known[prompt].append(ids)
    return known


def _named(name: str, reward: Reward, listener: Listener) -> Callable[..., list[float | None]]:
    """A reward as TRL calls one: by its name, with lists of columns."""

    def of(prompts: list[str], completion_ids: list[Ids], **_: Any) -> list[float | None]:
        return list(reward([listener.heard(*pair) for pair in zip(prompts, completion_ids, strict=True)]))

    of.__name__ = name
    return of


def _hybrid(listener: Listener, known: Mapping[tuple[int, ...], Sequence[Ids]], config: RlooConfig) -> Any:
    """TRL's trainer, whose samples are cut as serving cuts them and mixed with those of the dataset.

    The two methods are TRL's own seams; they are private, which is why its version is pinned.
    """
    from trl import RLOOTrainer

    rng, given = random.Random(config.seed), round(config.pregenerated * config.generations)

    class Hybrid(RLOOTrainer):  # type: ignore[misc]  # TRL is untyped here
        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[Ids], None, dict[str, Any]]:
            # Rendered prompts carry their own BOS, where the template has one.
            return self.processing_class(text=prompts, add_special_tokens=False)["input_ids"], None, {}

        def _generate_single_turn(self, prompt_ids: list[Ids], images: Any, multimodal_fields: Any) -> list[Ids]:
            said = super()._generate_single_turn(prompt_ids, images, multimodal_fields)
            texts = self.processing_class.batch_decode(prompt_ids, skip_special_tokens=False)
            said = [listener.cut(text, ids) or [self.processing_class.eos_token_id]
                    for text, ids in zip(texts, said, strict=True)]  # fmt: skip
            for first in range(0, len(said), config.generations):
                answers = known.get(tuple(prompt_ids[first]), ())
                for place, answer in enumerate(rng.sample(list(answers), min(given, len(answers)))):
                    said[first + place] = answer
            return said

    return Hybrid
