"""Rule 5 of docs/design.md section 3 as it reads, for logs of any shape and no great length.

What `core.follow` says is measured against this: everything is looked for anew each time.
"""

from collections.abc import Iterator, Mapping, Sequence

from firnline.core.entry import Entry
from firnline.core.event import Kind
from firnline.core.follow import Log
from firnline.core.hashing import Ref
from firnline.core.heads import by_name, by_ref, descends, state_of


def following(path: str, log: Log) -> Iterator[tuple[Entry, Entry]]:
    """The edits of a path that follow a move, each with what it replaces at the target."""
    for edit in sorted(state_of(log.entries(path)).putting, key=by_name):
        goal = _goal(edit, log)
        if goal is not None and _goal(goal, log) is None:
            yield edit, goal


def _goal(edit: Entry, log: Log) -> Entry | None:
    """Of the moves of what an edit was made on top of the largest that leads somewhere."""
    entries = log.entries(edit.path)
    known = by_ref(entries)
    if edit.kind is Kind.DIRECTORY:
        return None
    for move in sorted(_moves(state_of(entries).heads), key=by_name, reverse=True):
        moved = known.get(move.closes)
        if moved is not None and descends(edit, moved, known):
            goal = _destination(move, moved, log)
            if goal is not None:
                return goal
    return None


def _destination(move: Entry, moved: Entry, log: Log) -> Entry | None:
    visited = {move.path}
    while move.other is not None and move.other not in visited and not log.waits(move.other):
        visited.add(move.other)
        entries = log.entries(move.other)
        arrival = next((entry for entry in entries if entry.event == move.event), None)
        if arrival is None or arrival.data_hash != moved.data_hash:
            return None
        putting = state_of(entries).putting
        if putting:
            alone = all(head.twin_key == arrival.twin_key for head in putting)
            return max(putting, key=by_name) if alone else None
        onward = _onward(entries, arrival)
        if not onward:
            return None
        move = max(onward, key=by_name)
    return None


def _onward(entries: Sequence[Entry], arrival: Entry) -> list[Entry]:
    twins: Mapping[Ref, Entry] = {
        entry.ref: entry for entry in entries if entry.twin_key == arrival.twin_key
    }
    return [move for move in _moves(entries) if move.closes in twins]


def _moves(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.puts and entry.other is not None]
