"""One process at a time holds a profile.

The lock is the operating system's, on an open file: it goes with the process, however that ends,
so a lock file that is left behind locks nothing. The file itself is never removed: a second
process could hold the removed file while a third holds its successor.

The process id in the file is for the message only.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from firnline.config.private_files import private_opener

_MOST_DIGITS = 20


class ProfileBusy(Exception):
    """Another process holds this profile. `pid` is its process id, None when it cannot be told."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(path, pid)
        self.path = path
        self.pid = pid

    @property
    def who(self) -> str:
        """In words."""
        return "another Firnline" if self.pid is None else f"another Firnline (process {self.pid})"

    def __str__(self) -> str:
        return f"{self.who} holds this profile ({self.path}): end it, or name another --profile"


if sys.platform == "win32":
    import msvcrt

    # Far behind the process id: a locked byte cannot be read there.
    _LOCKED_BYTE = 1 << 30

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class ProfileLock:
    """Holds the profile whose lock file is `path` inside a `with`.

    The directory of `path` must exist. Entering raises ProfileBusy, at once, when another process
    (or another ProfileLock of this one) holds it, and OSError when the file cannot be opened or
    its file system knows no locks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> "ProfileLock":
        descriptor = private_opener(str(self._path), os.O_RDWR | os.O_CREAT)
        try:
            self._take(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def _take(self, descriptor: int) -> None:
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError) as error:
            raise ProfileBusy(self._path, _read_pid(descriptor)) from error
        _write_pid(descriptor, str(os.getpid()))

    def __exit__(self, *exception: object) -> None:
        """Closing the file gives the lock back."""
        if self._descriptor is not None:
            _write_pid(self._descriptor, "")
            os.close(self._descriptor)
            self._descriptor = None


def _read_pid(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _MOST_DIGITS)
    return int(text) if text.isdigit() else None


def _write_pid(descriptor: int, text: str) -> None:
    # A full disk costs the message its number; it must not keep the program from starting.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode("ascii"))
