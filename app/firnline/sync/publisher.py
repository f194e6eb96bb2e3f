"""From what a scan found to events: read, hash, decide, write, book.

Changes go out in batches of at most 32 MiB of bodies, in the order of their paths, so that memory
stays bounded; a file larger than that is an event of its own and is streamed. While one batch is
on its way to the store, the next is being read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import NamedTuple

from firnline.core.batch import MAX_BODIES, MAX_MEMBERS
from firnline.core.entry import Change, Entry
from firnline.core.event import NO_FLAGS, Kind, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT
from firnline.core.heads import equal_heads
from firnline.core.paths import directory_pairs
from firnline.folder.beside import Beside
from firnline.folder.errors import FolderError
from firnline.state.file_index import FileIndex, FileRow
from firnline.sync.bodies import with_link_texts
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import Draft, draft_batch, draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter


class Item(NamedTuple):
    """One change on its way out, and the table rows that hold once it is written.

    The rows' `base` is filled in when the event has a name.
    """

    change: Change
    body: bytes | None
    rows: tuple[FileRow, ...]
    moved: FileRow | None = None
    """The row of a file that only went elsewhere, and about which no rule has anything to say: its
    new rows follow from it."""

    def new_rows(self) -> tuple[FileRow, ...]:
        """Also of what was moved."""
        if self.moved is None:
            return self.rows
        return moved_rows(self.moved, self.change.path)


class _UnderWay(NamedTuple):
    drafts: list[Draft]
    items: list[Item]
    places: Callable[[], list[Connected]]


class Outbox:
    """Collects items and writes them as events; at most one batch is under way."""

    def __init__(self, context: FolderContext, clock: EventClock, writer: EventWriter) -> None:
        self._context = context
        self._clock = clock
        self._writer = writer
        self._items: list[Item] = []
        self._bytes = 0
        self._bodies = 0
        self._under_way: _UnderWay | None = None
        self._beside = Beside()
        self.written = 0

    def __enter__(self) -> "Outbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.flush()
                self._settle()
        finally:
            self._beside.__exit__()

    def add(self, item: Item) -> None:
        """Take one change; no path may be touched twice by what is flushed together."""
        size = len(item.body or b"")
        alone = self._goes_alone(item, size)
        full = len(self._items) >= MAX_MEMBERS or self._bodies >= _MOST_BODIES
        if full or alone or self._bytes + size > MAX_BODIES:
            self.flush()
        self._items.append(item)
        self._bytes += size
        self._bodies += item.body is not None
        if alone:
            self.flush()

    def _goes_alone(self, item: Item, size: int) -> bool:
        """True for what is large for a store that is slow: small changes are not to wait for it
        there, as members of one batch. A change that follows from another stays with that."""
        if size < _INLINE or item.change.source is not None:
            return False
        context = self._context
        return not all(context.in_time(connected, size) for connected in context.with_room)

    def close(self, heads: Sequence[Entry]) -> None:
        """Close heads by events that stand before what was added so far."""
        if heads:
            self._settle()
            drafts = self._writer.closings(heads, self._clock)
            self._writer.write(drafts)
            self.written += len(drafts)

    def flush(self) -> None:
        """Send what was collected; the batch before is settled first."""
        items, self._items, self._bytes, self._bodies = self._items, [], 0, 0
        if not items:
            return
        draft = self._draft(items)
        self._settle()
        rows = (row for item in items for row in item.new_rows())
        secure(self._context, (row.local or row.path for row in rows))
        self._writer.open([draft], from_folder=True)
        if draft.size < _INLINE:
            found = self._writer.send([draft])
            self._under_way = _UnderWay([draft], items, lambda: found)
        else:
            places = self._beside.begin(partial(self._writer.send, [draft]))
            self._under_way = _UnderWay([draft], items, places)

    def settle(self) -> None:
        """Flush, and wait until everything stands and is booked."""
        self.flush()
        self._settle()

    def _draft(self, items: Sequence[Item]) -> Draft:
        time, device, hasher = self._clock.next(), self._context.device, self._context.hasher
        if len(items) == 1:
            change, body, *_ = items[0]
            if change.op is not Op.PUT or body is not None:
                return draft_single(change, time, device, body or b"", hasher)
        return draft_batch([(i.change, i.body) for i in items], time, device, hasher)

    def _settle(self) -> None:
        if self._under_way is None:
            return
        drafts, items, places = self._under_way
        self._under_way = None
        found = places()
        self._writer.confirm(drafts, found, lambda: self._book(drafts[0], items))
        self.written += 1
        self._context.progress.advance(len(items))

    def _book(self, draft: Draft, items: Sequence[Item]) -> None:
        state = self._context.state
        pair = moved_directory(items, state.files)
        if pair is not None:
            state.directory_moves.book(*pair, draft.ref)
        else:
            book_rows(self._context, (row for item in items for row in item.new_rows()), draft)


_MOST_BODIES = 10_000
"""Members with a body in one batch: tiny files fill memory by their number, not by their bytes."""
_INLINE = 2**20
"""Events smaller than this are sent without handing them to a thread."""


def moved_directory(items: Sequence[Item], files: FileIndex) -> tuple[str, str] | None:
    """Source and target, where the items are the move of all that stands below a directory."""
    first = items[0].change
    if items[0].moved is None or first.source is None:
        return None
    for source, target in directory_pairs(first.source, first.path):
        start = len(target)
        follows = all(
            item.moved is not None
            and item.change.path.startswith(target + "/")
            and item.moved.path == source + item.change.path[start:]
            for item in items
        )
        if follows and files.count_below(source) == len(items) and not files.has_below(target):
            return source, target
    return None


def moved_rows(row: FileRow, target: str) -> tuple[FileRow, FileRow]:
    """A row at its new path, and the one it leaves behind; the bases are filled in later."""
    gone = FileRow(row.path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, NO_PARENT, straight=True)
    return row._replace(path=target, local=None, straight=True), gone


def secure(context: FolderContext, paths: Iterable[str]) -> None:
    """What others are about to be told is durable here first. Else a power cut could take back a
    deletion, or leave an older or empty file, and the next scan would tell of that as the user's
    newest change. Where the disk cannot do it, they are told all the same."""
    with suppress(FolderError):
        context.root.secure(paths)


def book_rows(context: FolderContext, rows: Iterable[FileRow], draft: Draft) -> None:
    """The files that an event was made of now stand on it."""
    ref = draft.ref
    context.state.files.put_many(
        FileRow(path, kind, size, mtime, inode, data_hash, flags, ref, local, straight)
        for path, kind, size, mtime, inode, data_hash, flags, _, local, straight in rows
    )


def publish_changes(context: FolderContext, changes: Sequence[Change]) -> list[str]:
    """Write concrete changes on top of what they name; returns the events' names.

    All in one batch but for copies, which are events of their own; heads that have to be closed
    are closed before. Nothing is applied here: the paths become dirty, and the pass that follows
    applies them. Contents are named by their hash, and only a link brings its text along.
    """
    clock, writer = EventClock(context), EventWriter(context)
    device, hasher = context.device, context.hasher
    drafts = []
    for change in changes:
        heads = equal_heads(context.state.journal.entries(change.path), change.parent)
        drafts += writer.closings(heads, clock)
    copies = [change for change in changes if change.op is Op.CPY]
    drafts += [draft_single(copy, clock.next(), device, b"", hasher) for copy in copies]
    rest = [change for change in changes if change.op is not Op.CPY]
    if len(rest) == 1 and rest[0].op not in (Op.PUT, Op.LNK):
        drafts.append(draft_single(rest[0], clock.next(), device, b"", hasher))
    elif rest:
        members = with_link_texts(context, rest)
        drafts.append(draft_batch(members, clock.next(), device, hasher))
    paths = [entry.path for draft in drafts for entry in draft.entries]
    writer.write(drafts, lambda: context.state.dirty.mark(paths))
    return [draft.name for draft in drafts]


def in_groups(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Slices of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
