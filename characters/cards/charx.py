"""CHARX: a zip with `card.json` at its root and the card's pictures and sounds beside it.

Nothing is ever unpacked to disk. Names that climb out of the archive, encrypted members and bombs
are refused before a byte of them is inflated; what is inflated is counted while it grows.
"""

import io
import posixpath
import re
import zipfile
import zlib

from characters.errors import CardError

MAX_BYTES = 64 * 1024 * 1024
_MAX_MEMBER = 10 * 1024 * 1024
_MAX_TOTAL = 256 * 1024 * 1024
_MOST_MEMBERS = 2000
_MAX_RATIO = 200
_SMALL = 64 * 1024  # below this, a high ratio is only an empty-looking file
CARD = "card.json"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
           OverflowError, IndexError, KeyError, UnicodeError)  # what zipfile raises on broken archives  # fmt: skip


class Archive:
    """A CHARX file in memory.

    Raises:
        CardError: it is too large, broken, encrypted, a bomb, or names places outside itself.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise CardError(f"The CHARX file is larger than {MAX_BYTES >> 20} MB; leave some of its assets out.")
        self.data = data
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._members = {member.filename: member for member in self._zip.infolist() if not member.is_dir()}
        except _BROKEN as error:
            raise CardError("The CHARX file cannot be opened as a zip archive; export the card again.") from error
        if len(self._members) > _MOST_MEMBERS:
            raise CardError(f"The CHARX file has more than {_MOST_MEMBERS} files; leave some of its assets out.")
        for member in self._members.values():
            _check(member)
        if sum(member.file_size for member in self._members.values()) > _MAX_TOTAL:
            raise CardError(f"The CHARX file would unpack to more than {_MAX_TOTAL >> 20} MB; leave assets out.")

    @property
    def names(self) -> list[str]:
        """The files of the archive, in its order."""
        return list(self._members)

    def read(self, name: str, most: int = _MAX_MEMBER) -> bytes:
        """One file of the archive.

        Raises:
            CardError: it is not there, broken, or larger than `most` bytes.
        """
        member = self._members.get(name)
        if member is None:
            raise CardError(f"The CHARX file has no {_shown(name)}; export the card again.")
        try:
            with self._zip.open(member) as opened:
                content = opened.read(most + 1)
        except _BROKEN as error:
            raise CardError(f"{_shown(name)} inside the CHARX file is broken; export the card again.") from error
        if len(content) > most:
            raise CardError(f"{_shown(name)} inside the CHARX file is larger than {most >> 20} MB; make it smaller.")
        return content

    def with_card(self, card: bytes) -> bytes:
        """The same archive with another `card.json`."""
        return pack({CARD: card, **{name: self.read(name) for name in self.names if name != CARD}})


def pack(files: dict[str, bytes]) -> bytes:
    """A zip of files; equal files give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _check(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise CardError(f"The CHARX file names a place outside itself ({_shown(name)}); do not trust it.")
    if posixpath.normpath(name) != name.removesuffix("/"):
        raise CardError(f"The CHARX file has a crooked path ({_shown(name)}); do not trust it.")
    if member.flag_bits & 0x1:
        raise CardError("The CHARX file is encrypted; export the card again without a password.")
    if member.file_size > _SMALL and member.file_size > _MAX_RATIO * max(1, member.compress_size):
        raise CardError(f"{_shown(name)} inside the CHARX file unpacks to far too much; do not trust it.")


def _shown(name: str) -> str:
    return ascii(name[-60:])
