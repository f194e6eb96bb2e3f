"""Conflicts, followed moves and clashes: the events that whoever sees them writes.

Rules 4, 4a, 5, 6 and 7 of docs/design.md section 3, as pure functions. Their events carry the
loser's or editor's device and a time made from the names at hand, so that two observers with the
same knowledge write the same event, and with different knowledge twins.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from firnline.core.clock import DateTime, later
from firnline.core.conflict import conflict_path
from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, LINK, NO_FLAGS, DeviceId, EventText, Kind, Op
from firnline.core.follow import Log, following
from firnline.core.hashing import EMPTY_HASH
from firnline.core.heads import by_name, state_of
from firnline.core.paths import BadPathError, check_path


class Ruling(NamedTuple):
    """An event that a rule asks for: its name's parts, and one change, or a batch of several."""

    time: DateTime
    device: DeviceId
    changes: tuple[Change, ...]
    joined: bool = False
    """Not without the one before it: it closes a head for which that one brings something. Alone
    it would leave that to the history, and to the tree nothing, once somebody deletes the rest."""


def resolve(path: str, log: Log) -> list[Ruling]:
    """The events that the rules ask for at `path` now; none when it is at rest.

    To be called again with the log that has them: one rule's events may call for another's.
    """
    entries = log.entries(path)
    if not entries or log.waits(path):
        return []
    state = state_of(entries)
    if state.winner is None:
        return []
    followed = [_follow(edit, goal) for edit, goal in following(state, entries, log)]
    if followed:
        return followed
    if state.flag_changes:
        return _carry_flags(state.winner, state.flag_changes)
    taken: set[str] = set()
    losers = [head for head in state.putting if head.content != state.winner.content]
    rulings = _move_aside(losers, state.winner, taken, log)
    if state.winner.kind is not Kind.DIRECTORY and log.has_children(path):
        equal = [head for head in state.putting if head.content == state.winner.content]
        rulings += _move_aside(equal, None, taken, log)
    return rulings


def sources(
    paths: Iterable[str],
    entries_of: Callable[[str], Sequence[Entry]],
    load: Callable[[Iterable[str]], None] = lambda paths: None,
) -> set[str]:
    """Where what arrived at `paths` was moved from, at any distance; `paths` are left out.

    What rule 5 says there depends on what stands here, so whoever resolves a path because its log
    has changed (or is no longer waited for) resolves these again as well. `load` is told which
    logs are asked for next.
    """
    found: set[str] = set()
    arrived = set(paths)
    asked = frozenset(arrived)
    while arrived:
        origins = {
            entry.other
            for path in arrived
            for entry in entries_of(path)
            if entry.other is not None and entry.puts
        }
        arrived = origins - found
        load(arrived)
        found |= arrived
    return found - asked


def time_of(event: EventText) -> DateTime:
    """The DATETIME of an event name."""
    return DateTime(event[:20])


def device_of(event: EventText) -> DeviceId:
    """The DEVICE of an event name."""
    return DeviceId(event[-20:-12])


def _deletion(entry: Entry) -> Change:
    return Change(Op.DEL, entry.path, None, entry.ref, EMPTY_HASH, 0, 0, NO_FLAGS)


def _move_aside(
    losers: Iterable[Entry], winner: Entry | None, taken: set[str], log: Log
) -> list[Ruling]:
    """Rules 4 and 6: of losers with equal content the smallest name moves, the others are closed.

    Without a winner (a file where a directory stands) the loser's own name gives the time.
    `taken` are the copies that this path's rulings have made already; new ones are added.
    """
    rulings: list[Ruling] = []
    marks: dict[str, int] = {}
    equal: dict[tuple[Kind, str, str], list[Entry]] = {}
    for head in sorted(losers, key=by_name):
        equal.setdefault(head.content, []).append(head)
    for moved, *others in equal.values():
        copy = _free_copy(moved, taken, marks, log)
        if copy is None:
            continue
        taken.add(copy)
        rulings.append(_ruling(moved, winner, _move(moved, copy)))
        named = {moved.twin_key}
        for other in others:
            if other.twin_key not in named:
                named.add(other.twin_key)
                closing = _ruling(other, winner, _deletion(other))
                rulings.append(closing._replace(joined=True))
    return rulings


def _ruling(loser: Entry, winner: Entry | None, change: Change) -> Ruling:
    time = later(time_of((winner or loser).event))
    return Ruling(time, device_of(loser.event), (change,))


def _move(entry: Entry, target: str) -> Change:
    flags = LINK if entry.kind is Kind.LINK else entry.flags
    return Change(
        Op.MOV,
        target,
        entry.path,
        entry.ref,
        entry.data_hash,
        entry.size,
        entry.mtime,
        flags,
    )


def _free_copy(loser: Entry, taken: set[str], marks: dict[str, int], log: Log) -> str | None:
    """The copy's path. A move goes only onto a target without a putting head, so a name that is
    in use gets a second mark, a third, and so on.

    None where the copy has to wait (rule 7 holds for its path as well), and where no name is left
    that a path may have: the loser stays a head then, and its content in the history.
    `marks` says how many the names made here before had: fewer are in use.
    """
    time, device = time_of(loser.event), device_of(loser.event)
    first = conflict_path(loser.path, time, device)
    while True:
        path = conflict_path(loser.path, time, device, marks.setdefault(first, 1))
        try:
            check_path(path)
        except BadPathError:
            return None
        if log.waits(path):
            return None
        if path not in taken and not state_of(log.entries(path)).putting:
            return path
        marks[first] += 1


def _carry_flags(winner: Entry, flag_changes: list[Entry]) -> list[Ruling]:
    """Rule 4a: the winner gets the flags that somebody set beside it, and the rival is closed.

    Of twins the smallest name is answered: naming one closes all (docs/design.md section 3), and
    the copies that the others would ask for were twins of the first.
    """
    rulings = []
    named = set()
    for head in sorted(flag_changes, key=by_name):
        if head.twin_key in named:
            continue
        named.add(head.twin_key)
        time = later(max(time_of(winner.event), time_of(head.event)))
        device = device_of(head.event)
        carried = winner.kind is Kind.FILE and winner.flags != head.flags
        if carried:
            rulings.append(Ruling(time, device, (_with_flags(winner, head.flags),)))
        rulings.append(Ruling(time, device, (_deletion(head),), joined=carried))
    return rulings


def _with_flags(entry: Entry, flags: str) -> Change:
    return Change(
        Op.CPY,
        entry.path,
        entry.path,
        entry.ref,
        entry.data_hash,
        entry.size,
        entry.mtime,
        EXECUTABLE if flags == EXECUTABLE else NO_FLAGS,
    )


def _follow(edit: Entry, arrival: Entry) -> Ruling:
    """Rule 5: an edit of p made beside a move p→q goes to q."""
    op = Op.LNK if edit.kind is Kind.LINK else Op.PUT
    put = Change(
        op,
        arrival.path,
        edit.path,
        arrival.ref,
        edit.data_hash,
        edit.size,
        edit.mtime,
        edit.flags if op is Op.PUT else NO_FLAGS,
    )
    time = later(max(time_of(edit.event), time_of(arrival.event)))
    changes = sorted((put, _deletion(edit)), key=lambda change: change.path)
    return Ruling(time, device_of(edit.event), tuple(changes))
