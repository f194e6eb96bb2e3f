"""Who of those that are connected to a store does its housekeeping (docs/design.md section 5).

The lead is the live connection with the highest priority, then the smallest CONNHASH. Two leads at
once do no harm, so nothing here has to be certain; it has to come to rest, and a clock that is
wrong by years must neither keep a dead lead for ever nor bury one that lives.

**Dead** is who is too old by two clocks. By its stamp: three intervals before now. By the store's
clock: this device saw the same beat stand there for three intervals, or the store's clock is a day
past it, by which honest stamps are never off (section 2, *DATETIME*). A stamp from the future says
nothing, so the store's clock decides alone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from firnline.core.clock import DAY_AHEAD

DEFAULT_PRIORITY = 50
MAX_PRIORITY = 100
MISSED = 3
"""So many beats are left out before a connection is taken for dead."""


class Beat(NamedTuple):
    """A connection, as its heartbeat stands in the store."""

    connection: str
    """CONNHASH."""
    stamp: datetime
    """When it beat, by its own clock."""
    priority: int = DEFAULT_PRIORITY


class Moment(NamedTuple):
    """What the clocks say at one time."""

    now: datetime
    """This device's wall clock, or the store's where that is the one to trust."""
    store: datetime | None
    """The store's clock; None where it has none."""
    elapsed: float
    """Seconds of this computer's clock that never goes back."""


class Sighting(NamedTuple):
    """A beat, and when this device saw it first."""

    beat: Beat
    first: Moment


Sightings = Mapping[str, Sighting]
"""By CONNHASH."""


def sight(known: Sightings, beats: Iterable[Beat], moment: Moment) -> dict[str, Sighting]:
    """What stands there at a `moment`: a beat that is the same as before keeps when it was first
    seen, unless the store's clock went back since, so that nothing follows from it."""
    return {beat.connection: _sight(known.get(beat.connection), beat, moment) for beat in beats}


def _sight(before: Sighting | None, beat: Beat, moment: Moment) -> Sighting:
    if before is None or before.beat.stamp != beat.stamp or _went_back(before.first, moment):
        return Sighting(beat, moment)
    return Sighting(beat, before.first)


def _went_back(first: Moment, moment: Moment) -> bool:
    if first.store is None or moment.store is None:
        return False
    return moment.store < first.store


def is_dead(sighting: Sighting, moment: Moment, interval: float) -> bool:
    """Whether a connection that beats every `interval` seconds does so no more."""
    patience = MISSED * interval
    return is_old(sighting.beat, moment, patience) and _stands(sighting, moment) > patience


def is_old(beat: Beat, moment: Moment, seconds: float) -> bool:
    """Whether a beat is older than that by its own stamp; true of one that is not believed."""
    age = moment.now - beat.stamp
    return age > timedelta(seconds=seconds) or -age > DAY_AHEAD


def _stands(sighting: Sighting, moment: Moment) -> float:
    """Seconds for which the beat stands there, by the store's clock where it has one."""
    first = sighting.first
    if first.store is None or moment.store is None:
        return moment.elapsed - first.elapsed
    past = moment.store - sighting.beat.stamp - DAY_AHEAD
    return max((moment.store - first.store).total_seconds(), past.total_seconds())


def living(sightings: Sightings, moment: Moment, interval: float) -> list[Beat]:
    """The beats of all that are not dead."""
    found = sightings.values()
    return [each.beat for each in found if not is_dead(each, moment, interval)]


def choose_lead(beats: Iterable[Beat]) -> str | None:
    """CONNHASH of the lead among live connections; None when there is none."""
    ranked = sorted((-beat.priority, beat.connection) for beat in beats)
    return ranked[0][1] if ranked else None
