"""What a scan found, made into events.

For each path: read it, decide by `core.reconcile` whether the log knows this already, else write
the change on top of what this device's tree came from. Moves come first (they need no reading),
deletions last (a file read in between may turn out to be where a deleted one went).
"""

from collections.abc import Sequence

from firnline.core.batch import MAX_BODIES
from firnline.core.entry import Change, Entry
from firnline.core.event import LINK, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, Ref
from firnline.core.heads import stands_alone, state_of
from firnline.core.paths import ancestors
from firnline.core.reconcile import ABSENT, Book, Finding, Write, reconcile
from firnline.folder.errors import FolderError, Vanished
from firnline.folder.read import read_link, read_small
from firnline.folder.read_ahead import ReadAhead
from firnline.folder.scan import Scan, Seen
from firnline.state.file_index import FileRow
from firnline.sync.context import FolderContext, Problem
from firnline.sync.deletion_guard import DeletionGuard
from firnline.sync.event_clock import EventClock
from firnline.sync.event_writer import EventWriter, NowhereToWriteError
from firnline.sync.known_content import is_everywhere, may_be_known
from firnline.sync.large_files import LargeFiles, hash_large
from firnline.sync.moves import GoneContents, Move, match_inodes
from firnline.sync.publisher import Item, Outbox, in_groups
from firnline.sync.reading import Reading, flags_of
from firnline.sync.whole_directories import WholeMove, publish_whole, sort_out

_SLICE = 5_000
_DIRECTORY = Finding(Kind.DIRECTORY, EMPTY_HASH, NO_FLAGS)

Logs = dict[str, list[Entry]]


class Differences:
    """Turns one scan into events. `problems` tells what could not be taken, and why."""

    def __init__(
        self,
        context: FolderContext,
        clock: EventClock,
        writer: EventWriter,
        guard: DeletionGuard,
    ) -> None:
        self._context = context
        self._guard = guard
        self._clock = clock
        self._writer = writer
        self._outbox = Outbox(context, clock, writer)
        self._rows: dict[str, FileRow] = {}
        self._gone: dict[str, FileRow] = {}
        self._contents = GoneContents(())
        self._rows_tell = not context.state.dirty.any()
        """Nothing came that is not applied yet, so a straight row stands for its path's log."""
        self._ahead = ReadAhead(context.root, context.clock, ())
        self._booked: list[FileRow] = []
        self._touched: list[str] = []
        self.problems: list[Problem] = []

    def publish(self, scan: Scan) -> int:
        """Write all that the scan found; returns the number of events."""
        context = self._context
        if scan.hidden:
            with context.state.transaction("hide paths"):
                context.state.files.forget(scan.hidden)
        whole, scan = self._whole_directories(scan)
        changed = {seen.path for seen in scan.changed}
        rows = self._rows = context.state.files.get_many([*changed, *scan.missing])
        gone = _missing(scan, rows)
        self._gone = gone if scan.complete else {}
        kept = self._bring_back(self._gone)
        present = {path for path, row in rows.items() if row.kind is not Kind.NOTHING}
        new = [seen for seen in scan.changed if seen.path not in present]
        moves, fresh = match_inodes(gone if scan.complete else self._anywhere(new), new)
        if not scan.complete:
            moves = self._hold_back(scan)
        fresh_paths = {seen.path for seen in fresh}
        self._guard.count_before(len(self._gone) - len(moves), scan)
        rest = [s for s in scan.changed if s.path in present or s.path in fresh_paths]
        files = sum(len(move.directory.rows) for move in whole)
        context.progress.begin("sending", len(scan.changed) + len(scan.missing) + files, "files")
        self._outbox.written += publish_whole(context, self._clock, self._writer, whole)
        with self._outbox:
            self._publish_moves(moves)
            self._contents = GoneContents(self._gone.values())
            self._publish_changed(rest)
            held = self._guard.hold_gone(self._gone, scan)
            self._publish_gone(held)
            self._publish_directories(scan, changed, held, kept)
        self._commit_bookings()
        context.progress.end()
        return self._outbox.written

    def _whole_directories(self, scan: Scan) -> tuple[list[WholeMove], Scan]:
        """What was moved as a whole; in the scan that is left are the files of what was not."""
        if self._rows_tell and not self._guard.asks_here:
            return sort_out(self._context, scan)
        return [], scan.unfold(scan.moved, modes=self._context.root.has_modes)

    def _anywhere(self, new: Sequence[Seen]) -> dict[str, FileRow]:
        """The rows that new files may have come from, when nobody can tell which are gone."""
        files = self._context.state.files
        return {row.path: row for row in files.with_inodes(seen.stat.inode for seen in new)}

    def _hold_back(self, scan: Scan) -> list[Move]:
        """Only a scan that could read everything tells what is gone (docs/design.md section 10.4):
        a disk that fails in one place may hide files in another. What was moved waits as well: told
        as new, and its old path as gone later, it would be no move any more."""
        if scan.missing:
            message = f"{len(scan.missing)} files are missing; nobody is told before all of"
            message += " the folder can be read"
            self.problems.append(Problem("", "incomplete scan", message))
        return []

    # --- moves --------------------------------------------------------------------------------

    def _publish_moves(self, moves: Sequence[Move]) -> None:
        for start in range(0, len(moves), _SLICE):
            group = moves[start : start + _SLICE]
            logs = self._context.state.journal.entries_of(
                [m.seen.path for m in group]
                + [m.row.path for m in group if not self._is_straight(m.row)]
            )
            for move in group:
                self._context.check_cancelled()
                self._move(move, logs)

    def _move(self, move: Move, logs: Logs) -> None:
        """One file that is at another path now, as one `mov` where the log allows it."""
        row, seen = move
        if self._only_moved(move, logs):
            self._gone.pop(row.path)
            self._outbox.add(Item(_mov_of(move), None, (), row))
            return
        log, source_log = logs.get(seen.path, []), logs.get(row.path, [])
        found = Finding(
            seen.kind, row.data_hash, flags_of(self._context, seen.kind, seen.stat, row)
        )
        reading = Reading(seen, seen.stat, found, None, self._rows.get(seen.path), log)
        verdict = reconcile(ABSENT, row.base, source_log)
        if isinstance(verdict, Write) and not (log and state_of(log).putting):
            self._gone.pop(row.path)
            straight = stands_alone(source_log, row.base)
            self._outbox.add(self._mov(row, reading, verdict, straight))
        else:
            self._change(seen, reading.row, log)

    def _is_straight(self, row: FileRow) -> bool:
        return self._rows_tell and row.straight

    def _only_moved(self, move: Move, logs: Logs) -> bool:
        """True when the log at the source is straight, there is none at the target, and the file
        is as it was: nothing has to be asked then."""
        row, seen = move
        return (
            self._is_straight(row)
            and seen.path not in logs
            and seen.path not in self._rows
            and seen.local is None
            and flags_of(self._context, seen.kind, seen.stat, row) == row.flags
        )

    def _mov(self, row: FileRow, reading: Reading, verdict: Write, straight: bool) -> Item:
        """`straight`: so is the log at the source. That at the target is if it begins here."""
        flags = flags_of(self._context, reading.seen.kind, reading.stat, row)
        reading = reading._replace(found=reading.found._replace(flags=flags))
        change = reading.moved_from(row, self._close(verdict))
        arrived = reading.new_row()._replace(straight=not reading.log)
        return Item(change, None, (arrived, _absent(row, straight=straight)))

    # --- new and changed content --------------------------------------------------------------

    def _publish_changed(self, changed: Sequence[Seen]) -> None:
        small = [s for s in changed if s.kind is Kind.FILE and s.stat.size <= MAX_BODIES]
        paths = [seen.local or seen.path for seen in small]
        self._ahead = ReadAhead(self._context.root, self._context.clock, paths)
        for start in range(0, len(changed), _SLICE):
            group = changed[start : start + _SLICE]
            logs = self._context.state.journal.entries_of([seen.path for seen in group])
            for seen in group:
                self._context.check_cancelled()
                self._change(seen, self._rows.get(seen.path), logs.get(seen.path, []))

    def _change(self, seen: Seen, row: FileRow | None, log: list[Entry]) -> None:
        root, local = self._context.root, seen.local or seen.path
        try:
            if seen.kind is Kind.LINK:
                text, stat = read_link(root, local, self._context.clock)
                self._take(Reading.of(self._context, seen, stat, text.encode(), row, log))
            elif seen.stat.size > MAX_BODIES:
                self._take_large(seen, row, log)
            else:
                with self._ahead.reading(local):
                    body, stat = read_small(root, local, self._context.clock, MAX_BODIES)
                self._take(Reading.of(self._context, seen, stat, body, row, log))
        except Vanished:
            return
        except (FolderError, UnicodeEncodeError) as error:
            self.problems.append(Problem(seen.path, "unreadable", str(error)))

    def _take(self, reading: Reading) -> None:
        change = self._decide(reading)
        if change is not None:
            self._outbox.add(Item(change, reading.body, (reading.new_row(),)))

    def _take_large(self, seen: Seen, row: FileRow | None, log: list[Entry]) -> None:
        """A file that is streamed: once to hash it where the log may have it, once to send it."""
        self._outbox.settle()
        if may_be_known(self._context, seen, row, log):
            reading = hash_large(self._context, seen, row, log)
            if self._decide(reading) is None:
                return
        large = LargeFiles(self._context, self._clock, self._writer)
        try:
            self._outbox.written += large.publish(seen, row, log, self._decide)
        except NowhereToWriteError as error:
            # Smaller files may still find room.
            self.problems.append(Problem(seen.path, "no space", str(error)))

    def _decide(self, reading: Reading) -> Change | None:
        """The change whose body has to be sent; None when the content is settled without."""
        row, found, log = reading.row, reading.found, reading.log
        if row is not None and _content(row) == found.content:
            self._book(reading.booked_row(row.base))
            return None
        gone = self._gone_with(found, reading.seen.path)
        is_fresh = row is None or row.kind is Kind.NOTHING
        if gone is not None and is_fresh and self._moved(reading, gone):
            return None
        verdict = reconcile(found, None if row is None else row.base, log)
        if isinstance(verdict, Book):
            self._book(reading.booked_row(verdict.entry.ref), dirty=True)
            return None
        change = reading.change(self._close(verdict))
        if gone is not None:
            change = self._moved_onto(change, gone)
        if change.op is Op.PUT and is_everywhere(self._context, self._writer, found.data_hash):
            self._outbox.add(Item(change, None, (reading.new_row(),)))
            return None
        return change

    def _gone_with(self, found: Finding, path: str) -> FileRow | None:
        """A file with this content that is gone from its path, and whose going is not told yet."""
        gone = self._contents.take(found.kind, found.data_hash, path)
        return gone if gone is not None and gone.path in self._gone else None

    def _moved(self, reading: Reading, gone: FileRow) -> bool:
        """A new file with the content of one that is gone: the same as a rename."""
        source_log = self._context.state.journal.entries(gone.path)
        verdict = reconcile(ABSENT, gone.base, source_log)
        if not isinstance(verdict, Write) or state_of(reading.log).putting:
            return False
        self._gone.pop(gone.path)
        straight = stands_alone(source_log, gone.base)
        self._outbox.add(self._mov(gone, reading, verdict, straight))
        return True

    def _moved_onto(self, change: Change, gone: FileRow) -> Change:
        """A file that took another one's place: not a `mov`, but a hint beside its deletion, in one
        batch, so that edits of it follow (docs/design.md section 2, and section 3 rule 5)."""
        self._gone.pop(gone.path)
        self._remove(gone, self._context.state.journal.entries(gone.path), Op.DEL)
        return change._replace(source=gone.path)

    # --- what is gone -------------------------------------------------------------------------

    def _publish_gone(self, held: set[str]) -> None:
        for group in in_groups(sorted(self._gone.keys() - held), _SLICE):
            logs = self._context.state.journal.entries_of(group)
            for path in group:
                self._remove(self._gone[path], logs.get(path, []), Op.DEL)

    def _remove(self, row: FileRow, log: list[Entry], op: Op) -> None:
        verdict = reconcile(ABSENT, row.base, log)
        if isinstance(verdict, Book):
            self._book(_absent(row, verdict.entry.ref), dirty=True)
            return
        change = Change(op, row.path, None, self._close(verdict), EMPTY_HASH, 0, 0, NO_FLAGS)
        straight = stands_alone(log, row.base)
        self._outbox.add(Item(change, None, (_absent(row, straight=straight),)))

    def _bring_back(self, gone: dict[str, FileRow]) -> set[str]:
        """What the user wants back: nothing was deleted there, and the log's version is missing.
        Taken out of `gone`; returns the paths."""
        kept = self._guard.kept(gone)
        for row in kept:
            del gone[row.path]
            self._book(_absent(row, row.base), dirty=True)
        return {row.path for row in kept}

    def _publish_directories(
        self, scan: Scan, changed: set[str], held: set[str], kept: set[str]
    ) -> None:
        files, journal = self._context.state.files, self._context.state.journal
        gone = set(scan.gone_directories) - changed - held if scan.complete else set()
        rows = {p: row for p, row in files.get_many(gone).items() if row.kind is Kind.DIRECTORY}
        kept |= self._bring_back(rows)
        for path in sorted(rows):
            self._remove(rows[path], journal.entries(path), Op.RMD)
        # A directory whose files come back, or may do so, was not left empty.
        stays = {above for path in (*held, *kept) for above in ancestors(path)}
        for path in sorted(set(scan.empty_directories) - stays):
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
                self._context.state.dirty.mark(paths)


def _missing(scan: Scan, rows: dict[str, FileRow]) -> dict[str, FileRow]:
    """The rows of what the scan did not find."""
    emptied = set(scan.empty_directories)
    return {path: rows[path] for path in scan.missing if path in rows and path not in emptied}


def _mov_of(move: Move) -> Change:
    """Of a file that only went elsewhere."""
    row, seen = move
    is_file = row.kind is Kind.FILE
    flags, mtime = (row.flags, clamp_mtime(row.mtime_ns)) if is_file else (LINK, 0)
    return Change(Op.MOV, seen.path, row.path, row.base, row.data_hash, row.size, mtime, flags)


def _content(row: FileRow) -> tuple[Kind, str, str]:
    return Finding(row.kind, row.data_hash, row.flags).content


def _absent(row: FileRow, base: Ref = NO_PARENT, *, straight: bool = False) -> FileRow:
    return FileRow(row.path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base, None, straight)


def _directory(path: str, base: Ref) -> FileRow:
    return FileRow(path, Kind.DIRECTORY, 0, 0, 0, EMPTY_HASH, NO_FLAGS, base)
