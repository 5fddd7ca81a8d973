"""PNG files as boxes for text: read and replace `tEXt` chunks, leave the picture's bytes as they are.

No pixel is ever decoded here, so a broken or hostile picture costs nothing.
"""

import colorsys
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator

from characters.errors import CardError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 10 * 1024 * 1024
_MOST_CHUNKS = 50_000


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a PNG file as (type, where its data begins, where they end), IEND included.

    Raises:
        CardError: the file is no PNG, too large, or ends inside a chunk.
    """
    if not data.startswith(SIGNATURE):
        raise CardError("This is no PNG picture; choose the card's PNG, JSON or CHARX file.")
    if len(data) > MAX_BYTES:
        raise CardError(f"The picture is larger than {MAX_BYTES >> 20} MB; make it smaller and keep its card.")
    place = len(SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if place + 12 > len(data):
            raise CardError("The PNG file ends too early; get the file again, it is incomplete.")
        (length,) = struct.unpack_from(">I", data, place)
        kind, begin = data[place + 4 : place + 8], place + 8
        if begin + length + 4 > len(data):
            raise CardError("The PNG file ends inside one of its parts; get the file again, it is incomplete.")
        yield kind, begin, begin + length
        if kind == b"IEND":
            return
        place = begin + length + 4
    raise CardError("The PNG file has too many parts to be a picture; save it again from a picture program.")


def texts(data: bytes) -> list[tuple[str, bytes]]:
    """The `tEXt` chunks as (keyword, value), in the order of the file, wherever they stand."""
    found = []
    for kind, begin, end in chunks(data):
        if kind == b"tEXt":
            keyword, nul, value = data[begin:end].partition(b"\0")
            if nul:
                found.append((keyword.decode("latin-1"), value))
    return found


def without_texts(data: bytes) -> bytes:
    """The picture alone: what is written in it stays behind (a face should not carry its whole card)."""
    return _rebuilt(data, lambda kind, body: kind not in {b"tEXt", b"zTXt", b"iTXt"}, [])


def with_texts(data: bytes, values: list[tuple[str, bytes]]) -> bytes:
    """The picture with `tEXt` chunks before its end; older ones of the same keywords, in any case, go."""
    taken = {keyword.casefold() for keyword, _ in values}

    def kept(kind: bytes, body: bytes) -> bool:
        return kind != b"tEXt" or body.partition(b"\0")[0].decode("latin-1").casefold() not in taken

    return _rebuilt(data, kept, [_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + v) for keyword, v in values])


def _rebuilt(data: bytes, kept: Callable[[bytes, bytes], bool], last: list[bytes]) -> bytes:
    pieces = [SIGNATURE]
    for kind, begin, end in chunks(data):
        if kind == b"IEND":
            pieces += last
        if kept(kind, data[begin:end]):
            pieces.append(data[begin - 8 : end + 4])
    return b"".join(pieces)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def plain_picture(name: str, width: int = 256, height: int = 384) -> bytes:
    """A picture for somebody who has none: a soft ramp of a colour that belongs to the name."""
    hue = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] / 255
    rows = bytearray()
    for row in range(height):
        red, green, blue = colorsys.hls_to_rgb(hue, 0.75 - 0.5 * row / height, 0.35)
        rows += b"\0" + bytes((int(red * 255), int(green * 255), int(blue * 255))) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(bytes(rows), 9)), _chunk(b"IEND", b""))
    return SIGNATURE + b"".join(body)
