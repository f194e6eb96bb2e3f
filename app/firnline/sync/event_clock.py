"""The times of this device's own events in one pass (docs/design.md section 2, *DATETIME*)."""

from datetime import datetime

from firnline.core.clock import DateTime, format_time, horizon, later, trusted_now
from firnline.stores.errors import StoreError
from firnline.sync.context import FolderContext


class EventClock:
    """Gives each event of this device a DATETIME larger than all that are known.

    Asks the stores for their time once, when the first event is written.
    """

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._last: DateTime | None = None
        self._passed_over: bool | None = None

    def next(self) -> DateTime:
        """max(now, s + 1 µs). Raises ClockBeforeBuildError."""
        device = self._context.clock.now()
        now, self._passed_over = trusted_now(device, self._store_time(device))
        newest = self._last or self._context.state.journal.latest(horizon(now))
        present = format_time(now)
        time = present if newest is None else max(present, later(newest))
        self._last = time
        return time

    @property
    def passed_over(self) -> bool:
        """True when this device's clock is more than a day off, so that a store's was used."""
        return bool(self._passed_over)

    def _store_time(self, device: datetime) -> datetime | None:
        if self._passed_over is False:
            return device
        for connected in self._context.stores:
            try:
                found = connected.store.server_time()
            except StoreError:
                continue
            if found is not None:
                return found
        return None
