"""Bodies on their way into and out of a directory store.

A body comes in as a file in the connection's own `tmp/`, under a random name, and gets its place
by one rename. What is left there after a crash is swept when the store is opened next. Nothing is
cleaned up while the program is being stopped: that would not happen at a loss of power either, and
so tests of the one are tests of the other.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType

from firnline.core.steps import Steps
from firnline.stores.cloning import clone, copy_content, write_all
from firnline.stores.confined import NO_FOLLOW, ConfinedTree, Place
from firnline.stores.durability import replace, sync_directories, sync_file
from firnline.stores.errors import DeniedError, NotFoundError, StoreError, UnavailableError
from firnline.stores.os_errors import translated
from firnline.stores.store_path import check_store_path

_BINARY = getattr(os, "O_BINARY", 0)
NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_FOLLOW | _BINARY
# Without O_NONBLOCK, a pipe that somebody put there would stop the program.
_READ = os.O_RDONLY | NO_FOLLOW | _BINARY | getattr(os, "O_NONBLOCK", 0)
_CHUNK = 1 << 20
_LARGE = 1 << 20
"""Whoever reads so much at a time will read on."""
_AHEAD = 16 << 20


def split(path: str) -> tuple[str, str]:
    """The directory and the last part of a store path, which is checked."""
    directory, _, leaf = check_store_path(path).rpartition("/")
    return directory, leaf


class DirectoryReader:
    """An open file, or a range of it. See `stores.base.Reader`."""

    def __init__(self, tree: ConfinedTree, path: str, offset: int, length: int | None) -> None:
        """Raises NotFoundError for anything that is no plain file."""
        self._path = path
        directory, leaf = split(path)
        with translated(path), tree.enter(directory) as place:
            self._descriptor = _open_file(place, leaf, path)
            self.size = os.fstat(self._descriptor).st_size
            os.lseek(self._descriptor, offset, os.SEEK_SET)
        self._position = offset
        rest = max(self.size - offset, 0)
        self._rest = rest if length is None else min(rest, length)

    def __enter__(self) -> "DirectoryReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """The open file itself, for a copy inside the system."""
        return self._descriptor

    def read(self, count: int) -> bytes:
        wanted = min(count, self._rest)
        with translated(self._path):
            chunk = os.read(self._descriptor, wanted)
            # A file system may give less than was asked for, before the end.
            while len(chunk) < wanted and (more := os.read(self._descriptor, wanted - len(chunk))):
                chunk += more
        self._rest -= len(chunk)
        self._position += len(chunk)
        if wanted >= _LARGE and self._rest and hasattr(os, "posix_fadvise"):
            # The disk goes on while this piece is hashed and written elsewhere.
            length = min(self._rest, _AHEAD)
            with suppress(OSError):
                os.posix_fadvise(self._descriptor, self._position, length, os.POSIX_FADV_WILLNEED)
        return chunk


def _open_file(place: Place, leaf: str, path: str) -> int:
    name = place.name(leaf)
    if place.descriptor is None and not stat.S_ISREG(os.lstat(name).st_mode):
        raise NotFoundError(path, "not a file")
    descriptor = os.open(name, _READ, dir_fd=place.descriptor)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotFoundError(path, "not a file")
    return descriptor


class TemporaryFiles:
    """The `tmp/` of one connection."""

    def __init__(
        self,
        tree: ConfinedTree,
        directory: str | None,
        *,
        steps: Steps,
        mode: int,
        sleep: Callable[[float], None],
    ) -> None:
        """`directory` None: nothing can be written. `mode`: of files, before the umask."""
        self.tree = tree
        self.steps = steps
        self._directory = directory
        self._mode = mode
        self._sleep = sleep

    @property
    def directory(self) -> str:
        """Raises DeniedError when there is none."""
        if self._directory is None:
            raise DeniedError("", "the store was opened for reading only")
        return self._directory

    def check_writable(self) -> None:
        """Raises DeniedError when the store was opened for reading only."""
        _ = self.directory

    def make(self, place: Place) -> tuple[int, str]:
        """A new empty file, open, and its name; `place` is `tmp/`."""
        name = os.urandom(10).hex()
        self.steps("store.make_temporary")
        descriptor = os.open(place.name(name), NEW_FILE, self._mode, dir_fd=place.descriptor)
        return descriptor, name

    def publish(
        self, place: Place, pairs: Iterable[tuple[str, str]], directory: str, changed: set[str]
    ) -> None:
        """Move finished files, (temporary name, last part of the path) each, into a directory.

        `place` is `tmp/`. Directories that got a new name are added to `changed`.
        """
        changed.add(directory)
        with self.tree.enter(directory, changed) as target:
            for name, leaf in pairs:
                self.steps("store.rename")
                replace(place, name, target, leaf, self._sleep)

    def discard(self, name: str) -> None:
        """Remove one; what cannot be removed now is swept when the store is opened next."""
        self.steps("store.discard")
        with (
            suppress(OSError, StoreError),
            self.tree.enter(self.directory) as place,
        ):
            os.unlink(place.name(name), dir_fd=place.descriptor)

    def sweep(self) -> None:
        """Remove all that can be removed. Only while nobody else uses this connection."""
        with (
            suppress(OSError),
            self.tree.enter(self.directory) as place,
            os.scandir(place.itself) as entries,
        ):
            for entry in list(entries):
                if not entry.is_dir(follow_symlinks=False):
                    self.discard(entry.name)


class DirectoryUpload:
    """One file on its way in. See `stores.base.Upload`."""

    def __init__(self, files: TemporaryFiles) -> None:
        self._files = files
        self._steps = files.steps
        directory = files.directory
        with translated("", missing=UnavailableError), files.tree.enter(directory, set()) as place:
            self._descriptor, self.name = files.make(place)
        self._flushed = False
        self._committed = False

    def __enter__(self) -> "DirectoryUpload":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        stopped = kind is not None and not issubclass(kind, Exception)
        if not self._committed and not stopped:
            self._files.discard(self.name)

    @property
    def descriptor(self) -> int:
        """The open temporary file, for a copy inside the system."""
        return self._descriptor

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._steps("store.write")
        self._flushed = False
        with translated(""):
            write_all(self._descriptor, chunk)

    def clone(self, descriptor: int) -> bool:
        self._steps("store.clone")
        self._flushed = False
        with translated(""):
            return clone(descriptor, self._descriptor)

    def copy_from(self, descriptor: int) -> None:
        """Take the whole content of an open file of the same store, shared or copied."""
        self._steps("store.write")
        self._flushed = False
        with translated(""):
            copy_content(descriptor, self._descriptor)

    def read_back(self) -> Iterator[bytes]:
        with translated(""):
            position = 0
            while chunk := self._read_at(position):
                position += len(chunk)
                yield chunk

    def _read_at(self, position: int) -> bytes:
        """A piece of what was taken; the next write still goes behind all of it."""
        os.lseek(self._descriptor, position, os.SEEK_SET)
        try:
            return os.read(self._descriptor, _CHUNK)
        finally:
            os.lseek(self._descriptor, 0, os.SEEK_END)

    def flush(self) -> None:
        if self._flushed:
            return
        self._steps("store.sync")
        with translated(""):
            sync_file(self._descriptor)
        self._flushed = True

    def commit(self, path: str) -> None:
        check_store_path(path)
        self.flush()
        self.close()
        tree, changed = self._files.tree, set[str]()
        with translated(path, missing=UnavailableError), tree.enter("") as base:
            self.place(path, changed)
            sync_directories(tree, base, changed, self._steps)

    def place(self, path: str, changed: set[str]) -> None:
        """The rename alone; directories to be made durable are added to `changed`."""
        directory, leaf = split(path)
        with self._files.tree.enter(self._files.directory) as temporary:
            self._files.publish(temporary, [(self.name, leaf)], directory, changed)
        self._committed = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
