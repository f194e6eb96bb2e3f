"""`webdav://[user@]host[:port]/path` and `webdavs://…`, taken apart; URLs put together. Pure."""

import ipaddress
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from firnline.stores.errors import LocationError

SCHEMES = {"webdav": "http", "webdavs": "https"}
PORTS = {"http": 80, "https": 443}
_FORM = "webdavs://[user@]host[:port]/path"
_PLAIN = "-._~!$&'()*+,;=:@"
"""Letters of a path's part that a URL holds as they are (RFC 3986, section 3.3)."""


class WebDavAddress(NamedTuple):
    """Where a WebDAV store is."""

    scheme: str
    """`http` or `https`."""
    host: str
    port: int
    user: str | None
    path: str
    """Unquoted, absolute, without a slash at the end; '' for the server's root."""

    @property
    def server(self) -> str:
        """The server, as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_sealed(self) -> bool:
        """Nobody on the way can read along: TLS, or it does not leave this computer."""
        return self.scheme == "https" or _is_loopback(self.host)

    def url(self, path: str, *, directory: bool = False) -> str:
        """Of a path below the base; a directory's ends in a slash."""
        whole = f"{self.path}/{path}" if path else self.path
        parts = "/".join(quote(part, safe=_PLAIN) for part in whole.split("/"))
        return f"{self.scheme}://{self.server}{parts}{'/' if directory or not parts else ''}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_webdav(text: str) -> WebDavAddress:
    """Raises LocationError, which never repeats the location: it may hold a password."""
    try:
        parts = urlsplit(text)
        scheme = SCHEMES[parts.scheme.lower()]
        host, port = parts.hostname or "", parts.port or PORTS[scheme]
        user = unquote(parts.username, errors="strict") if parts.username else None
        path = unquote(parts.path, errors="strict").rstrip("/")
    except (ValueError, KeyError) as error:
        raise LocationError(f"an address of this form is needed: {_FORM}") from error
    if parts.password is not None:
        raise LocationError("a location never holds a password: leave it out, it is asked for")
    if not host or (path and not path.startswith("/")):
        raise LocationError(f"an address of this form is needed: {_FORM}")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise LocationError("? and # in a path are written as %3F and %23")
    if any(letter < " " or letter == "\x7f" for letter in f"{host}{user or ''}{path}"):
        raise LocationError("a location with a control character")
    if any(part in ("", ".", "..") for part in path.split("/")[1:]):
        raise LocationError("a path in a location has no empty part, and no . or ..")
    return WebDavAddress(scheme, host, port, user, path)
