"""GGUF files, written whole or not at all, and where they say they come from.

A file appears under its name only when everything is on the disk and reads back as it was meant:
a model file that ends too early loads, and speaks nonsense.
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from learning.errors import AdapterUnservable, AdapterUnwritten

_PREFIX = "understudy."


@dataclass(frozen=True)
class Dimensions:
    """The numbers every model file tells of its architecture."""

    context: int
    width: int
    layers: int
    inner: int
    heads: int
    kv_heads: int
    epsilon: float
    rope: float


def add_dimensions(writer: Any, told: Dimensions) -> None:
    """Write them under the names llama.cpp reads."""
    writer.add_context_length(told.context)
    writer.add_embedding_length(told.width)
    writer.add_block_count(told.layers)
    writer.add_feed_forward_length(told.inner)
    writer.add_head_count(told.heads)
    writer.add_head_count_kv(told.kv_heads)
    writer.add_layer_norm_rms_eps(told.epsilon)
    writer.add_rope_freq_base(told.rope)


@contextlib.contextmanager
def whole_file(out: Path, architecture: str) -> Iterator[Any]:
    """A writer for a file that appears when the block ends well.

    Raises:
        AdapterUnwritten: the disk is full or fails; what was there before is still there.
    """
    partial = out.with_name(out.name + ".partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        writer = gguf.GGUFWriter(str(partial), architecture)
        with contextlib.closing(writer):
            yield writer
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            tensors = {name: info.tensor for part in writer.tensors for name, info in part.items()}
            writer.write_tensors_to_file()
        _check(partial, tensors)
        partial.replace(out)
    except OSError as error:
        why = error.strerror or error
        raise AdapterUnwritten(f"{out} could not be written ({why}); make room there and run it again.") from error
    finally:
        partial.unlink(missing_ok=True)


def _check(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Read a file back: numpy does not say when the last pages find no room."""
    with path.open("rb+") as written:
        os.fsync(written.fileno())
    try:
        read = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
        whole = read.keys() == tensors.keys() and all(_same(read[name], tensors[name]) for name in tensors)
    except (ValueError, IndexError):
        whole = False
    if not whole:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are the same bytes; a number that is none equals itself here."""
    first, second = (np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in (one, other))
    return bool(np.array_equal(first, second))


def add_lineage(writer: Any, lineage: Mapping[str, str | int]) -> None:
    """Write down what a file was made from, as `understudy.<name>`."""
    for key, value in lineage.items():
        kind = gguf.GGUFValueType.INT64 if isinstance(value, int) else gguf.GGUFValueType.STRING
        writer.add_key_value(_PREFIX + key, value, kind)


def read_lineage(path: Path) -> dict[str, str | int]:
    """What a file was made from, without the `understudy.` in front.

    Raises:
        AdapterUnservable: there is no such file, or it is no whole GGUF.
    """
    try:
        fields = gguf.GGUFReader(path).fields.items()
    except (OSError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise AdapterUnservable(f"{path} cannot be read as an adapter; train it anew or restore a backup.") from error
    return {key.removeprefix(_PREFIX): field.contents() for key, field in fields if key.startswith(_PREFIX)}
