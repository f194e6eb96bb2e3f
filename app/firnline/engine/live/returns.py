"""Directory stores that are away: their links are woken as soon as something appears at the place.

The links try again by themselves, with growing pauses; a stick that is plugged in should not wait
for that.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from firnline.core.clock import Clock
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.watches import MakeWatcher, ReturnWatch
from firnline.engine.live.worker import Worker


class Returns:
    """Belongs to the loop; the places are looked at on a thread of its own."""

    def __init__(
        self, wake: Callable[[str], None], make: MakeWatcher, gate: LoopGate, clock: Clock
    ) -> None:
        """`wake` is called on the loop, with the STOREHASH of a store that may be back."""
        self._wake = wake
        self._make = make
        self._gate = gate
        self._clock = clock
        self._worker = Worker("returns", gate)
        self._waiting: dict[str, ReturnWatch] = {}

    def missing(self, store_id: str, place: Path) -> None:
        """A store is not at its place (any more)."""
        watch = self._waiting.get(store_id)
        if watch is None:
            tell = partial(self._appeared, store_id)
            watch = self._waiting[store_id] = ReturnWatch(place, tell, self._make, self._clock)
        self._worker.call(watch.look)

    def found(self, store_id: str) -> None:
        """It is there."""
        watch = self._waiting.pop(store_id, None)
        if watch is not None:
            self._worker.call(watch.close)

    def close(self) -> None:
        """Nobody is woken any more."""
        for store_id in list(self._waiting):
            self.found(store_id)
        self._worker.end()

    def _appeared(self, store_id: str) -> None:
        """On a watcher's thread."""
        self._gate.post(partial(self._look, store_id))

    def _look(self, store_id: str) -> None:
        watch = self._waiting.get(store_id)
        if watch is not None:
            self._wake(store_id)
            # Where a directory on the way appeared, the next one is waited for from there.
            self._worker.call(watch.look)
