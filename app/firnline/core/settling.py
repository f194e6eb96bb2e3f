"""When a path that keeps changing is told: once it rests (docs/design.md section 7).

Pure: whoever calls says what time it is, in seconds of a clock that never goes back. Costs a
handful of steps per change, however many paths wait, and asks for a wake-up only while one does.
"""

from heapq import heappop, heappush
from typing import NamedTuple

_FEW = 1000
"""So many told paths are remembered before anybody looks which of them can be forgotten."""


class Settle(NamedTuple):
    """How long to wait, in seconds."""

    quiet: float = 0.05
    """A path is told when it was quiet for so long."""
    longest: float = 2.0
    """While it keeps changing, the wait doubles up to this."""
    limit: float = 60.0
    """After so long it is told whether or not it rests."""
    company: float = 1.0
    """What is ready waits for what will be within `quiet`, so long at most: a thousand saves in a
    row are told in a few lots, and one save alone does not wait."""
    spare: int = 60
    """So often a path is told as soon as it rests; then only once in `pace`, and each `pace` gives
    one of them back: a file that somebody writes to every second must not make an event of each.
    0: no such bound."""
    pace: float = 10.0


AT_ONCE = Settle(quiet=0, longest=0, limit=0, company=0, spare=0, pace=0)
"""Nothing waits: for places where only finished files appear."""


class _Restless:
    """A path that changed and was not told yet."""

    __slots__ = ("due", "earliest", "first", "since", "wait")

    def __init__(self, now: float, wait: float, earliest: float) -> None:
        self.first = self.since = now
        self.wait = wait
        self.earliest = earliest
        self.due = max(now + wait, earliest)


class Settling:
    """The paths that wait to be told."""

    def __init__(self, rules: Settle) -> None:
        self._rules = rules
        self._restless: dict[str, _Restless] = {}
        # One item for each restless path that is not ready. Its time is never later than the
        # path's: a change moves only the path's, so it costs no place in the heap.
        self._heap: list[tuple[float, str]] = []
        self._ready: set[str] = set()
        self._ready_since = 0.0
        self._spent: dict[str, tuple[float, float]] = {}
        self._forget_at = _FEW

    def __len__(self) -> int:
        return len(self._restless)

    def changed(self, path: str, now: float) -> None:
        """`path` changed a moment ago."""
        found = self._restless.get(path)
        if found is None:
            found = _Restless(now, self._rules.quiet, self._not_before(path, now))
            self._restless[path] = found
            heappush(self._heap, (found.due, path))
            return
        if now < found.earliest:
            found.since = now
        elif now - found.since >= found.wait:
            found.wait = min(2 * found.wait, self._rules.longest)
            found.since = now
        limit = found.first + self._rules.limit
        found.due = min(max(now + found.wait, found.earliest), limit)
        if path in self._ready:
            self._ready.remove(path)
            heappush(self._heap, (found.due, path))

    def take(self, now: float) -> frozenset[str]:
        """The paths to tell now; they wait no longer."""
        self._collect(now)
        if not self._ready or self._worth_waiting(now):
            return frozenset()
        told = frozenset(self._ready)
        self._ready.clear()
        for path in told:
            del self._restless[path]
        self._count(told, now)
        return told

    def clear(self) -> None:
        """Nothing waits any more."""
        self._restless.clear()
        self._heap.clear()
        self._ready.clear()

    def next_due(self) -> float | None:
        """The moment to `take` again, if nothing changes until then; None while nothing waits."""
        times = [self._heap[0][0]] if self._heap else []
        if self._ready:
            times.append(self._ready_since + self._rules.company)
        return min(times, default=None)

    def _collect(self, now: float) -> None:
        """Move what has rested to what is ready; the first of the heap is exact then."""
        while self._heap:
            time, path = self._heap[0]
            due = self._restless[path].due
            if time >= due > now:
                return
            heappop(self._heap)
            if due > now:
                heappush(self._heap, (due, path))
                continue
            if not self._ready:
                self._ready_since = now
            self._ready.add(path)

    def _worth_waiting(self, now: float) -> bool:
        soon = bool(self._heap) and self._heap[0][0] <= now + self._rules.quiet
        return soon and now < self._ready_since + self._rules.company

    def _count(self, told: frozenset[str], now: float) -> None:
        if not self._rules.spare:
            return
        for path in told:
            self._spent[path] = (self._credit(path, now) - 1, now)
        if len(self._spent) > self._forget_at:
            full = [path for path in self._spent if self._credit(path, now) >= self._rules.spare]
            for path in full:
                del self._spent[path]
            self._forget_at = max(_FEW, 2 * len(self._spent))

    def _credit(self, path: str, now: float) -> float:
        credit, at = self._spent.get(path, (self._rules.spare, now))
        return min(credit + (now - at) / self._rules.pace, self._rules.spare)

    def _not_before(self, path: str, now: float) -> float:
        if path not in self._spent:
            return now
        lacking = 1 - self._credit(path, now)
        return now + max(lacking, 0) * self._rules.pace
