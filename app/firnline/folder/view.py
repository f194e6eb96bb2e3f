"""Looking at one folder: all that reads and changes nothing."""

import os
import stat
from collections.abc import Iterable
from contextlib import closing, suppress

from firnline.core.clock import Clock
from firnline.core.event import Kind
from firnline.core.paths import normalize
from firnline.core.steps import Steps, no_steps
from firnline.folder import handles
from firnline.folder.access import KEPT, Access, OpenDirectory, check_local
from firnline.folder.area import OwnArea, kept_path, list_names
from firnline.folder.errors import Changed, NotInside, translating
from firnline.folder.handles import Handles
from firnline.folder.looking import look
from firnline.folder.metadata import Stat, stat_of
from firnline.folder.portable import Paths

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

_RESERVE = 32 * 2**20
_RESERVED_PART = 20
"""What stays free on the folder's disk: so many bytes, on a small disk a twentieth of it."""


class View:
    """What stands in the folder at `path`, a directory of this computer.

    Nothing is opened before the first action; `forget` closes what is kept open, so that a disk
    can be unmounted between passes.
    """

    def __init__(self, path: str, *, steps: Steps = no_steps, access: Access | None = None) -> None:
        """`access`: the system decides when it is not given."""
        self.path = os.path.abspath(path)
        self.steps = steps
        if access is None:
            access = Handles(self.path) if handles.AVAILABLE else Paths(self.path)
        self.access = access
        self.area = OwnArea(access, steps)
        self.ahead_ns = 0
        """How far the clock that stamps the files is ahead of this computer's, in nanoseconds: a
        server has one of its own. See `Root.ask_clock`."""

    def now_ns(self, clock: Clock) -> int:
        """Nanoseconds since 1970, by the clock that stamps the files."""
        return int(clock.now().timestamp() * 1e9) + self.ahead_ns

    def forget(self) -> None:
        """Close all directories that are kept open."""
        self.access.forget()
        self.area.forget()

    @property
    def has_modes(self) -> bool:
        """False where the file system has no execute bit of its own and invents one."""
        return self.area.has_modes

    def stat(self, path: str) -> Stat | None:
        """What stands at `path`, links not followed; None for nothing, also where a parent is
        missing, a link or no directory."""
        check_local(path)
        with translating(path):
            return look(self.access, path, modes=self.has_modes)

    def open_read(self, path: str) -> int:
        """A descriptor for reading a regular file; the caller closes it.

        Raises Changed for anything else, and never waits (a fifo). Raises Vanished.
        """
        return self._open_file(check_local(path))[0]

    def open_stat(self, path: str) -> tuple[int, os.stat_result]:
        """As `open_read`, with the stat of what was opened."""
        return self._open_file(check_local(path))

    def read_link(self, path: str) -> str:
        """The target text of a symbolic link. Raises Changed when it is none."""
        return self._link_text(check_local(path))

    def locate(self, path: str) -> str:
        """The local name of a path of the log: where a part is on disk in another Unicode form
        than NFC, that form; else `path` itself. To be asked before writing beside such names."""
        if path.isascii():
            return path
        local = ""
        for part in path.split("/"):
            local += ("/" if local else "") + self._spelling(local, part)
        return local

    def _spelling(self, directory: str, part: str) -> str:
        if part.isascii():
            return part
        path = f"{directory}/{part}" if directory else part
        with translating(path):
            if look(self.access, path) is not None:
                return part
            try:
                names = list_names(self.access, directory)
            except (FileNotFoundError, NotADirectoryError, NotInside):
                return part
        return next((name for name in sorted(names) if normalize(name) == part), part)

    def names(self, directory: str) -> list[str]:
        """The local names in a directory ('' for the folder itself), in no order."""
        if directory:
            check_local(directory)
        with translating(directory):
            return list_names(self.access, directory)

    def top(self) -> OpenDirectory:
        """The folder's own directory, for a walk; the caller closes it."""
        with translating(""):
            return self.access.open_directory("")

    def volume(self) -> str:
        """Tells the file system from others, as far as the system can."""
        with translating(""):
            device = self.access.lstat("").st_dev
            if not hasattr(os, "statvfs"):
                return f"{device}"
            found = os.statvfs(self.path)
            return f"{device}:{getattr(found, 'f_fsid', 0)}:{found.f_namemax}"

    def expect(self, directory: str, names: Iterable[str], length: int) -> None:
        """Tell the system that files in `directory` will be read soon; a hint and no more."""
        with suppress(OSError, NotInside), closing(self.access.open_directory(directory)) as found:
            found.expect(names, length)

    def free_space(self) -> int | None:
        """Bytes that may still be written, None where the system does not say. Some stay free:
        other programs need them, and so do this device's own tables on the same disk."""
        try:
            total, free = self._room()
        except OSError:
            return None
        return max(free - min(_RESERVE, total // _RESERVED_PART), 0)

    def _room(self) -> tuple[int, int]:
        """Bytes in all and free bytes. Raises OSError."""
        if hasattr(os, "statvfs"):
            found = os.statvfs(self.path)
            return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
        import shutil

        total, _, free = shutil.disk_usage(self.path)
        return total, free

    # -- what is kept

    def kept_stat(self, keep: str) -> Stat | None:
        path = kept_path(keep)
        with translating(path):
            return look(self.access, path, modes=self.has_modes)

    def open_kept(self, keep: str) -> int:
        """As `open_read`."""
        return self._open_file(kept_path(keep))[0]

    def kept_link(self, keep: str) -> str:
        """As `read_link`."""
        return self._link_text(kept_path(keep))

    def list_kept(self) -> list[str]:
        """All names in the kept area, sorted."""
        with translating(KEPT):
            return self.area.names(KEPT)

    def _open_file(self, path: str) -> tuple[int, os.stat_result]:
        with translating(path):
            descriptor = self.access.open(path, _READ)
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                os.close(descriptor)
                raise Changed(path, "not a regular file")
            return descriptor, found

    def _link_text(self, path: str) -> str:
        with translating(path):
            found = stat_of(self.access.lstat(path))
            if found.kind is not Kind.LINK:
                raise Changed(path, "not a symbolic link")
            return self.access.read_link(path)
