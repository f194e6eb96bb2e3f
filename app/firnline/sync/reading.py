"""A file or link that was read: what stood there, and what the tables have of its path.

Turns into a change, and into the table's new row. Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, LINK, NO_FLAGS, Kind, Op, clamp_mtime
from firnline.core.hashing import NO_PARENT, Ref
from firnline.core.heads import stands_alone, state_of
from firnline.core.reconcile import Finding
from firnline.folder.metadata import Stat
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow
from firnline.sync.context import FolderContext


class Reading(NamedTuple):
    """`stat` and `found` belong together: the file was still while it was read."""

    seen: Seen
    stat: Stat
    found: Finding
    body: bytes | None
    """None for what is streamed, or need not be read."""
    row: FileRow | None
    log: list[Entry]

    @classmethod
    def of(
        cls,
        context: FolderContext,
        seen: Seen,
        stat: Stat,
        body: bytes,
        row: FileRow | None,
        log: list[Entry],
    ) -> "Reading":
        """What was read as a whole."""
        data_hash = context.hasher.data(body)
        found = Finding(seen.kind, data_hash, flags_of(context, seen.kind, stat, row, log))
        return cls(seen, stat, found, body, row, log)

    def new_row(self, base: Ref = NO_PARENT) -> FileRow:
        """The path's row under a new event on top of what the table has.

        The base is filled in when the event has a name.
        """
        row, log = self.row, self.log
        return self._row(base, not log if row is None else stands_alone(log, row.base))

    def booked_row(self, ref: Ref) -> FileRow:
        """The path's row where the log has the content already, by the event `ref`."""
        return self._row(ref, stands_alone(self.log, ref))

    def _row(self, base: Ref, straight: bool) -> FileRow:
        seen, stat, found = self.seen, self.stat, self.found
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
            straight,
        )

    def change(self, parent: Ref) -> Change:
        """The content at its path, on top of `parent`."""
        is_file = self.seen.kind is Kind.FILE
        return Change(
            Op.PUT if is_file else Op.LNK,
            self.seen.path,
            None,
            parent,
            self.found.data_hash,
            self.stat.size,
            clamp_mtime(self.stat.mtime_ns) if is_file else 0,
            self.found.flags if is_file else NO_FLAGS,
        )

    def moved_from(self, row: FileRow, parent: Ref) -> Change:
        """The content came here from the path of `row`, whose event is `parent`."""
        is_file = self.seen.kind is Kind.FILE
        return Change(
            Op.MOV,
            self.seen.path,
            row.path,
            parent,
            self.found.data_hash,
            row.size,
            clamp_mtime(self.stat.mtime_ns) if is_file else 0,
            self.found.flags if is_file else LINK,
        )


def flags_of(
    context: FolderContext,
    kind: Kind,
    stat: Stat,
    row: FileRow | None,
    log: Sequence[Entry] = (),
) -> str:
    """FLAGS of a file that is here; of other kinds, none.

    Where the file system has no execute bit nobody here can have changed it: it is what it was.
    """
    if kind is not Kind.FILE:
        return NO_FLAGS
    if context.root.has_modes:
        return EXECUTABLE if stat.executable else NO_FLAGS
    if row is not None and row.kind is Kind.FILE:
        return row.flags
    winner = state_of(log).winner
    return NO_FLAGS if winner is None or winner.kind is not Kind.FILE else winner.flags
