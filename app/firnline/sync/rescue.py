"""Saves that slipped in while a file was being replaced become events on what they were made of.

The content is in the replaced inode that applying kept; the event names the old base as its
parent, so it stands beside what was applied, and rule 4 makes a conflict copy of one of the two.
"""

from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import DataHash, Ref
from firnline.core.heads import by_ref
from firnline.core.reconcile import Book, Finding, reconcile
from firnline.folder.errors import Changed
from firnline.folder.metadata import Stat
from firnline.state.intents import Rescued
from firnline.sync.bodies import chunks_of
from firnline.sync.context import Connected, FolderContext
from firnline.sync.drafts import Draft, draft_single
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter
from firnline.sync.large_files import LargeFiles

IN_MEMORY = 2**20
"""Bytes up to which a save is read in one piece; larger ones are streamed."""


def publish_rescued(context: FolderContext, clock: EventClock, writer: EventWriter) -> int:
    """Write an event for each rescued save that the log does not know; returns how many.

    What a program is still writing stays for the next time.
    """
    rescuer = _Rescuer(context, clock, writer)
    return sum(rescuer.publish(item) for item in context.state.intents.rescued())


class _Rescuer:
    def __init__(self, context: FolderContext, clock: EventClock, writer: EventWriter) -> None:
        self._context = context
        self._clock = clock
        self._writer = writer

    def publish(self, item: Rescued) -> int:
        stat = self._context.root.kept_stat(item.kept)
        if stat is None or stat.kind not in (Kind.FILE, Kind.LINK):
            self._drop(item, stat)
            return 0
        log = self._context.state.journal.entries(item.path)
        found = Finding(
            stat.kind,
            hash_of_kept(self._context, item.kept, stat.kind),
            self._flags(item, stat, log),
        )
        verdict = reconcile(found, Ref(item.base), log)
        if isinstance(verdict, Book):
            # Also after a crash in the middle, when the log has the save already.
            self._drop(item, stat)
            return 0
        closings = self._writer.closings(verdict.closes, self._clock)
        self._writer.write(closings)
        change = _change(item.path, verdict.parent, found, stat)
        draft = draft_single(
            change, self._clock.next(), self._context.device, b"", self._context.hasher
        )
        try:
            self._send(item, draft._replace(size=stat.size), stat)
        except Changed:
            return len(closings)
        self._drop(item._replace(base=draft.ref), stat)
        return 1 + len(closings)

    def _flags(self, item: Rescued, stat: Stat, log: list[Entry]) -> str:
        """Where there is no execute bit here, as what the save was made of."""
        if self._context.root.has_modes:
            return EXECUTABLE if stat.executable else NO_FLAGS
        replaced = by_ref(log).get(Ref(item.base))
        return replaced.flags if replaced is not None and stat.kind is Kind.FILE else NO_FLAGS

    def _send(self, item: Rescued, draft: Draft, stat: Stat) -> None:
        """Raises Changed when the file is not what was hashed, before anything stands anywhere."""
        if stat.size > IN_MEMORY:
            large = LargeFiles(self._context, self._clock, self._writer)
            large.somewhere(
                lambda target: self._stream(large, target, item, draft),
                draft.entries[0].parent,
                stat.size,
            )
            return
        body = _read(self._context, item.kept, stat)
        self._check(item, draft, self._context.hasher.data(body))
        self._writer.write([draft._replace(body=(body,))], lambda: self._mark(item))

    def _stream(self, large: LargeFiles, target: Connected, item: Rescued, draft: Draft) -> int:
        digest = self._context.hasher.running()
        with target.store.upload() as upload:
            for chunk in chunks_of(self._context.root.open_kept(item.kept)):
                self._context.check_cancelled()
                digest.update(chunk)
                upload.write(chunk)
            self._check(item, draft, digest.data_hash())
            large.commit(target, upload, draft, from_folder=False)
        self._writer.confirm([draft], [target], lambda: self._mark(item))
        return 1

    def _check(self, item: Rescued, draft: Draft, data_hash: DataHash) -> None:
        if data_hash != draft.entries[0].data_hash:
            raise Changed(item.path, "is being written")

    def _mark(self, item: Rescued) -> None:
        self._context.state.dirty.mark([item.path])

    def _drop(self, item: Rescued, stat: Stat | None) -> None:
        """The file goes, unless it was written to since: then it is a save on top of that."""
        gone = self._context.root.drop_kept(item.kept, stat)
        with self._context.state.transaction("rescued"):
            if gone:
                self._context.state.intents.drop_rescued(item.kept)
            else:
                self._context.state.intents.rescue(item)


def _change(path: str, parent: Ref, found: Finding, stat: Stat) -> Change:
    is_file = found.kind is Kind.FILE
    return Change(
        Op.PUT if is_file else Op.LNK,
        path,
        None,
        parent,
        found.data_hash,
        stat.size,
        clamp_mtime(stat.mtime_ns) if is_file else 0,
        found.flags,
    )


def _read(context: FolderContext, kept: str, stat: Stat) -> bytes:
    if stat.kind is Kind.LINK:
        return context.root.kept_link(kept).encode()
    return b"".join(chunks_of(context.root.open_kept(kept)))


def hash_of_kept(context: FolderContext, kept: str, kind: Kind) -> DataHash:
    """The content's hash of a file or link that applying kept. Raises FolderError."""
    if kind is Kind.LINK:
        return context.hasher.data(context.root.kept_link(kept).encode())
    digest = context.hasher.running()
    for chunk in chunks_of(context.root.open_kept(kept)):
        digest.update(chunk)
    return digest.data_hash()
