"""Loads the very GGUF that is served as the model to train, and proves that the two are one.

transformers reads weights and tokenizer from the file; what it gets wrong or leaves out there
(tokens the file does not have, special token ids, pre-tokenizers it does not know, Llama 3's rotary
factors, the mark of a quantized model) is set right here. Nothing is trained on a base before
`verify_base` has found llama.cpp and torch to agree.
"""

import asyncio
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from characters.chat_template import ChatTemplate
from characters.inference.engine import Engine
from characters.inference.llama_cpp_engine import check_model
from learning.errors import BaseUntrainable
from learning.gguf.adapter import TRAINABLE

_WORDS = 8  # words at the end of a text whose log-probabilities are compared one by one
_FEWEST = 30  # words that a verdict rests on
_SPACE = re.compile(r"(?<=\S) (?=\S)")
_WHOLE_WORDS_FIRST = {"llama3", "llama-v3", "llama-bpe"}  # llama.cpp takes a word the vocabulary has unmerged


@dataclass(frozen=True)
class Verification:
    """Whether a base model may be trained on, and what was found.

    Attributes:
        texts: how many texts were read by both sides.
        tokens_equal: how many of them gave the same token ids.
        scored: words whose log-probability was compared; 0 where token ids differ.
        difference: what decides, in nats a token: the mean absolute difference between llama.cpp
            and torch, over all words or over those of the longer half of the texts, whichever is larger.
        worst: the largest difference of a single word, in nats a token; it informs.
        ok: token ids are equal everywhere and `difference` is within the tolerance.
        reason: one sentence where it is not ok, else "".
    """

    texts: int
    tokens_equal: int
    scored: int
    difference: float
    worst: float
    ok: bool
    reason: str


@dataclass(frozen=True)
class _Facts:
    """What the file says; ids are token ids, None where it says nothing."""

    architecture: str
    vocabulary: int
    tokenizer: str
    pre: str
    bos: int | None
    eos: int | None
    pad: int | None
    unknown: int | None
    control: tuple[int, ...]
    rotary_factors: tuple[float, ...]

    @property
    def padding(self) -> int:
        """The file's padding token; any token but the end of a turn where it has none or takes that."""
        wanted = [self.pad, self.unknown, *self.control, self.bos, 0, 1]
        return next(token for token in wanted if token is not None and token != self.eos)


def load_base(path: Path) -> tuple[Any, Any]:
    """Load a GGUF for training.

    Returns:
        The model, in float32 and not marked as quantized, and its tokenizer. The tokenizer adds
        nothing by itself, neither BOS nor EOS: the rendered text says all there is (`with_bos`).
        Both know the EOS and padding ids of the file; where it has no padding, or takes EOS for it,
        another control token pads, so that the end of a turn is never masked.

    Raises:
        ModelMissing, ModelCorrupt: there is no such file, or it is no GGUF.
        BaseUntrainable: a family we do not train, or a file transformers cannot load in full.
    """
    import torch
    from transformers import AutoModelForCausalLM

    check_model(path)
    with _one_sentence(path):
        facts = _read_facts(path)
    if facts.architecture not in TRAINABLE:
        raise BaseUntrainable(
            f"{path.name} is a {facts.architecture} model, which cannot be trained here; "
            f"choose one of the families {', '.join(sorted(TRAINABLE))}."
        )
    with _one_sentence(path):
        tokenizer = _load_tokenizer(path, facts)
        model, report = AutoModelForCausalLM.from_pretrained(
            path.parent, gguf_file=path.name, dtype=torch.float32, output_loading_info=True
        )
    if missing := sorted(report["missing_keys"]):
        raise BaseUntrainable(
            f"{path.name} does not give the weights {', '.join(missing[:3])} that its family has, "
            "so it cannot be trained on; choose another base model."
        )
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config
    for config in (model.config, model.generation_config):
        config.bos_token_id, config.eos_token_id, config.pad_token_id = facts.bos, facts.eos, facts.padding
    if facts.rotary_factors:
        _stretch_rotation(model, facts.rotary_factors)
    return model, tokenizer


def with_bos(text: str, template: ChatTemplate | None) -> str:
    """A text as the engine reads it: BOS written out in front, once, where the model file asks for it."""
    if template is None or not template.add_bos or text.startswith(template.bos):
        return text
    return template.bos + text


async def verify_base(
    path: Path, engine: Engine, texts: Sequence[str], tolerance: float = 5e-2, *, score_at_most: int = 64
) -> Verification:
    """Prove that a base is trained on as it is served.

    Token ids must be equal on all texts. Then the last words of a text are scored by the engine,
    given all before them, and every word's log-probability is compared with torch's on the same
    tokens: the difference in nats, divided by the word's tokens (one to three).

    The mean decides, not the worst: llama.cpp rounds what it multiplies with quantized weights, and
    a sharp head turns that into half a nat for one word in five hundred of our Q8_0 starter, whose
    mean is 0.02. A wrong row order, rotation or weight moves the mean above 0.1. Faults of position
    show in long texts, so the longer half counts by itself.

    Args:
        path: the file, which `engine` serves.
        texts: prompts with replies, as they will be trained on.
        tolerance: largest difference allowed, nats a token.
        score_at_most: texts whose probabilities are compared, evenly from the shortest to the longest.

    Raises:
        UnderstudyError: the base cannot be loaded, or the engine cannot score.
    """
    model, tokenizer = await asyncio.to_thread(load_base, path)
    template = (await engine.capabilities()).template
    different = [text for text in texts if await engine.tokenize(text) != _ids(tokenizer, with_bos(text, template))]
    equal = len(texts) - len(different)
    if different:
        return Verification(len(texts), equal, 0, 0.0, 0.0, ok=False, reason=(
            f"llama.cpp and transformers read {len(different)} of {len(texts)} texts as different tokens "
            f"(the first: {different[0][:60]!r}), so {path.name} cannot be trained on; choose another base model."
        ))  # fmt: skip
    by_text = [await _compare(engine, model, text) for text in _chosen(texts, score_at_most)]
    words = [word for text in by_text for word in text]
    worst = max(words, default=0.0)
    if len(words) < _FEWEST:
        return Verification(len(texts), equal, len(words), _mean(words), worst, ok=False, reason=(
            f"Only {len(words)} words could be compared where {_FEWEST} are needed, "
            f"so {path.name} is not proven yet; verify it with more and longer texts."))  # fmt: skip
    difference = max(_mean(words), _mean([word for text in by_text[len(by_text) // 2 :] for word in text]))
    reason = "" if difference <= tolerance else (
        f"The log-probabilities of llama.cpp and transformers differ by {difference:.2g} nats a token where "
        f"{tolerance:g} is allowed, so {path.name} cannot be trained on; choose another base model."
    )  # fmt: skip
    return Verification(len(texts), equal, len(words), difference, worst, not reason, reason)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text)["input_ids"]
    return ids


def _chosen(texts: Sequence[str], most: int) -> list[str]:
    """At most so many of the texts that can be cut, evenly from the shortest to the longest."""
    cut = sorted((text for text in texts if len(_SPACE.findall(text)) > 1), key=len)
    if len(cut) <= most:
        return cut
    return [cut[round(at * (len(cut) - 1) / max(most - 1, 1))] for at in range(most)]


async def _compare(engine: Engine, model: Any, text: str) -> list[float]:
    """Differences of the last words' log-probabilities, nats a token, one a word.

    The completions are the text's end, a word longer each time, so that a score less the one before
    it is one word's.
    """
    places = [found.start() for found in _SPACE.finditer(text)][-_WORDS:]
    prompt, ends = text[: places[0]], [*places[1:], len(text)]
    scores = await engine.score(prompt, [text[places[0] : end] for end in ends])
    before = await engine.tokenize(prompt)
    beginning = len(await engine.tokenize(""))  # a completion goes on, without the mark of a beginning
    after = (await engine.tokenize(text[places[0] :]))[beginning:]
    expected = await asyncio.to_thread(_log_probabilities, model, before, after)
    found, said, at = [], 0.0, 0
    for score in scores:
        ours = sum(expected[at : score.tokens])
        found.append(_finite(abs(score.logprob - said - ours)) / max(score.tokens - at, 1))
        said, at = score.logprob, score.tokens
    return found


def _finite(difference: float) -> float:
    return difference if math.isfinite(difference) else math.inf


def _log_probabilities(model: Any, before: list[int], after: list[int]) -> list[float]:
    """Torch's log-probability (nats) of every token of `after`, given all before it."""
    import torch

    with torch.inference_mode():
        read = torch.tensor([before + after], device=model.device)
        logits = model(input_ids=read, logits_to_keep=len(after) + 1).logits[0, :-1].float()
        chosen = logits.log_softmax(-1).gather(1, read[0, len(before) :, None])
    values: list[float] = chosen[:, 0].tolist()
    return values


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """Whatever the loaders raise over a file they cannot read becomes one sentence."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, LookupError, AttributeError, TypeError, NotImplementedError) as error:
        said = str(error).strip().partition("\n")[0].rstrip(".")
        raise BaseUntrainable(
            f"{path.name} cannot be loaded for training ({said}); choose another base model."
        ) from error


def _read_facts(path: Path) -> _Facts:
    import gguf

    reader = gguf.GGUFReader(path)

    def value(key: str) -> Any:
        field = reader.get_field(key)
        return None if field is None else field.contents()

    kinds = value("tokenizer.ggml.token_type") or []
    factors = [tensor.data for tensor in reader.tensors if tensor.name == "rope_freqs.weight"]
    return _Facts(
        architecture=str(value("general.architecture")),
        vocabulary=len(reader.fields["tokenizer.ggml.tokens"].data),
        tokenizer=str(value("tokenizer.ggml.model")), pre=str(value("tokenizer.ggml.pre")),
        bos=value("tokenizer.ggml.bos_token_id"), eos=value("tokenizer.ggml.eos_token_id"),
        pad=value("tokenizer.ggml.padding_token_id"), unknown=value("tokenizer.ggml.unknown_token_id"),
        control=tuple(token for token, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL),
        rotary_factors=tuple(factors[0].tolist()) if factors else (),
    )  # fmt: skip


def _load_tokenizer(path: Path, facts: _Facts) -> Any:
    """What transformers reads as the file's tokenizer, without what is not in the file.

    Its byte-level class always adds an `<|endoftext|>`; where the file has none, that id lies behind
    the vocabulary, and a player who types the text would break the training.
    """
    from tokenizers import Tokenizer, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    read = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    described = json.loads(read.backend_tokenizer.to_str())
    described["added_tokens"] = [token for token in described["added_tokens"] if token["id"] < facts.vocabulary]
    described["post_processor"] = None
    if facts.pre in _WHOLE_WORDS_FIRST:
        described["model"]["ignore_merges"] = True
    made = Tokenizer.from_str(json.dumps(described))
    if facts.tokenizer == "gpt2" and facts.pre in {"gpt-2", "smollm"}:
        words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        digits = pre_tokenizers.Digits(individual_digits=True)
        made.pre_tokenizer = words if facts.pre == "gpt-2" else pre_tokenizers.Sequence([digits, words])
    named = {"bos_token": facts.bos, "eos_token": facts.eos, "unk_token": facts.unknown, "pad_token": facts.padding}
    return PreTrainedTokenizerFast(
        tokenizer_object=made, chat_template=read.chat_template, clean_up_tokenization_spaces=False,
        **{name: made.id_to_token(token) for name, token in named.items() if token is not None},
    )  # fmt: skip


def _stretch_rotation(model: Any, factors: tuple[float, ...]) -> None:
    """Divide the rotary frequencies by the file's factors, as llama.cpp does (Llama 3.1 and later)."""
    import torch

    rotary = model.model.rotary_emb
    for frequencies in (rotary.inv_freq, rotary.original_inv_freq):
        frequencies.div_(torch.tensor(factors, dtype=frequencies.dtype))
