"""The same for another file system inside the folder (a mounted disk, a btrfs subvolume).

No rename reaches there from `.firnline`, so files are copied to a temporary name of ours beside
their target, and what is replaced or taken away is copied into the kept area from there. A
process that dies here may leave such a name (`core.paths.TEMPORARY_PREFIX`); a scan tells of it.

All functions raise FolderError or OSError, as those of `replace`.
"""

import os

from firnline.core.event import Kind
from firnline.core.paths import TEMPORARY_PREFIX
from firnline.core.steps import Steps
from firnline.folder import kernel
from firnline.folder.access import Access
from firnline.folder.durable import Barrier
from firnline.folder.errors import Changed, FolderError, OtherDevice
from firnline.folder.looking import expect, is_expected
from firnline.folder.metadata import Placed, Stat, stat_of
from firnline.folder.temporary import new_name

_CHUNK = 4 * 2**20
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def beside(path: str) -> str:
    """A temporary name of ours in the same directory."""
    directory, slash, _ = path.rpartition("/")
    return f"{directory}{slash}{TEMPORARY_PREFIX}{new_name()}"


class Across:
    """Replacing and moving where a rename answers EXDEV."""

    def __init__(self, access: Access, steps: Steps, barrier: Barrier) -> None:
        self._access = access
        self._steps = steps
        self._barrier = barrier

    def place(self, source: str, path: str, new: Stat) -> Stat:
        """The finished file `source` is at `path`, which was absent."""
        arrived = beside(path)
        found = self._copy(source, arrived, new)
        self._steps("place")
        try:
            self._access.rename_new(arrived, path)
        except (OSError, FolderError):
            self._drop(arrived)
            raise
        self._drop(source)
        self._barrier.elsewhere(path)
        return found

    def replace(self, source: str, path: str, expected: Stat, slot: str, new: Stat) -> Placed:
        """Raises OtherDevice where that file system cannot exchange two names."""
        arrived = beside(path)
        found = self._copy(source, arrived, new)
        self._steps("replace")
        try:
            self._access.exchange(arrived, path)
        except (OSError, FolderError) as error:
            self._drop(arrived)
            if isinstance(error, FileNotFoundError):
                raise Changed(path, "was removed by somebody else") from error
            if isinstance(error, OSError) and error.errno in kernel.UNSUPPORTED:
                raise OtherDevice(path, "on a file system that cannot replace safely") from error
            raise
        old = stat_of(self._access.lstat(arrived))
        if old.kind not in (Kind.FILE, Kind.LINK):
            self._steps("put back")
            self._access.exchange(arrived, path)
            self._drop(arrived)
            raise Changed(path, "no file stands there any more")
        kept, old = self._carry(arrived, slot, old)
        self._drop(source)
        self._barrier.elsewhere(path)
        return Placed(found, kept, not old.same_version(expected))

    def take_away(self, path: str, expected: Stat, slot: str) -> None:
        """What stood at `path` is in the kept area."""
        aside = self._set_aside(path, expected)
        self._carry(aside, slot, expected)
        self._barrier.elsewhere(path)

    def move(self, source: str, target: str, expected: Stat) -> Stat:
        """The target's stat: it is another file there, with the same content, mode and time."""
        arrived = beside(target)
        found = self._copy(source, arrived, expected)
        self._steps("move")
        try:
            expect(self._access, source, expected)
            self._access.rename_new(arrived, target)
        except (OSError, FolderError):
            self._drop(arrived)
            raise
        try:
            aside = self._set_aside(source, expected)
        except FolderError:
            if is_expected(self._access, target, found):
                self._drop(target)
            raise
        self._drop(aside)
        self._barrier.elsewhere(source)
        self._barrier.elsewhere(target)
        return found

    def _set_aside(self, path: str, expected: Stat) -> str:
        """Where the file is now, if it was the expected one. Raises Changed."""
        aside = beside(path)
        self._steps("take away")
        self._access.rename_new(path, aside)
        if not is_expected(self._access, aside, expected):
            self._steps("put back")
            self._access.rename_new(aside, path)
            raise Changed(path, "was changed by somebody else")
        return aside

    def _carry(self, source: str, slot: str, old: Stat) -> tuple[Stat, Stat]:
        """Copy, then remove; copied again where somebody wrote meanwhile through an open file.

        The stat of the copy, and of what was copied.
        """
        kept = self._copy(source, slot, old)
        while not is_expected(self._access, source, old):
            old = stat_of(self._access.lstat(source))
            self._drop(slot)
            kept = self._copy(source, slot, old)
        self._drop(source)
        return kept, old

    def _drop(self, path: str) -> None:
        self._steps("drop copy")
        self._access.unlink(path)

    def _copy(self, source: str, target: str, like: Stat) -> Stat:
        """A file or link of the same content, mode and time, under a new name."""
        self._steps("copy")
        if like.kind is Kind.LINK:
            self._access.symlink(self._access.read_link(source), target)
        else:
            self._copy_file(source, target, like)
        self._access.set_times(target, like.mtime_ns)
        return stat_of(self._access.lstat(target))

    def _copy_file(self, source: str, target: str, like: Stat) -> None:
        reading = self._access.open(source, _READ)
        try:
            writing = self._access.open(target, _CREATE)
            try:
                while chunk := os.read(reading, _CHUNK):
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[os.write(writing, rest) :]
                if hasattr(os, "fchmod"):
                    os.fchmod(writing, like.mode)
            except OSError:
                self._drop(target)
                raise
            finally:
                os.close(writing)
        finally:
            os.close(reading)
