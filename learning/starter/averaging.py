"""The mean of some runs' weights: what each of them learnt last, and less of what each forgot.

Runs that go on from one another lie in one basin, so that their mean is a model; of runs that began apart it is none.
"""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from learning.gguf.base_model import load_base
from learning.starter.export import export


def average(files: Sequence[Path], out: Path, version: str) -> None:
    """Write the mean of some starters.

    Args:
        files: GGUF files of one shape and one tokenizer.
    """
    loaded = [load_base(path) for path in files]
    states = [model.state_dict() for model, _ in loaded]
    mean, tokenizer = loaded[0]
    mean.load_state_dict({name: sum(state[name].float() for state in states) / len(states) for name in states[0]})
    written: Tokenizer = tokenizer.backend_tokenizer
    export(mean, written, out, version)
