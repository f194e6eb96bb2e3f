"""The way from other threads into the loop, and the watch over it.

All that the loop does for this program comes through here or is a step of a coroutine between two
waits, and those go on because of what came through here. So each call is measured with what waited
for the loop before it and what it set going after it, and nothing ticks.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from firnline.core.clock import Clock

LONGEST = 0.05
"""Seconds that nobody may hold the loop: it is also the one that draws windows."""
_logger = logging.getLogger(__name__)


class LoopGate:
    """Lets other threads call into `loop`. Made on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._delivered = 0.0
        """When the last call ended."""
        self.worst = 0.0
        """The longest that anything waited for the loop, in seconds."""

    def post(self, callback: Callable[[], None]) -> None:
        """Have `callback` called by the loop. From any thread; after the loop's end it is dropped,
        since there is nobody left to hear it."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, callback, self._clock.monotonic())

    def _deliver(self, callback: Callable[[], None], sent: float) -> None:
        begun = self._clock.monotonic()
        self._measure(begun - sent, "before", callback)
        callback()
        self._delivered = self._clock.monotonic()
        self._measure(self._delivered - begun, "by", callback)
        # Behind the steps of those that `callback` woke.
        self._loop.call_soon(self._after, callback)

    def _after(self, callback: Callable[[], None]) -> None:
        self._measure(self._clock.monotonic() - self._delivered, "after", callback)

    def _measure(self, seconds: float, when: str, callback: Callable[[], None]) -> None:
        self.worst = max(self.worst, seconds)
        if seconds > LONGEST:
            _logger.info(
                "the loop was held for %.0f ms %s %s", seconds * 1000, when, _name(callback)
            )


def _name(callback: Callable[..., object]) -> str:
    """What it is called, without what it was given."""
    inner = callback.func if isinstance(callback, partial) else callback
    return str(getattr(inner, "__qualname__", type(inner).__name__))
