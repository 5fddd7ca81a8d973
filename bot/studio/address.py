"""Where the studio is served, and who may come in.

On the machine itself (127.0.0.1) whoever sits there is at home, unless a password is set. At any
other address a password is asked for; where none is set, a key is made up and stands in the address
that is printed.
"""

import hashlib
import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass, field

from bot.studio.errors import StudioError

COOKIE = "understudy_key"
_TRIES = 20  # ports after the wanted one


@dataclass(frozen=True)
class Address:
    """Where the studio is.

    Attributes:
        password: what is asked for; "" on the machine itself.
        made_up: the password was made up for this run, and is printed with the address.
        names: further names this machine is called by, such as one of a reverse proxy.
    """

    host: str
    port: int
    password: str = ""
    made_up: bool = False
    names: tuple[str, ...] = ()
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    @property
    def local(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """What to open in a browser."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "localhost"} else self.host
        host = "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/"

    @property
    def key_url(self) -> str:
        """The same, with the key where one was made up."""
        return f"{self.url}?key={self.password}" if self.made_up else self.url

    def allows(self, host: str) -> bool:
        """Whether a Host header names this machine; a foreign name is another site that was led here."""
        name = _name(host)
        if name == "localhost" or name in self.names or name == self.host.casefold():
            return True
        try:
            found = ipaddress.ip_address(name)
        except ValueError:
            return False
        return found.is_loopback or not self.local

    def right(self, password: str) -> bool:
        """Whether a password is the one."""
        return hmac.compare_digest(password.encode(), self.password.encode())

    @property
    def cookie(self) -> str:
        """What a browser shows once it was let in; it does not tell the password, and ends with this run."""
        return hmac.new(self.salt, self.password.encode(), hashlib.sha256).hexdigest()

    def let_in(self, cookie: str) -> bool:
        """Whether a cookie is one of ours; everybody where there is no password."""
        return not self.password or hmac.compare_digest(cookie.encode(), self.cookie.encode())


def _name(host: str) -> str:
    host = host.strip().casefold()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_address(host: str, port: int, password: str = "", names: str = "") -> Address:
    """Choose a free port at or after the wanted one; 0 lets the system choose.

    Raises:
        StudioError: no such address here, or no port is free.
    """
    made_up = not password and not is_loopback(host)
    free = _free_port(host, port)
    known = tuple(name.strip().casefold() for name in names.split(",") if name.strip())
    return Address(host, free, secrets.token_urlsafe(12) if made_up else password, made_up, known)


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [port] if port == 0 else range(port, min(port + _TRIES, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except PermissionError:
                continue
            except OSError as error:
                if error.errno in _NO_ADDRESS or isinstance(error, socket.gaierror):
                    raise StudioError(
                        f"This machine has no address {host[:60]!r}; use 127.0.0.1, or 0.0.0.0 for all of its own."
                    ) from error
                continue
            found: int = probe.getsockname()[1]
            return found
    raise StudioError(f"No port from {port} on is free at {host}; name another with --port.")


_NO_ADDRESS = {99, 49, 10049}  # EADDRNOTAVAIL on Linux, macOS and Windows
