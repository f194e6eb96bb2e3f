"""Between what a system reports and what is told: waits until paths rest, and joins them.

Used by one thread at a time.
"""

from firnline.core.clock import Clock
from firnline.core.settling import AT_ONCE, Settle, Settling
from firnline.watch.hints import EVERYTHING, MOST_PATHS, Hints

_LOST = "\0"
"""Stands among the paths for all of them; no path holds a NUL."""


class Outbox:
    """What changed and was not told yet."""

    def __init__(self, clock: Clock, settle: Settle | None) -> None:
        self._clock = clock
        self.rules = settle or AT_ONCE
        self._settling = Settling(self.rules)

    def changed(self, path: str) -> None:
        """Something happened at `path`."""
        self._settling.changed(path, self._clock.monotonic())
        if len(self._settling) > MOST_PATHS:
            self._settling.clear()
            self.lost()

    def lost(self) -> None:
        """Something happened, and nobody knows where. Waits as a path does: what is lost once is
        likely to be lost again in the same rush."""
        self._settling.changed(_LOST, self._clock.monotonic())

    def take(self) -> Hints | None:
        """What is to be told now, if anything is."""
        paths = self._settling.take(self._clock.monotonic())
        if _LOST in paths:
            return EVERYTHING
        return Hints(paths) if paths else None

    def patience(self) -> float | None:
        """Seconds until `take` may have something, if nothing happens meanwhile; None: it cannot
        have, so there is no reason to wake up."""
        due = self._settling.next_due()
        return None if due is None else max(due - self._clock.monotonic(), 0.0)
