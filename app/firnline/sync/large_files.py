"""Files larger than a batch: an event each, streamed from the folder into the store.

Read once: the hash is taken beside the copy, in a second thread, and the event gets its name from
what was really sent (docs/design.md section 4, *The home store*). Where source and store share
blocks the copy is a clone, and what is hashed is the clone, which nobody can change any more.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from firnline.core.entry import Change, Entry
from firnline.core.hashing import NO_PARENT, DataHash, Digest, Ref
from firnline.core.reconcile import Finding
from firnline.folder.errors import Changed
from firnline.folder.metadata import Stat
from firnline.folder.read import hash_while, stream
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow
from firnline.stores.base import Upload
from firnline.stores.errors import StoreError
from firnline.sync.behind import with_event
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import Draft, draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import (
    EventWriter,
    NowhereToWriteError,
    has_room_to_wait,
    missing_index,
    send_hints,
)
from firnline.sync.open_events import settle_open_events
from firnline.sync.publisher import secure
from firnline.sync.reading import Reading, flags_of

Decide = Callable[[Reading], Change | None]
"""What is to be sent of a reading; None: nothing, it is settled otherwise."""


class LargeFiles:
    """Sends large files, each into the home store where it has to be there, else the best store."""

    def __init__(self, context: FolderContext, clock: EventClock, writer: EventWriter) -> None:
        self._context = context
        self._clock = clock
        self._writer = writer

    def publish(self, seen: Seen, row: FileRow | None, log: list[Entry], decide: Decide) -> int:
        """Read one file into a store, and let `decide` say what becomes of it.

        Returns the number of events. Raises FolderError (it changed, vanished, cannot be read) and
        NowhereToWriteError.
        """

        opened: list[tuple[Finding, Draft]] = []

        def send(target: Connected) -> int:
            with target.store.upload() as upload:
                reading = self._read(seen, row, log, upload)
                if opened and opened[0][0] != reading.found:
                    raise Changed(seen.path, "changed while it was being sent")
                if not opened:
                    change = decide(reading)
                    if change is None:
                        return 0
                    opened.append((reading.found, self._draft(change)))
                # One event for one change: the store that failed may have it all the same.
                draft = opened[0][1]
                secure(self._context, [seen.local or seen.path])
                self.commit(target, upload, draft, from_folder=True)
            self._writer.took(target)
            booked = reading.new_row(draft.ref)
            files = self._context.state.files
            self._writer.confirm([draft], [target], lambda: files.put_many([booked]))
            return 1

        try:
            return self.somewhere(send, NO_PARENT if row is None else row.base, seen.stat.size)
        except Changed:
            settle_open_events(self._context)
            raise
        except NowhereToWriteError:
            # Nothing may stand on it that is written later in this pass.
            with suppress(StoreError):
                settle_open_events(self._context)
            raise

    def somewhere(self, send: Callable[[Connected], int], parent: Ref, size: int) -> int:
        """`send` to the store where an event has to go first; to the next when that one fails.

        A store that lacks `parent` waits for the copier, as with small events; one that is too slow
        to be waited for is left to it as well, where the home store has room for so many bytes.
        """
        context, writer = self._context, self._writer
        ready = with_event(context, parent)
        while True:
            takers = [connected for connected in context.with_room if connected in ready]
            quick = [connected for connected in takers if context.in_time(connected, size)]
            if takers and not quick and not (writer.needs_home or has_room_to_wait(context, size)):
                return self._at_leisure(send, takers)
            target = context.home if writer.needs_home or not quick else quick[0]
            try:
                return send(target)
            except StoreError as error:
                if target is not context.home:
                    writer.failed(target, error)
                elif writer.needs_home or ready == context.with_room:
                    raise NowhereToWriteError(str(error)) from error
                else:
                    # With a full disk here, a store that is behind is better than no place at all.
                    ready = context.with_room

    def _at_leisure(self, send: Callable[[Connected], int], takers: Iterable[Connected]) -> int:
        """Slow stores are better than no place at all, too."""
        with self._context.patience.at_leisure():
            for target in takers:
                try:
                    return send(target)
                except StoreError as error:
                    self._writer.failed(target, error)
        raise NowhereToWriteError("no store takes it, and there is no room here")

    def _draft(self, change: Change) -> Draft:
        context = self._context
        draft = draft_single(change, self._clock.next(), context.device, b"", context.hasher)
        return draft._replace(size=change.size)

    def commit(self, target: Connected, upload: Upload, draft: Draft, *, from_folder: bool) -> None:
        """Give an upload its event's name: durable first, then committed as open, then named."""
        context = self._context
        upload.flush()
        target.require_current()
        self._writer.open([draft], from_folder=from_folder)
        send_hints(context, target, [draft.name])
        target.store.put_many(missing_index(context, target, draft.index_paths))
        upload.commit(context.layout.event(draft.name))

    def _read(self, seen: Seen, row: FileRow | None, log: list[Entry], upload: Upload) -> Reading:
        """Read the file into the upload, once, and hash what went there."""
        context = self._context
        context.progress.begin(f"sending {seen.path}", seen.stat.size, "bytes")
        digest = context.hasher.running()
        with stream(context.root, seen.local or seen.path, context.clock) as body:
            if upload.clone(body.descriptor):
                _hash(context, upload.read_back(), digest)
            else:
                for piece in hash_while(body, digest):
                    upload.write(piece)
                    _count(context, len(piece))
        context.progress.end()
        return _reading(context, seen, body.stat, digest.data_hash(), row, log)


def hash_large(
    context: FolderContext, seen: Seen, row: FileRow | None, log: list[Entry]
) -> Reading:
    """Read a file only to know its hash. Raises FolderError."""
    digest = context.hasher.running()
    context.progress.begin(f"reading {seen.path}", seen.stat.size, "bytes")
    with stream(context.root, seen.local or seen.path, context.clock) as body:
        for piece in body:
            digest.update(piece)
            _count(context, len(piece))
    context.progress.end()
    return _reading(context, seen, body.stat, digest.data_hash(), row, log)


def _reading(
    context: FolderContext,
    seen: Seen,
    stat: Stat,
    data_hash: DataHash,
    row: FileRow | None,
    log: list[Entry],
) -> Reading:
    found = Finding(seen.kind, data_hash, flags_of(context, seen.kind, stat, row, log))
    return Reading(seen, stat, found, None, row, log)


def _hash(context: FolderContext, chunks: Iterable[bytes], digest: Digest) -> None:
    for chunk in hash_while(chunks, digest):
        _count(context, len(chunk))


def _count(context: FolderContext, size: int) -> None:
    context.check_cancelled()
    context.progress.advance(size)
