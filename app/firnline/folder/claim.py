"""One process at a time works in a folder, also when two profiles name the same directory.

Two passes at once would take each other's temporary and kept files for left-overs of a process
that died. The lock is the operating system's, on the open marker: it goes with the process.
A folder without a marker is away, and nothing is done there; where the file system knows no locks
(some network shares) the profile's own lock has to do.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from firnline.folder.errors import Blocked, FolderError, translating
from firnline.folder.filesystem import Root
from firnline.folder.marker import MARKER

_BUSY = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}

if sys.platform == "win32":
    import msvcrt

    # Far behind the folder id: a locked byte cannot be read there.
    _LOCKED_BYTE = 1 << 30

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class InUse(Blocked):
    """Another Firnline is at work in this folder."""


@contextmanager
def claimed(root: Root) -> Iterator[None]:
    """The folder is this process's while it lasts. Raises InUse, at once."""
    try:
        with translating(MARKER):
            descriptor = root.access.open(MARKER, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FolderError:
        yield
        return
    try:
        _take(descriptor)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> None:
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in _BUSY:
            raise InUse("", "another Firnline, of another profile, is at work in it") from error
