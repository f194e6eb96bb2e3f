"""Rows of the file index as applying writes them, and what it expects of local files."""

from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind
from firnline.core.hashing import EMPTY_HASH, DataHash, Ref
from firnline.folder.metadata import Stat
from firnline.state.file_index import FileRow
from firnline.sync.apply_plan import Wish


def expected_stat(row: FileRow) -> Stat:
    """What the table knows of a file, to compare with what stands there."""
    return Stat(row.kind, row.size, row.mtime_ns, row.inode, row.flags == EXECUTABLE, 0, 0)


def placed_row(
    wish: Wish, stat: Stat, data_hash: DataHash, flags: str, local: str | None
) -> FileRow:
    """What stands at a wish's path now; `local` is its name on disk."""
    assert stat.kind is not None
    return FileRow(
        wish.path,
        stat.kind,
        stat.size,
        stat.mtime_ns,
        stat.inode,
        data_hash,
        flags,
        wish.base,
        None if local == wish.path else local,
        wish.straight,
    )


def gone_row(path: str, base: Ref) -> FileRow:
    """Nothing stands at the path; its next event is on top of `base`."""
    return FileRow(path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base)
