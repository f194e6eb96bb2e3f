"""One way into one store, as the loop sees it: whose turn it is, and when to look again.

Each way has a thread of its own, so that a store that takes minutes for a call holds up nobody
else. A folder is looked at when something was heard that may concern it, and when a decision said
until when to wait; nothing ticks. Everything here belongs to the loop's thread.
"""

import asyncio
import logging
from collections.abc import Callable

from firnline.core.clock import Clock
from firnline.core.pace import SLOWEST_RETRY
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.worker import Worker
from firnline.sync.copy_round import Round

REST_WITHIN = 5.0
"""Seconds that a round has to come to a safe point; afterwards it goes on and books nothing."""
_SOON = 0.05
_logger = logging.getLogger(__name__)

Cancelled = Callable[[], bool]
Work = Callable[[Cancelled], Round]


class _Ticket:
    """A round's leave to work."""

    def __init__(self) -> None:
        self.ended = False


class CopyLane:
    """Looks after one way until it is stopped."""

    def __init__(
        self,
        work: Callable[[str], Work | None],
        worker: Worker,
        clock: Clock,
        tell: Callable[[str, Round], None],
    ) -> None:
        """`work`: what is to be done for a folder now, None when nothing can be. `tell` hears of
        each round."""
        self._work = work
        self._worker = worker
        self._clock = clock
        self._tell = tell
        self._wanted: dict[str, None] = {}
        self._due: dict[str, float] = {}
        self._resting_until: dict[str, float] = {}
        self._alarm = Alarm(self._look_at_due)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._ticket = _Ticket()
        self._stopping = False
        self._resting = 0

    def look_at(self, folder_id: str) -> None:
        """Something happened that may concern this way."""
        self._wanted[folder_id] = None
        self._wake.set()

    def try_again(self, folder_id: str) -> None:
        """The store was connected anew: what it refused it may take now."""
        self._resting_until.pop(folder_id, None)
        self.look_at(folder_id)

    def stop(self) -> None:
        """`live` returns soon."""
        self._stopping = True
        self._ticket.ended = True
        self._wake.set()

    async def rest(self) -> None:
        """Returns when nothing is done, or nothing that is done counts any more, until `go_on`."""
        self._resting += 1
        self._ticket.ended = True
        self._wake.set()
        try:
            async with asyncio.timeout(REST_WITHIN):
                await self._idle.wait()
        except TimeoutError:
            _logger.info("a copy hangs and is left to itself")

    def go_on(self) -> None:
        """After `rest`."""
        self._resting -= 1
        self._wake.set()

    async def live(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopping:
                if self._wanted and not self._resting:
                    await self._turn(next(iter(self._wanted)))
                    continue
                self._idle.set()
                await self._wake.wait()
                self._wake.clear()
        finally:
            self._idle.set()
            self._ticket.ended = True
            self._alarm.cancel()
            self._worker.end()

    async def _turn(self, folder_id: str) -> None:
        del self._wanted[folder_id]
        if self._resting_until.get(folder_id, 0.0) > self._clock.monotonic():
            return
        self._due.pop(folder_id, None)
        work = self._work(folder_id)
        if work is None:
            return
        self._idle.clear()
        ticket = self._ticket = _Ticket()
        try:
            done = await self._worker.call(lambda: work(lambda: ticket.ended))
        except Exception:
            _logger.exception("a mistake in the program")
            done = Round(due=self._clock.now().timestamp() + SLOWEST_RETRY, rest=True)
        if ticket.ended:
            # It may have ended in the middle.
            self._wanted[folder_id] = None
            return
        self._plan(folder_id, done)
        self._tell(folder_id, done)

    def _plan(self, folder_id: str, done: Round) -> None:
        if done.more:
            self._wanted[folder_id] = None
        if done.due is not None:
            # From now on by the clock that nobody sets.
            wait = max(done.due - self._clock.now().timestamp(), 0.0) + _SOON
            self._due[folder_id] = self._clock.monotonic() + wait
            if done.rest:
                self._resting_until[folder_id] = self._due[folder_id]
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._due:
            self._alarm.set(max(min(self._due.values()) - self._clock.monotonic(), 0.0))

    def _look_at_due(self) -> None:
        now = self._clock.monotonic()
        for folder_id in [each for each, due in self._due.items() if due <= now]:
            del self._due[folder_id]
            self.look_at(folder_id)
        self._set_alarm()
