"""Events and rows for the tests of the tables: made of few words, and right to the letter."""

from firnline.core.clock import DateTime
from firnline.core.entry import Change
from firnline.core.event import DeviceId, Kind, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, Ref
from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
from firnline.sync.drafts import Draft, draft_batch, draft_single

DEVICE = DeviceId("aaaaaaaa")


def time(second: int) -> DateTime:
    """A DATETIME; the larger the number, the later."""
    return DateTime(f"2026112208{second:04}000000")


def change(
    op: Op,
    path: str,
    content: str | None = None,
    parent: Ref = NO_PARENT,
    *,
    source: str | None = None,
    size: int | None = None,
) -> Change:
    body = (content or "").encode()
    data_hash = EMPTY_HASH if content is None else PLAIN.data(body)
    return Change(op, path, source, parent, data_hash, len(body) if size is None else size, 0, "-")


def put(
    second: int, path: str, content: str, parent: Ref = NO_PARENT, size: int | None = None
) -> Draft:
    body = content.encode()
    wanted = change(Op.PUT, path, content, parent, size=size)
    return draft_single(wanted, time(second), DEVICE, body, PLAIN)


def single(second: int, wanted: Change) -> Draft:
    return draft_single(wanted, time(second), DEVICE, b"", PLAIN)


def batch(second: int, *members: tuple[Change, bytes | None]) -> Draft:
    return draft_batch(members, time(second), DEVICE, PLAIN)


def add(state: FolderState, draft: Draft, known: EventState = EventState.KNOWN) -> int:
    """Note an event with all that it does; its row id."""
    with state.transaction("test"):
        event = state.journal.add(draft.name, draft.ref, draft.size, known)
        state.journal.add_entries(event, draft.entries)
    return event


def row(path: str, kind: Kind = Kind.FILE, content: str = "text", base: str = "0") -> FileRow:
    data_hash = PLAIN.data(content.encode())
    return FileRow(path, kind, len(content), 1_000, 7, data_hash, "-", Ref(base))
