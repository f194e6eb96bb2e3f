"""File actions through directory handles (Linux, macOS).

Each parent is opened in turn, relative to the one before and never through a link: a path string
would be looked up anew at each call, and whoever swaps a directory for a link in between would
have us write elsewhere (docs/design.md section 10.7).

Handles are kept, since thousands of files lie in few directories. A kept one is taken only after
a look whether its name still leads to it: a directory that the user moved away meanwhile, to the
trash for example, is not written any more.
"""

import errno
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple

from firnline.folder import kernel
from firnline.folder.access import OWN_DIRECTORIES, Entry
from firnline.folder.errors import NotInside

AVAILABLE = {os.open, os.stat, os.mkdir, os.rename, os.link, os.unlink} <= os.supports_dir_fd
KEPT_HANDLES = 64

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_HINT = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | _NO_FOLLOW
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_FOLLOW
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, *kernel.UNSUPPORTED})


class HandleDirectory:
    """An `OpenDirectory` by its descriptor."""

    __slots__ = ("_descriptor", "device")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.device = os.fstat(descriptor).st_dev

    def entries(self) -> AbstractContextManager[Iterator[Entry]]:
        return os.scandir(self._descriptor)

    def child(self, name: str) -> "HandleDirectory":
        return HandleDirectory(os.open(name, _DIRECTORY, dir_fd=self._descriptor))

    def expect(self, names: Iterable[str], length: int) -> None:
        if not hasattr(os, "posix_fadvise"):
            return
        for name in names:
            try:
                descriptor = os.open(name, _HINT, dir_fd=self._descriptor)
            except OSError:
                continue
            try:
                os.posix_fadvise(descriptor, 0, length, os.POSIX_FADV_WILLNEED)
            except OSError:
                pass
            finally:
                os.close(descriptor)

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class _Handle(NamedTuple):
    descriptor: int
    device: int
    inode: int


class Handles:
    """`Access` by directory handles. One lock covers finding a parent and using it: a handle that
    another thread closes meanwhile could be another directory's number."""

    def __init__(self, root: str, *, limit: int = KEPT_HANDLES) -> None:
        self._path = root
        self._limit = limit
        self._lock = threading.RLock()
        self._root: int | None = None
        self._open: OrderedDict[str, _Handle] = OrderedDict()
        self._dropped: list[int] = []

    # -- actions

    def lstat(self, path: str) -> os.stat_result:
        with self._lock:
            parent, leaf = self._parent(path)
            if not leaf:
                return os.fstat(parent)
            return os.stat(leaf, dir_fd=parent, follow_symlinks=False)

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        with self._lock:
            parent, leaf = self._parent(path)
            return os.open(leaf, flags | _NO_FOLLOW, mode, dir_fd=parent)

    def read_link(self, path: str) -> str:
        with self._lock:
            parent, leaf = self._parent(path)
            return os.readlink(leaf, dir_fd=parent)

    def make_directory(self, path: str, mode: int) -> None:
        with self._lock:
            parent, leaf = self._parent(path)
            os.mkdir(leaf, mode, dir_fd=parent)

    def remove_directory(self, path: str) -> None:
        with self._lock:
            parent, leaf = self._parent(path)
            os.rmdir(leaf, dir_fd=parent)

    def unlink(self, path: str) -> None:
        with self._lock:
            parent, leaf = self._parent(path)
            os.unlink(leaf, dir_fd=parent)

    def rename(self, source: str, target: str) -> None:
        with self._lock:
            parent, leaf = self._parent(source)
            directory, name = self._parent(target, keep=True)
            os.rename(leaf, name, src_dir_fd=parent, dst_dir_fd=directory)

    def rename_new(self, source: str, target: str) -> None:
        with self._lock:
            parent, leaf = self._parent(source)
            directory, name = self._parent(target, keep=True)
            try:
                kernel.rename_exclusive(parent, leaf, directory, name)
            except OSError as error:
                if error.errno not in kernel.UNSUPPORTED:
                    raise
                _link_and_unlink(parent, leaf, directory, name)

    def exchange(self, source: str, target: str) -> None:
        with self._lock:
            parent, leaf = self._parent(source)
            directory, name = self._parent(target, keep=True)
            kernel.exchange(parent, leaf, directory, name)

    def link(self, source: str, target: str) -> None:
        with self._lock:
            parent, leaf = self._parent(source)
            directory, name = self._parent(target, keep=True)
            os.link(leaf, name, src_dir_fd=parent, dst_dir_fd=directory, follow_symlinks=False)

    def symlink(self, text: str, path: str) -> None:
        with self._lock:
            parent, leaf = self._parent(path)
            os.symlink(text, leaf, dir_fd=parent)

    def set_times(self, path: str, nanoseconds: int) -> None:
        with self._lock:
            parent, leaf = self._parent(path)
            times = (nanoseconds, nanoseconds)
            os.utime(leaf, ns=times, dir_fd=parent, follow_symlinks=False)

    def open_directory(self, path: str) -> HandleDirectory:
        with self._lock:
            self._close_spare()
            directory = self._directory(path)
            return HandleDirectory(os.open(".", _DIRECTORY, dir_fd=directory))

    def sync_all(self) -> bool:
        with self._lock:
            self._close_spare()
            descriptor = os.dup(self._directory(""))
        try:
            kernel.sync_file_system(descriptor)
        except OSError as error:
            if error.errno not in kernel.UNSUPPORTED:
                raise
            return False
        finally:
            os.close(descriptor)
        return True

    def forget(self) -> None:
        with self._lock:
            self._dropped += [handle.descriptor for handle in self._open.values()]
            self._open.clear()
            if self._root is not None:
                self._dropped.append(self._root)
                self._root = None
            self._close_spare()

    # -- handles

    def _parent(self, path: str, *, keep: bool = False) -> tuple[int, str]:
        """A handle of the directory that holds `path`, and the name in it.

        `keep`: nothing is closed before this one is found, since the caller holds another.
        """
        if not keep:
            self._close_spare()
        directory, _, leaf = path.rpartition("/")
        return self._directory(directory), leaf

    def _directory(self, path: str) -> int:
        if self._root is None:
            self._root = os.open(self._path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        current = self._root
        if not path:
            return current
        known = self._open.get(path)
        if known is not None and path in OWN_DIRECTORIES:
            # Nobody else has business there, and they are used for every file.
            return known.descriptor
        prefix = ""
        for part in path.split("/"):
            prefix = f"{prefix}/{part}" if prefix else part
            current = self._child(current, part, prefix)
        return current

    def _child(self, parent: int, name: str, path: str) -> int:
        known = self._open.get(path)
        if known is not None:
            if _leads_to(parent, name, known):
                self._open.move_to_end(path)
                return known.descriptor
            self._drop(path)
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise NotInside(path, "a link or no directory, where a directory was") from error
            raise
        found = os.fstat(descriptor)
        self._open[path] = _Handle(descriptor, found.st_dev, found.st_ino)
        return descriptor

    def _drop(self, path: str) -> None:
        below = path + "/"
        for name in [name for name in self._open if name == path or name.startswith(below)]:
            self._dropped.append(self._open.pop(name).descriptor)

    def _close_spare(self) -> None:
        """Closes what is too much. Only between two actions: within one, each handle is in use."""
        while len(self._open) > self._limit:
            self._dropped.append(self._open.popitem(last=False)[1].descriptor)
        while self._dropped:
            os.close(self._dropped.pop())


def _leads_to(parent: int, name: str, handle: _Handle) -> bool:
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except OSError:
        return False
    return found.st_ino == handle.inode and found.st_dev == handle.device


def _link_and_unlink(parent: int, leaf: str, directory: int, name: str) -> None:
    """`rename_new` where there is no such call: a link fails where something stands.

    Directories, and files where there are no hard links, are looked at and then renamed.
    """
    found = os.stat(leaf, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        try:
            os.link(leaf, name, src_dir_fd=parent, dst_dir_fd=directory, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            os.unlink(leaf, dir_fd=parent)
            return
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(leaf, name, src_dir_fd=parent, dst_dir_fd=directory)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
