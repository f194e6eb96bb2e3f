"""Where the control socket is, and who may be at its other end.

The socket stands in a directory of its own that only this user can enter. That is what keeps
others out on every system; where the system tells who is at the other end, that is asked as well.

A socket's address holds about a hundred bytes, and profiles may lie deeper. On Linux the address
leads over the open directory, which is always short.
"""

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from firnline.config.private_files import make_private_directory
from firnline.core.steps import Steps

_NAME = "socket"
_MOST_ADDRESS_BYTES = 100


class HasOptions(Protocol):
    """A socket, or what asyncio gives out in place of one."""

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


class NotPrivateError(Exception):
    """Others could reach the control socket, or something else than one stands at its place."""


@contextmanager
def address(directory: Path) -> Iterator[str]:
    """The address of the socket in `directory`, to be used inside the `with`.

    Raises NotPrivateError when the directory is not this user's alone, OSError when it is not
    there or its name is too long for this system.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(directory, flags)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise NotPrivateError(f"{directory}: others may enter it")
        yield _short(directory, descriptor)
    finally:
        os.close(descriptor)


def _short(directory: Path, descriptor: int) -> str:
    text = str(directory / _NAME)
    if len(os.fsencode(text)) <= _MOST_ADDRESS_BYTES:
        return text
    if sys.platform == "linux":
        return f"/proc/self/fd/{descriptor}/{_NAME}"
    raise OSError("the name of the profile's directory is too long for a socket")


def listen(directory: Path, steps: Steps) -> socket.socket:
    """A listening socket there. Whoever calls holds the profile, so one that is there is of a
    process that is gone. Raises NotPrivateError and OSError."""
    make_private_directory(directory, steps)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(directory) as place:
            remove(directory, steps)
            # Linux gives these rights to what `bind` makes; elsewhere they come a moment later,
            # and the directory alone keeps others out until then.
            with suppress(OSError):
                os.fchmod(listening.fileno(), 0o600)
            steps("control.bind")
            listening.bind(place)
            os.chmod(place, 0o600)
            listening.listen()
    except BaseException:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def remove(directory: Path, steps: Steps) -> None:
    """The socket that stands there, if one does. Raises NotPrivateError, and leaves it, when that
    is no socket."""
    place = directory / _NAME
    try:
        status = os.lstat(place)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise NotPrivateError(f"{place}: no socket")
    steps("control.unlink")
    os.unlink(place)


def connect(directory: Path, seconds: float) -> socket.socket:
    """A connection to who listens there. Raises NotPrivateError and OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        with address(directory) as place:
            connection.connect(place)
        if not is_same_user(connection):
            raise NotPrivateError(f"{directory}: somebody else listens there")
        connection.settimeout(None)
    except BaseException:
        connection.close()
        raise
    return connection


def is_same_user(connection: HasOptions) -> bool:
    """Whether the process at the other end belongs to this user."""
    user = _user_at(connection)
    return user is None or user == os.geteuid()


def _user_at(connection: HasOptions) -> int | None:
    """None where the system does not say; only the directory keeps others out there."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        _, user, _ = struct.unpack("3i", found)
        return int(user)
    if sys.platform == "darwin":
        # struct xucred: version, user, and groups that do not matter here (SOL_LOCAL is 0).
        _, user = struct.unpack_from("II", connection.getsockopt(0, 1, 128))
        return int(user)
    return None
