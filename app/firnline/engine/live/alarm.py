"""A moment in the future at which the loop calls something; none, when nothing is planned."""

import asyncio
from collections.abc import Callable


class Alarm:
    """Belongs to the loop on whose thread it is set."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """It is going to ring."""
        return self._handle is not None

    def set(self, seconds: float) -> None:
        """Ring once, after `seconds`; what was planned before is forgotten."""
        self.cancel()
        self._handle = asyncio.get_running_loop().call_later(seconds, self._go_off)

    def cancel(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _go_off(self) -> None:
        self._handle = None
        self._ring()
