"""Files larger than a batch: an event each, streamed from the folder into the store.

Read once: the hash is taken beside the copy, in a second thread, and the event gets its name from
what was really sent (docs/design.md section 4, *The home store*). Where source and store share
blocks the copy is a clone, and what is hashed is the clone, which nobody can change any more.
"""

from typing import NamedTuple

from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import NO_PARENT, DataHash, Ref
from firnline.core.reconcile import Book, Finding, reconcile
from firnline.folder.metadata import Stat
from firnline.folder.read import hash_while, stream
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow
from firnline.stores.base import Upload
from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import Draft, draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import (
    EventWriter,
    NowhereToWriteError,
    drop_store,
    missing_index,
    send_hints,
)


class Taken(NamedTuple):
    """What was read: the file as it was then, and its hash."""

    stat: Stat
    data_hash: DataHash

    @property
    def finding(self) -> Finding:
        flags = EXECUTABLE if self.stat.executable else NO_FLAGS
        return Finding(Kind.FILE, self.data_hash, flags)


class LargeFile(NamedTuple):
    """One large file on its way out."""

    seen: Seen
    row: FileRow | None
    log: list[Entry]


def publish_large(
    context: FolderContext, clock: EventClock, writer: EventWriter, file: LargeFile
) -> int:
    """Write one large file's event, or book it where the log has it; the number of events.

    Raises FolderError (it changed, vanished, cannot be read) and NowhereToWriteError.
    """
    while True:
        home = writer.needs_home or not context.stores
        target = context.home if home else context.stores[0]
        try:
            return _publish(context, clock, writer, file, target)
        except StoreError as error:
            if target is context.home:
                raise NowhereToWriteError(str(error)) from error
            drop_store(context, target, error)


def _publish(
    context: FolderContext,
    clock: EventClock,
    writer: EventWriter,
    file: LargeFile,
    target: Connected,
) -> int:
    seen = file.seen
    with target.store.upload() as upload:
        taken = _take(context, seen, upload)
        found = taken.finding
        row = file.row
        if row is not None and row.kind is Kind.FILE and _content(row) == found.content:
            _book(context, _row(seen, taken, row))
            return 0
        verdict = reconcile(found, None if row is None else row.base, file.log)
        if isinstance(verdict, Book):
            booked = _row(seen, taken, row)._replace(base=verdict.entry.ref)
            _book(context, booked, dirty=True)
            return 0
        closings = writer.closings(verdict.closes, clock)
        writer.write(closings)
        upload.flush()
        draft = _draft(context, clock, seen, taken, verdict.parent)
        writer.open([draft])
        send_hints(context, target, [draft.name])
        target.store.put_many(missing_index(context, target, draft.index_paths))
        upload.commit(context.layout.event(draft.name))
    booked = _row(seen, taken, row)._replace(base=draft.ref)
    writer.confirm([draft], [target], lambda: context.state.files.put_many([booked]))
    return 1 + len(closings)


def _take(context: FolderContext, seen: Seen, upload: Upload) -> Taken:
    """Read the file into the upload, once, and hash what went there."""
    context.progress.begin(f"sending {seen.path}", seen.stat.size, "bytes")
    digest = context.hasher.running()
    with stream(context.root, seen.local or seen.path, context.clock) as body:
        if upload.clone(body.descriptor):
            for chunk in hash_while(upload.read_back(), digest):
                _count(context, len(chunk))
        else:
            for piece in hash_while(body, digest):
                upload.write(piece)
                _count(context, len(piece))
    context.progress.end()
    return Taken(body.stat, digest.data_hash())


def _count(context: FolderContext, size: int) -> None:
    context.check_cancelled()
    context.progress.advance(size)


def _draft(
    context: FolderContext, clock: EventClock, seen: Seen, taken: Taken, parent: Ref
) -> Draft:
    stat, found = taken.stat, taken.finding
    change = Change(
        Op.PUT,
        seen.path,
        None,
        parent,
        found.data_hash,
        stat.size,
        clamp_mtime(stat.mtime_ns),
        found.flags,
    )
    draft = draft_single(change, clock.next(), context.device, b"", context.hasher)
    return draft._replace(size=stat.size)


def _content(row: FileRow) -> tuple[Kind, str, str]:
    return Finding(row.kind, row.data_hash, row.flags).content


def _row(seen: Seen, taken: Taken, row: FileRow | None) -> FileRow:
    stat, found = taken.stat, taken.finding
    return FileRow(
        seen.path,
        Kind.FILE,
        stat.size,
        stat.mtime_ns,
        stat.inode,
        found.data_hash,
        found.flags,
        NO_PARENT if row is None else row.base,
        seen.local,
    )


def _book(context: FolderContext, row: FileRow, *, dirty: bool = False) -> None:
    with context.state.transaction("book file"):
        context.state.files.put_many([row])
        if dirty:
            context.state.journal.mark_dirty([row.path])
