"""The kernel's inotify, as it is: one instance, its watches and what it reports (Linux).

Why not through a library: docs/decisions/0011-watching.md.
"""

import ctypes
import errno
import os
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

MODIFY = 0x2
ATTRIB = 0x4
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
UNMOUNT = 0x2000
OVERFLOW = 0x4000
IGNORED = 0x8000
"""The watch is gone: removed, or its directory is."""
ONLY_DIRECTORY = 0x0100_0000
NO_FOLLOW = 0x0200_0000
NO_UNLINKED = 0x0400_0000
IS_DIRECTORY = 0x4000_0000

_HEADER = Struct("iIII")
_BUFFER = 65536
_MOST_READS = 16


class Report(NamedTuple):
    """One inotify_event."""

    watch: int
    """The watch's number; -1 with OVERFLOW."""
    mask: int
    name: bytes
    """Inside the watched directory; empty for the directory itself."""


class Inotify:
    """An inotify instance. Raises OSError: EMFILE when this user may have no more of them."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        library.inotify_add_watch.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]
        self._library = library
        self._descriptor = _checked(library.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))

    def fileno(self) -> int:
        """To be polled: readable when something was reported."""
        return self._descriptor

    def add(self, path: bytes, mask: int) -> int:
        """Watch `path`; the number of its watch, the same one when it had one already.

        Raises OSError: ENOSPC when this user may watch no more.
        """
        return _checked(self._library.inotify_add_watch(self._descriptor, path, mask))

    def remove(self, watch: int) -> None:
        """Does nothing when the watch is gone."""
        self._library.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> Iterator[Report]:
        """What was reported since; never waits, and leaves a rest when that is very much."""
        for _ in range(_MOST_READS):
            try:
                chunk = os.read(self._descriptor, _BUFFER)
            except BlockingIOError:
                return
            yield from _parse(chunk)
            if len(chunk) < _BUFFER // 2:
                return

    def close(self) -> None:
        """All watches are gone then."""
        os.close(self._descriptor)


def _parse(chunk: bytes) -> Iterator[Report]:
    place = 0
    while place < len(chunk):
        watch, mask, _, length = _HEADER.unpack_from(chunk, place)
        place += _HEADER.size
        yield Report(watch, mask, chunk[place : place + length].rstrip(b"\0"))
        place += length


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno() or errno.EIO
        raise OSError(number, os.strerror(number))
    return result
