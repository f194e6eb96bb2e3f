"""Putting finished files at their names and taking files away, without ever losing a save.

Another program may save a file at any moment, in place or by a rename of its own. So nothing is
removed by name: what stands at a path changes places with the new file in one step, and is
looked at afterwards, under a name of ours (`.firnline/kept`). If it is not what was expected, the
caller has it all the same (docs/design.md section 7, *Applying*).

Three ways, as the file system can: exchange; a second name (hard link) and a replacing rename,
where a save *by rename* between the last look and ours is lost, a window of microseconds; and
without hard links two renames, between which nothing stands at the path.

After a process died in `place`, `.firnline/kept/<keep>` holds the replaced file or, while the
path still has what was expected, the new one.

All functions raise FolderError or OSError; `Root` translates the latter.
"""

import errno
from contextlib import suppress

from firnline.core.event import Kind
from firnline.core.paths import normalize, parent_of
from firnline.core.steps import Steps
from firnline.folder import kernel
from firnline.folder.access import KEPT, TEMPORARIES, Access
from firnline.folder.across import Across
from firnline.folder.area import OwnArea, kept_path
from firnline.folder.durable import Barrier
from firnline.folder.errors import Changed, FolderError, NotInside, Occupied, Vanished
from firnline.folder.looking import expect, is_expected, look
from firnline.folder.metadata import Placed, Stat, stat_of

_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, *kernel.UNSUPPORTED})


class Replacer:
    """The renames of one folder."""

    def __init__(self, access: Access, steps: Steps, barrier: Barrier, area: OwnArea) -> None:
        self._access = access
        self._steps = steps
        self._barrier = barrier
        self._area = area
        self._across = Across(access, steps, barrier)
        self._no_exchange: set[int] = set()

    # -- directories

    def make_directories(self, path: str) -> list[str]:
        """`path` and what is missing above it; what was made, the outermost first.

        Raises NotInside when something else stands at one of them.
        """
        if not path:
            return []
        try:
            return self._make(path)
        except FileNotFoundError:
            if not parent_of(path):
                raise
        return self.make_directories(parent_of(path)) + self._make(path)

    def _make(self, path: str) -> list[str]:
        self._steps("make directory")
        try:
            self._access.make_directory(path, 0o777)
        except FileExistsError:
            found = look(self._access, path)
            if found is not None and found.kind is not Kind.DIRECTORY:
                raise NotInside(path, "no directory stands there") from None
            return []
        self._barrier.directory(parent_of(path))
        return [path]

    # -- placing

    def place(self, name: str, path: str, expected: Stat | None, keep: str | None) -> Placed:
        """See `Root.place`."""
        source = f"{TEMPORARIES}/{name}"
        new = self._stat(source)
        if expected is None:
            self._steps("place")
            try:
                self._rename_new(source, path)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                new = self._across.place(source, path, new)
            placed = Placed(new, None, slipped=False)
        else:
            slot = kept_path(keep)
            expect(self._access, path, expected)
            self._area.prepare(KEPT)
            placed = self._replace(source, path, expected, slot, new)
            self._barrier.directory(KEPT)
        self._barrier.renamed(source)
        self._barrier.file(path)
        self._barrier.directory(parent_of(path))
        return placed

    def _replace(self, source: str, path: str, expected: Stat, slot: str, new: Stat) -> Placed:
        if expected.device not in self._no_exchange:
            try:
                kept = self._by_exchange(source, slot, path)
                return Placed(new, kept, not kept.same_version(expected))
            except OSError as error:
                if error.errno == errno.EXDEV:
                    return self._across.replace(source, path, expected, slot, new)
                if error.errno not in kernel.UNSUPPORTED:
                    raise
                self._no_exchange.add(expected.device)
        kept = self._by_link(source, slot, path, expected)
        return Placed(new, kept, not kept.same_version(expected))

    def _by_exchange(self, source: str, slot: str, path: str) -> Stat:
        """The new file takes the kept name first, so that what comes back has it at once."""
        self._steps("keep")
        self._access.rename_new(source, slot)
        self._steps("replace")
        try:
            self._access.exchange(slot, path)
        except (OSError, FolderError) as error:
            self._give_back(slot, source)
            if isinstance(error, FileNotFoundError):
                raise Changed(path, "was removed by somebody else") from error
            raise
        kept = self._stat(slot)
        if kept.kind not in (Kind.FILE, Kind.LINK):
            self._steps("put back")
            self._access.exchange(slot, path)
            self._give_back(slot, source)
            raise Changed(path, "no file stands there any more")
        return kept

    def _give_back(self, slot: str, source: str) -> None:
        self._steps("give back")
        self._access.rename_new(slot, source)

    def _by_link(self, source: str, slot: str, path: str, expected: Stat) -> Stat:
        self._steps("keep")
        try:
            self._access.link(path, slot)
        except FileNotFoundError:
            raise Changed(path, "was removed by somebody else") from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return self._by_two_renames(source, slot, path, expected)
        if not is_expected(self._access, slot, expected):
            self._drop(slot)
            raise Changed(path, "was changed by somebody else")
        self._steps("replace")
        try:
            expect(self._access, path, expected)
            self._access.rename(source, path)
        except (OSError, FolderError):
            self._release(slot, path, expected)
            raise
        return self._stat(slot)

    def _release(self, slot: str, path: str, expected: Stat) -> None:
        """A second name goes again, unless what it names is a save and has no other name."""
        held, standing = self._stat(slot), look(self._access, path)
        if held.same_version(expected) or (standing is not None and standing.inode == held.inode):
            self._drop(slot)
        else:
            raise Changed(path, "was saved twice by somebody else", kept=_keep_of(slot))

    def _drop(self, slot: str) -> None:
        self._steps("drop kept")
        self._access.unlink(slot)

    def _by_two_renames(self, source: str, slot: str, path: str, expected: Stat) -> Stat:
        self._take(path, slot, expected)
        self._steps("replace")
        try:
            self._access.rename_new(source, path)
        except FileExistsError:
            # Somebody's new save stands there, and what is kept is what everybody knows.
            self._drop(slot)
            raise Changed(path, "was saved anew by somebody else") from None
        except (OSError, FolderError):
            self._put_back(slot, path)
            raise
        return self._stat(slot)

    # -- taking away

    def take_away(self, path: str, expected: Stat, keep: str) -> Stat:
        """See `Root.take_away`."""
        expect(self._access, path, expected)
        self._area.prepare(KEPT)
        slot = kept_path(keep)
        try:
            self._take(path, slot, expected)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._across.take_away(path, expected, slot)
        self._barrier.directory(parent_of(path))
        self._barrier.directory(KEPT)
        return self._stat(slot)

    def _take(self, path: str, slot: str, expected: Stat) -> None:
        self._steps("take away")
        try:
            self._access.rename_new(path, slot)
        except FileNotFoundError:
            raise Changed(path, "was removed by somebody else") from None
        if not is_expected(self._access, slot, expected):
            self._put_back(slot, path)
            raise Changed(path, "was changed by somebody else")

    def _put_back(self, slot: str, path: str) -> None:
        self._steps("put back")
        try:
            self._rename_new(slot, path)
        except FileExistsError:
            detail = "was saved twice by somebody else"
            raise Changed(path, detail, kept=_keep_of(slot)) from None

    def put_back(self, keep: str, path: str) -> Stat:
        """See `Root.put_back`."""
        slot = kept_path(keep)
        found = self._stat(slot)
        self._steps("put back")
        self._rename_new(slot, path)
        self._barrier.directory(parent_of(path))
        return found

    # -- moving

    def move(self, source: str, target: str, expected: Stat) -> Stat:
        """See `Root.move`."""
        expect(self._access, source, expected)
        self._steps("move")
        try:
            self._rename_new(source, target)
        except FileExistsError:
            self._respell(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return self._across.move(source, target, expected)
        moved = self._stat(target)
        if not moved.same_version(expected):
            self._steps("put back")
            self._access.rename_new(target, source)
            raise Changed(source, "was changed by somebody else")
        self._note_move(source, target)
        return moved

    def move_directory(self, source: str, target: str) -> None:
        """See `Root.move_directory`."""
        found = look(self._access, source)
        if found is None:
            raise Vanished(source, "was removed by somebody else")
        if found.kind is not Kind.DIRECTORY:
            raise Changed(source, "no directory stands there any more")
        self._steps("move directory")
        try:
            self._rename_new(source, target)
        except FileExistsError:
            self._respell(source, target)
        self._note_move(source, target)

    def _rename_new(self, source: str, target: str) -> None:
        try:
            self._access.rename_new(source, target)
        except FileNotFoundError:
            made = self.make_directories(parent_of(target))
            if not made:
                raise
            self._steps("rename")
            try:
                self._access.rename_new(source, target)
            except FileNotFoundError:
                # The source is what is gone, and nobody asked for empty directories.
                self._unmake(made)
                raise

    def _unmake(self, made: list[str]) -> None:
        for path in reversed(made):
            self._steps("remove directory")
            with suppress(OSError, FolderError):
                self._access.remove_directory(path)

    def _respell(self, source: str, target: str) -> None:
        """A file system that takes the two names for one: there a plain rename changes the
        spelling. Else the target is occupied."""
        old, new = self._access.lstat(source), self._access.lstat(target)
        one_name = normalize(source).casefold() == normalize(target).casefold()
        one_file = (old.st_ino, old.st_dev) == (new.st_ino, new.st_dev)
        alone = old.st_nlink == 1 or stat_of(old).kind is Kind.DIRECTORY
        if not (one_name and one_file and alone):
            raise Occupied(target, "something stands there")
        self._steps("move")
        self._access.rename(source, target)

    def _note_move(self, source: str, target: str) -> None:
        self._barrier.directory(parent_of(source))
        self._barrier.directory(parent_of(target))

    def _stat(self, path: str) -> Stat:
        return stat_of(self._access.lstat(path), modes=self._area.has_modes)


def _keep_of(slot: str) -> str:
    return slot.rpartition("/")[2]
