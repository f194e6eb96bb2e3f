"""A file on its way into the folder: written aside, complete before it has a name there.

    with root.new_temporary() as temporary:
        temporary.write(chunk)
        temporary.finish(mtime_ms, executable)
    root.place(temporary.name, path, expected, keep)

Random name, created exclusively and readable by the owner alone until `finish`
(docs/design.md section 10.7). Leaving the block without `finish`, or by an error, discards it; a
process that dies leaves it to `Root.sweep_temporaries`.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

from firnline.core.steps import Steps
from firnline.folder.access import TEMPORARIES, Access
from firnline.folder.durable import sync_file
from firnline.folder.errors import FolderError, translating
from firnline.folder.metadata import file_mode

_CHUNK = 4 * 2**20
_CLONE = 0x40049409
"""FICLONE: share all blocks of another file (Linux: btrfs, xfs, bcachefs)."""
_NANOSECONDS = 1_000_000
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL


def new_name() -> str:
    """64 random bits: nobody can stand there before us."""
    return os.urandom(8).hex()


class Temporary:
    """One file being written. All methods raise FolderError."""

    __slots__ = ("_access", "_descriptor", "_finished", "_modes", "_steps", "_usual_mode", "name")

    def __init__(
        self, access: Access, steps: Steps, usual_mode: int, name: str, *, modes: bool
    ) -> None:
        self.name = name
        self._access = access
        self._steps = steps
        self._usual_mode = usual_mode
        self._modes = modes
        self._finished = False
        steps("create temporary")
        self._descriptor = access.open(self.path, _CREATE)

    @property
    def path(self) -> str:
        """Relative to the folder, though no path of the user's."""
        return f"{TEMPORARIES}/{self.name}"

    @property
    def fileno(self) -> int:
        return self._descriptor

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._steps("write temporary")
        with translating(self.path):
            written = os.write(self._descriptor, chunk)
            if written < len(chunk):
                self._write_rest(memoryview(chunk)[written:])

    def _write_rest(self, rest: memoryview) -> None:
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def clone(self, descriptor: int) -> bool:
        """Take the whole content of an open file by sharing its blocks, before any `write`.

        False, and nothing done, where the file system cannot.
        """
        try:
            import fcntl
        except ImportError:
            return False
        self._steps("write temporary")
        try:
            fcntl.ioctl(self._descriptor, _CLONE, descriptor)
        except OSError:
            return False
        return True

    def copy_from(self, descriptor: int) -> int:
        """Take what an open file holds from its position on; the bytes taken.

        Inside the kernel where the system can, and by shared blocks where the file system can.
        """
        with translating(self.path):
            total = self._copy_inside_kernel(descriptor)
            while chunk := os.read(descriptor, _CHUNK):
                self.write(chunk)
                total += len(chunk)
            return total

    def _copy_inside_kernel(self, descriptor: int) -> int:
        """What could be copied so; 0 where the system or one of the file systems cannot."""
        if not hasattr(os, "copy_file_range"):
            return 0
        total = 0
        while True:
            self._steps("write temporary")
            try:
                copied = os.copy_file_range(descriptor, self._descriptor, 2**30)
            except OSError:
                # A lack of space comes up again in the plain copy, and is told there.
                return total
            if not copied:
                return total
            total += copied

    def read_back(self) -> Iterator[bytes]:
        """What was taken so far, from the start: after `clone`, to hash exactly what is kept.

        To be read to its end before any further `write`.
        """
        offset = 0
        while True:
            with translating(self.path):
                os.lseek(self._descriptor, offset, os.SEEK_SET)
                chunk = os.read(self._descriptor, _CHUNK)
            if not chunk:
                return
            offset += len(chunk)
            yield chunk

    def sync(self) -> None:
        """Make the content durable now: for a file so large that a barrier should not wait."""
        self._steps("sync temporary")
        with translating(self.path):
            sync_file(self._descriptor)

    def finish(self, mtime_ms: int, executable: bool, like: int | None = None) -> None:
        """The content is complete: give the file its final mode and time. No fsync.

        `mtime_ms`: milliseconds since 1970. `like`: the mode of the file that it will replace,
        whose other permission bits it keeps; without it the umask decides.
        """
        self._steps("finish temporary")
        time = mtime_ms * _NANOSECONDS
        with translating(self.path):
            if self._modes:
                os.fchmod(self._descriptor, file_mode(executable, self._usual_mode, like))
            if os.utime in os.supports_fd:
                os.utime(self._descriptor, ns=(time, time))
            else:
                self._access.set_times(self.path, time)
        self._finished = True

    def close(self) -> None:
        """The file stays, for `Root.place`."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Throw the file away. What cannot be removed now is left to the sweep."""
        self.close()
        self._steps("discard temporary")
        with suppress(OSError, FolderError):
            self._access.unlink(self.path)

    def __enter__(self) -> "Temporary":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        stopped = error is not None and not isinstance(error, Exception)
        if not stopped and (error is not None or not self._finished):
            self.discard()
