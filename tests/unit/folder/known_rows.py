"""The rows of a table, as a test would have them after a scan."""

from collections.abc import Iterable

from firnline.folder.scan import Known, Scan, Seen


def row_of(seen: Seen) -> Known:
    flags = "x" if seen.stat.executable else "-"
    stat = seen.stat
    return Known(seen.path, str(seen.kind), stat.size, stat.mtime_ns, stat.inode, flags)


def rows_of(found: Scan | Iterable[Seen]) -> list[Known]:
    changed = found.changed if isinstance(found, Scan) else found
    return sorted(row_of(seen) for seen in changed)
