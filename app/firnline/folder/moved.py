"""Directories that stand elsewhere now, with all that was below them.

A renamed directory of ten thousand files is as many absent rows and as many new files. Each file
keeps its inode, size and time, so the two lists tell, side by side, that it is the same directory;
then nobody has to look at its files one by one.
"""

import stat
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from firnline.core.event import NO_FLAGS
from firnline.core.paths import directory_pairs
from firnline.folder.merge import Known, KnownRow, Seen, seen
from firnline.folder.walk import Found

_FORMAT = 0o170000
_SECOND = 1_000_000_000
_TRIES = 16
"""Absent rows after which nothing more is tried: a person renames few directories at a time."""


class MovedDirectory(NamedTuple):
    """All that was known below `source` is below `target`, and nothing else is there."""

    source: str
    target: str
    rows: Sequence[KnownRow]
    """What was known, in the order of path bytes."""
    found: Sequence[Found]
    """The same files where they are now."""

    def missing(self) -> list[str]:
        """The paths that are not there any more."""
        return [row[0] for row in self.rows]

    def seen(self, *, modes: bool) -> Iterator[Seen]:
        """The files as new ones."""
        return (seen(*found, modes=modes) for found in self.found)


class _Lists(NamedTuple):
    absent: list[KnownRow]
    new: list[Found]


def take_moved(
    absent: list[KnownRow],
    new: list[Found],
    *,
    modes: bool,
    is_gone: Callable[[str], bool],
) -> list[MovedDirectory]:
    """The directories of two files or more that were moved as a whole. Their files are taken out
    of the two lists, which are in the order of path bytes.

    As everywhere, an inode proves nothing without a time that no two files have by chance.
    `is_gone` is asked about a source before it counts.
    """
    moved: list[MovedDirectory] = []
    if not absent or not new:
        return moved
    lists = _Lists(absent, new)
    now = {found.st_ino: path for path, found, _ in new}
    start = tries = 0
    while start < len(absent) and tries < _TRIES:
        path, _, _, _, inode, _ = absent[start]
        directory = _outermost(lists, path, now.get(inode), modes=modes)
        if directory is None or not is_gone(directory.source):
            start, tries = start + 1, tries + 1
            continue
        moved.append(directory)
        start = _below(absent, directory.source).start
        del absent[_below(absent, directory.source)]
        del new[_below(new, directory.target)]
    return moved


def _outermost(
    lists: _Lists, path: str, target_path: str | None, *, modes: bool
) -> MovedDirectory | None:
    """The largest directory that could carry this file from one path to the other."""
    if target_path is None:
        return None
    for source, target in directory_pairs(path, target_path):
        rows = lists.absent[_below(lists.absent, source)]
        found = lists.new[_below(lists.new, target)]
        if len(rows) < 2 or len(rows) != len(found):
            continue
        if _is_same(rows, len(source), found, len(target), modes=modes):
            return MovedDirectory(source, target, rows, found)
    return None


def _is_same(
    rows: Sequence[KnownRow], source: int, new: Sequence[Found], target: int, *, modes: bool
) -> bool:
    """Row by row the same file at the same place; the lengths of the two directories' paths."""
    usual, mask = stat.S_IFREG, _FORMAT | (stat.S_IXUSR if modes else 0)
    for row, (path, found, local) in zip(rows, new, strict=True):
        known, kind, size, mtime_ns, inode, flags = row
        if not (
            known[source:] == path[target:]
            and found.st_ino == inode
            and found.st_mtime_ns == mtime_ns
            and mtime_ns % _SECOND
            and inode
            and local is None
        ):
            return False
        if (
            found.st_size == size
            and found.st_mode & mask == usual
            and kind == "f"
            and flags == NO_FLAGS
        ):
            continue
        if not Known._make(row).describes(found, modes=modes):
            return False
    return True


def _below(entries: Sequence[tuple[object, ...]], directory: str) -> slice:
    """Where the paths below a directory are: '0' follows '/' in the order of bytes."""
    return slice(bisect_left(entries, (directory + "/",)), bisect_left(entries, (directory + "0",)))
