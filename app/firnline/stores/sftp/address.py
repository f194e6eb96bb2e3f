"""`sftp://[user@]host[:port]/absolute/path`, taken apart. Pure."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from firnline.stores.errors import LocationError

PORT = 22
_FORM = "sftp://[user@]host[:port]/absolute/path"


class SftpAddress(NamedTuple):
    """Where an SFTP store is."""

    host: str
    port: int
    user: str | None
    """None: the name of whoever runs the program."""
    path: str
    """Absolute, without a slash at the end; '' for the server's root."""

    @property
    def server(self) -> str:
        """The server, as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORT else f"{host}:{self.port}"


def parse_sftp(text: str) -> SftpAddress:
    """Raises LocationError, which never repeats the location: it may hold a password."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError as error:
        raise LocationError(f"an address of this form is needed: {_FORM}") from error
    if parts.password is not None:
        raise LocationError("a location never holds a password: leave it out, it is asked for")
    if parts.scheme.lower() != "sftp" or not host or not parts.path.startswith("/"):
        raise LocationError(f"an address of this form is needed: {_FORM}")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise LocationError("? and # in a path are written as %3F and %23")
    user = unquote(parts.username, errors="strict") if parts.username else None
    path = unquote(parts.path, errors="surrogateescape").rstrip("/")
    if set(f"{host}{user or ''}{path}") & set("\0\r\n"):
        raise LocationError("a location with a NUL character or a line break")
    return SftpAddress(host, port, user, path)
