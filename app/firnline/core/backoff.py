"""How long to wait before something that failed is tried again (docs/design.md section 5).

30 s, doubling to 300 s, for ever. Each wait is shortened by up to a fifth, by chance, so that many
devices that lost one server together do not all come back in the same second.
"""

from collections.abc import Callable
from typing import NamedTuple

FIRST = 30.0
"""Seconds before the second attempt."""
LONGEST = 300.0
"""Seconds; no wait is longer."""
_JITTER = 0.2


class Backoff(NamedTuple):
    """What is remembered between attempts; begins with none that failed."""

    failures: int = 0
    """Attempts in a row that failed."""

    def failed(self, held: float = 0.0) -> "Backoff":
        """After another attempt failed, or a connection broke that had held for so many seconds.

        What works for a moment and breaks again is tried more and more seldom, too: only what held
        for as long as the longest wait begins anew.
        """
        return Backoff(1 if held >= LONGEST else self.failures + 1)

    def delay(self, random: Callable[[int], bytes]) -> float:
        """Seconds to wait now; `random` gives so many random bytes. 0 when nothing failed."""
        if not self.failures:
            return 0.0
        # More doublings than these change nothing, and a float has an end.
        doubled = FIRST * 2.0 ** min(self.failures - 1, 16)
        share = int.from_bytes(random(2), "big") / 65536
        return min(doubled, LONGEST) * (1 - _JITTER * share)
