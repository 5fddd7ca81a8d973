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
