"""Conflicts, followed moves and clashes: the events that whoever sees them writes.

Rules 4, 4a, 5, 6 and 7 of docs/design.md section 3, as pure functions. Their events carry the
loser's or editor's device and a time made from the names at hand, so that two observers with the
same knowledge write the same event, and with different knowledge twins.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from firnline.core.clock import DateTime, later
from firnline.core.conflict import conflict_path
from firnline.core.entry import Change, Entry
from firnline.core.event import EXECUTABLE, LINK, NO_FLAGS, DeviceId, EventText, Kind, Op
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.heads import PathState, by_name, by_ref, descends, state_of
from firnline.core.paths import BadPathError, check_path


class Log(Protocol):
    """What the rules ask of the log. Only entries whose body is at hand are answered."""

    def entries(self, path: str) -> Sequence[Entry]: ...

    def has_children(self, path: str) -> bool:
        """True when a path below this one exists in the log's tree."""
        ...

    def waits(self, path: str) -> bool:
        """Rule 7: an event of this path names a parent that is unknown, for less than 7 days."""
        ...


class Ruling(NamedTuple):
    """An event that a rule asks for: its name's parts, and one change, or a batch of several."""

    time: DateTime
    device: DeviceId
    changes: tuple[Change, ...]


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
    followed = _follow_moves(state, entries, log)
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
    equal: dict[tuple[Kind, str, str], list[Entry]] = {}
    for head in sorted(losers, key=by_name):
        equal.setdefault(head.content, []).append(head)
    for moved, *others in equal.values():
        copy = _free_copy(moved, taken, log)
        if copy is None:
            continue
        taken.add(copy)
        rulings.append(_ruling(moved, winner, _move(moved, copy)))
        named = {moved.twin_key}
        for other in others:
            if other.twin_key not in named:
                named.add(other.twin_key)
                rulings.append(_ruling(other, winner, _deletion(other)))
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


def _free_copy(loser: Entry, taken: set[str], log: Log) -> str | None:
    """The copy's path. A move goes only onto a target without a putting head, so a name that is
    in use gets a second mark, a third, and so on.

    None where the copy has to wait (rule 7 holds for its path as well), and where no name is left
    that a path may have: the loser stays a head then, and its content in the history.
    """
    time, device = time_of(loser.event), device_of(loser.event)
    marks = 0
    while True:
        marks += 1
        path = conflict_path(loser.path, time, device, marks)
        try:
            check_path(path)
        except BadPathError:
            return None
        if log.waits(path):
            return None
        if path not in taken and not state_of(log.entries(path)).putting:
            return path


def _carry_flags(winner: Entry, flag_changes: list[Entry]) -> list[Ruling]:
    """Rule 4a: the winner gets the flags that somebody set beside it, and the rival is closed."""
    rulings = []
    for head in sorted(flag_changes, key=by_name):
        time = later(max(time_of(winner.event), time_of(head.event)))
        device = device_of(head.event)
        if winner.kind is Kind.FILE and winner.flags != head.flags:
            rulings.append(Ruling(time, device, (_with_flags(winner, head.flags),)))
        rulings.append(Ruling(time, device, (_deletion(head),)))
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


def _follow_moves(state: PathState, entries: Sequence[Entry], log: Log) -> list[Ruling]:
    """Rule 5: an edit of p made beside a move p→q goes to q.

    What stands at q and has to go on itself goes first. Where that closes a ring (one device moved
    p onto q, another q onto p) nobody goes: each would replace what the other brings, and observers
    that begin at different ends would do so for ever.
    """
    moves = _moves_away(state)
    if not moves:
        return []
    rulings = []
    known = by_ref(entries)
    for edit in sorted(state.putting, key=by_name):
        goal = _goal(edit, moves, known, log)
        if goal is not None and not _goes_on(goal, log):
            rulings.append(_follow(edit, goal))
    return rulings


def _moves_away(state: PathState) -> list[Entry]:
    """The deleting heads that are moves, the largest name first."""
    moves = [head for head in state.heads if not head.puts and head.other is not None]
    return sorted(moves, key=by_name, reverse=True)


def _goes_on(head: Entry, log: Log) -> bool:
    entries = log.entries(head.path)
    return _goal(head, _moves_away(state_of(entries)), by_ref(entries), log) is not None


def _goal(edit: Entry, moves: list[Entry], known: dict[Ref, Entry], log: Log) -> Entry | None:
    """What an edit would replace where it follows a move to; None where there is nothing."""
    if edit.kind is Kind.DIRECTORY:
        return None
    for move in moves:
        moved = known.get(move.closes)
        if moved is None or not descends(edit, moved, known):
            continue
        goal = _destination(move, moved, log)
        if goal is not None:
            return goal
    return None


def _destination(move: Entry, moved: Entry, log: Log) -> Entry | None:
    """Where a move's content stands now, if the move that brought it there is all that does.

    `move` is the entry at the source, `moved` what stood there. Where the target was moved on by
    somebody who had seen it, the next target takes its place, and so on. A `put` that only names
    the source as a hint and brings other content is no move of it: whoever edited the source has
    not seen that content, and may not replace it.
    """
    visited = {move.path}
    while move.other is not None and move.other not in visited and not log.waits(move.other):
        visited.add(move.other)
        entries = log.entries(move.other)
        arrival = next((e for e in entries if e.event == move.event), None)
        if arrival is None or arrival.data_hash != moved.data_hash:
            return None
        putting = state_of(entries).putting
        if putting:
            alone = all(head.twin_key == arrival.twin_key for head in putting)
            return max(putting, key=by_name) if alone else None
        twins = {entry.ref for entry in entries if entry.twin_key == arrival.twin_key}
        onward = [e for e in entries if not e.puts and e.other is not None and e.closes in twins]
        if not onward:
            return None
        move = max(onward, key=by_name)
    return None


def _follow(edit: Entry, arrival: Entry) -> Ruling:
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
