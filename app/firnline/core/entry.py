"""What one event does to one path: the row that the log is made of.

A `put` makes one entry. A `mov` makes two: its content at the target, and a deletion at the
source that knows where the content went. A batch makes the entries of all its members. Heads,
conflicts and the tree (docs/design.md section 3) are functions of entries.
"""

from typing import NamedTuple

from firnline.core.event import (
    EventName,
    EventText,
    Kind,
    Op,
    kind_of,
)
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref


class Change(NamedTuple):
    """One operation on paths in clear: a single event's, or one member of a batch."""

    op: Op
    path: str
    source: str | None
    """The source of `mov` and `cpy`; for other members of a batch a hint where content is from."""
    parent: Ref
    data_hash: DataHash
    size: int
    mtime: int
    """Milliseconds."""
    flags: str
    offset: int | None = None
    """Where its body begins, counted from the first byte of the bodies; None: brings no body."""


class Entry(NamedTuple):
    """One event's effect on one path."""

    path: str
    event: EventText
    ref: Ref
    op: Op
    kind: Kind
    data_hash: DataHash
    flags: str
    parent: Ref
    """PARENT as written. On the target side of a `mov` it speaks of the source: see `closes`."""
    other: str | None
    """At a target: where the content came from. At a deletion: where it was moved to."""
    size: int
    mtime: int
    offset: int | None

    @property
    def closes(self) -> Ref:
        """The event on this path that this one was made on top of."""
        if self.op is Op.MOV and self.kind is not Kind.NOTHING:
            return NO_PARENT
        return self.parent

    @property
    def content(self) -> tuple[Kind, str, str]:
        """What counts for *equal content*: hash and flags do for files and links only."""
        if self.kind in (Kind.NOTHING, Kind.DIRECTORY):
            return (self.kind, "", "")
        return (self.kind, self.data_hash, "-" if self.kind is Kind.LINK else self.flags)

    @property
    def twin_key(self) -> tuple[Kind, str, str, Ref, str | None]:
        """Two changes of a path with equal keys are twins (docs/design.md section 3)."""
        source = None
        if self.op is Op.MOV:
            source = self.path if self.kind is Kind.NOTHING else self.other
        return (*self.content, self.parent, source)

    @property
    def puts(self) -> bool:
        return self.kind is not Kind.NOTHING


def entries_of_event(
    event: EventName, text: EventText, ref: Ref, path: str, source: str | None, size: int
) -> list[Entry]:
    """The entries of a single event (not of a batch), its paths known."""
    offset = 0 if event.op in (Op.PUT, Op.PAT, Op.LNK) else None
    change = Change(
        event.op,
        path,
        source,
        event.parent,
        event.data_hash,
        size,
        event.mtime,
        event.flags,
        offset,
    )
    return entries_of_change(change, text, ref, None)


def entries_of_batch(changes: list[Change], text: EventText, ref: Ref) -> list[Entry]:
    """The entries of all members. A `del p` beside a `put q` from p knows that p moved to q.

    So does one beside a `lnk q` from p: that is how rule 5 makes the edit of a link follow.
    """
    moved = {c.source: c.path for c in changes if c.op in (Op.PUT, Op.LNK)}
    found: list[Entry] = []
    for change in changes:
        goal = moved.get(change.path) if change.op is Op.DEL else None
        found.extend(entries_of_change(change, text, ref, goal))
    return found


def entries_of_change(
    change: Change, text: EventText, ref: Ref, moved_to: str | None
) -> list[Entry]:
    """The entries of one change; `moved_to` is where a batch says that a deleted path went."""
    op, path, source, parent, data_hash, size, mtime, flags, offset = change
    kind = kind_of(op, flags)
    other = moved_to if op is Op.DEL else source
    target = Entry(path, text, ref, op, kind, data_hash, flags, parent, other, size, mtime, offset)
    if op is not Op.MOV:
        return [target]
    assert source is not None
    gone = Entry(source, text, ref, op, Kind.NOTHING, EMPTY_HASH, "-", parent, path, 0, 0, None)
    return [target, gone]
