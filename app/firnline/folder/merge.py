"""The merge of a walk with the rows of the table: what is new or different, and what is absent."""

import os
import stat
from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind
from firnline.folder.metadata import Stat, known_inode, known_time, stat_of
from firnline.folder.walk import Found, Walk

_FORMAT = 0o170000


class Known(NamedTuple):
    """A file or link that this device's table has, as it was when it was last looked at."""

    path: str
    kind: str
    """`core.event.Kind`: 'f' or 'l'."""
    size: int
    mtime_ns: int
    inode: int
    flags: str

    def describes(self, found: os.stat_result, *, modes: bool) -> bool:
        """True when nothing says that the file is another than this."""
        return (
            known_time(found) == self.mtime_ns
            and found.st_size == self.size
            and known_inode(found) == self.inode
            and self._same_mode(found.st_mode, modes)
        )

    def _same_mode(self, mode: int, modes: bool) -> bool:
        if not stat.S_ISREG(mode):
            return stat.S_ISLNK(mode) and self.kind == Kind.LINK
        executable = self.flags == EXECUTABLE
        return self.kind == Kind.FILE and (not modes or executable is bool(mode & stat.S_IXUSR))


KnownRow = tuple[str, str, int, int, int, str]
"""The fields of a `Known`: a scan reads all of them, and makes few into one."""


class Seen(NamedTuple):
    """A file or link that is new, or is not what the table says."""

    path: str
    kind: Kind
    stat: Stat
    local: str | None
    """Its name on disk, where that differs from the path."""


class Merge:
    """Run once, then ask for what was found."""

    def __init__(self, walk: Walk, *, modes: bool) -> None:
        self._walk = walk
        self._modes = modes
        self.changed: list[Seen] = []
        """What stands at a known path and is not what the row says."""
        self.new: list[Found] = []
        """What stands where no row is."""
        self.absent: list[KnownRow] = []
        """Rows for which the walk had nothing, for whatever reason."""
        self.files = 0
        self.bytes = 0

    def run(self, known: Iterable[KnownRow]) -> None:
        """Raises ValueError when the rows are out of order: all after that would look missing."""
        usual = stat.S_IFREG
        mask = _FORMAT | (stat.S_IXUSR if self._modes else 0)
        rivals = self._walk.rivals
        files = size = 0
        rows = iter(known)
        row = next(rows, None)
        for path, found, local in self._walk:
            while row is not None and row[0] < path:
                self.absent.append(row)
                row = _after(row, next(rows, None))
            match = None
            if row is not None and row[0] == path:
                match = row
                row = next(rows, None)
                if row is not None and row[0] <= path:
                    _out_of_order(path, row)
            if path in rivals:
                chosen = self._choose(path, match and Known(*match))
                if chosen is None:
                    continue
                local, found = chosen
            files += 1
            size += found.st_size
            if match is not None:
                _, kind, known_size, mtime_ns, inode, flags = match
                if (
                    found.st_mtime_ns == mtime_ns
                    and found.st_size == known_size
                    and found.st_ino == inode
                    and found.st_mode & mask == usual
                    and kind == "f"
                    and flags == NO_FLAGS
                ) or Known(*match).describes(found, modes=self._modes):
                    continue
                self.changed.append(seen(path, found, local, modes=self._modes))
            else:
                self.new.append((path, found, local))
        while row is not None:
            self.absent.append(row)
            row = _after(row, next(rows, None))
        self.files, self.bytes = files, size

    def _choose(self, path: str, row: Known | None) -> tuple[str | None, os.stat_result] | None:
        """Of several local names for one path: the known file, or for a new path the first."""
        rivals = self._walk.rivals[path]
        if row is None:
            chosen = rivals[0]
        else:
            same = [rival for rival in rivals if known_inode(rival[1]) == row.inode]
            if not same:
                # Either may be the known file, saved anew. Nobody is asked to guess.
                for local, _ in rivals:
                    self._walk.second_name(local)
                return None
            chosen = same[0]
        for rival in rivals:
            if rival is not chosen:
                self._walk.second_name(rival[0])
        local, found = chosen
        return (None if local == path else local), found


def seen(path: str, found: os.stat_result, local: str | None, *, modes: bool) -> Seen:
    kind = Kind.LINK if stat.S_ISLNK(found.st_mode) else Kind.FILE
    return Seen(path, kind, stat_of(found, modes=modes), local)


def _after(row: KnownRow, following: KnownRow | None) -> KnownRow | None:
    if following is not None and following[0] <= row[0]:
        _out_of_order(row[0], following)
    return following


def _out_of_order(path: str, following: KnownRow) -> NoReturn:
    raise ValueError(f"known paths out of order: {following[0]!r} after {path!r}")
