"""Heads, twins and winners of one path (docs/design.md section 3, rules 1 to 3 and 4a).

All functions take the entries of *one* path, in any order, and depend on the set alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind
from firnline.core.hashing import NO_PARENT, Ref


class PathState(NamedTuple):
    """What the log says about one path."""

    heads: list[Entry]
    winner: Entry | None
    """The putting head that the tree shows; None: the path does not exist."""
    flag_changes: list[Entry]
    """Putting heads of rule 4a: they changed flags only, and the others decide the winner."""

    @property
    def putting(self) -> list[Entry]:
        return [head for head in self.heads if head.puts]


def by_name(entry: Entry) -> EventText:
    """Sort key: event names order everything."""
    return entry.event


def heads_of(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that no other entry names as what it was made on top of.

    Naming one closes all its twins, also those that arrive later. Where a forged ring leaves no
    head, the largest name is the head.
    """
    if len(entries) == 1:
        return list(entries)
    named = {entry.closes for entry in entries}
    if named == {NO_PARENT}:
        return list(entries)
    closed = {entry.twin_key for entry in entries if entry.ref in named}
    heads = [entry for entry in entries if entry.twin_key not in closed]
    return heads or [max(entries, key=by_name)]


def state_of(entries: Sequence[Entry]) -> PathState:
    """Heads and winner. Of no entries: no heads, no winner."""
    heads = heads_of(entries) if entries else []
    putting = [head for head in heads if head.puts]
    if len(putting) < 2:
        return PathState(heads, putting[0] if putting else None, [])
    directories = [head for head in putting if head.kind is Kind.DIRECTORY]
    if directories:
        return PathState(heads, max(directories, key=by_name), [])
    flag_changes = _flag_changes(putting, entries)
    names = {head.event for head in flag_changes}
    rivals = [head for head in putting if head.event not in names]
    if not rivals:
        return PathState(heads, max(putting, key=by_name), [])
    return PathState(heads, max(rivals, key=by_name), flag_changes)


def _flag_changes(putting: list[Entry], entries: Sequence[Entry]) -> list[Entry]:
    """Rule 4a: heads with their parent's content, beside a head that changed that content."""
    known = by_ref(entries)
    found = []
    # Twins are judged alike: somebody may have forged ten thousand.
    verdicts: dict[tuple[tuple[Kind, str, str], Ref], bool] = {}
    for head in putting:
        parent = known.get(head.closes)
        if parent is None or head.kind is not Kind.FILE or parent.kind is not Kind.FILE:
            continue
        if head.data_hash != parent.data_hash:
            continue
        key = (head.content, head.closes)
        if key not in verdicts:
            verdicts[key] = any(
                other.content != head.content and descends(other, parent, known)
                for other in putting
            )
        if verdicts[key]:
            found.append(head)
    return found


def by_ref(entries: Iterable[Entry]) -> dict[Ref, Entry]:
    """The entries of one path under the name that others give them.

    Of two with the same 50 bits (somebody forged one) the larger name answers, in whatever order
    they came.
    """
    return {entry.ref: entry for entry in sorted(entries, key=by_name)}


def descends(entry: Entry, ancestor: Entry, known: Mapping[Ref, Entry]) -> bool:
    """True when `entry` was made on top of `ancestor` or one of its twins, at any distance."""
    seen = set()
    ref = entry.closes
    while ref in known and ref not in seen:
        seen.add(ref)
        found = known[ref]
        if found.twin_key == ancestor.twin_key:
            return True
        ref = found.closes
    return False


def unknown_parents(entries: Sequence[Entry]) -> set[Ref]:
    """Parents that are named on this path and are not known on it (rule 7)."""
    return {entry.closes for entry in entries} - {entry.ref for entry in entries} - {NO_PARENT}


def equal_heads(entries: Sequence[Entry], base: Ref) -> list[Entry]:
    """Heads that a writer on top of `base` has to close first, by a `del` that names each.

    Every other head whose content equals what is replaced and that is no twin of it
    (docs/design.md section 3, *Twins*); of twins among them one is enough.
    """
    replaced = by_ref(entries).get(base)
    if replaced is None:
        return []
    named = {replaced.twin_key}
    found = []
    for head in sorted(heads_of(entries), key=by_name):
        if head.content == replaced.content and head.twin_key not in named:
            named.add(head.twin_key)
            found.append(head)
    return found


def is_straight(entries: Sequence[Entry]) -> bool:
    """True when each entry was made on top of the one before it in the sequence.

    The last one is the only head then, and has no twin: nearly all paths are like this, so it is
    worth asking first. In another order than the one in which they were made the answer is False,
    and so it is where two have the same 50 bits (somebody forged one): naming one names both.
    """
    if len(entries) == 1:
        return entries[0].closes == NO_PARENT
    before = NO_PARENT
    for entry in entries:
        if entry.closes != before:
            return False
        before = entry.ref
    return len({entry.ref for entry in entries}) == len(entries)


def stands_alone(entries: Sequence[Entry], ref: Ref) -> bool:
    """True when the log is straight and ends in `ref`: what comes on top of it leaves it so."""
    return bool(entries) and entries[-1].ref == ref and is_straight(entries)
