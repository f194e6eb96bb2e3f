"""The marker directory's own places: what is being written, and what is kept (`access`).

They are made when first needed, but never the marker directory itself: a folder that is away gets
none of our files.
"""

import os
from collections.abc import Set
from contextlib import suppress

from firnline.core.paths import OWN_DIRECTORY
from firnline.core.steps import Steps
from firnline.folder.access import KEPT, SYNCED, TEMPORARIES, Access
from firnline.folder.errors import FolderError, Vanished
from firnline.folder.temporary import Temporary, new_name

_USUAL_MODE = 0o644
_MAX_KEEP = 200
_AGE_BYTES = 17
"""Always as many, so that one is written over the other."""
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


class OwnArea:
    """`.firnline/tmp` and `.firnline/kept` of one folder, and the modes that new files get."""

    def __init__(self, access: Access, steps: Steps) -> None:
        self._access = access
        self._steps = steps
        self._made: set[str] = set()
        self._usual_mode: int | None = None
        self._modes = True
        self.spared: Set[str] = frozenset()
        """Temporaries that no sweep takes: somebody else in this process is at them."""

    def forget(self) -> None:
        """The directories are looked for again, and the modes."""
        self._made.clear()
        self._usual_mode = None

    def prepare(self, directory: str) -> None:
        """`TEMPORARIES` or `KEPT` is there. Raises Vanished when the folder has no marker."""
        if directory in self._made:
            return
        self._steps("make directory")
        try:
            self._access.make_directory(directory, 0o700)
        except FileExistsError:
            pass
        except FileNotFoundError:
            raise Vanished(OWN_DIRECTORY, "the folder has lost its marker") from None
        self._made.add(directory)

    def new_temporary(self, name: str | None = None) -> Temporary:
        modes, usual = self.has_modes, self._usual_mode
        self.prepare(TEMPORARIES)
        usual = _USUAL_MODE if usual is None else usual
        return Temporary(self._access, self._steps, usual, name or new_name(), modes=modes)

    def new_link(self, text: str) -> str:
        """The name of a symbolic link among the temporaries."""
        self.prepare(TEMPORARIES)
        name = new_name()
        self._steps("create link")
        self._access.symlink(text, f"{TEMPORARIES}/{name}")
        return name

    def discard(self, name: str) -> None:
        """A temporary goes; what cannot be removed now is left to the sweep."""
        self._steps("discard temporary")
        with suppress(OSError, FolderError):
            self._access.unlink(f"{TEMPORARIES}/{name}")

    def sweep(self) -> int:
        """Throw away what an earlier run left unfinished; how many that were."""
        names = [name for name in self.names(TEMPORARIES) if name not in self.spared]
        for name in names:
            self._steps("sweep")
            with suppress(FileNotFoundError):
                self._access.unlink(f"{TEMPORARIES}/{name}")
        return len(names)

    @property
    def was_synced(self) -> bool:
        """Whether some device ever synced this folder here, whatever it remembers of it."""
        try:
            self._access.lstat(SYNCED)
        except FileNotFoundError:
            return False
        return True

    def note_synced(self) -> None:
        """It outlives the device's own tables, which may be lost or begun anew."""
        self._steps("note synced")
        with suppress(FileExistsError):
            os.close(self._access.open(SYNCED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    @property
    def age(self) -> int:
        """How far the table was that this folder was synced with last; 0 where that cannot be
        read."""
        try:
            descriptor = self._access.open(SYNCED, _READ)
        except FileNotFoundError:
            return 0
        try:
            text = os.read(descriptor, _AGE_BYTES)
        finally:
            os.close(descriptor)
        whole = len(text) == _AGE_BYTES and text[:-1].isdigit() and text[-1:] == b"\n"
        return int(text) if whole else 0

    def note_age(self, age: int) -> None:
        """One small write, not waited for, since a smaller age does no harm. Nothing is done where
        the folder was never synced."""
        self._steps("note age")
        with suppress(FileNotFoundError):
            descriptor = self._access.open(SYNCED, os.O_WRONLY)
            try:
                os.write(descriptor, b"%0*d\n" % (_AGE_BYTES - 1, age))
            finally:
                os.close(descriptor)

    def names(self, directory: str) -> list[str]:
        """Sorted; none where the directory is not there."""
        try:
            return sorted(list_names(self._access, directory))
        except FileNotFoundError:
            return []

    # -- modes

    @property
    def has_modes(self) -> bool:
        """False where the file system has no execute bit of its own and invents one."""
        if self._usual_mode is None:
            self._probe()
        return self._modes

    def _probe(self) -> None:
        """What bits a new file gets here (the umask cannot be asked for without changing it for
        all threads), and whether they can be set."""
        if not hasattr(os, "fchmod"):
            self._modes, self._usual_mode = False, _USUAL_MODE
            return
        probe = new_name()
        path = f"{TEMPORARIES}/{probe}"
        try:
            self.prepare(TEMPORARIES)
            self._steps("probe modes")
            descriptor = self._access.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except (OSError, FolderError):
            return
        try:
            self._usual_mode = os.fstat(descriptor).st_mode & 0o666
            self._modes = _keeps_modes(descriptor)
        finally:
            os.close(descriptor)
            self.discard(probe)


def kept_path(keep: str | None) -> str:
    """Where a file is kept under the name `keep`.

    Raises ValueError for what is no such name: they are the program's own, never a store's.
    """
    if not keep or len(keep) > _MAX_KEEP or keep[0] == "." or "/" in keep or "\0" in keep:
        raise ValueError(f"not a name to keep a file under: {keep!r}")
    return f"{KEPT}/{keep}"


def list_names(access: Access, directory: str) -> list[str]:
    """The names in a directory, in no order. Raises OSError, NotInside."""
    opened = access.open_directory(directory)
    try:
        with opened.entries() as entries:
            return [entry.name for entry in entries]
    finally:
        opened.close()


def _keeps_modes(descriptor: int) -> bool:
    for mode in (0o700, 0o600):
        with suppress(OSError):
            os.fchmod(descriptor, mode)
        if os.fstat(descriptor).st_mode & 0o777 != mode:
            return False
    return True
