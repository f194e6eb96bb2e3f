"""Recognising moves: paths that are gone, matched with paths that are new.

By inode first (a rename keeps inode, size and time, so nothing has to be read), then by content
hash while new files are read. Pure.

An inode is given out again as soon as its file is removed, so it proves something only together
with a time that no two files have by chance. Whole seconds are what archives and simple file
systems restore: those files are read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from firnline.core.event import Kind
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow

_SECOND = 1_000_000_000


class Move(NamedTuple):
    """A row whose file is found at another path now."""

    row: FileRow
    seen: Seen


def match_inodes(gone: Mapping[str, FileRow], new: Iterable[Seen]) -> tuple[list[Move], list[Seen]]:
    """Moves that inode, size and time prove, and the new paths that are none of them."""
    by_inode: dict[tuple[int, int, int, Kind], FileRow] = {
        (row.inode, row.size, row.mtime_ns, row.kind): row
        for row in gone.values()
        if row.inode and row.mtime_ns % _SECOND
    }
    moves: list[Move] = []
    rest: list[Seen] = []
    for seen in new:
        stat = seen.stat
        key = (stat.inode, stat.size, stat.mtime_ns, seen.kind)
        row = by_inode.pop(key, None)
        if row is None:
            rest.append(seen)
        else:
            moves.append(Move(row, seen))
    return moves, rest


class GoneContents:
    """Gone files by their content, each to be taken once."""

    def __init__(self, gone: Iterable[FileRow]) -> None:
        self._rows: dict[tuple[Kind, str], list[FileRow]] = defaultdict(list)
        for row in gone:
            if row.kind in (Kind.FILE, Kind.LINK) and row.size:
                self._rows[row.kind, row.data_hash].append(row)

    def take(self, kind: Kind, data_hash: str, path: str) -> FileRow | None:
        """A gone file with this content, one of the same leaf name if there is one."""
        rows = self._rows.get((kind, data_hash))
        if not rows:
            return None
        leaf = path.rpartition("/")[2]
        best = next((row for row in rows if row.path.rpartition("/")[2] == leaf), rows[0])
        rows.remove(best)
        return best
