"""Deadlines on a computer that may be stopped: what nobody could do in that time is no delay."""

import time
from collections.abc import Callable

_STEP = 1.0
"""Seconds that one wait counts at most, over what was asked for: no honest load makes it longer."""


class Patience:
    """So many seconds in which things could go on."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last = clock()
        self.spent = 0.0
        """Seconds until the last wait ended."""
        self.stopped = 0.0
        """Seconds in which everything stood still."""

    @property
    def is_over(self) -> bool:
        return self.spent >= self._seconds

    def wait(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(seconds)
        now = self._clock()
        counted = min(now - self._last, seconds + _STEP)
        self.spent += counted
        self.stopped += now - self._last - counted
        self._last = now
