"""Bodies that a pass did not wait for: they are brought beside it, into the folder's temporaries.

A pass says what it wants and goes on; its paths stay dirty. Whoever brings it (`bring`, on a thread
of its own, with tables opened beside) writes and checks a temporary file, which the sweeping of the
passes spares. The next pass takes it, and all that applying promises holds as for any other: the
file is durable and has the right content before its intent is committed.
"""

from collections.abc import Callable, Collection, Iterator
from threading import Lock
from typing import NamedTuple

from firnline.core.event import EXECUTABLE
from firnline.core.hashing import DataHash
from firnline.folder.errors import FolderError
from firnline.folder.temporary import new_name
from firnline.sync.bodies import Bodies, ContentMissingError
from firnline.sync.context import FolderContext

LARGE = 2**20
"""Bytes from which on a body has a way of its own, so that small ones pass it."""
_IN_MEMORY = 8 * 2**20
_AT_ONCE = 1.0
"""Seconds after which what is there by then is told."""


class Coming(NamedTuple):
    """A file that is to be: its content, and all that tells it from another one with the same."""

    data_hash: DataHash
    size: int
    mtime: int
    flags: str
    mode: int | None
    """The permission bits that it keeps."""


class Fetches:
    """What one folder waits for. From any thread."""

    def __init__(self, begin: Callable[[bool], None]) -> None:
        """`begin` is told that something is wanted, and whether that is large."""
        self.names: set[str] = set()
        """Temporaries that are being written, or wait for a pass."""
        self._begin = begin
        self._lock = Lock()
        self._wanted: dict[Coming, None] = {}
        self._here: dict[Coming, str] = {}
        self._failed: set[Coming] = set()

    def __bool__(self) -> bool:
        return bool(self._wanted or self._here or self._failed)

    @property
    def arrived(self) -> Collection[Coming]:
        """What waits for a pass."""
        with self._lock:
            return list(self._here)

    def want(self, coming: Coming) -> None:
        """To be brought."""
        with self._lock:
            self._wanted[coming] = None
        self._begin(coming.size >= LARGE)

    def is_coming(self, coming: Coming) -> bool:
        """It was asked for, and is not here yet."""
        return coming in self._wanted

    def take(self, coming: Coming) -> str | None:
        """The temporary; it is the caller's from now on."""
        with self._lock:
            name = self._here.pop(coming, None)
            self.names.discard(name or "")
        return name

    def take_failure(self, coming: Coming) -> bool:
        """True, once, when it could not be brought."""
        with self._lock:
            failed = coming in self._failed
            self._failed.discard(coming)
        return failed

    def drop(self, unwanted: Collection[Coming]) -> None:
        """No pass asked for these though they were here: the log wants something else by now."""
        with self._lock:
            for coming in unwanted:
                self.names.discard(self._here.pop(coming, ""))

    def next(self, *, large: bool) -> Coming | None:
        """What was asked for first."""
        with self._lock:
            fitting = (each for each in self._wanted if (each.size >= LARGE) is large)
            return next(fitting, None)

    def done(self, coming: Coming, name: str | None) -> None:
        """It is here; None: it could not be brought."""
        with self._lock:
            self._wanted.pop(coming, None)
            if name is None:
                self._failed.add(coming)
            else:
                self._here[coming] = name


def bring(context: FolderContext, fetches: Fetches, *, large: bool) -> bool:
    """Bring what is wanted, for about a second, one at least; True when there is more.

    Raises CancelledError: what was not finished is still wanted.
    """
    end = context.clock.monotonic() + _AT_ONCE
    while (coming := fetches.next(large=large)) is not None:
        context.check_cancelled()
        name = new_name()
        fetches.names.add(name)
        try:
            _write(context, coming, name)
        except (ContentMissingError, FolderError):
            # The pass finds out what is wrong, and tells it.
            fetches.names.discard(name)
            fetches.done(coming, None)
        except BaseException:
            fetches.names.discard(name)
            raise
        else:
            fetches.done(coming, name)
        if context.clock.monotonic() > end:
            break
    return fetches.next(large=large) is not None


def _write(context: FolderContext, coming: Coming, name: str) -> None:
    """As `sync.staging` writes a temporary file, and durable."""

    def write(chunks: Iterator[bytes]) -> None:
        with context.root.new_temporary(name) as temporary:
            for chunk in chunks:
                context.check_cancelled()
                temporary.write(chunk)
            temporary.finish(coming.mtime, coming.flags == EXECUTABLE, coming.mode)

    Bodies(context).copy(coming.data_hash, write, max(coming.size, _IN_MEMORY))
    context.root.barrier()
