"""Wishes, rows and entries in few words, for the pure parts of sync."""

from tests.unit.state.samples import change

from firnline.core.clock import DateTime
from firnline.core.entry import Entry
from firnline.core.event import DeviceId, Kind, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, DataHash, Ref
from firnline.state.file_index import FileRow
from firnline.sync.drafts import Draft, draft_single

DEVICE = DeviceId("aaaaaaaa")


def content(text: str) -> DataHash:
    return PLAIN.data(text.encode())


def event(
    second: int,
    op: Op,
    path: str,
    text: str | None = None,
    *,
    parent: Ref = NO_PARENT,
    source: str | None = None,
) -> Draft:
    """An event of one change."""
    wanted = change(op, path, text, parent, source=source)
    time = DateTime(f"2026112208{second:04}000000")
    return draft_single(wanted, time, DEVICE, (text or "").encode(), PLAIN)


def put(second: int, path: str, text: str, parent: Ref = NO_PARENT) -> Entry:
    return event(second, Op.PUT, path, text, parent=parent).entries[0]


def delete(second: int, path: str, parent: Ref = NO_PARENT) -> Entry:
    return event(second, Op.DEL, path, parent=parent).entries[0]


def make_directory(second: int, path: str, parent: Ref = NO_PARENT) -> Entry:
    return event(second, Op.MKD, path, parent=parent).entries[0]


def move(second: int, source: str, path: str, text: str, parent: Ref) -> tuple[Entry, Entry]:
    """The entry at the target and the one at the source."""
    made = event(second, Op.MOV, path, text, parent=parent, source=source)
    arrived, gone = made.entries
    return arrived, gone


def file_row(path: str, text: str, base: Ref, inode: int = 1, mtime_ns: int = 5) -> FileRow:
    return FileRow(path, Kind.FILE, len(text), mtime_ns, inode, content(text), "-", base)


def gone_row(path: str, base: Ref) -> FileRow:
    return FileRow(path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, "-", base)


def directory_row(path: str, base: Ref) -> FileRow:
    return FileRow(path, Kind.DIRECTORY, 0, 0, 0, EMPTY_HASH, "-", base)
