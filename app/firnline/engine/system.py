"""The real clock and the real source of random bytes; everything else gets them passed in."""

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """The computer's clock (see `core.clock.Clock`)."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def system_random(count: int) -> bytes:
    """Random bytes for ids and temporary names."""
    return os.urandom(count)
