"""What connections leave behind for ever: removed by the store's lead (docs/design.md section 5).

A connection that has not beaten for 30 days goes with its `tmp/`, and so do hints of late events of
that age, whoever wrote them (section 4, *Polling*); by then every reader has listed all days.

Nothing rests on this, so it is done only when everything agrees: the stamp, this device's clock and
the store's say 30 days, and this run itself saw the beat stand still for three intervals. A clock
that jumps by years removes nothing of a device that lives. The beat goes last, so that a sweep that
was stopped is done again; a device that comes back after all begins anew.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from firnline.core.clock import Clock
from firnline.core.lead import MISSED, Sighting
from firnline.stores.base import Store
from firnline.stores.errors import BadStorePathError, DeniedError
from firnline.stores.layout import ConnectionLayout, parse_late
from firnline.sync.heartbeat import stamps_of
from firnline.sync.listing import hint_files

LONG_AGO = timedelta(days=30)
_logger = logging.getLogger(__name__)


def sweep(store: Store, sightings: Iterable[Sighting], clock: Clock, interval: float) -> list[str]:
    """Remove what is long dead; returns the CONNHASHes that went. Raises StoreError.

    `sightings` are those of a `Heartbeat` that looked a moment ago. A store that refuses to have
    anything removed keeps it.
    """
    told, device = store.server_time(), clock.now()
    if told is None:
        return []
    # Each clock by itself: one that is years ahead must not be the one to go by.
    long_ago = min(told, device) - LONG_AGO
    swept = []
    try:
        for sighting in sightings:
            silent = clock.monotonic() - sighting.first.elapsed > MISSED * interval
            if silent and sighting.beat.stamp < long_ago and _sweep_one(store, sighting):
                swept.append(sighting.beat.connection)
        for place in list(_old_hints(store, long_ago)):
            store.delete(place)
    except DeniedError as error:
        _logger.info("what is long dead stays: %s", error)
    return swept


def _sweep_one(store: Store, sighting: Sighting) -> bool:
    """False when it beats again."""
    connection, stamp = sighting.beat.connection, sighting.beat.stamp
    files = ConnectionLayout(connection)
    stamps = sorted(stamps_of(store, connection))
    if not stamps or stamps[-1] != stamp:
        return False
    for entry in list(store.list(files.tmp)):
        # A name that no store can be asked for was put there by hand, and stays.
        with suppress(BadStorePathError):
            store.delete(f"{files.tmp}/{entry.name}")
    store.delete(files.priority)
    for each in stamps:
        store.delete(files.idle(each))
    return True


def _old_hints(store: Store, long_ago: datetime) -> Iterator[str]:
    for place in hint_files(store):
        stamp = parse_late(place.rpartition("/")[2])
        if stamp is not None and stamp < long_ago:
            yield place
