"""Rows of the file index as applying writes them, and what it expects of local files."""

from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind
from firnline.core.hashing import EMPTY_HASH, DataHash, Ref
from firnline.folder.metadata import COARSE_NS, Stat, doubted, is_coarse
from firnline.state.file_index import FileRow
from firnline.sync.apply_plan import Wish
from firnline.sync.context import FolderContext

_MOMENT = 1_000_000_000


def expected_stat(row: FileRow) -> Stat:
    """What the table knows of a file, to compare with what stands there."""
    return Stat(row.kind, row.size, row.mtime_ns, row.inode, row.flags == EXECUTABLE, 0, 0)


def stamped(context: FolderContext, mtime_ns: int) -> int:
    """The time to be remembered of a file that this device just gave `mtime_ns`.

    Another one where that is now: on a disk whose times are coarse a save in the next moment would
    leave it as it is. A second more than the tick, since the stat was taken a moment ago.
    """
    if is_coarse(mtime_ns) and mtime_ns > context.root.now_ns(context.clock) - COARSE_NS - _MOMENT:
        return doubted(mtime_ns)
    return mtime_ns


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
