"""What is new in a store that cannot be watched, by listing it again and again.

Works without the tables of a folder, so that a slow store is asked on a thread of its own and the
folder is bothered only where there is something to fetch. The days from 48 h before the last
listing on are read (docs/design.md section 4, *Polling*), the store's time counts; names that were
shown once are remembered for as long, so a listing that leaves some out tells nothing twice. What
comes later than that has a hint, or makes a new day: then the folder's tables have to be asked,
which find out what it is.
"""

from collections.abc import Collection, Mapping

from firnline.core.clock import BUILD_DATE, Clock, format_time
from firnline.core.event import BadNameError, parse_name
from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.layout import EVENTS, parse_day
from firnline.sync.listing import OVERLAP, hint_files

News = Mapping[str, frozenset[str] | None]
"""Folder id → event names that are new there; None: list the store."""


class NewsReader:
    """What one store showed so far. Used by one thread."""

    def __init__(self, store: Store, folder_ids: Collection[str], clock: Clock) -> None:
        self._store = store
        self._folder_ids = folder_ids
        self._clock = clock
        self._shown: dict[str, _Shown] = {}
        self._hints: set[str] = set()
        self._since = ""

    def read(self) -> dict[str, frozenset[str] | None]:
        """What came since the last time; the first time, all that is recent. Raises StoreError."""
        started = self._two_days_ago()
        since = self._since or started
        hinted = self._new_hints()
        news: dict[str, frozenset[str] | None] = {}
        for directory, folder_id in folder_directories(self._store, self._folder_ids):
            shown = self._shown.setdefault(directory, _Shown(f"{directory}/{EVENTS}"))
            names = shown.read(self._store, since)
            if hinted:
                news[folder_id] = None
            elif names:
                news[folder_id] = names | (news.get(folder_id) or frozenset())
        self._since = started
        return news

    def _two_days_ago(self) -> str:
        """As a day. By the slower one of the clocks that may be right: one that is years ahead
        would hide everything."""
        clocks = [self._store.server_time(), self._clock.now()]
        possible = [now for now in clocks if now is not None and now >= BUILD_DATE]
        return format_time(min(possible, default=BUILD_DATE) - OVERLAP)[:8]

    def _new_hints(self) -> bool:
        found = set(hint_files(self._store))
        new = not found <= self._hints
        self._hints = found | self._hints
        return new


class _Shown:
    """The names that one folder's `events/` showed."""

    def __init__(self, events: str) -> None:
        self._events = events
        self._days: set[str] | None = None
        self._names: dict[str, set[str]] = {}

    def read(self, store: Store, since: str) -> frozenset[str]:
        """What is new in the days from `since` on, and in days that were not there before."""
        listed = {entry.name for entry in store.list(self._events) if entry.is_directory}
        days = {day for day in listed if parse_day(day) is not None}
        recent = {day for day in days if day >= since}
        known = days if self._days is None else self._days
        new = frozenset(name for day in recent | (days - known) for name in self._day(store, day))
        self._days = known | days
        self._names = {day: names for day, names in self._names.items() if day >= since}
        return new

    def _day(self, store: Store, day: str) -> list[str]:
        shown = self._names.setdefault(day, set())
        listed = {entry.name for entry in store.list(f"{self._events}/{day}")}
        new = [name for name in listed - shown if is_event_of(name, day)]
        shown |= listed
        return new


def is_event_of(name: str, day: str) -> bool:
    """Whether a name that stands in a day's directory is one of an event."""
    if name[:8] != day:
        return False
    try:
        parse_name(name)
    except BadNameError:
        return False
    return True


def folder_directories(store: Store, folder_ids: Collection[str]) -> list[tuple[str, str]]:
    """The directories that a store has for those folders, with their ids. Raises StoreError."""
    return [
        (directory, folder_id)
        for directory, short in identity.known_folders(store)
        for folder_id in folder_ids
        if folder_id.startswith(short)
    ]
