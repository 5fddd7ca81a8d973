"""The starter's shape: a small Llama, so that every runtime and trainer knows it."""

from typing import Any

SHAPE: dict[str, Any] = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 2048,
    "rope_theta": 10_000.0,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "attention_bias": False,
    "mlp_bias": False,
}


_SPREAD = 0.3  # of the embeddings: token identity must outweigh what untrained layers add


def make_model(vocabulary: int, pad: int, end: int, **changes: Any) -> Any:
    """Make an untrained `LlamaForCausalLM`.

    Args:
        vocabulary: number of tokens.
        pad: id of the padding token.
        end: id of the token that ends a turn.
        changes: replacements for `SHAPE`, for ablations and tiny test models.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {**SHAPE, **changes}
    theta = shape.pop("rope_theta")
    config = LlamaConfig(
        vocab_size=vocabulary,
        pad_token_id=pad,
        eos_token_id=end,
        bos_token_id=None,
        rope_parameters={"rope_type": "default", "rope_theta": theta},
        **shape,
    )
    return LlamaForCausalLM(config)


def plant_copying(model: Any, seed: int = 0) -> None:
    """Start a model off with the two heads that copying needs, instead of waiting for them to emerge.

    A small model answers from its sheet by an induction circuit: one head marks every token with
    the token before it, a later head looks for marks that equal the current token and says what
    stands there. Left to chance, the circuit took between three and more than four million tokens
    to appear here; written down, it is there from the first step, and training only refines it
    (learning/EXPERIMENTS.md). The first head uses the fast rotary frequencies, with a phase that
    peaks one position back; the second uses the slow ones, which hardly turn over a prompt.
    """
    import torch

    config = model.config
    width, size = config.hidden_size, config.hidden_size // config.num_attention_heads
    half, rng = size // 2, torch.Generator().manual_seed(seed)
    turns = config.rope_parameters["rope_theta"] ** -(torch.arange(half) / half)

    def rows(count: int) -> Any:
        drawn = torch.linalg.qr(torch.randn(width - 1, count, generator=rng))[0].T
        return torch.cat([torch.zeros(count, 1), drawn], dim=1)  # the constant dimension carries no identity

    with torch.no_grad():
        embedding = model.model.embed_tokens.weight
        embedding.normal_(0, _SPREAD, generator=rng)
        embedding[:, 0] = 4 * _SPREAD
        model.model.norm.weight.fill_(0.06 / _SPREAD)
        mark, space, said = rows(size), rows(size), rows(size)
        before, match = model.model.layers[0].self_attn, model.model.layers[1].self_attn
        fast = range(half // 4)
        for projection in (before.q_proj.weight, before.k_proj.weight, match.q_proj.weight, match.k_proj.weight):
            projection[:size] = 0
        for pair in fast:
            before.q_proj.weight[pair, 0] = 2.0
            before.k_proj.weight[pair, 0] = 2.0 * torch.cos(turns[pair])
            before.k_proj.weight[half + pair, 0] = 2.0 * torch.sin(turns[pair])
        before.v_proj.weight[:size] = mark
        before.o_proj.weight[:, :size] = _SPREAD * space.T
        slow = [at for pair in range(half * 5 // 8, half) for at in (pair, half + pair)]
        match.q_proj.weight[slow] = 2.4 * mark[: len(slow)]
        match.k_proj.weight[slow] = 2.4 * space[: len(slow)]
        match.v_proj.weight[:size] = said
        match.o_proj.weight[:, :size] = 3 * _SPREAD * said.T
