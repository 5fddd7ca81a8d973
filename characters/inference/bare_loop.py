"""The peer of `understudy bench engine`: llama.cpp and nothing else, in a process of its own.

Reads a prompt, then picks and evaluates token after token with the shortest loop the library
allows: no cache bookkeeping, no text, no stream, no stop strings.
"""

import ctypes
import json
import sys
import time
from pathlib import Path

from characters.inference.engine import GREEDY
from characters.inference.llama_native import Model, Sampler, native
from characters.inference.llama_options import LoadOptions


def decode(model: Model, prompt: list[int], count: int) -> float:
    """Decode at most `count` tokens greedily after a prompt.

    Returns:
        Tokens a second, reading the prompt not counted.
    """
    model.truncate(0)
    for start in range(0, len(prompt), model.batch_size):
        model.decode(prompt[start : start + model.batch_size], start)
    sampler = Sampler(model, GREEDY, 0)
    token = (native.llama_token * 1)()
    pointer = ctypes.cast(token, ctypes.POINTER(native.llama_token))
    made, began = 0, time.perf_counter()
    while made < count:
        token[0] = native.llama_sampler_sample(sampler.chain, model.context, -1)
        if native.llama_vocab_is_eog(model.vocab, token[0]):
            break
        made += 1
        native.llama_decode(model.context, native.llama_batch_get_one(pointer, 1))
    spent = time.perf_counter() - began
    sampler.close()
    return made / spent if made else 0.0


def main() -> None:
    """Serve prompts, one JSON line each: {"prompt", "count"} in, {"rate"} out."""
    options = json.loads(sys.argv[1])
    path = Path(options.pop("path"))
    model = Model(path, LoadOptions(**options))
    for line in sys.stdin:
        order = json.loads(line)
        rate = decode(model, model.tokenize(order["prompt"]), order["count"])
        sys.stdout.write(json.dumps({"rate": rate}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
