"""The durability barrier: one wait for many changes, not one for each.

    barrier.file(path)        its content was written since the last wait
    barrier.directory(path)   its names were
    barrier.wait()            now all of that survives a power cut

Where the system can make a whole file system durable in one call (Linux), that is used, except
for a handful of files: it would also wait for all that other programs wrote.
"""

import os
import sys

from firnline.core.steps import Steps
from firnline.folder.access import Access
from firnline.folder.errors import NotInside

_HANDFUL = 4
_ALL_AT_ONCE = sys.platform == "linux"
_SYNC_FLAGS = os.O_RDWR if os.name == "nt" else os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


class Barrier:
    """What one folder has still to make durable."""

    def __init__(self, access: Access, steps: Steps) -> None:
        self._access = access
        self._steps = steps
        self._files: dict[str, None] = {}
        self._directories: dict[str, None] = {}
        self._elsewhere: dict[str, None] = {}
        self._many = False

    def file(self, path: str) -> None:
        if not self._many:
            self._files[path] = None
            self._count()

    def renamed(self, path: str) -> None:
        """What was noted of `path` stands elsewhere now, and is noted there."""
        self._files.pop(path, None)

    def directory(self, path: str) -> None:
        if not self._many:
            self._directories[path] = None
            self._count()

    def elsewhere(self, path: str) -> None:
        """A file on another file system inside the folder, which one call would not reach."""
        self._elsewhere[path] = None

    def _count(self) -> None:
        """Where one call does it, more than a handful of names need not be remembered."""
        count = len(self._files) + len(self._directories)
        self._many = _ALL_AT_ONCE and count > _HANDFUL

    @property
    def is_for_all(self) -> bool:
        """The next wait makes the whole file system durable, whatever is noted besides."""
        return self._many

    def wait(self) -> None:
        """Raises OSError; what was not made durable is tried again by the next wait."""
        if not (self._files or self._directories or self._elsewhere):
            return
        self._steps("barrier")
        if self._many or not self._one_by_one():
            self._everything()
        for path in self._elsewhere:
            self._sync_file(path)
            self._sync_directory(path.rpartition("/")[0])
        self._files.clear()
        self._directories.clear()
        self._elsewhere.clear()
        self._many = False

    def _everything(self) -> None:
        if not self._access.sync_all() and hasattr(os, "sync"):
            os.sync()

    def _one_by_one(self) -> bool:
        """False when one could not be opened, for want of a permission for example."""
        files = [self._sync_file(path) for path in self._files]
        directories = [self._sync_directory(path) for path in self._directories]
        return all(files) and all(directories)

    def _sync_file(self, path: str) -> bool:
        try:
            descriptor = self._access.open(path, _SYNC_FLAGS)
        except (OSError, NotInside):
            return False
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        return True

    def _sync_directory(self, path: str) -> bool:
        try:
            directory = self._access.open_directory(path)
        except (OSError, NotInside):
            return False
        try:
            directory.sync()
        finally:
            directory.close()
        return True


def sync_file(descriptor: int) -> None:
    """The content of an open file survives a power cut when this returns."""
    if sys.platform == "darwin":
        # There fsync stops at the disk's own cache.
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)
