"""From a LOCATION, as the user types it, to a store.

A LOCATION is a path, `file:///…`, `sftp://…`, `webdavs://…` or `s3://…`; with other kinds of
stores come other schemes.
Parsing is pure and opens nothing; `factory_for` imports no more than the kind that is asked for.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Store
from firnline.stores.errors import LocationError

SUPPORTED = (
    "a path",
    "file:///…",
    "sftp://[user@]host[:port]/path",
    "webdavs://[user@]host[:port]/path",
    "s3://bucket/prefix",
)
DIRECTORY = "directory"
SFTP = "sftp"
WEBDAV = "webdav"
S3 = "s3"
Secret = Callable[[], str | None]
"""Gives the password (or what else is secret) of a store when it is needed; may block. Where there
is none it gives None, or raises CredentialsError to say why."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)


class Location(NamedTuple):
    """Where a store is."""

    kind: str
    """As in `Store.kind`."""
    address: str
    """What the kind makes of it; a path, as written, for a directory; else the URL."""


class Factory(Protocol):
    """Opens one store."""

    def __call__(self, *, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
        """`connection` None: only to read. Raises StoreError."""
        ...


def parse_location(text: str) -> Location:
    """Raises LocationError for what is no location of a kind that is supported."""
    if not text or "\0" in text:
        raise LocationError("an empty location, or one with a NUL character")
    match = _SCHEME.fullmatch(text)
    if match is None:
        return Location(DIRECTORY, text)
    scheme, rest = match.group(1).lower(), match.group(2)
    if scheme == SFTP:
        from firnline.stores.sftp.address import parse_sftp

        parse_sftp(text)
        return Location(SFTP, text)
    if scheme in ("webdav", "webdavs"):
        from firnline.stores.webdav.address import parse_webdav

        parse_webdav(text)
        return Location(WEBDAV, text)
    if scheme == S3:
        from firnline.stores.s3.address import parse_s3

        parse_s3(text)
        return Location(S3, text)
    if scheme != "file":
        known = ", ".join(SUPPORTED)
        raise LocationError(f"unsupported location: {scheme}:// (supported: {known})")
    return Location(DIRECTORY, _file_path(rest))


def _file_path(rest: str) -> str:
    """The path of a `file:` URL, `rest` being what follows `file://`."""
    from urllib.parse import unquote

    host, slash, path = rest.partition("/")
    if host not in ("", "localhost") or not slash:
        raise LocationError("file:// takes an absolute path of this computer: file:///path")
    if set(path) & set("?#"):
        raise LocationError("a path with ? or # is written without file://, or with %3F and %23")
    path = unquote(path, errors="surrogateescape")
    if "\0" in path:
        raise LocationError("a location with a NUL character")
    return path if _is_drive(path) else f"/{path}"


def _is_drive(path: str) -> bool:
    return sys.platform == "win32" and path[1:2] == ":"


def no_secret() -> None:
    """For stores that have none."""
    return


def factory_for(
    location: Location,
    *,
    relative_to: Path,
    options: Mapping[str, str] | None = None,
    secret: Secret = no_secret,
) -> Factory:
    """How to open the store at `location`; a relative path starts at `relative_to`.

    `options` are those of the store's settings. Raises LocationError for a kind that is not
    supported.
    """
    if location.kind == SFTP:
        return _sftp(location, options or {}, secret)
    if location.kind == WEBDAV:
        return _webdav(location, options or {}, secret)
    if location.kind == S3:
        return _s3(location, options or {}, secret)
    if location.kind != DIRECTORY:
        raise LocationError(f"unsupported kind of store: {location.kind}")
    base = relative_to / location.address

    def open_directory(*, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
        from firnline.stores.directory import DirectoryStore

        return DirectoryStore(base, connection=connection, clock=clock, steps=steps)

    return open_directory


def _sftp(location: Location, options: Mapping[str, str], secret: Secret) -> Factory:
    def open_sftp(*, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
        from firnline.stores.sftp.address import parse_sftp
        from firnline.stores.sftp.store import SftpStore, login_by

        return SftpStore(
            parse_sftp(location.address),
            login_by(options, secret),
            connection=connection,
            clock=clock,
            fingerprint=options.get("fingerprint"),
            known_hosts=options.get("known_hosts"),
            steps=steps,
        )

    return open_sftp


def _webdav(location: Location, options: Mapping[str, str], secret: Secret) -> Factory:
    def open_webdav(*, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
        from firnline.stores.webdav.address import parse_webdav
        from firnline.stores.webdav.store import WebDavStore, connection_by

        server = connection_by(parse_webdav(location.address), options, secret)
        return WebDavStore(server, connhash=connection, clock=clock, steps=steps)

    return open_webdav


def _s3(location: Location, options: Mapping[str, str], secret: Secret) -> Factory:
    def open_s3(*, connection: str | None, clock: Clock, steps: Steps = no_steps) -> Store:
        from firnline.stores.s3.address import parse_s3
        from firnline.stores.s3.store import Account, S3Store

        account = Account(parse_s3(location.address), options, secret)
        return S3Store(account, connection=connection, clock=clock, steps=steps)

    return open_s3


def create_remote_base(
    location: Location, *, options: Mapping[str, str], secret: Secret = no_secret
) -> None:
    """Make the base of a store on a server, where its kind has one; one that is there stays.

    Raises NotFoundError when what it would stand in is missing, and other StoreErrors.
    """
    if location.kind == SFTP:
        from firnline.stores.sftp.address import parse_sftp
        from firnline.stores.sftp.store import create_base, login_by

        create_base(
            parse_sftp(location.address),
            login_by(options, secret),
            fingerprint=options.get("fingerprint"),
            known_hosts=options.get("known_hosts"),
        )
    if location.kind == WEBDAV:
        from firnline.stores.webdav import store as webdav
        from firnline.stores.webdav.address import parse_webdav

        server = webdav.connection_by(parse_webdav(location.address), options, secret)
        webdav.create_base(server)
    if location.kind == S3:
        from firnline.stores.s3.address import parse_s3
        from firnline.stores.s3.store import Account, require_bucket

        require_bucket(Account(parse_s3(location.address), options, secret))
