"""The copier of a single pass: every store in reach gets every event that it lacks.

Parents go before children, per path; what an event names without carrying it is brought first
(docs/design.md section 4). One event or store that fails never stops the others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from firnline.core.batch import write_manifest
from firnline.core.entry import Change, Entry
from firnline.core.event import EventText, Kind, parse_name
from firnline.core.hashing import NO_PARENT, DataHash
from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import (
    CorruptError,
    NotFoundError,
    StoreError,
    UnavailableError,
)
from firnline.sync.bodies import Bodies, ContentMissingError
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.drafts import changes_of
from firnline.sync.event_writer import drop_store, flush_small, missing_index, send_hints
from firnline.sync.verify_stream import verified

_SMALL = 256 * 1024
_GROUP_BYTES = 8 * 2**20
_GROUP_EVENTS = 500


class Copier:
    """Copies what stores lack; `problems` says what could not be had."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self.copied = 0
        self.problems: list[Problem] = []

    def run(self) -> None:
        """Fill every store in reach, and the home store with what it keeps: everything, or what
        no store is known to have."""
        context = self._context
        for connected in list(context.stores):
            lacking = context.state.stores.lacking(connected.store_id)
            self._fill(connected, lacking)
        stores = context.state.stores
        self._fill(context.home, stores.not_held() if context.keep_all else stores.nowhere())

    def _fill(self, target: Connected, lacking: Sequence[tuple[int, str]]) -> None:
        if not lacking:
            return
        context = self._context
        context.progress.begin(f"copying to {target.name}", len(lacking), "events")
        try:
            send_hints(context, target, [name for _, name in lacking])
            filler = _Filler(context, target, self.problems)
            for event in _parents_first(context, lacking):
                context.check_cancelled()
                filler.add(event)
                context.progress.advance(1)
            filler.flush()
            self.copied += filler.copied
        except StoreError as error:
            drop_store(context, target, error)
        context.progress.end()


def _parents_first(
    context: FolderContext, lacking: Sequence[tuple[int, str]]
) -> Iterator[EventRow]:
    """The events by name, but none before a parent that is lacking as well.

    Names nearly always give this order already: only a clock that was set back breaks it.
    """
    journal = context.state.journal
    waiting = dict(lacking)
    for start, _ in lacking:
        stack = [start]
        while stack:
            event = stack[-1]
            if event not in waiting:
                stack.pop()
                continue
            row = journal.by_id(event)
            ahead = [
                parent.id
                for ref in {entry.parent for entry in journal.entries_of_event(event)} - {NO_PARENT}
                for parent in journal.by_ref(ref)
                if parent.id in waiting and parent.id not in stack
            ]
            if ahead:
                stack.extend(ahead)
                continue
            stack.pop()
            del waiting[event]
            yield row


class _Filler:
    """Writes events into one store, small ones in groups with one barrier each."""

    def __init__(self, context: FolderContext, target: Connected, problems: list[Problem]) -> None:
        self._context = context
        self._target = target
        self._problems = problems
        self._bodies = Bodies(context)
        self._small: list[tuple[str, bytes]] = []
        self._small_bytes = 0
        self._events: list[int] = []
        self.copied = 0

    def add(self, row: EventRow) -> None:
        """Copy one event, or remember why not. Raises StoreError when the target fails."""
        if row.state in (EventState.NAMED, EventState.REFUSED):
            self._relay(row)
            return
        entries = self._context.state.journal.entries_of_event(row.id)
        if self._target is not self._context.home or self._context.keep_all:
            self._bring_named(entries)
        paths = _indexed_paths(row, entries)
        self._small += missing_index(self._context, self._target, paths)
        try:
            self._copy(row)
        except _NoSourceError:
            if not self._make_again(row, entries):
                self._say(row)

    def _relay(self, row: EventRow) -> None:
        """An event that this device cannot read: its bytes are passed on all the same."""
        try:
            self._copy(row)
        except _NoSourceError:
            self._say(row)

    def _say(self, row: EventRow) -> None:
        self._problems.append(
            Problem("", "no source", f"{row.name}: no store in reach has it", self._target.name)
        )

    def _copy(self, row: EventRow) -> None:
        path = self._context.layout.event(row.name)
        for source in self._sources(row):
            try:
                size = source.store.size(path)
                if size is None:
                    raise NotFoundError(path, "is not in the store")
                self._take(row, source, path, size)
            except _TargetError as failure:
                raise failure.error from failure
            except StoreError as error:
                self._failed(source, row, error)
                continue
            return
        raise _NoSourceError

    def _failed(self, source: Connected, row: EventRow, error: StoreError) -> None:
        """Another source may do; a store that does not have the event is known to lack it."""
        if isinstance(error, UnavailableError):
            drop_store(self._context, source, error)
        elif isinstance(error, (NotFoundError, CorruptError)):
            state = self._context.state
            with state.transaction("event lost"):
                if source is self._context.home:
                    state.stores.release(row.id)
                else:
                    state.stores.lost(source.store_id, row.id)

    def _sources(self, row: EventRow) -> Iterator[Connected]:
        stores = self._context.state.stores
        if stores.holds(row.id) and self._target is not self._context.home:
            yield self._context.home
        for connected in list(self._context.stores):
            if connected is not self._target and not stores.lacks(connected.store_id, row.id):
                yield connected

    def _take(self, row: EventRow, source: Connected, path: str, size: int) -> None:
        chunks = verified(parse_name(row.name), source.store.open(path), self._context.hasher)
        if size <= _SMALL:
            body = b"".join(chunks)
            self._small.append((path, body))
            self._small_bytes += len(body)
            self._events.append(row.id)
            if self._small_bytes > _GROUP_BYTES or len(self._events) >= _GROUP_EVENTS:
                self._guarded(self.flush)
            return
        self._guarded(self.flush)
        self._stream(path, chunks)
        self._book([row.id])

    def _stream(self, path: str, chunks: Iterable[bytes]) -> None:
        with self._target.store.upload() as upload:
            for chunk in chunks:
                try:
                    upload.write(chunk)
                except StoreError as error:
                    raise _TargetError(error) from error
            try:
                upload.flush()
                upload.commit(path)
            except StoreError as error:
                raise _TargetError(error) from error

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except StoreError as error:
            raise _TargetError(error) from error

    def flush(self) -> None:
        """Write what was collected, and book it."""
        flush_small(self._target, self._small)
        self._small_bytes = 0
        events, self._events = self._events, []
        self._book(events)

    def _book(self, events: Sequence[int]) -> None:
        if not events:
            return
        state = self._context.state
        with state.transaction("copied events"):
            if self._target is self._context.home:
                for event in events:
                    state.stores.hold(event, whole=True)
            else:
                state.stores.has(self._target.store_id, events)
        self.copied += len(events)

    # --- content that is named and not carried ------------------------------------------------

    def _bring_named(self, entries: Sequence[Entry]) -> None:
        """Moves, copies and members without a body need their content in the target too."""
        for entry in entries:
            if entry.offset is not None or entry.kind not in (Kind.FILE, Kind.LINK):
                continue
            if not entry.size or self._has_content(entry.data_hash):
                continue
            try:
                self._bodies.copy(entry.data_hash, partial(self._bring, entry))
            except _TargetError as failure:
                raise failure.error from failure
            except ContentMissingError:
                continue

    def _bring(self, entry: Entry, chunks: Iterator[bytes]) -> None:
        self._stream(self._context.layout.history(entry.data_hash), chunks)

    def _has_content(self, data_hash: DataHash) -> bool:
        state = self._context.state
        home = self._target is self._context.home
        for event, *_ in state.journal.carriers(data_hash):
            there = (
                state.stores.holds(event)
                if home
                else not state.stores.lacks(self._target.store_id, event)
            )
            if there or event in self._events:
                return True
        return self._target.store.size(self._context.layout.history(data_hash)) is not None

    # --- events whose file is nowhere ---------------------------------------------------------

    def _make_again(self, row: EventRow, entries: Sequence[Entry]) -> bool:
        """Write an event anew from its entries and from contents that are still at hand."""
        event = parse_name(row.name)
        if event.op.value == "bat":
            return self._make_batch_again(row, entries)
        content = next((entry for entry in entries if entry.offset is not None), None)
        path = self._context.layout.event(row.name)
        if content is None:
            self._small.append((path, b""))
            self._events.append(row.id)
            return True
        try:
            self._bodies.copy(content.data_hash, lambda chunks: self._stream(path, chunks))
        except _TargetError as failure:
            raise failure.error from failure
        except ContentMissingError:
            return False
        self._book([row.id])
        return True

    def _make_batch_again(self, row: EventRow, entries: Sequence[Entry]) -> bool:
        """A batch goes with all its bodies. When some can be had from nobody, it goes as header and
        manifest, and the others go to the history (docs/design.md section 4)."""
        changes = changes_of(entries)
        head = write_manifest(changes)
        if self._context.hasher.data(head) != parse_name(row.name).data_hash:
            return False
        carried = [change for change in changes if change.offset is not None]
        bodies = [body for change in carried if (body := self._body_of(change)) is not None]
        if len(bodies) < len(carried):
            if self._may_be_away(row):
                return False
            for body in bodies:
                self._stream(self._context.layout.history(self._context.hasher.data(body)), [body])
            bodies = []
        self._small.append((self._context.layout.event(row.name), b"".join((head, *bodies))))
        self._events.append(row.id)
        return True

    def _body_of(self, change: Change) -> bytes | None:
        try:
            return self._bodies.read(change.data_hash, change.size)
        except ContentMissingError:
            return None

    def _may_be_away(self, row: EventRow) -> bool:
        """True when a store that is out of reach now is known to have the event."""
        stores = self._context.state.stores
        return any(not stores.lacks(s.store_id, row.id) for s in self._context.unreached)


class _NoSourceError(Exception):
    """No store in reach has this event's file."""


class _TargetError(Exception):
    """The store that is being filled failed, not the one that is read."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(str(error))
        self.error = error


def _indexed_paths(row: EventRow, entries: Sequence[Entry]) -> set[str]:
    """The paths in a single event's name; a batch has none there."""
    if parse_name(row.name).op.value == "bat":
        return set()
    return {entry.path for entry in entries} | {
        entry.other for entry in entries if entry.other is not None
    }


def release_home(context: FolderContext) -> None:
    """Drop bodies from the home store that are safe elsewhere (docs/design.md section 4).

    With two lasting stores or more: when two of them have the event, seen in this pass. With one,
    or for what was written while none was in reach: when every lasting store has it.
    """
    if context.keep_all:
        return
    lasting = [s for s in context.stores if not s.minor]
    away = [s for s in context.unreached if not s.minor]
    released: list[int] = []
    for event, name, whole in context.state.stores.held():
        path = context.layout.event(EventText(name))
        having = [s for s in lasting if _seen(context, s, event, path)]
        enough = len(having) == len(lasting) and not away
        if not whole and len(having) >= 2:
            enough = True
        if enough and having:
            context.home.store.delete(path)
            released.append(event)
    if released:
        # After the files: one that is gone is missed by nobody, one that nobody knows of stays.
        with context.state.transaction("release home"):
            for event in released:
                context.state.stores.release(event)


def _seen(context: FolderContext, connected: Connected, event: int, path: str) -> bool:
    """Looked up in the store itself, not in the table."""
    if context.state.stores.lacks(connected.store_id, event):
        return False
    try:
        return connected.store.size(path) is not None
    except StoreError:
        return False
