"""The times of this device's own events in one pass (docs/design.md section 2, *DATETIME*)."""

from datetime import datetime, timedelta

from firnline.core.clock import DateTime, format_time, horizon, later, trusted_now
from firnline.stores.errors import StoreError
from firnline.sync.context import FolderContext


class EventClock:
    """Gives each event of this device a DATETIME larger than all that are known.

    Asks the stores for their time once, when the first event is written.
    """

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._last = DateTime("")
        self._offset: timedelta | None = None
        self.passed_over = False
        """This device's clock is more than a day off, so that a store's is used."""

    def next(self) -> DateTime:
        """max(now, s + 1 µs), s the largest DATETIME seen, also since the last call.

        Raises ClockBeforeBuildError.
        """
        now = self._now()
        seen = self._context.state.journal.latest(horizon(now)) or DateTime("")
        newest = max(seen, self._last)
        self._last = max(format_time(now), later(newest)) if newest else format_time(now)
        return self._last

    def _now(self) -> datetime:
        device = self._context.clock.now()
        if self._offset is None:
            now, self.passed_over = trusted_now(device, self._store_time())
            self._offset = now - device
        return device + self._offset

    def _store_time(self) -> datetime | None:
        for connected in self._context.stores:
            try:
                found = connected.store.server_time()
            except StoreError:
                continue
            if found is not None:
                return found
        return None
