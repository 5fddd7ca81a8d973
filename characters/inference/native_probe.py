"""Decodes a few tokens with a model, in a process of its own that may crash: `native_proof` starts it."""

import sys
from pathlib import Path

from characters.inference.llama_native import Model
from characters.inference.llama_options import LoadOptions

DECODED = "decoded"


def main() -> None:
    """Read a prompt and write four tokens; arguments are the model and whether its weights are repacked."""
    model = Model(Path(sys.argv[1]), LoadOptions(context=256, cells=256, threads=1, extra_buffers=sys.argv[2] == "1"))
    tokens = model.tokenize("A short proof that this build can read and write. " * 8)[:96]
    model.decode(tokens, 0)
    for step in range(4):
        model.decode(tokens[:1], len(tokens) + step)
    sys.stdout.write(DECODED + "\n")


if __name__ == "__main__":
    main()
