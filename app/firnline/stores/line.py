"""The line to the stores, and how much may go over it: one for all stores and threads of a process.

A limit is a number of bytes a second. What is to go over the line is cut into portions that take
a quarter of a second each at most, so many transfers share it evenly, whoever waits hears soon that
it is to end, and what the line carries is as even as its limit. Portions go in the order in which
they were asked for. Nobody looks again and again: who waits sleeps until its time.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from firnline.core.clock import Clock
from firnline.core.token_bucket import Bucket
from firnline.stores.base import Store

PORTION = 0.25
"""Seconds that the largest portion takes, and after which one who waits asks whether to go on."""
LARGEST = 1 << 20
"""Bytes of the largest portion, however fast the line is."""
Wait = Callable[[threading.Condition, float], object]
"""Waits on a condition that is held, at most so many seconds; tests pass their own."""
GoOn = Callable[[], None]
"""Raises when the transfer is to end."""


@runtime_checkable
class Ended(Protocol):
    """A store that may wait for long before it answers."""

    def ended_by(self, go_on: GoOn) -> Store:
        """The same store for somebody who ends the wait in another way: `go_on` is asked while a
        call waits, and what it raises comes out of the call."""
        ...


def ended_by(store: Store, go_on: GoOn) -> Store:
    """The store, whose waits `go_on` ends where it has any."""
    return store.ended_by(go_on) if isinstance(store, Ended) else store


class Line:
    """One direction. From any thread."""

    def __init__(self, clock: Clock, wait: Wait = threading.Condition.wait) -> None:
        """Without a limit, at first."""
        self._clock = clock
        self._wait = wait
        self._condition = threading.Condition()
        self._waiting: deque[object] = deque()
        self._bucket: Bucket | None = None

    def limit(self, rate: int) -> None:
        """From now on at most `rate` bytes a second, for who waits already as well; 0: no limit."""
        with self._condition:
            now, before = self._clock.monotonic(), self._bucket
            if not rate:
                self._bucket = None
            elif before is None:
                self._bucket = Bucket.full(rate, rate * PORTION, now)
            elif before.rate != rate:
                self._bucket = before.changed(now, rate, rate * PORTION)
            self._condition.notify_all()

    def portions(self, size: int, go_on: GoOn) -> Iterator[int]:
        """What `size` is cut into, each portion when it may go. Raises what `go_on` raises, which
        is asked while this one waits."""
        while size > 0:
            portion = min(size, self.largest)
            self._take(portion, go_on)
            yield portion
            size -= portion

    def take(self, size: int, go_on: GoOn) -> None:
        """Wait until all of it may go."""
        for _ in self.portions(size, go_on):
            pass

    @property
    def largest(self) -> int:
        """Bytes of the largest portion."""
        bucket = self._bucket
        return LARGEST if bucket is None else max(1, min(LARGEST, int(bucket.burst)))

    def _take(self, size: int, go_on: GoOn) -> None:
        place = object()
        with self._condition:
            self._waiting.append(place)
            try:
                while seconds := self._seconds(place, size):
                    self._wait(self._condition, min(seconds, PORTION))
                    go_on()
                if self._bucket is not None:
                    self._bucket = self._bucket.taken(self._clock.monotonic(), size)
            finally:
                self._waiting.remove(place)
                self._condition.notify_all()

    def _seconds(self, place: object, size: int) -> float:
        """Until it may be its turn; whoever is before it wakes it."""
        if self._bucket is None:
            return 0.0
        if self._waiting[0] is not place:
            return PORTION
        return self._bucket.wait(self._clock.monotonic(), size)


class Lines(NamedTuple):
    """Both directions."""

    up: Line
    """Into the stores."""
    down: Line
    """Out of them."""

    @classmethod
    def new(cls, clock: Clock, wait: Wait = threading.Condition.wait) -> "Lines":
        """Without limits."""
        return cls(Line(clock, wait), Line(clock, wait))

    def limit(self, upload: int, download: int) -> None:
        """Bytes a second; 0: no limit."""
        self.up.limit(upload)
        self.down.limit(download)
