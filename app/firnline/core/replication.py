"""Which of the events that a store lacks are brought there now (docs/design.md section 4).

Own events go at once. Somebody else's wait for GRACE_TIME without news, since whoever wrote it is
likely to bring it. What was found while a store was first read in is left to the lead of the store
that lacks it, and to everybody after ten times as long: the lead may not reach a source.

Times are seconds since 1970 by the wall clock, since they have to survive a restart. A clock that
was set back makes nothing wait for years: what lies in the future counts as long ago.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from firnline.core.backoff import LONGEST

GRACE_TIME = 30.0
"""Seconds."""
_PATIENCE = 10
"""Graces that a connection which does not lead leaves to the lead."""
LARGE = 2**20
"""Bytes from which on an event goes by a way of its own, so that small ones pass it."""


class Owed(NamedTuple):
    """An event that one store lacks."""

    event: int
    name: str
    size: int
    """Bytes of its file."""
    own: bool
    """This device wrote it."""
    since: float
    """When this device last had news of it."""
    first_read: bool
    """It was found while a store was first read in (`is_sync`)."""
    tries: int
    """Times that it was tried in vain."""
    not_before: float
    """When it may be tried again."""

    @property
    def is_large(self) -> bool:
        return self.size >= LARGE


class Bounds(NamedTuple):
    """How much is begun at once; one event is, however large it is."""

    events: int = 2000
    size: int = 64 * 2**20
    """Bytes."""


class Choice(NamedTuple):
    """What is to be done for one store now, and when to ask again."""

    start: Sequence[int]
    """Parents before children, otherwise oldest first."""
    more: bool
    """There was more to do than the bounds allow."""
    due: float | None
    """When the next one may begin; None when all others wait for something else."""


class Source(NamedTuple):
    """A store that has what is wanted."""

    store_id: str
    rating: int
    speed: float = 0.0
    """Bytes a second, as measured; 0 when it was not."""


def best_first(sources: Iterable[Source]) -> list[Source]:
    """Whom to ask first: by rating, then by speed."""
    return sorted(sources, key=lambda each: (-each.rating, -each.speed, each.store_id))


def ready_at(owed: Owed, now: float, *, leads: bool, grace: float = GRACE_TIME) -> float:
    """When an event may be brought by this device; `leads`: it leads the store that lacks it."""
    begin = 0.0
    if not owed.own and owed.since <= now:
        patient = owed.first_read and not leads
        begin = owed.since + grace * (_PATIENCE if patient else 1)
    # No wait is longer than that: the clock was set back meanwhile.
    if owed.not_before <= now + LONGEST:
        begin = max(begin, owed.not_before)
    return begin


def choose(
    owed: Iterable[Owed],
    parents: Mapping[int, Iterable[int]],
    *,
    now: float,
    leads: bool,
    large: bool,
    bounds: Bounds,
    grace: float = GRACE_TIME,
) -> Choice:
    """What to begin, of large events or of the others.

    `parents`: of an event, those of its parents that the store lacks as well. They come along,
    grace or not; what stands on one of the other size waits for it. A parent that failed holds
    nothing back (what nobody can supply would do so for ever).
    """
    choosing = _Choosing({each.event: each for each in owed}, parents, bounds, large=large)
    due: list[float] = []
    for each in sorted(choosing.owed.values(), key=lambda each: each.name):
        ready = ready_at(each, now, leads=leads, grace=grace)
        if ready > now:
            due.append(ready)
        else:
            choosing.take(each.event)
    return Choice(choosing.start, choosing.more, min(due, default=None))


class _Choosing:
    def __init__(
        self,
        owed: Mapping[int, Owed],
        parents: Mapping[int, Iterable[int]],
        bounds: Bounds,
        *,
        large: bool,
    ) -> None:
        self.owed = owed
        self.start: list[int] = []
        self.more = False
        self._parents = parents
        self._bounds = bounds
        self._large = large
        self._taken: set[int] = set()
        self._size = 0

    def take(self, event: int) -> None:
        """An event and what has to stand before it, where the bounds and the others allow it."""
        for each in self._line_of(event):
            if self.owed[each].is_large is not self._large:
                return
            size = self.owed[each].size
            if self.start and (
                len(self.start) >= self._bounds.events or self._size + size > self._bounds.size
            ):
                self.more = True
                return
            self._taken.add(each)
            self.start.append(each)
            self._size += size

    def _line_of(self, event: int) -> list[int]:
        """What is to be brought for the sake of an event, parents first, itself last. A ring
        (somebody forged one) is opened somewhere."""
        line: list[int] = []
        entered: set[int] = set()
        stack = [event]
        while stack:
            each = stack[-1]
            ahead = [] if each in entered else self._ahead(each, entered)
            entered.add(each)
            if ahead:
                stack.extend(ahead)
                continue
            stack.pop()
            if each not in self._taken and each not in line:
                line.append(each)
        return line

    def _ahead(self, event: int, entered: set[int]) -> list[int]:
        lacking = (self.owed.get(parent) for parent in self._parents.get(event, ()))
        waited_for = [each.event for each in lacking if each is not None and not each.tries]
        return [each for each in waited_for if each not in entered and each not in self._taken]
