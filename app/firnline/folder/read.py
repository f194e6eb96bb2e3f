"""Reading a file that nobody is writing, and being sure afterwards that nobody did.

A file is read when it has been still for 50 ms, waiting 50 ms, doubling to 2 s, while it keeps
changing, 60 s at most; and it is taken only if size, times and inode are the same after reading
(docs/design.md section 7). A file whose time has no fraction of a second lies perhaps where times
are that coarse (FAT: 2 s), and a second save in the same tick would look like none; it is left
alone for 2 s, by the clock of whoever stamps the files. So what is remembered of a file that was
read is never the time of a later save, and times are compared exactly: rounded ones, as a disk
that is mounted anew may show, cost a reading and never an event.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TypeVar

from firnline.core.clock import Clock
from firnline.core.hashing import Digest
from firnline.folder.beside import Beside
from firnline.folder.errors import Changed, translating
from firnline.folder.metadata import COARSE_NS, Stat, is_coarse, stat_of
from firnline.folder.view import View

CHUNK = 4 * 2**20
"""Bytes that are read at once."""
Chunk = TypeVar("Chunk", bytes, memoryview)

_STILL = 50_000_000
_FIRST_WAIT, _LONGEST_WAIT, _PATIENCE = 0.05, 2.0, 60.0
_BUFFERS = 3
_AHEAD = 4 * CHUNK


class _Patience:
    """How long one file is waited for."""

    def __init__(self, root: View, path: str, clock: Clock) -> None:
        self._root = root
        self._path = path
        self._clock = clock
        self._wait = _FIRST_WAIT
        self._end: float | None = None

    def now_ns(self) -> int:
        return self._root.now_ns(self._clock)

    def pause(self) -> None:
        """Raises Changed when it was long enough."""
        now = self._clock.monotonic()
        if self._end is None:
            self._end = now + _PATIENCE
        elif now >= self._end:
            raise Changed(self._path, "keeps changing")
        self._clock.sleep(self._wait)
        self._wait = min(self._wait * 2, _LONGEST_WAIT)


def read_small(root: View, path: str, clock: Clock, limit: int) -> tuple[bytes, Stat]:
    """The whole content of a file of at most `limit` bytes, and the stat that belongs to it.

    Raises Changed when it keeps changing or is larger, Vanished, Blocked.
    """
    patience = _Patience(root, path, clock)
    while True:
        descriptor, found = root.open_stat(path)
        try:
            with translating(path):
                found = _when_still(descriptor, found, patience)
                if found.st_size > limit:
                    raise Changed(path, f"larger than {limit} bytes")
                body = _read_up_to(descriptor, found.st_size + 1)
                if len(body) == found.st_size and _unchanged(found, os.fstat(descriptor)):
                    return body, stat_of(found, modes=root.has_modes)
        finally:
            os.close(descriptor)
        patience.pause()


def _read_up_to(descriptor: int, count: int) -> bytes:
    body = os.read(descriptor, count)
    while len(body) < count:
        chunk = os.read(descriptor, count - len(body))
        if not chunk:
            break
        body += chunk
    return body


def read_link(root: View, path: str, clock: Clock) -> tuple[str, Stat]:
    """The target text of a symbolic link, and the stat that belongs to it. Raises Changed.

    A link is never written to, but another may get its inode; in the same tick, if that is coarse.
    """
    patience = _Patience(root, path, clock)
    before = root.stat(path)
    if before is not None and is_coarse(before.mtime_ns):
        while 0 <= patience.now_ns() - before.mtime_ns < COARSE_NS:
            patience.pause()
    text = root.read_link(path)
    after = root.stat(path)
    if before is None or after is None or not after.same_version(before):
        raise Changed(path, "was changed while it was read")
    return text, after


def stream(root: View, path: str, clock: Clock) -> "Stream":
    """A file of any size, in pieces:

        with stream(root, path, clock) as body:
            for chunk in body: ...

    Entering waits until the file is still and raises as `read_small` does. Leaving without an
    error raises Changed when the file is not what it was: nothing that was read may be taken.
    """
    return Stream(root, path, clock)


class Stream:
    """See `stream`."""

    stat: Stat
    """Of the file as it was when reading began."""
    descriptor: int
    """Of the open file, for whoever can share its blocks instead of reading."""

    def __init__(self, root: View, path: str, clock: Clock) -> None:
        self._root = root
        self._path = path
        self._clock = clock

    def __enter__(self) -> "Stream":
        self.descriptor, found = self._root.open_stat(self._path)
        try:
            with translating(self._path):
                patience = _Patience(self._root, self._path, self._clock)
                self._found = _when_still(self.descriptor, found, patience)
            self.stat = stat_of(self._found, modes=self._root.has_modes)
        except BaseException:
            os.close(self.descriptor)
            raise
        return self

    def __iter__(self) -> Iterator[memoryview]:
        """The content in pieces of at most `CHUNK` bytes.

        The memory of a piece is used again for the third one after it. Raises Changed as soon as
        there is more than there was, or less.
        """
        size = self._found.st_size
        buffers = [bytearray(min(size + 1, CHUNK)) for _ in range(min(_BUFFERS, size // CHUNK + 1))]
        total = turn = 0
        with translating(self._path), open(self.descriptor, "rb", 0, closefd=False) as file:
            file.seek(0)
            while count := file.readinto(buffers[turn]):
                total += count
                if total > size:
                    break
                _expect(self.descriptor, total)
                yield memoryview(buffers[turn])[:count]
                turn = (turn + 1) % len(buffers)
        if total != size:
            raise Changed(self._path, "was changed while it was read")

    def confirm(self) -> None:
        """Raises Changed when the file is not what it was when reading began."""
        with translating(self._path):
            if not _unchanged(self._found, os.fstat(self.descriptor)):
                raise Changed(self._path, "was changed while it was read")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.confirm()
        finally:
            os.close(self.descriptor)


def _expect(descriptor: int, start: int) -> None:
    """Have the system read on while what was read is written elsewhere: its own guess is small."""
    if hasattr(os, "posix_fadvise"):
        # A file system that takes no hints is no reason not to read.
        with suppress(OSError):
            os.posix_fadvise(descriptor, start, _AHEAD, os.POSIX_FADV_WILLNEED)


def hash_while(chunks: Iterable[Chunk], digest: Digest) -> Iterator[Chunk]:
    """Hands on `chunks` and hashes each in a second thread meanwhile.

    When the last was taken, `digest` has them all.
    """
    with Beside() as beside:
        hashed: Callable[[], object] | None = None
        for chunk in chunks:
            if hashed is not None:
                hashed()
            hashed = beside.begin(partial(digest.update, chunk))
            yield chunk
        if hashed is not None:
            hashed()


def _when_still(descriptor: int, found: os.stat_result, patience: _Patience) -> os.stat_result:
    """The stat of an open file once it has been still for long enough."""
    while True:
        age = patience.now_ns() - found.st_mtime_ns
        if age >= _rest(found.st_mtime_ns):
            return found
        patience.pause()
        again = os.fstat(descriptor)
        if age < 0 and _unchanged(found, again):
            # Its time is ahead of this clock and says nothing; it stood still for one wait.
            return again
        found = again


def _rest(mtime_ns: int) -> int:
    """Nanoseconds that a file with this time is left alone."""
    return COARSE_NS if is_coarse(mtime_ns) else _STILL


def _unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    """ctime is among them: it changes with whatever is done to a file, and cannot be set back."""
    return (
        before.st_mtime_ns == after.st_mtime_ns
        and before.st_size == after.st_size
        and before.st_ino == after.st_ino
        and before.st_ctime_ns == after.st_ctime_ns
    )
