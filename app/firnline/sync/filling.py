"""Writing events into one store that lacks them, small ones in groups with one barrier each.

The order in the store is that of the calls: contents that events name first, then index entries,
then the events themselves (docs/design.md section 2, *Writing*).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from firnline.core.batch import MAX_BODIES, write_manifest
from firnline.core.entry import Change, Entry
from firnline.core.event import EventText, Kind, Op, parse_name
from firnline.core.hashing import EMPTY_HASH, DataHash
from firnline.state.journal import EventRow
from firnline.stores.errors import AlreadyExistsError, NotFoundError, StoreError
from firnline.sync.bodies import Bodies, ContentMissingError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import changes_of, indexed_paths
from firnline.sync.event_writer import flush_small, missing_index, send_hints
from firnline.sync.odd_files import keep_odd
from firnline.sync.verify_stream import Standing, look, stands_content, verified

_SMALL = 256 * 1024
_GROUP_BYTES = 8 * 2**20
_GROUP_EVENTS = 500


class NoSourceError(Exception):
    """No store in reach has this event's file; the message says what else was tried."""


class TargetError(Exception):
    """The store that is being filled failed, not the one that is read."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(str(error))
        self.error = error


class Filling:
    """One store that is being filled. All methods may raise TargetError."""

    def __init__(self, context: FolderContext, target: Connected) -> None:
        self.target = target
        self.copied = 0
        """Events that stand there by now."""
        self.at_risk: list[EventRow] = []
        """Events that were being written when the store failed: a part may stand there."""
        self._context = context
        self._is_home = target is context.home
        self._bodies = Bodies(context)
        self._index: list[tuple[str, bytes]] = []
        self._small: list[tuple[str, bytes]] = []
        self._small_bytes = 0
        self._events: list[EventRow] = []
        self._odd: set[str] = set()
        """Paths at which something else than what belongs there may stand."""

    def prepare(self, row: EventRow) -> None:
        """Bring what has to stand before the event does."""
        entries = self._context.state.journal.entries_of_event(row.id)
        if not self._is_home or self._context.keep_all:
            stores = self._context.state.stores
            self._bring_named(entries, stores.is_doubtful(self.target.store_id, row.id))
        with self._guarded():
            index = missing_index(self._context, self.target, indexed_paths(row.name, entries))
        self._index += index
        if self._context.state.stores.is_doubtful(self.target.store_id, row.id):
            self.replaces(self._context.layout.event(row.name), *(path for path, _ in index))

    def replaces(self, *paths: str) -> None:
        """What stands at these paths is not right: it is kept before it is written anew."""
        self._odd.update(paths)

    def stands_already(self, row: EventRow) -> bool:
        """After a write that failed: the answer may have been lost, and not the event."""
        if self._is_home or not self._context.state.stores.is_doubtful(
            self.target.store_id, row.id
        ):
            return False
        with self._guarded():
            if look(self._context, self.target, row) is not Standing.WHOLE:
                return False
            size = self.target.store.size(self._context.layout.event(row.name))
            self._note_size(row, row.size if size is None else size)
            # With its index entries: the failed write may have ended before or between them.
            self._keep_odd(*self._index)
            flush_small(self.target, self._index)
        self._book([row])
        return True

    def take(self, row: EventRow, source: Connected) -> None:
        """Copy an event's file. Raises the source's StoreError when it is not whole there."""
        path = self._context.layout.event(row.name)
        size = source.store.size(path)
        if size is None:
            raise NotFoundError(path, "is not in the store")
        chunks = verified(parse_name(row.name), source.store.open(path), self._context.hasher)
        if size <= _SMALL:
            self._collect(row, b"".join(chunks))
        else:
            self._send_large(row, chunks)

    def flush(self) -> None:
        """Write what was collected, and book it."""
        events, self._events = self._events, []
        self.at_risk = events
        with self._guarded():
            self.target.require_current()
            send_hints(self._context, self.target, [row.name for row in events])
            self._keep_odd(*self._index, *self._small)
            # With a barrier of their own: after a loss of power an event may stand, and nobody
            # would look again whether its index entries do.
            flush_small(self.target, self._index)
            flush_small(self.target, self._small)
        self._small_bytes = 0
        self._book(events)

    def _keep_odd(self, *files: tuple[str, bytes]) -> None:
        for path, body in files:
            if path in self._odd:
                keep_odd(self._context, self.target, path, body)

    def _note_size(self, row: EventRow, size: int) -> None:
        """What was read and found right is so large, whatever a store has told before."""
        if size != row.size:
            with self._context.state.transaction("size of an event"):
                self._context.state.journal.mend_file_size(row, size)

    def _collect(self, row: EventRow, body: bytes) -> None:
        self._note_size(row, len(body))
        self._small.append((self._context.layout.event(row.name), body))
        self._small_bytes += len(body)
        self._events.append(row)
        if self._small_bytes > _GROUP_BYTES or len(self._events) >= _GROUP_EVENTS:
            self.flush()

    def _send_large(self, row: EventRow, chunks: Iterable[bytes]) -> None:
        """After all that was collected: its parents and its index entries are among it."""
        self.flush()
        self.at_risk = [row]
        size = self._stream(self._context.layout.event(row.name), chunks, row.name)
        self._note_size(row, size)
        self._book([row])

    def _stream(self, path: str, chunks: Iterable[bytes], event: EventText | None = None) -> int:
        """Returns the number of bytes. Errors of `chunks` are raised as they are, those of the
        target as TargetError.

        `event`: it gets its hint before its name, and only when its body is whole.
        """
        size = 0
        with ExitStack() as stack:
            with self._guarded():
                upload = stack.enter_context(self.target.store.upload())
            for chunk in chunks:
                self._context.check_cancelled()
                size += len(chunk)
                with self._guarded():
                    upload.write(chunk)
            with self._guarded():
                upload.flush()
                self.target.require_current()
                if event is not None:
                    send_hints(self._context, self.target, [event])
                if path in self._odd:
                    keep_odd(self._context, self.target, path)
                upload.commit(path)
        return size

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            raise TargetError(error) from error

    def _book(self, events: Sequence[EventRow]) -> None:
        if not events:
            return
        stores = self._context.state.stores
        with self._context.state.transaction("copied events"):
            if self._is_home:
                for row in events:
                    stores.hold(row.id, whole=True)
            else:
                stores.has(self.target.store_id, [row.id for row in events])
        self.copied += len(events)

    # --- content that is named and not carried ------------------------------------------------

    def _bring_named(self, entries: Sequence[Entry], doubtful: bool) -> None:
        """Moves, copies and members without a body need their content in the target too.

        What nobody in reach has holds nothing back. `doubtful`: what stands there is read.
        """
        for entry in entries:
            if entry.offset is not None or entry.kind not in (Kind.FILE, Kind.LINK):
                continue
            if entry.data_hash != EMPTY_HASH and not self._has_content(entry.data_hash, doubtful):
                self.bring_content(entry.data_hash)

    def bring_content(self, data_hash: DataHash) -> bool:
        """Into the target's history; False when nobody has it."""
        path = self._context.layout.history(data_hash)
        try:
            self._bodies.copy(data_hash, lambda chunks: self._stream(path, chunks), self._room())
        except ContentMissingError:
            return False
        return True

    def _room(self) -> int | None:
        """What cannot fit is not begun: a body without end may stand under the name of a small one,
        in the target or elsewhere."""
        with self._guarded():
            return self.target.store.free_space()

    def _has_content(self, data_hash: DataHash, doubtful: bool = False) -> bool:
        coming = {row.id for row in self._events}
        for event, *_ in self._context.state.journal.carriers(data_hash):
            if event in coming or self._has_event(event):
                return True
        path = self._context.layout.history(data_hash)
        with self._guarded():
            if doubtful:
                return stands_content(self._context, self.target, data_hash)
            return self.target.store.size(path) is not None

    def _has_event(self, event: int) -> bool:
        stores = self._context.state.stores
        if self._is_home:
            return stores.holds(event)
        return not stores.lacks(self.target.store_id, event)

    # --- events whose file is nowhere ---------------------------------------------------------

    def make_again(self, row: EventRow) -> None:
        """Write an event anew, from its entries and from contents that are still at hand.

        Raises NoSourceError.
        """
        op = parse_name(row.name).op
        entries = self._context.state.journal.entries_of_event(row.id)
        if op is Op.BAT:
            self._make_batch_again(row, changes_of(entries))
        elif op in (Op.PUT, Op.LNK):
            self._make_body_again(row, entries[0].data_hash)
        elif op is Op.PAT:
            raise NoSourceError("no store in reach has this delta")
        else:
            self._collect(row, b"")

    def _make_body_again(self, row: EventRow, data_hash: DataHash) -> None:
        try:
            self._bodies.copy(data_hash, lambda chunks: self._send_large(row, chunks), self._room())
        except ContentMissingError:
            raise NoSourceError("no store in reach has it, nor its content") from None

    def _make_batch_again(self, row: EventRow, changes: Sequence[Change]) -> None:
        """A batch goes with all its bodies. When some can be had from nobody, it goes as header and
        manifest, and the others go to the history (docs/design.md section 4)."""
        head = write_manifest(changes)
        if self._context.hasher.data(head) != parse_name(row.name).data_hash:
            raise NoSourceError("no store in reach has it, and it cannot be made again")
        carried = [change for change in changes if change.offset is not None]
        bodies = self._bodies_of(carried)
        if bodies is None:
            self._send_without_bodies(row, head, carried)
        else:
            self._collect(row, b"".join((head, *bodies)))

    def _bodies_of(self, carried: Sequence[Change]) -> list[bytes] | None:
        """All bodies; None when one is missing, and for more than an honest batch has."""
        if sum(change.size for change in carried) > MAX_BODIES:
            return None
        try:
            bodies = [self._bodies.read(change.data_hash, change.size) for change in carried]
        except ContentMissingError:
            return None
        whole = all(len(b) == change.size for b, change in zip(bodies, carried, strict=True))
        return bodies if whole else None

    def _send_without_bodies(self, row: EventRow, head: bytes, carried: Sequence[Change]) -> None:
        """The store lacks the event all the same, until somebody has all of it. The home store
        takes only what is whole: it is there for the others' sake."""
        stores = self._context.state.stores
        if self._is_home or any(
            not stores.lacks(s.store_id, row.id) for s in self._context.unreached
        ):
            raise NoSourceError("no store in reach has it")
        for data_hash in {change.data_hash for change in carried}:
            if not self._has_content(data_hash):
                self.bring_content(data_hash)
        self.flush()
        path = self._context.layout.event(row.name)
        with self._guarded(), suppress(AlreadyExistsError):
            if self.target.store.size(path) is None:
                send_hints(self._context, self.target, [row.name])
                self.target.store.create(path, head)
        with self._context.state.transaction("event in part"):
            stores.lost(self.target.store_id, row.id, wrong=True)
        raise NoSourceError("some of its contents are in no store in reach; the rest was sent")
