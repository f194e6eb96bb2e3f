"""The directory store: a disk, a stick, a mounted share.

Assumes a file system whose rename is atomic. Promises what `stores.base` says, durably on file
systems that honour fsync, and never leaves its base, whatever somebody else puts into it
(`stores.confined`).

Modes: files and directories get what the umask leaves, like everything else that people put on a
share, so that another account that shares the store can read it; a group that shares one sets its
umask or a default ACL. With `private`, as for the home store, only the owner has access, whatever
the umask.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Capabilities, Listed
from firnline.stores.bulk import put_many
from firnline.stores.cloning import write_all
from firnline.stores.confined import BY_HANDLE, ConfinedTree, Place
from firnline.stores.durability import (
    publish_exclusively,
    replace,
    sync_directories,
    sync_directory,
    sync_file,
)
from firnline.stores.errors import (
    CorruptError,
    DeniedError,
    FullError,
    NotFoundError,
    StoreError,
    UnavailableError,
)
from firnline.stores.layout import ConnectionLayout
from firnline.stores.os_errors import base_error, is_missing, translated
from firnline.stores.store_path import check_store_directory, check_store_path
from firnline.stores.transfer import (
    NEW_FILE,
    DirectoryReader,
    DirectoryUpload,
    TemporaryFiles,
    split,
)

HAS_STATVFS = hasattr(os, "statvfs")
_ABLE = Capabilities(
    exclusive_create=True,
    atomic_rename=True,
    server_copy=True,
    lists_after=False,
    watchable=True,
    clones=True,
)


class DirectoryStore:
    """A store whose base is a directory of this computer. See `stores.base.Store`.

    Only one instance at a time may use a connection: opening it sweeps the connection's `tmp/`.
    """

    kind = "directory"

    def __init__(
        self,
        base: Path,
        *,
        connection: str | None,
        clock: Clock,
        steps: Steps = no_steps,
        private: bool = False,
        by_handle: bool = BY_HANDLE,
    ) -> None:
        """`connection` is the CONNHASH in whose `tmp/` files are written; None: only reads.

        Raises UnavailableError when the base is not there (see `create_base`).
        """
        self._steps = steps
        self._clock = clock
        directory_mode, file_mode = (0o700, 0o600) if private else (0o777, 0o666)
        self._tree = ConfinedTree(base, steps=steps, mode=directory_mode, by_handle=by_handle)
        temporary = ConnectionLayout(connection).tmp if connection is not None else None
        self._files = TemporaryFiles(
            self._tree, temporary, steps=steps, mode=file_mode, sleep=clock.sleep
        )
        self._file_mode = file_mode
        self._clones: bool | None = None if temporary else False
        if temporary:
            self._files.sweep()

    @staticmethod
    def create_base(base: Path, *, steps: Steps = no_steps, private: bool = False) -> None:
        """Make a base directory and what is missing above it, durably; one that is there stays.

        Raises DeniedError, FullError or UnavailableError.
        """
        try:
            for directory in [*reversed(base.parents), base]:
                if not directory.is_dir():
                    steps("store.make_base")
                    directory.mkdir(0o700 if private else 0o777, exist_ok=True)
                    sync_directory(Place(None, str(directory.parent)))
        except OSError as error:
            raise base_error(error) from error

    @property
    def capabilities(self) -> Capabilities:
        """Whether blocks can be shared is tried out once, with a file of its own."""
        if self._clones is None:
            with suppress(StoreError):
                self._clones = self._try_clone()
        return _ABLE._replace(clones=bool(self._clones))

    def _try_clone(self) -> bool:
        with self.upload() as first, self.upload() as second:
            first.write(bytes(4096))
            return second.clone(first.descriptor)

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        check_store_directory(directory)
        return self._list(directory, after, sizes)

    def _list(self, directory: str, after: str, sizes: bool) -> Iterator[Listed]:
        with translated(directory, missing=UnavailableError), ExitStack() as stack:
            try:
                place = stack.enter_context(self._tree.enter(directory))
            except OSError as error:
                if is_missing(error):
                    return
                raise
            for entry in stack.enter_context(os.scandir(place.itself)):
                name = entry.name if entry.name.isascii() else _printable(entry.name)
                if name <= after:
                    continue
                if entry.is_file(follow_symlinks=False):
                    yield Listed(name, _size(entry) if sizes else None, False)
                elif entry.is_dir(follow_symlinks=False):
                    yield Listed(name, None, True)

    def size(self, path: str) -> int | None:
        try:
            status = self._status(path)
        except NotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def _status(self, path: str) -> os.stat_result:
        directory, leaf = split(path)
        with translated(path), self._tree.enter(directory) as place:
            return os.stat(place.name(leaf), dir_fd=place.descriptor, follow_symlinks=False)

    def open(self, path: str, offset: int = 0, length: int | None = None) -> DirectoryReader:
        return DirectoryReader(self._tree, path, offset, length)

    def read_small(self, path: str, limit: int) -> bytes:
        with self.open(path) as reader:
            body = reader.read(limit) if reader.size <= limit else None
        if body is None:
            raise CorruptError(path, f"larger than {limit} bytes")
        return body

    def upload(self) -> DirectoryUpload:
        return DirectoryUpload(self._files)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        put_many(self._files, files)

    def create(self, path: str, body: bytes) -> None:
        directory, leaf = split(path)
        changed = {directory}
        with self.upload() as upload:
            upload.write(body)
            upload.flush()
            upload.close()
            with translated(path, missing=UnavailableError), ExitStack() as stack:
                base = stack.enter_context(self._tree.enter(""))
                temporary = stack.enter_context(self._tree.enter(self._files.directory))
                target = stack.enter_context(self._tree.enter(directory, changed))
                self._steps("store.create")
                if not publish_exclusively(temporary, upload.name, target, leaf):
                    self._create_in_place(target, leaf, body)
                sync_directories(self._tree, base, changed, self._steps)

    def _create_in_place(self, place: Place, leaf: str, body: bytes) -> None:
        """The last resort. A stop in the middle leaves a short file, which counts as absent."""
        descriptor = os.open(place.name(leaf), NEW_FILE, self._file_mode, dir_fd=place.descriptor)
        try:
            write_all(descriptor, body)
            sync_file(descriptor)
        except OSError:
            os.unlink(place.name(leaf), dir_fd=place.descriptor)
            raise
        finally:
            os.close(descriptor)

    def rename(self, source: str, target: str) -> None:
        (old_directory, name), (directory, leaf) = split(source), split(target)
        self._files.check_writable()
        if not stat.S_ISREG(self._status(source).st_mode):
            raise NotFoundError(source, "not a file")
        changed = {old_directory, directory}
        with translated(target), ExitStack() as stack:
            base = stack.enter_context(self._tree.enter(""))
            old_place = stack.enter_context(self._tree.enter(old_directory))
            place = stack.enter_context(self._tree.enter(directory, changed))
            self._steps("store.rename")
            replace(old_place, name, place, leaf, self._clock.sleep)
            sync_directories(self._tree, base, changed, self._steps)

    def copy(self, source: str, target: str) -> None:
        check_store_path(target)
        with self.open(source) as reader, self.upload() as upload:
            upload.copy_from(reader.descriptor)
            upload.commit(target)

    def delete(self, path: str) -> None:
        """Not waited for: after a loss of power the file may be back."""
        directory, leaf = split(path)
        self._files.check_writable()
        self._steps("store.delete")
        with translated(path):
            try:
                with self._tree.enter(directory) as place:
                    os.unlink(place.name(leaf), dir_fd=place.descriptor)
            except OSError as error:
                if not is_missing(error) and not isinstance(error, IsADirectoryError):
                    raise

    def server_time(self) -> datetime | None:
        try:
            with self.upload() as upload:
                seconds = os.fstat(upload.descriptor).st_mtime
            return datetime.fromtimestamp(seconds, UTC)
        except (DeniedError, FullError, ValueError, OverflowError):
            return None

    def free_space(self) -> int | None:
        with translated(""), self._tree.enter("") as place:
            if HAS_STATVFS:
                room = os.statvfs(place.itself)
                return room.f_bavail * room.f_frsize
            import shutil

            return shutil.disk_usage(place.prefix).free

    def close(self) -> None:
        """Nothing is open between two calls."""


def _size(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:  # removed since it was listed
        return None


def _printable(name: str) -> str:
    """A name that is not valid Unicode, as one that can be shown and stored."""
    return os.fsencode(name).decode("utf-8", "replace")
