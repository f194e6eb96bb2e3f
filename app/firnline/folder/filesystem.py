"""All file actions inside one folder, by relative path.

Every path is checked, every parent is opened without following links, and what is written, moved
or removed is compared with what the caller knows just before and after (docs/design.md sections 7
and 10.7). Errors are `FolderError`s; durable steps are announced to a `Steps`.

Paths are those of the log, or local names where the two differ (a name on disk that is not NFC:
see `Root.locate`). A `Root` may be used from several threads at once.
"""

import errno
import os
from collections.abc import Iterable, Set
from contextlib import suppress

from firnline.core.clock import Clock
from firnline.core.event import Kind
from firnline.core.paths import parent_of
from firnline.core.steps import Steps, no_steps
from firnline.folder import kernel
from firnline.folder.access import TEMPORARIES, Access, check_local
from firnline.folder.area import kept_path
from firnline.folder.durable import Barrier, sync_file
from firnline.folder.errors import Changed, FolderError, NameImpossible, Occupied, translating
from firnline.folder.links import link_stays_inside
from firnline.folder.looking import expect, look
from firnline.folder.metadata import Placed, Stat, stat_of, with_executable
from firnline.folder.replace import Replacer
from firnline.folder.temporary import Temporary
from firnline.folder.view import View

_NO_LINKS = frozenset({errno.EPERM, *kernel.UNSUPPORTED})


class Root(View):
    """A folder that is read and written; see `View` for all that reads."""

    def __init__(self, path: str, *, steps: Steps = no_steps, access: Access | None = None) -> None:
        super().__init__(path, steps=steps, access=access)
        self._barrier = Barrier(self.access, steps)
        self._replacer = Replacer(self.access, steps, self._barrier, self.area)

    def __enter__(self) -> "Root":
        return self

    def __exit__(self, *exc: object) -> None:
        self.forget()

    def ask_clock(self, clock: Clock) -> None:
        """Learn `ahead_ns` from a file that is made for it. What cannot be written tells nothing.

        A coarse time seems up to two seconds too old; files are waited for longer then.
        """
        with suppress(FolderError), self.new_temporary() as temporary:
            made = os.fstat(temporary.fileno).st_mtime_ns
            self.ahead_ns = 0
            self.ahead_ns = made - self.now_ns(clock)

    # -- directories

    def make_directory(self, path: str) -> list[str]:
        """Make `path` and what is missing above it; returns what was made, the outermost first.

        Raises Occupied when something else stands at `path`, NotInside when above it.
        """
        check_local(path)
        with translating(path):
            found = look(self.access, path)
            if found is not None and found.kind is not Kind.DIRECTORY:
                raise Occupied(path, "something else stands there")
            return self._replacer.make_directories(path)

    def remove_directory(self, path: str) -> bool:
        """False, and nothing done, when it is not empty; True also when it is gone already.

        Raises Changed when no directory stands there.
        """
        check_local(path)
        self.steps("remove directory")
        try:
            with translating(path), suppress(FileNotFoundError):
                self.access.remove_directory(path)
        except Occupied:
            return False
        self._barrier.directory(parent_of(path))
        return True

    def move_directory(self, source: str, target: str) -> None:
        """One rename of a whole directory. Missing parents of the target are made.

        Raises Occupied, Vanished, Changed (no directory), OtherDevice (move the files singly).
        """
        check_local(source)
        check_local(target)
        with translating(target):
            self._replacer.move_directory(source, target)

    # -- files

    def new_temporary(self, name: str | None = None) -> Temporary:
        """A file to be written and then put in its place; see `temporary`. `name`: one that
        `new_name` made; without it a new one.

        With a `barrier` between the two, its name never stands without its content, whatever
        happens.
        """
        with translating(TEMPORARIES):
            temporary = self.area.new_temporary(name)
        self._barrier.file(temporary.path)
        return temporary

    def place(
        self, temporary_name: str, path: str, expected: Stat | None, keep: str | None = None
    ) -> Placed:
        """Put a finished temporary at `path`, in one step. Missing parents are made.

        `expected` None: nothing may stand there, else Occupied. Otherwise what stands there must
        be `expected`, else Changed; it is kept under the name `keep` (required then), and the
        result says whether a save slipped in. After an error the temporary is still there, and
        the path has what it had.
        """
        check_local(path)
        with translating(path):
            return self._replacer.place(temporary_name, path, expected, keep)

    def make_link(
        self, target_text: str, path: str, expected: Stat | None = None, keep: str | None = None
    ) -> Placed:
        """Put a symbolic link at `path`, as `place` does.

        Raises NameImpossible when it would lead out of the folder.
        """
        check_local(path)
        if not link_stays_inside(path, target_text):
            raise NameImpossible(path, "a link that leads out of the folder")
        with translating(path):
            try:
                name = self.area.new_link(target_text)
            except OSError as error:
                if error.errno in _NO_LINKS:
                    raise FolderError(path, "this disk cannot hold links") from error
                raise
        try:
            return self.place(name, path, expected, keep)
        except FolderError:
            self.area.discard(name)
            raise

    def take_away(self, path: str, expected: Stat, keep: str) -> Stat:
        """Remove a file or link: it is moved into the kept area, and its stat there returned.

        Raises Changed when it is not `expected`; it is put back then. Only where a save stands
        there meanwhile it cannot be, and stays kept (`Changed.kept`).
        """
        check_local(path)
        with translating(path):
            return self._replacer.take_away(path, expected, keep)

    def move(self, source: str, target: str, expected: Stat) -> Stat:
        """Rename a file or link inside the folder. Missing parents of the target are made.

        Raises Changed when the source is not `expected`, Occupied when something stands at the
        target. The stat returned has another inode where the target is on another file system.
        """
        check_local(source)
        check_local(target)
        with translating(target):
            return self._replacer.move(source, target, expected)

    def touch(self, path: str, mtime_ms: int, expected: Stat) -> Stat:
        """Set the modification time, milliseconds since 1970. Raises Changed.

        A save in the same microseconds would be hidden by the time that is set, so the caller
        reads a file again whose content it must be sure of.
        """
        check_local(path)
        with translating(path):
            expect(self.access, path, expected)
            self.steps("touch")
            self.access.set_times(path, mtime_ms * 1_000_000)
            self._barrier.file(path)
            return stat_of(self.access.lstat(path), modes=self.has_modes)

    def set_executable(self, path: str, executable: bool, expected: Stat) -> Stat:
        """Set or clear the execute bits of a file. Raises Changed.

        Does nothing where the file system has none.
        """
        descriptor = self.open_read(path)
        try:
            with translating(path):
                found = stat_of(os.fstat(descriptor), modes=self.has_modes)
                if not found.same_version(expected):
                    raise Changed(path, "was changed by somebody else")
                if not self.has_modes:
                    return found
                self.steps("set executable")
                os.fchmod(descriptor, with_executable(found.mode, executable))
                self._barrier.file(path)
                changed = stat_of(os.fstat(descriptor))
                if not changed.same_version(expected):
                    raise Changed(path, "was changed by somebody else")
                return changed
        finally:
            os.close(descriptor)

    # -- what is kept

    def drop_kept(self, keep: str, expected: Stat | None = None) -> bool:
        """Throw away what is kept; True when it is gone.

        With `expected`: False, and nothing done, when a program that still had the file open wrote
        to it since.
        """
        path = kept_path(keep)
        with translating(path):
            found = look(self.access, path)
            if found is None:
                return True
            if expected is not None and not found.same_version(expected):
                return False
            self.steps("drop kept")
            self.access.unlink(path)
            return True

    def put_back(self, keep: str, path: str) -> Stat:
        """What is kept gets a name in the folder again. Raises Occupied, Vanished."""
        check_local(path)
        with translating(path):
            return self._replacer.put_back(keep, path)

    def spare(self, names: Set[str]) -> None:
        """No sweep takes these temporaries; the set may change later."""
        self.area.spared = names

    def sweep_temporaries(self) -> int:
        """Throw away what an earlier run left unfinished; how many that were."""
        with translating(TEMPORARIES):
            return self.area.sweep()

    @property
    def was_synced(self) -> bool:
        """Whether this folder was ever synced on this disk, by whatever device."""
        with translating(""):
            return self.area.was_synced

    def note_synced(self) -> None:
        """From now on it was."""
        with translating(""):
            self.area.note_synced()

    @property
    def age(self) -> int:
        """How far the table was that this folder was synced with last, by whatever device; 0 where
        that cannot be read."""
        with translating(""):
            return self.area.age

    def note_age(self, age: int) -> None:
        """From now on it was this far."""
        with translating(""):
            self.area.note_age(age)

    def barrier(self) -> None:
        """All that was changed through this object survives a power cut when this returns."""
        with translating(""):
            self._barrier.wait()

    def secure(self, paths: Iterable[str]) -> None:
        """What stands at these paths, and that nothing stands there, survives a power cut when this
        returns, whoever wrote or removed it: before others are told of it."""
        with translating(""):
            for path in paths:
                if self._barrier.is_for_all:
                    break
                found = look(self.access, path)
                if found is not None and found.kind is Kind.FILE:
                    self._barrier.file(path)
                self._barrier.directory(parent_of(path))
            self._barrier.wait()

    def barrier_file(self, descriptor: int) -> None:
        """The content of one open file survives a power cut when this returns."""
        self.steps("sync file")
        with translating(""):
            sync_file(descriptor)
