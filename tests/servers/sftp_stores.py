"""SFTP stores on the servers of the tests, and the fixtures that have those running.

Each process that runs tests starts a server when a test first needs it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.servers.openssh import OpenSsh
from tests.servers.process import HOST
from tests.servers.rclone_sftp import PASSWORD, USER, RcloneSftp

from firnline.core.clock import Clock
from firnline.stores.sftp.address import SftpAddress
from firnline.stores.sftp.dialling import Login
from firnline.stores.sftp.store import SftpStore, create_base


@pytest.fixture(scope="session")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    """OpenSSH, running."""
    server = OpenSsh(tmp_path_factory.mktemp("openssh"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rclone_sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RcloneSftp]:
    """`rclone serve sftp`, running."""
    server = RcloneSftp(tmp_path_factory.mktemp("rclone-sftp"))
    server.start()
    yield server
    server.stop()


def on_openssh(
    server: OpenSsh,
    base: Path,
    connection: str | None,
    *,
    port: int | None = None,
    clock: Clock | None = None,
) -> SftpStore:
    """A store on OpenSSH; `port`: of a relay before it."""
    return SftpStore(
        SftpAddress(HOST, port or server.port, server.user, str(base)),
        Login(lambda: None, key=server.key),
        connection=connection,
        clock=clock or StillClock(),
        fingerprint=server.fingerprint,
    )


def base_on_rclone(server: RcloneSftp) -> str:
    """An empty directory for a store; its path on the server, which sees what it did itself."""
    base = f"/{os.urandom(8).hex()}"
    address = SftpAddress(HOST, server.port, USER, base)
    login = Login(lambda: PASSWORD, agent=False)
    create_base(address, login, fingerprint=server.fingerprint)
    return base


def on_rclone(
    server: RcloneSftp,
    base: str,
    connection: str | None,
    *,
    port: int | None = None,
    clock: Clock | None = None,
) -> SftpStore:
    """A store on rclone, logged in with the password."""
    return SftpStore(
        SftpAddress(HOST, port or server.port, USER, base),
        Login(lambda: PASSWORD, agent=False),
        connection=connection,
        clock=clock or StillClock(),
        fingerprint=server.fingerprint,
    )
