"""The starter's tokenizer and chat template: byte-level BPE with the GPT-2 pre-tokenizer.

PAD is a token of its own and never the end of a turn: a model that never sees its end token as a
target does not learn to stop.
"""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from characters.chat_template import ChatTemplate

SYSTEM, USER, ASSISTANT, END, PAD = SPECIALS = (
    "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>",
)  # fmt: skip
VOCABULARY = 4096

TEMPLATE = ChatTemplate(
    source=(
        "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    ),
    bos="",
    eos=END,
    special_tokens=SPECIALS,
)


def token_id(tokenizer: Tokenizer, text: str) -> int:
    """The id of a token that must be there.

    Raises:
        ValueError: the tokenizer does not know it.
    """
    found: int | None = tokenizer.token_to_id(text)
    if found is None:
        raise ValueError(f"the tokenizer has no token {text}; train it with learning.starter.tokens")
    return found


def train_tokenizer(texts: Iterable[str], size: int = VOCABULARY) -> Tokenizer:
    """Learn a byte-level BPE of `size` tokens, the special ones first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
