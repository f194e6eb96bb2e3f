"""What is done with a store from when it is connected until it is lost, and when it is due.

Used by the link's thread only. Every call may raise a StoreError: the store is lost then. A store
that takes nothing (no rights, no space) is read all the same: it is not beaten in, so it has
another lead.
"""

from collections.abc import Collection

from firnline.core.clock import Clock
from firnline.core.polling import POLLED, WATCHED, Polling
from firnline.stores.errors import DeniedError, FullError
from firnline.sync.context import Connected
from firnline.sync.heartbeat import Heartbeat, Look
from firnline.sync.news import News, NewsReader

NOBODY = Look(None, ())


class StoreSession:
    """One connection, from one run."""

    def __init__(
        self, connected: Connected, run: str, folder_ids: Collection[str], clock: Clock
    ) -> None:
        self.connected = connected
        self.seen = NOBODY
        """Who else is connected."""
        self._folder_ids = folder_ids
        self._clock = clock
        self._heart = Heartbeat(connected, run=run, clock=clock)
        self._beats = False
        self._reader = NewsReader(connected.store, folder_ids, clock)
        self._began = now = clock.monotonic()
        self._beat_due = now
        self._all_due = now + WATCHED.shortest
        self._polling = Polling.begin(now, POLLED)

    def begin(self) -> None:
        """Beat for the first time, and note what is there already, which a listing will find."""
        self.beat()
        self._reader.read()

    @property
    def age(self) -> float:
        """Seconds since it was connected."""
        return self._clock.monotonic() - self._began

    @property
    def due(self) -> float:
        """When there is something to do again."""
        return min(self._beat_due, self._all_due, self._polling.due)

    def active(self) -> None:
        """Others may answer soon."""
        self._polling = self._polling.active(self._clock.monotonic(), POLLED)

    def tend(self, *, at_once: bool) -> News:
        """Do what is due, or all of it; returns what is new. Raises ClonedError and StoreError."""
        now = self._clock.monotonic()
        if at_once or now >= self._beat_due:
            self.beat()
        if at_once or now >= self._all_due:
            self._all_due = now + WATCHED.shortest
            self._polling = self._polling.active(now, POLLED)
            return dict.fromkeys(self._folder_ids, None)
        return self._poll(now) if now >= self._polling.due else {}

    def beat(self) -> None:
        """Say that this device is there, and see who else is. Raises ClonedError and StoreError."""
        try:
            if self._beats:
                self._heart.beat()
            else:
                self._heart.begin()
            self._beats = True
        except (DeniedError, FullError):
            self._beats = False
        self.seen = self._heart.look()
        self._beat_due = self._clock.monotonic() + self._heart.interval

    def _poll(self, now: float) -> News:
        news = self._reader.read()
        self._polling = self._polling.looked(now, POLLED, news=bool(news))
        return news

    def close(self) -> None:
        """The store is used no more by this link."""
        self.connected.store.close()
