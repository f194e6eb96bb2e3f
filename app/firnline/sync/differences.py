"""What a scan found, made into events.

For each path: read it, decide by `core.reconcile` whether the log knows this already, else write
the change on top of what this device's tree came from. Moves come first (they need no reading),
deletions last (a file read in between may turn out to be where a deleted one went).
"""

from collections.abc import Sequence

from firnline.core.batch import MAX_BODIES
from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, LINK, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref
from firnline.core.heads import state_of
from firnline.core.reconcile import ABSENT, Book, Finding, Write, reconcile
from firnline.folder.errors import FolderError, Vanished
from firnline.folder.metadata import Stat
from firnline.folder.read import read_link, read_small
from firnline.folder.scan import Scan, Seen
from firnline.state.file_index import FileRow
from firnline.sync.context import FolderContext, Problem
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter
from firnline.sync.large_files import LargeFile, publish_large
from firnline.sync.moves import GoneContents, Move, match_inodes
from firnline.sync.publisher import Item, Outbox, in_groups

_SLICE = 5_000
_DIRECTORY = Finding(Kind.DIRECTORY, EMPTY_HASH, NO_FLAGS)

Logs = dict[str, list[Entry]]


class Differences:
    """Turns one scan into events. `problems` tells what could not be taken, and why."""

    def __init__(self, context: FolderContext, clock: EventClock, writer: EventWriter) -> None:
        self._context = context
        self._clock = clock
        self._writer = writer
        self._outbox = Outbox(context, clock, writer)
        self._gone: dict[str, FileRow] = {}
        self._contents = GoneContents(())
        self._booked: list[FileRow] = []
        self._touched: list[str] = []
        self.problems: list[Problem] = []

    def publish(self, scan: Scan) -> int:
        """Write all that the scan found; returns the number of events."""
        context = self._context
        if scan.hidden:
            with context.state.transaction("hide paths"):
                context.state.files.forget(scan.hidden)
        changed = {seen.path for seen in scan.changed}
        rows = context.state.files.get_many([*changed, *scan.missing])
        emptied = set(scan.empty_directories)
        self._gone = {
            path: rows[path] for path in scan.missing if path in rows and path not in emptied
        }
        present = {path for path, row in rows.items() if row.kind is not Kind.NOTHING}
        moves, fresh = match_inodes(
            self._gone, [seen for seen in scan.changed if seen.path not in present]
        )
        fresh_paths = {seen.path for seen in fresh}
        rest = [s for s in scan.changed if s.path in present or s.path in fresh_paths]
        context.progress.begin("sending", len(scan.changed) + len(scan.missing), "files")
        with self._outbox:
            self._publish_moves(moves)
            self._contents = GoneContents(self._gone.values())
            self._publish_changed(rest, rows)
            self._publish_gone()
            self._publish_directories(scan, changed)
        self._commit_bookings()
        context.progress.end()
        return self._outbox.written

    # --- moves --------------------------------------------------------------------------------

    def _publish_moves(self, moves: Sequence[Move]) -> None:
        for start in range(0, len(moves), _SLICE):
            group = moves[start : start + _SLICE]
            logs = self._context.state.journal.entries_of(
                [m.row.path for m in group] + [m.seen.path for m in group]
            )
            for move in group:
                self._context.check_cancelled()
                self._move(move, logs)

    def _move(self, move: Move, logs: Logs) -> None:
        """One file that is at another path now, as one `mov` where the log allows it."""
        row, seen = move
        flags = _flags(seen)
        found = Finding(seen.kind, row.data_hash, flags)
        verdict = reconcile(ABSENT, row.base, logs.get(row.path, []))
        log = logs.get(seen.path, [])
        movable = isinstance(verdict, Write) and not (log and state_of(log).putting)
        if not movable:
            self._content(seen, found, None, log, seen.stat, row.path)
            return
        assert isinstance(verdict, Write)
        self._gone.pop(row.path)
        self._outbox.add(self._mov(row, seen, found, verdict))

    def _mov(self, row: FileRow, seen: Seen, found: Finding, verdict: Write) -> Item:
        parent = self._close(verdict)
        change = Change(
            Op.MOV,
            seen.path,
            row.path,
            parent,
            found.data_hash,
            row.size,
            0 if seen.kind is Kind.LINK else clamp_mtime(seen.stat.mtime_ns),
            LINK if seen.kind is Kind.LINK else found.flags,
        )
        return Item(change, None, (_row(seen, seen.stat, found, NO_PARENT), _absent(row)))

    # --- new and changed content --------------------------------------------------------------

    def _publish_changed(self, changed: Sequence[Seen], rows: dict[str, FileRow]) -> None:
        for start in range(0, len(changed), _SLICE):
            group = changed[start : start + _SLICE]
            logs = self._context.state.journal.entries_of([seen.path for seen in group])
            for seen in group:
                self._context.check_cancelled()
                self._change(seen, rows.get(seen.path), logs.get(seen.path, []))

    def _change(self, seen: Seen, row: FileRow | None, log: list[Entry]) -> None:
        try:
            if seen.kind is Kind.LINK:
                text, stat = read_link(self._context.root, seen.local or seen.path)
                self._found(seen, stat, text.encode(), row, log)
            elif seen.stat.size > MAX_BODIES:
                self._large(seen, row, log)
            else:
                body, stat = read_small(
                    self._context.root, seen.local or seen.path, self._context.clock, MAX_BODIES
                )
                self._found(seen, stat, body, row, log)
        except Vanished:
            return
        except (FolderError, UnicodeEncodeError) as error:
            self.problems.append(Problem(seen.path, "unreadable", str(error)))

    def _found(
        self, seen: Seen, stat: Stat, body: bytes, row: FileRow | None, log: list[Entry]
    ) -> None:
        found = Finding(seen.kind, self._context.hasher.data(body), _flags_of(seen.kind, stat))
        if row is not None and row.kind is seen.kind and _content(row) == found.content:
            self._book(_row(seen, stat, found, row.base))
            return
        gone = None
        if row is None or row.kind is Kind.NOTHING:
            gone = self._contents.take(found.kind, found.data_hash, seen.path)
        if (
            gone is not None
            and gone.path in self._gone
            and self._moved(seen, stat, found, gone, log)
        ):
            return
        self._content(seen, found, row, log, stat, None, body)

    def _moved(
        self, seen: Seen, stat: Stat, found: Finding, gone: FileRow, log: list[Entry]
    ) -> bool:
        """A new file with the content of one that is gone: the same as a rename."""
        source_log = self._context.state.journal.entries(gone.path)
        verdict = reconcile(ABSENT, gone.base, source_log)
        if not isinstance(verdict, Write) or (log and state_of(log).putting):
            return False
        self._gone.pop(gone.path)
        self._outbox.add(self._mov(gone, seen._replace(stat=stat), found, verdict))
        return True

    def _content(
        self,
        seen: Seen,
        found: Finding,
        row: FileRow | None,
        log: list[Entry],
        stat: Stat,
        hint: str | None,
        body: bytes | None = None,
    ) -> None:
        """Content at a path: booked where the log says so already, else written on top."""
        verdict = reconcile(found, None if row is None else row.base, log)
        if isinstance(verdict, Book):
            self._book(_row(seen, stat, found, verdict.entry.ref), dirty=True)
            return
        if body is not None and seen.kind is Kind.FILE and self._is_known(found.data_hash, body):
            body = None
        op = Op.LNK if seen.kind is Kind.LINK else Op.PUT
        change = Change(
            op,
            seen.path,
            hint,
            self._close(verdict),
            found.data_hash,
            stat.size,
            clamp_mtime(stat.mtime_ns) if op is Op.PUT else 0,
            found.flags if op is Op.PUT else NO_FLAGS,
        )
        self._outbox.add(Item(change, body, (_row(seen, stat, found, NO_PARENT),)))

    def _is_known(self, data_hash: DataHash, body: bytes) -> bool:
        """True when every store in reach has this content, so that naming it is enough."""
        state = self._context.state
        if not body:
            return False
        for event, *_ in state.journal.carriers(data_hash):
            held = state.stores.holds(event) or not self._writer.needs_home
            if held and not any(
                state.stores.lacks(s.store_id, event) for s in self._context.stores
            ):
                return True
        return False

    def _large(self, seen: Seen, row: FileRow | None, log: list[Entry]) -> None:
        self._outbox.settle()
        written = publish_large(self._context, self._clock, self._writer, LargeFile(seen, row, log))
        self._outbox.written += written

    # --- what is gone -------------------------------------------------------------------------

    def _publish_gone(self) -> None:
        for group in in_groups(sorted(self._gone), _SLICE):
            logs = self._context.state.journal.entries_of(group)
            for path in group:
                self._remove(self._gone[path], logs.get(path, []), Op.DEL)

    def _remove(self, row: FileRow, log: list[Entry], op: Op) -> None:
        verdict = reconcile(ABSENT, row.base, log)
        if isinstance(verdict, Book):
            self._book(_absent(row, verdict.entry.ref), dirty=True)
            return
        change = Change(op, row.path, None, self._close(verdict), EMPTY_HASH, 0, 0, NO_FLAGS)
        self._outbox.add(Item(change, None, (_absent(row),)))

    def _publish_directories(self, scan: Scan, changed: set[str]) -> None:
        files, journal = self._context.state.files, self._context.state.journal
        for path in sorted(set(scan.gone_directories) - changed):
            row = files.get(path)
            if row is not None and row.kind is Kind.DIRECTORY:
                self._remove(row, journal.entries(path), Op.RMD)
        for path in sorted(scan.empty_directories):
            row = files.get(path)
            verdict = reconcile(
                _DIRECTORY, None if row is None else row.base, journal.entries(path)
            )
            if isinstance(verdict, Book):
                self._book(_directory(path, verdict.entry.ref), dirty=True)
                continue
            parent = self._close(verdict)
            change = Change(Op.MKD, path, None, parent, EMPTY_HASH, 0, 0, NO_FLAGS)
            self._outbox.add(Item(change, None, (_directory(path, NO_PARENT),)))

    # --- common -------------------------------------------------------------------------------

    def _close(self, verdict: Write) -> Ref:
        """Close the heads that have to be closed first; returns the parent to name."""
        self._outbox.close(verdict.closes)
        return verdict.parent

    def _book(self, row: FileRow, *, dirty: bool = False) -> None:
        """The log knows this already: note it, and let the pass look whether more is to do.

        In groups, since a joined folder has nothing else; what a crash forgets is found again.
        """
        self._booked.append(row)
        if dirty:
            self._touched.append(row.path)
        if len(self._booked) >= _SLICE:
            self._commit_bookings()

    def _commit_bookings(self) -> None:
        rows, self._booked = self._booked, []
        paths, self._touched = self._touched, []
        if rows:
            with self._context.state.transaction("book files"):
                self._context.state.files.put_many(rows)
                self._context.state.journal.mark_dirty(paths)


def _flags(seen: Seen) -> str:
    return _flags_of(seen.kind, seen.stat)


def _flags_of(kind: Kind, stat: Stat) -> str:
    return EXECUTABLE if kind is Kind.FILE and stat.executable else NO_FLAGS


def _content(row: FileRow) -> tuple[Kind, str, str]:
    return Finding(row.kind, row.data_hash, row.flags).content


def _row(seen: Seen, stat: Stat, found: Finding, base: Ref) -> FileRow:
    return FileRow(
        seen.path,
        seen.kind,
        stat.size,
        stat.mtime_ns,
        stat.inode,
        found.data_hash,
        found.flags,
        base,
        seen.local,
    )


def _absent(row: FileRow, base: Ref = NO_PARENT) -> FileRow:
    return FileRow(row.path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base)


def _directory(path: str, base: Ref) -> FileRow:
    return FileRow(path, Kind.DIRECTORY, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base)
