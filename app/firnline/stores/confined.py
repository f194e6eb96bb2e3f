"""The directory of a store, and the only way into it.

Somebody else may write into a store, so no link inside it is followed: not as the last part of a
path, and not on the way there, not even one that is put there between a check and a use. Where the
system can (`openat`), directories are opened one below the other by handle; elsewhere (Windows)
each is looked at before its path is used.

Nothing stays open between two calls: a stick can be unplugged, a share unmounted. A base that is
missing is never made here, and one that is another directory than at the start (something was
unmounted, or mounted over it) is taken for missing. Some file systems (FAT, FUSE) may give a
directory another inode after a while; who connects again then finds the same store.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from firnline.core.steps import Steps
from firnline.stores.errors import DeniedError, UnavailableError
from firnline.stores.os_errors import base_error

BY_HANDLE = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# To pass through a directory, O_PATH is enough, and costs a file server nothing.
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_REPARSE_POINT = 0x400
_NO_DIRECTORY = (errno.ENOTDIR, errno.ELOOP)


class Place(NamedTuple):
    """A directory of the store for the time of one call."""

    descriptor: int | None
    """An open handle, to be given to the `dir_fd` of the functions of `os`."""
    prefix: str
    """What stands before a name in it: nothing beside a handle, else the directory's path."""

    def name(self, leaf: str) -> str:
        """How the functions of `os` are told of `leaf` in this directory."""
        return self.prefix + leaf

    @property
    def itself(self) -> int | str:
        """The directory for functions that take a handle or a path."""
        return self.prefix if self.descriptor is None else self.descriptor


class ConfinedTree:
    """Directories below a base that exists. May be used from several threads at once."""

    def __init__(self, base: Path, *, steps: Steps, mode: int, by_handle: bool) -> None:
        """`mode` is that of directories that are made, before the umask.

        Raises UnavailableError when the base is not there.
        """
        self.base = str(base)
        self._steps = steps
        self._mode = mode
        self._by_handle = by_handle
        self._identity: tuple[int, int] | None = None
        """Device and inode of the base."""
        with self.enter("") as place:
            self._identity = _identity(os.stat(place.itself))

    @contextmanager
    def enter(self, directory: str, changed: set[str] | None = None) -> Iterator[Place]:
        """The place that `directory` (relative, already checked) is.

        With `changed`, missing directories are made and those that got a new name are added to it,
        to be made durable by the caller. Raises UnavailableError when the base is not there,
        DeniedError when something else stands where a directory has to be made, and OSError.
        """
        parts = directory.split("/") if directory else []
        if not self._by_handle:
            yield Place(None, self._walk_paths(parts, changed) + os.sep)
            return
        descriptor = self._walk_handles(parts, changed)
        try:
            yield Place(descriptor, "")
        finally:
            os.close(descriptor)

    def _walk_handles(self, parts: list[str], changed: set[str] | None) -> int:
        descriptor = self._open_base(_PASS if parts else _DIRECTORY)
        for depth in range(1, len(parts) + 1):
            flags = _DIRECTORY if depth == len(parts) else _PASS
            try:
                inner = self._step_in(descriptor, parts[:depth], flags | NO_FOLLOW, changed)
            finally:
                os.close(descriptor)
            descriptor = inner
        return descriptor

    def _open_base(self, flags: int) -> int:
        try:
            descriptor = os.open(self.base, flags)
        except OSError as error:
            raise base_error(error) from error
        try:
            self._check_same(os.fstat(descriptor))
        except UnavailableError:
            os.close(descriptor)
            raise
        return descriptor

    def _step_in(
        self, descriptor: int, parts: list[str], flags: int, changed: set[str] | None
    ) -> int:
        try:
            return os.open(parts[-1], flags, dir_fd=descriptor)
        except OSError as error:
            if not self._can_make(error, parts, changed):
                raise
        self._make(parts[-1], descriptor, parts, changed)
        return os.open(parts[-1], flags, dir_fd=descriptor)

    def _walk_paths(self, parts: list[str], changed: set[str] | None) -> str:
        path = self.base
        try:
            self._check_same(os.stat(path))
            if not os.path.isdir(path):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        except OSError as error:
            raise base_error(error) from error
        for depth, part in enumerate(parts, 1):
            path = os.path.join(path, part)
            try:
                _check_plain_directory(path)
            except OSError as error:
                if not self._can_make(error, parts[:depth], changed):
                    raise
                self._make(path, None, parts[:depth], changed)
        return path

    def _check_same(self, status: os.stat_result) -> None:
        if self._identity not in (None, _identity(status)):
            raise UnavailableError("", "another disk or directory is there now")

    def _can_make(self, error: OSError, parts: list[str], changed: set[str] | None) -> bool:
        """True when a directory is missing and to be made. Raises DeniedError.

        `error` is raised again where it was caught: raised here it would hold this call, which
        holds it, and so all calls that led here with all they have at hand, until somebody looks
        for cycles.
        """
        if changed is None:
            return False
        if error.errno in _NO_DIRECTORY:
            raise DeniedError("/".join(parts), "not a directory") from error
        return error.errno == errno.ENOENT

    def _make(
        self, name: str, descriptor: int | None, parts: list[str], changed: set[str] | None
    ) -> None:
        self._steps("store.mkdir")
        with suppress(FileExistsError):
            os.mkdir(name, self._mode, dir_fd=descriptor)
        if changed is not None:
            changed.add("/".join(parts[:-1]))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _check_plain_directory(path: str) -> None:
    """Raises NotADirectoryError for a file, a link or (on Windows) a junction."""
    found = os.lstat(path)
    attributes = getattr(found, "st_file_attributes", 0)
    if not stat.S_ISDIR(found.st_mode) or attributes & _REPARSE_POINT:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
