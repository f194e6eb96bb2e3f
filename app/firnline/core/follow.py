"""Where an edit follows a move to (rule 5 of docs/design.md section 3).

Assumes a log that does not change meanwhile. Promises to look at each entry, move and place a
bounded number of times: somebody may have forged a hundred thousand edits beside as many moves.
The rule as it reads, without that promise, is in tests/unit/core/rule_five.py; both say the same.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Protocol

from firnline.core.entry import Entry
from firnline.core.event import EventText, Kind
from firnline.core.hashing import Ref
from firnline.core.heads import PathState, by_name, by_ref, state_of


class Log(Protocol):
    """What the rules ask of the log. Only entries whose body is at hand are answered."""

    def entries(self, path: str) -> Sequence[Entry]: ...

    def has_children(self, path: str) -> bool:
        """True when a path below this one exists in the log's tree."""
        ...

    def waits(self, path: str) -> bool:
        """Rule 7: an event of this path names a parent that is unknown, for less than 7 days."""
        ...


def following(
    state: PathState, entries: Sequence[Entry], log: Log
) -> Iterator[tuple[Entry, Entry]]:
    """The edits of a path that follow a move, smallest name first, each with what it replaces.

    What stands at the target and has to go on itself goes first. Where that closes a ring (one
    device moved p onto q, another q onto p) nobody goes: each would replace what the other brings,
    and observers that begin at different ends would do so for ever.
    """
    if not _moves_away(state):
        return
    places = _Places(log)
    goals = _Goals(state, entries, places)
    for edit in sorted(state.putting, key=by_name):
        goal = goals.of(edit)
        if goal is not None and places.goals(goal.path).of(goal) is None:
            yield edit, goal


def _moves_away(state: PathState) -> list[Entry]:
    """The deleting heads that are moves, the largest name first."""
    moves = [head for head in state.heads if not head.puts and head.other is not None]
    return sorted(moves, key=by_name, reverse=True)


class _Goals:
    """What the edits of one path would replace where they follow its moves.

    From what a move took away, its goal is handed down to all that was made on top of that. The
    largest move goes first, and what has a goal keeps it: so each entry is visited once.
    """

    def __init__(self, state: PathState, entries: Sequence[Entry], places: "_Places") -> None:
        self._of_all_on: dict[Ref, Entry] = {}
        self._on_top: dict[Ref, list[Ref]] = {}
        moves = _moves_away(state)
        if not moves:
            return
        known = by_ref(entries)
        twins: dict[object, list[Ref]] = {}
        for ref, entry in known.items():
            self._on_top.setdefault(entry.closes, []).append(ref)
            twins.setdefault(entry.twin_key, []).append(ref)
        for move in moves:
            moved = known.get(move.closes)
            # Twins that have their goal are gone from here.
            if moved is not None and moved.twin_key in twins:
                goal = places.destination(move, moved)
                if goal is not None:
                    self._hand_down(goal, twins.pop(moved.twin_key))

    def _hand_down(self, goal: Entry, refs: list[Ref]) -> None:
        while refs:
            ref = refs.pop()
            if ref not in self._of_all_on:
                self._of_all_on[ref] = goal
                refs += self._on_top.get(ref, ())

    def of(self, edit: Entry) -> Entry | None:
        """What an edit would replace; None where there is nothing."""
        return None if edit.kind is Kind.DIRECTORY else self._of_all_on.get(edit.closes)


class _Place:
    """One path's log, in the ways in which moves ask for it."""

    def __init__(self, path: str, log: Log) -> None:
        self.waits = log.waits(path)
        self.entries = log.entries(path)

    @cached_property
    def state(self) -> PathState:
        return state_of(self.entries)

    @cached_property
    def by_event(self) -> dict[EventText, Entry]:
        return {entry.event: entry for entry in self.entries}

    @cached_property
    def largest(self) -> Entry | None:
        """Of the putting heads."""
        return max(self.state.putting, key=by_name, default=None)

    @cached_property
    def kinds(self) -> set[object]:
        """What kinds of twins there are among the putting heads."""
        return {head.twin_key for head in self.state.putting}

    @cached_property
    def onward(self) -> dict[object, Entry]:
        """The largest move away of each kind of twins."""
        moves = [entry for entry in self.entries if not entry.puts and entry.other is not None]
        of_ref = {move.closes: move for move in sorted(moves, key=by_name)}
        of_twins: dict[object, Entry] = {}
        for entry in self.entries:
            if move := of_ref.get(entry.ref):
                largest = of_twins.get(entry.twin_key, move)
                of_twins[entry.twin_key] = max(largest, move, key=by_name)
        return of_twins


class _Places:
    """The paths that moves lead to, each found out about once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._places: dict[str, _Place] = {}
        self._goals: dict[str, _Goals] = {}
        self._ends: dict[object, Entry | None] = {}

    def goals(self, path: str) -> _Goals:
        """Where what stands at a path has to go on to."""
        if path not in self._goals:
            place = self._at(path)
            self._goals[path] = _Goals(place.state, place.entries, self)
        return self._goals[path]

    def destination(self, move: Entry, moved: Entry) -> Entry | None:
        """Where a move's content stands now, if the move that brought it there is all that does.

        `move` is the entry at the source, `moved` what stood there. Twins that arrive at one place
        go the same way from there on.
        """
        arrival = self._arrival(move, moved)
        if arrival is None:
            return None
        way = (move.path, arrival.path, arrival.twin_key)
        if way not in self._ends:
            self._ends[way] = self._end(move, moved)
        return self._ends[way]

    def _end(self, move: Entry, moved: Entry) -> Entry | None:
        """Where the target was moved on by somebody who had seen it, the next one takes its place,
        and so on."""
        visited = {move.path}
        while move.other not in visited and (arrival := self._arrival(move, moved)):
            visited.add(arrival.path)
            place = self._at(arrival.path)
            if place.largest is not None:
                return place.largest if place.kinds == {arrival.twin_key} else None
            if arrival.twin_key not in place.onward:
                return None
            move = place.onward[arrival.twin_key]
        return None

    def _arrival(self, move: Entry, moved: Entry) -> Entry | None:
        """What a move brought to its target; None where the rules have to wait there.

        A `put` that only names the source as a hint and brings other content is no move of it:
        whoever edited the source has not seen that content, and may not replace it.
        """
        assert move.other is not None
        place = self._at(move.other)
        arrival = None if place.waits else place.by_event.get(move.event)
        return arrival if arrival and arrival.data_hash == moved.data_hash else None

    def _at(self, path: str) -> _Place:
        if path not in self._places:
            self._places[path] = _Place(path, self._log)
        return self._places[path]
