"""The stores that the contract suite is run over.

Every later store and wrapper adds one entry to `SUBJECTS`: how to make an empty store in a fresh
directory, and how to open connections to it; one that needs a server adds it to `SERVED`, with the
fixture that has the server running.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Condition
from typing import Any

from tests.doubles.faulty_store import FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.shaky_store import ShakyStore
from tests.doubles.still_clock import StillClock
from tests.servers.openssh import OpenSsh
from tests.servers.rclone_sftp import RcloneSftp
from tests.servers.s3 import S3Server
from tests.servers.s3_stores import new_base as new_prefix
from tests.servers.s3_stores import on_s3
from tests.servers.sftp_stores import base_on_rclone, on_openssh, on_rclone
from tests.servers.webdav import WebDavServer
from tests.servers.webdav_stores import new_base, on_webdav

from firnline.stores.base import Store
from firnline.stores.calling.caller import Caller
from firnline.stores.calling.logins import Forgetful, Logins
from firnline.stores.calling.shared import Shared
from firnline.stores.calling.store import CallingStore
from firnline.stores.deadline import DeadlineStore
from firnline.stores.directory import DirectoryStore
from firnline.stores.hurried import HurriedStore, Hurry
from firnline.stores.line import Lines
from firnline.stores.throttled import ThrottledStore

Connect = Callable[[str], Store]
"""Opens a connection, by its CONNHASH, to one and the same store."""


def memory(place: Path) -> Connect:
    disk = MemoryDisk()
    return lambda connection: MemoryStore(disk, StillClock())


def directory(place: Path, *, by_handle: bool) -> Connect:
    base = place / "store"
    DirectoryStore.create_base(base)
    return lambda connection: DirectoryStore(
        base, connection=connection, clock=StillClock(), by_handle=by_handle
    )


def faulty(place: Path) -> Connect:
    connect = memory(place)
    return lambda connection: FaultyStore(connect(connection), StillClock())


def with_deadlines(place: Path) -> Connect:
    connect = directory(place, by_handle=True)
    return lambda connection: DeadlineStore(lambda: connect(connection))


def hurried(place: Path) -> Connect:
    connect = directory(place, by_handle=True)

    def begun(connection: str) -> Store:
        return HurriedStore(connect(connection), Hurry(StillClock(), lambda: None, lambda: False))

    return begun


def throttled(place: Path) -> Connect:
    """With limits that every portion has to wait for, on a clock that takes no time."""
    connect, clock = directory(place, by_handle=True), StillClock()
    lines = Lines.new(clock, lambda condition, seconds: clock.sleep(seconds))
    lines.limit(10_000, 10_000)
    return lambda connection: ThrottledStore(connect(connection), lines, lambda: None)


def calling(connect: Connect) -> Connect:
    """As the program calls a store on a server; of each wait only a moment is waited."""
    clock = StillClock()

    def wait(condition: Condition, seconds: float) -> None:
        clock.sleep(seconds)
        condition.wait(min(seconds, 0.01))

    shared = Shared(clock, bytes, wait)

    def connect_calling(connection: str) -> Store:
        caller = Caller(shared, Logins(Forgetful(), lambda: ""), lambda: None)
        return CallingStore.connect(lambda: connect(connection), caller)

    return connect_calling


def shaky(place: Path) -> Connect:
    """Over a line that breaks all the time."""
    connect = memory(place)
    return calling(lambda connection: ShakyStore(connect(connection), StillClock()))


SUBJECTS: dict[str, Callable[[Path], Connect]] = {
    "memory": memory,
    "directory": partial(directory, by_handle=True),
    "directory-by-paths": partial(directory, by_handle=False),
    "faulty": faulty,
    "with-deadlines": with_deadlines,
    "hurried": hurried,
    "throttled": throttled,
    "calling-shaky": shaky,
}


def sftp_openssh(server: OpenSsh, place: Path) -> Connect:
    base = place / "store"
    base.mkdir()
    return calling(lambda connection: on_openssh(server, base, connection))


def sftp_rclone(server: RcloneSftp, place: Path) -> Connect:
    base = base_on_rclone(server)
    return calling(lambda connection: on_rclone(server, base, connection))


def webdav(server: WebDavServer, place: Path) -> Connect:
    location = server.location(new_base(server))
    return calling(lambda connection: on_webdav(location, connection))


def s3(server: S3Server, place: Path) -> Connect:
    location = new_prefix()
    return calling(lambda connection: on_s3(location, connection, server.options()))


SERVED: dict[str, tuple[str, Callable[[Any, Path], Connect]]] = {
    "sftp-openssh": ("openssh", sftp_openssh),
    "sftp-rclone": ("rclone_sftp", sftp_rclone),
    "webdav-apache": ("apache", webdav),
    "webdav-nginx": ("nginx", webdav),
    "webdav-wsgidav": ("wsgidav", webdav),
    "webdav-rclone": ("rclone_webdav", webdav),
    "s3-seaweedfs": ("seaweedfs", s3),
    "s3-rclone": ("rclone_s3", s3),
}
