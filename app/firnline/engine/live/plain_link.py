"""The connection to one store, made again whenever it broke, with growing pauses.

Everything here belongs to the loop's thread; what blocks is done on the store's own.
"""

import asyncio
import logging
from collections.abc import Callable

from firnline.config.settings import StoreSettings
from firnline.core.backoff import Backoff
from firnline.core.clock import Clock
from firnline.engine.live.alarm import Alarm
from firnline.engine.live.worker import Worker
from firnline.engine.runtime import Engine
from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, Unreached

_logger = logging.getLogger(__name__)


class PlainLink:
    """Connects to one store until it is stopped."""

    def __init__(
        self,
        engine: Engine,
        settings: StoreSettings,
        worker: Worker,
        clock: Clock,
        tell: Callable[[], None],
    ) -> None:
        """`tell` is called when the store was reached, or could not be."""
        self._engine = engine
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._tell = tell
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._again = Alarm(self._wake.set)
        self._stopping = False
        self.now: Connected | Unreached | None = None
        """How it stands; None before the first answer."""
        self._since = 0.0

    def stop(self) -> None:
        """`live` returns soon."""
        self._stopping = True
        self._wake.set()

    def hurry(self) -> None:
        """There is reason to think that the store can be reached now."""
        self._wake.set()

    def failed(self, why: Exception) -> None:
        """The store failed while it was used."""
        if isinstance(self.now, Connected):
            self.now.store.close()
            held = self._clock.monotonic() - self._since
            self._broken(why, held)
            self._tell()

    async def live(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopping:
                if not isinstance(self.now, Connected):
                    await self._attempt()
                    self._tell()
                await self._wake.wait()
                self._wake.clear()
        finally:
            self._again.cancel()
            if isinstance(self.now, Connected):
                self.now.store.close()
            self._worker.end()

    async def _attempt(self) -> None:
        try:
            self.now = await self._worker.call(lambda: self._engine.connect(self._settings))
            self._since = self._clock.monotonic()
        except StoreError as error:
            _logger.info("store %s: %s", self._settings.name, error)
            self._broken(error, 0.0)

    def _broken(self, why: Exception, held: float) -> None:
        store = self._settings
        self.now = Unreached(store.name, store.store_id, store.minor, why)
        self._backoff = self._backoff.failed(held)
        self._again.set(self._backoff.delay(self._engine.outside.random))
