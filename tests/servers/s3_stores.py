"""S3 stores on the servers of the tests, and the fixtures that have those running.

Each process that runs tests starts a server when a test first needs it.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from tests.doubles.still_clock import StillClock
from tests.servers.s3 import BUCKET, SECRET, RcloneS3, S3Server, SeaweedFs

from firnline.core.clock import Clock
from firnline.stores.s3.address import parse_s3
from firnline.stores.s3.store import Account, S3Store, require_bucket


@contextmanager
def _running(kind: type[S3Server], factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = kind(factory.mktemp(kind.__name__))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS, running."""
    with _running(SeaweedFs, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def rclone_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """`rclone serve s3`, running."""
    with _running(RcloneS3, tmp_path_factory) as server:
        yield server


def new_base() -> str:
    """The location of an empty store."""
    return f"s3://{BUCKET}/{os.urandom(8).hex()}"


def on_s3(
    location: str,
    connection: str | None,
    options: Mapping[str, str],
    *,
    secret: str | None = SECRET,
    clock: Clock | None = None,
) -> S3Store:
    """A store at a location."""
    account = Account(parse_s3(location), options, lambda: secret)
    require_bucket(account)
    return S3Store(account, connection=connection, clock=clock or StillClock())
