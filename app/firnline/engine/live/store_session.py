"""What is done with a store from when it is connected until it is lost, and when it is due.

Used by the link's thread only. Every call may raise a StoreError: the store is lost then. A store
that takes nothing (no rights, no space) is read all the same: it is not beaten in, so it has
another lead.
"""

from collections.abc import Callable, Collection
from contextlib import suppress

from firnline.core.clock import Clock
from firnline.core.polling import WATCHED, Pace, Polling
from firnline.engine.live.store_watch import MakeWatch, Watch
from firnline.stores.errors import DeniedError, FullError, StoreError
from firnline.sync.context import Connected
from firnline.sync.heartbeat import NOBODY, Heartbeat
from firnline.sync.news import News, NewsReader
from firnline.sync.sweeping import sweep

SWEEPING = 3600.0
"""Seconds between two looks for what is long dead."""


class StoreSession:
    """One connection, from one run."""

    def __init__(
        self,
        connected: Connected,
        run: str,
        folder_ids: Collection[str],
        clock: Clock,
        pace: Pace,
        make_watch: MakeWatch | None,
        hear: Callable[[News], None],
    ) -> None:
        """`make_watch`: for a store that can be watched; `hear` is called by the watch."""
        self.connected = connected
        self.seen = NOBODY
        """Who else is connected."""
        self._folder_ids = folder_ids
        self._clock = clock
        self._pace = pace
        self._heart = Heartbeat(connected, run=run, clock=clock)
        self._beats = False
        self._reader = NewsReader(connected.store, folder_ids, clock)
        self._make_watch = make_watch
        self._hear = hear
        self._watch: Watch | None = None
        self._began = now = clock.monotonic()
        self._beat_due = now
        self._all_due = now + WATCHED.shortest
        self._sweep_due = now + SWEEPING
        self._polling = Polling.begin(now, self._pace)

    def begin(self) -> None:
        """Beat for the first time, and begin to look for news. What is there already is left to a
        listing, so whatever comes from now on is found by one or the other."""
        self.beat()
        self._begin_watch()
        if self._watch is None:
            self._reader.read()

    @property
    def age(self) -> float:
        """Seconds since it was connected."""
        return self._clock.monotonic() - self._began

    @property
    def due(self) -> float:
        """When there is something to do again."""
        due = min(self._beat_due, self._all_due)
        return due if self._watch is not None else min(due, self._polling.due)

    def active(self) -> None:
        """Others may answer soon."""
        self._polling = self._polling.active(self._clock.monotonic(), self._pace)

    def tend(self, *, at_once: bool) -> News:
        """Do what is due, or all of it; returns what is new. Raises ClonedError and StoreError."""
        now = self._clock.monotonic()
        if self._watch is not None and not self._watch.works:
            self._end_watch()
            self._polling = Polling.begin(now, self._pace)
        if at_once or now >= self._beat_due:
            self.beat()
        if at_once or now >= self._all_due:
            return self._look_at_all(now)
        watched = self._watch is not None
        return {} if watched or now < self._polling.due else self._poll(now)

    def _look_at_all(self, now: float) -> News:
        """Whatever was missed; and what could not be watched may be now."""
        self._all_due = now + WATCHED.shortest
        self._polling = self._polling.active(now, self._pace)
        if self._watch is None:
            self._begin_watch()
        return dict.fromkeys(self._folder_ids)

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
        now = self._clock.monotonic()
        self._beat_due = now + self._heart.interval
        if now >= self._sweep_due and self.seen.lead == self.connected.connection:
            self._sweep_due = now + SWEEPING
            sightings = self._heart.sightings.values()
            sweep(self.connected.store, sightings, self._clock, self._heart.interval)

    def _poll(self, now: float) -> News:
        news = self._reader.read()
        self._polling = self._polling.looked(now, self._pace, news=bool(news))
        return news

    def _begin_watch(self) -> None:
        if self._make_watch is None:
            return
        watch = self._make_watch(self._hear)
        watch.start()
        if watch.works:
            self._watch = watch
        else:
            watch.close()

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def close(self) -> None:
        """The store is used no more by this link."""
        self._end_watch()
        # It may well be what broke.
        with suppress(StoreError):
            self.connected.store.close()
