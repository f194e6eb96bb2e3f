"""File actions by whole paths, for systems without directory handles (Windows).

Every parent is looked at before each action: a link or a mount of another kind (a junction) there
is refused. Between the look and the action somebody with rights in this folder could still swap
one; Python offers nothing better there.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from firnline.folder.access import Entry
from firnline.folder.errors import NameImpossible, NotInside

_WINDOWS = os.name == "nt"
_REPARSE_POINT = 0x400
_FLAGS = sum(
    getattr(os, name, 0) for name in ("O_BINARY", "O_NOINHERIT", "O_CLOEXEC", "O_NOFOLLOW")
)


def check_windows(path: str) -> None:
    """Raises NameImpossible for what Windows would take for something else, or refuse.

    Drives, streams, devices; a dot or space at the end, which Windows drops without a word.
    """
    from firnline.core.local_names import WINDOWS

    for part in path.split("/"):
        objection = WINDOWS.objection(part)
        if objection is not None:
            raise NameImpossible(path, f"{objection} on Windows")


def _leads_elsewhere(found: os.stat_result) -> bool:
    attributes = getattr(found, "st_file_attributes", 0)
    return stat.S_ISLNK(found.st_mode) or bool(attributes & _REPARSE_POINT)


class PathEntry:
    """An `Entry` whose stat is the file's own: what Windows lists has no inode, and may be old."""

    __slots__ = ("_entry", "name")

    def __init__(self, entry: "os.DirEntry[str]") -> None:
        self._entry = entry
        self.name = entry.name

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._entry.is_dir(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self._entry.path, follow_symlinks=follow_symlinks)


class PathDirectory:
    """An `OpenDirectory` by its path. Raises NotInside where a link or no directory stands."""

    __slots__ = ("_path", "device")

    def __init__(self, path: str, *, link_allowed: bool = False) -> None:
        found = os.stat(path, follow_symlinks=link_allowed)
        if not stat.S_ISDIR(found.st_mode) or (not link_allowed and _leads_elsewhere(found)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        self._path = path
        self.device = found.st_dev

    @contextmanager
    def _listing(self) -> Iterator[Iterator[Entry]]:
        with os.scandir(self._path) as found:
            yield (PathEntry(entry) for entry in found)

    def entries(self) -> AbstractContextManager[Iterator[Entry]]:
        return self._listing()

    def child(self, name: str) -> "PathDirectory":
        return PathDirectory(os.path.join(self._path, name))

    def expect(self, names: Iterable[str], length: int) -> None:
        """Windows takes no such hint."""

    def sync(self) -> None:
        """Windows has no such thing: there the entry is durable with the file."""
        if not _WINDOWS:
            descriptor = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Nothing is open."""


class Paths:
    """`Access` by whole paths."""

    def __init__(self, root: str, *, windows: bool = _WINDOWS) -> None:
        self._root = root
        self._windows = windows

    def _at(self, path: str) -> str:
        """The whole path, its parents looked at. Raises NotInside, NameImpossible."""
        if not path:
            return self._root
        if self._windows:
            check_windows(path)
        current = self._root
        *parents, leaf = path.split("/")
        for depth, part in enumerate(parents, 1):
            current = os.path.join(current, part)
            found = os.stat(current, follow_symlinks=False)
            if not stat.S_ISDIR(found.st_mode) or _leads_elsewhere(found):
                detail = "a link or no directory, where a directory was"
                raise NotInside("/".join(parents[:depth]), detail)
        return os.path.join(current, leaf)

    def lstat(self, path: str) -> os.stat_result:
        return os.stat(self._at(path), follow_symlinks=not path)

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        return os.open(self._at(path), flags | _FLAGS, mode)

    def read_link(self, path: str) -> str:
        return os.readlink(self._at(path))

    def make_directory(self, path: str, mode: int) -> None:
        os.mkdir(self._at(path), mode)

    def remove_directory(self, path: str) -> None:
        os.rmdir(self._at(path))

    def unlink(self, path: str) -> None:
        place = self._at(path)
        self._despite_read_only(place, lambda: os.unlink(place))

    def rename(self, source: str, target: str) -> None:
        old, new = self._at(source), self._at(target)
        self._despite_read_only(new, lambda: os.replace(old, new))

    def _despite_read_only(self, place: str, change: Callable[[], None]) -> None:
        """Windows removes and replaces no file that is marked read-only. Elsewhere that is the
        directory's business, and its mark says something else."""
        try:
            change()
        except PermissionError:
            mode = os.lstat(place).st_mode if self._windows and os.path.lexists(place) else 0
            if not stat.S_ISREG(mode) or mode & stat.S_IWUSR:
                raise
            os.chmod(place, stat.S_IMODE(mode) | stat.S_IWUSR)
            try:
                change()
            except OSError:
                os.chmod(place, stat.S_IMODE(mode))
                raise

    def rename_new(self, source: str, target: str) -> None:
        """On Windows `os.rename` replaces nothing; elsewhere there is only a look before."""
        old, new = self._at(source), self._at(target)
        if not _WINDOWS and os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
        os.rename(old, new)

    def exchange(self, source: str, target: str) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def link(self, source: str, target: str) -> None:
        options: dict[str, Any] = {}
        if os.link in os.supports_follow_symlinks:
            options["follow_symlinks"] = False
        os.link(self._at(source), self._at(target), **options)

    def symlink(self, text: str, path: str) -> None:
        os.symlink(text, self._at(path))

    def set_times(self, path: str, nanoseconds: int) -> None:
        place = self._at(path)
        if _leads_elsewhere(os.stat(place, follow_symlinks=False)):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), place)
        os.utime(place, ns=(nanoseconds, nanoseconds))

    def open_directory(self, path: str) -> PathDirectory:
        return PathDirectory(self._at(path), link_allowed=not path)

    def sync_all(self) -> bool:
        return False

    def forget(self) -> None:
        """Nothing is kept open."""
