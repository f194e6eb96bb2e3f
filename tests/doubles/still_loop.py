"""An event loop whose time stands still while there is something to do, and leaps when there is
not: what happens after minutes is tried out at once, and always in the same order.

For tests without threads. A loop that waits for nothing at all fails the test.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_BEGIN = datetime(2026, 11, 22, 8, 26, tzinfo=UTC)


class _Leaping(selectors.SelectSelector):
    """Does not wait: it says how long the loop would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "nothing will ever happen"
            self.seconds += timeout
        return found


class StillLoop(asyncio.SelectorEventLoop):
    """See above. It is a clock, too (`core.clock.Clock`)."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        self.slept = timedelta(0)
        """How far the wall clock went while the computer slept."""
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.seconds

    def monotonic(self) -> float:
        return self.time()

    def now(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.time()) + self.slept

    def sleep(self, seconds: float) -> None:
        self._leaping.seconds += seconds


def run_still(story: Coroutine[Any, Any, _Result]) -> _Result:
    """Run `story` to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=StillLoop) as runner:
        return runner.run(story)


def the_loop() -> StillLoop:
    """The loop of the story that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillLoop)
    return loop
