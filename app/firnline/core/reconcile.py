"""What a scan's finding means: already known, or an event to be written.

Pure: a finding, what this device's table knows, and the log of the path go in, one verdict comes
out (docs/design.md section 3 rule 8 and section 7).
"""

from collections.abc import Sequence
from typing import NamedTuple

from firnline.core.entry import Entry
from firnline.core.event import NO_FLAGS, Kind
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, DataHash, Ref
from firnline.core.heads import PathState, by_name, by_ref, equal_heads, stands_alone, state_of


class Finding(NamedTuple):
    """What stands at a path in the folder, read and hashed."""

    kind: Kind
    data_hash: DataHash
    flags: str

    @property
    def content(self) -> tuple[Kind, str, str]:
        """Comparable with `Entry.content`."""
        if self.kind in (Kind.NOTHING, Kind.DIRECTORY):
            return (self.kind, "", "")
        return (self.kind, self.data_hash, NO_FLAGS if self.kind is Kind.LINK else self.flags)


ABSENT = Finding(Kind.NOTHING, EMPTY_HASH, NO_FLAGS)


class Book(NamedTuple):
    """The finding is what this entry says: the table notes it, and no event is written."""

    entry: Entry


class Write(NamedTuple):
    """The finding is the user's doing: an event on top of `parent`, after closing `closes`."""

    parent: Ref
    closes: list[Entry]


Verdict = Book | Write


def reconcile(found: Finding, base: Ref | None, entries: Sequence[Entry]) -> Verdict:
    """What to do about `found` at a path whose table row stands on `base`.

    What stands there as `base` left it is no change, whatever others have written since.
    `base` is None where the table has no row: a new path, or a device that lost its table. A file
    that equals any logged version of its path is that version then, since nobody can know that it
    was made anew (section 7, *A device without its table*).
    """
    if base is not None and stands_alone(entries, base):
        last = entries[-1]
        return Book(last) if last.content == found.content else Write(base, [])
    state = state_of(entries)
    applied = None if base is None else by_ref(entries).get(base)
    if applied is not None and _is_rival(applied, found, state):
        return Write(applied.ref, equal_heads(entries, applied.ref))
    if state.winner is not None and state.winner.content == found.content:
        return Book(state.winner)
    if applied is not None and applied.content == found.content:
        return Book(applied)
    if found.kind is Kind.NOTHING:
        return _absent(base, state, entries)
    equal = [head for head in state.heads if head.content == found.content]
    if not equal and base is None:
        equal = [entry for entry in entries if entry.content == found.content]
    if equal:
        return Book(max(equal, key=by_name))
    if base is None:
        return Write(NO_PARENT, [])
    return Write(base, equal_heads(entries, base))


def _is_rival(applied: Entry, found: Finding, state: PathState) -> bool:
    """True when what the user replaced is a head still, and would come back as a conflict copy.

    Also where somebody else brought what stands there now: only an event on top of it says that
    this user has seen it and does not want it.
    """
    if not applied.puts or applied.content == found.content:
        return False
    return any(head.twin_key == applied.twin_key for head in state.putting)


def _absent(base: Ref | None, state: PathState, entries: Sequence[Entry]) -> Verdict:
    """A path that this device had and found gone.

    A deletion is booked where the log has one already: somebody else's of the same version, or
    any when nothing stands there.
    """
    assert base is not None, "a path that this device never had is not missing"
    deleting = [head for head in state.heads if not head.puts]
    same = [head for head in deleting if head.closes == base]
    if same or (deleting and state.winner is None):
        return Book(max(same or deleting, key=by_name))
    return Write(base, equal_heads(entries, base))
