"""WebDAV stores on the servers of the tests, and the fixtures that have those running.

Each process that runs tests starts a server when a test first needs it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from tests.doubles.still_clock import StillClock
from tests.servers.webdav import PASSWORD, Apache, Nginx, RcloneWebDav, WebDavServer, WsgiDav

from firnline.core.clock import Clock
from firnline.stores.webdav.address import parse_webdav
from firnline.stores.webdav.store import WebDavStore, connection_by, create_base


@contextmanager
def _running(kind: type[WebDavServer], factory: pytest.TempPathFactory) -> Iterator[WebDavServer]:
    server = kind(factory.mktemp(kind.__name__))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDavServer]:
    """Apache's mod_dav, running."""
    with _running(Apache, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDavServer]:
    """nginx with dav-ext, running."""
    with _running(Nginx, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def wsgidav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDavServer]:
    """wsgidav, running."""
    with _running(WsgiDav, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def rclone_webdav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDavServer]:
    """`rclone serve webdav`, running."""
    with _running(RcloneWebDav, tmp_path_factory) as server:
        yield server


def new_base(server: WebDavServer) -> str:
    """An empty directory for a store; its path on the server."""
    base = os.urandom(8).hex()
    create_base(connection_by(parse_webdav(server.location(base)), {}, lambda: PASSWORD))
    return base


def on_webdav(
    location: str,
    connection: str | None,
    *,
    password: str | None = PASSWORD,
    options: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> WebDavStore:
    """A store at a location."""
    server = connection_by(parse_webdav(location), options or {}, lambda: password)
    return WebDavStore(server, connhash=connection, clock=clock or StillClock())
