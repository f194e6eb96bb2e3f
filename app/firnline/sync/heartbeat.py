"""This device's connection to a store: it beats, and looks who else does (docs/design.md 5).

`connections/CONNHASH/idle_DATETIME` is renamed at every beat; its body is 16 random characters per
run. A single pass does not beat, so it never leads.

**A cloned disk or a copied profile** beats under the same CONNHASH from somewhere else. Whoever
finds a newer beat of its own CONNHASH with another body is one of two, since the profile's lock
keeps a second run of the same one away. An older one is what an earlier run left, or what came back
with a store that was set back, and is removed. Of two clones one begins later and takes the place
of the other's beat, which so finds out first; both need not.

Nothing is written before the store was asked again whether it is the one (`require_current`): a
disk can have gone since the last beat.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from firnline.core.clock import (
    BUILD_DATE,
    Clock,
    ClockBeforeBuildError,
    format_time,
    later,
    parse_time,
    trusted_now,
)
from firnline.core.lead import (
    DEFAULT_PRIORITY,
    MAX_PRIORITY,
    MISSED,
    Beat,
    Moment,
    Sighting,
    choose_lead,
    is_old,
    living,
    sight,
)
from firnline.stores.base import Store
from firnline.stores.errors import CorruptError, NotFoundError
from firnline.stores.layout import (
    CONNECTIONS,
    ID_LENGTH,
    ConnectionLayout,
    is_id,
    parse_idle,
    random_id,
)
from firnline.sync.context import Connected

INTERVAL = 60.0
"""Seconds between two beats where they are free."""
COSTLY = 600.0
"""Seconds between two beats where requests cost money."""
_PAID = frozenset({"s3"})
"""Kinds of stores where they do."""
MAX_CONNECTIONS = 1_000
"""Connections that are looked at: nobody has more, and anybody can write there."""
_MAX_PRIORITY_FILE = 16


class ClonedError(Exception):
    """Another device beats under this device's CONNHASH: a cloned disk, or a copied profile."""

    def __init__(self, connection: str) -> None:
        super().__init__(f"another device uses the connection {connection}")
        self.connection = connection


class Look(NamedTuple):
    """Who is connected to a store."""

    lead: str | None
    """CONNHASH; None when nobody beats."""
    living: tuple[str, ...]
    """CONNHASHes of all that are not dead, sorted."""


NOBODY = Look(None, ())


def new_run(random: Callable[[int], bytes]) -> str:
    """What the beats of one run have as their body."""
    return random_id(ID_LENGTH, random)


class Heartbeat:
    """The beats of one connection, from one run. Used by one thread."""

    def __init__(self, connected: Connected, *, run: str, clock: Clock) -> None:
        self._connected = connected
        self._store = connected.store
        self._files = ConnectionLayout(connected.connection)
        self._run = run.encode()
        self._clock = clock
        self.interval = interval_on(connected.store)
        self._stamp: datetime | None = None
        self.sightings: dict[str, Sighting] = {}
        """Who was seen, and since when."""

    def begin(self) -> None:
        """The first beat of a connection. Raises StoreError."""
        self._connected.require_current()
        if self._store.size(self._files.priority) is None:
            self._store.put_many([(self._files.priority, str(DEFAULT_PRIORITY).encode())])
        self._make(self._moment().now)
        self._remove(stamp for stamp in self._own_stamps() if stamp != self._stamp)

    def beat(self) -> None:
        """Say that this connection lives. Raises ClonedError and StoreError."""
        self._connected.require_current()
        before = self._stamp
        assert before is not None, "begun"
        stamp = self._next_stamp(self._moment().now)
        try:
            self._store.rename(self._files.idle(before), self._files.idle(stamp))
            self._stamp = stamp
        except NotFoundError:
            # Somebody removed it, or the answer to the last beat was lost.
            self._settle_own(before)
            self._make(stamp)
        self._settle_own(before)

    def look(self) -> Look:
        """Who else lives, and who leads. Raises StoreError."""
        moment = self._moment()
        self.sightings = sight(self.sightings, read_beats(self._store), moment)
        return _look(living(self.sightings, moment, self.interval))

    # --- this device's own beat -----------------------------------------------------------------

    def _moment(self) -> Moment:
        return moment_of(self._store, self._clock)

    def _next_stamp(self, now: datetime) -> datetime:
        """Another name than the last, also while the clock stands still."""
        if self._stamp != now:
            return now
        return parse_time(later(format_time(now)))

    def _make(self, stamp: datetime) -> None:
        self._store.put_many([(self._files.idle(stamp), self._run)])
        self._stamp = stamp

    def _own_stamps(self) -> list[datetime]:
        return sorted(stamps_of(self._store, self._connected.connection))

    def _settle_own(self, before: datetime) -> None:
        """Look at the other beats of this CONNHASH. Raises ClonedError for one of another run that
        is newer than the last of this one; removes the others."""
        others = [stamp for stamp in self._own_stamps() if stamp != self._stamp]
        for stamp in others:
            with suppress(NotFoundError):
                if stamp > before and self._body(stamp) != self._run:
                    raise ClonedError(self._connected.connection)
        self._remove(others)

    def _body(self, stamp: datetime) -> bytes:
        try:
            return self._store.read_small(self._files.idle(stamp), ID_LENGTH)
        except CorruptError:
            return b""

    def _remove(self, stamps: Iterable[datetime]) -> None:
        for stamp in stamps:
            self._store.delete(self._files.idle(stamp))


# --- what stands in a store ---------------------------------------------------------------------


def moment_of(store: Store, clock: Clock) -> Moment:
    """What the clocks say now: the store's is gone by where this device's is a day off."""
    told = store.server_time()
    device = clock.now()
    try:
        now, _ = trusted_now(device, told)
    except ClockBeforeBuildError:
        now = BUILD_DATE
    return Moment(now, told, clock.monotonic())


def read_beats(store: Store) -> list[Beat]:
    """The newest beat of each connection that ever beat. Raises StoreError."""
    listed = sorted(entry.name for entry in store.list(CONNECTIONS) if entry.is_directory)
    connections = [name for name in listed if is_id(name)][:MAX_CONNECTIONS]
    found = ((connection, list(stamps_of(store, connection))) for connection in connections)
    return [
        Beat(connection, max(stamps), _priority(store, connection))
        for connection, stamps in found
        if stamps
    ]


def stamps_of(store: Store, connection: str) -> Iterator[datetime]:
    """When a connection beat: one moment, or several where something went wrong."""
    for entry in store.list(ConnectionLayout(connection).directory):
        stamp = None if entry.is_directory else parse_idle(entry.name)
        if stamp is not None:
            yield stamp


def _priority(store: Store, connection: str) -> int:
    """What stands in its `priority`; the default where that says nothing that can be."""
    try:
        body = store.read_small(ConnectionLayout(connection).priority, _MAX_PRIORITY_FILE)
    except (NotFoundError, CorruptError):
        return DEFAULT_PRIORITY
    text = body.strip()
    found = int(text) if text.isdigit() else DEFAULT_PRIORITY
    return found if found <= MAX_PRIORITY else DEFAULT_PRIORITY


def interval_on(store: Store) -> float:
    """Seconds between two beats there: all devices go by the kind of the store."""
    return COSTLY if store.kind in _PAID else INTERVAL


def look_once(store: Store, clock: Clock) -> Look:
    """Who is connected, as far as one look can tell: whose stamp is not old. Raises StoreError.

    For whoever only reads, so a stamp is compared with this device's clock alone.
    """
    moment = Moment(clock.now(), None, clock.monotonic())
    patience = MISSED * interval_on(store)
    return _look(beat for beat in read_beats(store) if not is_old(beat, moment, patience))


def _look(found: Iterable[Beat]) -> Look:
    beats = list(found)
    return Look(choose_lead(beats), tuple(sorted(beat.connection for beat in beats)))
