"""The merge of a walk with the rows of the table: what is new or different, and what is absent."""

import os
import stat
from collections.abc import Iterable
from itertools import islice
from operator import ge
from typing import NamedTuple

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
        rows = _Rows(known)
        for run in self._walk:
            if self._walk.rivals or not self._takes_whole(run, rows):
                self._compare(run, rows)
        self.absent += rows.rest()

    def _takes_whole(self, run: list[Found], rows: "_Rows") -> bool:
        """False where the files of a directory are neither all new nor all as they were."""
        if rows.has_none(run):
            self.new += run
        elif not rows.take(_as_rows(run)):
            return False
        self.files += len(run)
        self.bytes += sum([found.st_size for _, found, _ in run])
        return True

    def _compare(self, run: list[Found], rows: "_Rows") -> None:
        """File by file."""
        rivals = self._walk.rivals
        for path, found, local in run:
            self.absent += rows.before(path)
            match = rows.at(path)
            if path in rivals:
                chosen = self._choose(path, match and Known(*match))
                if chosen is None:
                    continue
                local, found = chosen
            self.files += 1
            self.bytes += found.st_size
            if match is None:
                self.new.append((path, found, local))
            elif not Known(*match).describes(found, modes=self._modes):
                self.changed.append(seen(path, found, local, modes=self._modes))

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


_FILE_MODE = _FORMAT | stat.S_IXUSR
_FLAGS = {stat.S_IFREG: NO_FLAGS, stat.S_IFREG | stat.S_IXUSR: EXECUTABLE}


def _as_rows(run: list[Found]) -> list[KnownRow]:
    """The rows of files that did not change. Of a link the table says something else, as it does
    where the file system invents the execute bit: those are compared one by one."""
    return [
        (
            path,
            "f",
            found.st_size,
            found.st_mtime_ns,
            found.st_ino,
            _FLAGS.get(found.st_mode & _FILE_MODE, ""),
        )
        for path, found, _ in run
    ]


class _Rows:
    """The rows, to be taken in their order; ValueError where they have none."""

    def __init__(self, rows: Iterable[KnownRow]) -> None:
        self._rows = iter(rows)
        self._waiting: list[KnownRow] = []
        """Those that were read already, from `_at` on."""
        self._at = 0
        self._last = ""

    def take(self, wanted: list[KnownRow]) -> bool:
        """Take the next rows if they are these, which are in order; else none."""
        first = self._first()
        if first is None or first[0] != wanted[0][0]:
            return False
        waiting, count = self._waiting[self._at :], len(wanted)
        if len(waiting) < count:
            waiting += islice(self._rows, count - len(waiting))
            self._waiting, self._at = waiting, 0
        if waiting[:count] != wanted:
            return False
        self._at += count
        self._last = wanted[-1][0]
        return True

    def has_none(self, run: list[Found]) -> bool:
        """True when the next row comes after all of these."""
        first = self._first()
        return first is None or first[0] > run[-1][0]

    def before(self, path: str) -> list[KnownRow]:
        """Take those before a path."""
        taken: list[KnownRow] = []
        while (row := self._first()) is not None and row[0] < path:
            taken.append(self._follow(row))
        return taken

    def at(self, path: str) -> KnownRow | None:
        """Take the row of this path, if it is the next."""
        row = self._first()
        return None if row is None or row[0] != path else self._follow(row)

    def rest(self) -> list[KnownRow]:
        """Take all that are left."""
        left = [*self._waiting[self._at :], *self._rows]
        paths = [self._last, *(row[0] for row in left)]
        if any(map(ge, paths, paths[1:])):
            for row in left:
                self._follow(row)
        return left

    def _first(self) -> KnownRow | None:
        if self._at == len(self._waiting):
            self._waiting, self._at = [*islice(self._rows, _AHEAD)], 0
        return self._waiting[self._at] if self._waiting else None

    def _follow(self, row: KnownRow) -> KnownRow:
        if row[0] <= self._last:
            raise ValueError(f"known paths out of order: {row[0]!r} after {self._last!r}")
        self._last = row[0]
        self._at += 1
        return row


_AHEAD = 64
"""Rows that are read at once."""
