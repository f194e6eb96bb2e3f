"""Noticing that the computer slept, or that somebody set its clock.

The wall clock goes on while a computer sleeps, the monotonic one does not (on Windows it does, and
a resumed computer is noticed by its network). A jump of the clock itself looks the same and is
answered the same way: harmless, and sometimes needed.
"""

from datetime import datetime

from firnline.core.clock import Clock

JUMP = 60.0
"""Seconds by which the two clocks may come to differ between two looks."""
BETWEEN_LOOKS = 60.0
"""Seconds between two looks, at most."""


class SleepWatch:
    """Compares the two clocks, each time it is asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._before = self._look()

    def has_jumped(self) -> bool:
        """True when since the last time the two went apart."""
        before, self._before = self._before, self._look()
        wall = (self._before[0] - before[0]).total_seconds()
        return abs(wall - (self._before[1] - before[1])) > JUMP

    def _look(self) -> tuple[datetime, float]:
        return self._clock.now(), self._clock.monotonic()
