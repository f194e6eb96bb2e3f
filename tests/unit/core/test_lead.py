"""Who leads, and who is taken for dead."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.strategies import MOMENTS

from firnline.core.lead import (
    MISSED,
    Beat,
    Moment,
    Sightings,
    choose_lead,
    is_dead,
    living,
    sight,
)

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INTERVAL = 60.0
YEARS = timedelta(days=3 * 365)
JUMPS = st.timedeltas(timedelta(days=-9000), timedelta(days=9000))
BEATS = st.lists(
    st.builds(Beat, st.text("ab", min_size=2, max_size=2), st.just(START), st.integers(0, 100)),
    max_size=5,
)


def at(seconds, *, device=timedelta(), store=timedelta(), has_clock=True):
    """The clocks after so many seconds, each off by so much."""
    real = START + timedelta(seconds=seconds)
    return Moment(real + device, real + store if has_clock else None, seconds)


def trusted(off):
    """A device whose clock is more than a day off goes by the store's (`core.clock`)."""
    return timedelta() if abs(off) > timedelta(days=1) else off


def beat(seconds, connection="a", *, off=timedelta(), priority=50):
    return Beat(connection, START + timedelta(seconds=seconds) + off, priority)


def looks(beats_at, moments, known=None):
    """What is known after several looks; `beats_at` gives what stands there by seconds."""
    known = known or {}
    for moment in moments:
        known = sight(known, beats_at(moment.elapsed), moment)
    return known


def test_the_highest_priority_leads_then_the_smallest_name():
    """All devices that see the same connections name the same one."""
    beats = [beat(0, "c"), beat(0, "b", priority=60), beat(0, "a"), beat(0, "d", priority=60)]
    assert choose_lead(beats) == "b"
    assert choose_lead([beat(0, "c"), beat(0, "a")]) == "a"
    assert choose_lead([]) is None


@given(BEATS, st.randoms(use_true_random=False))
def test_the_lead_does_not_depend_on_the_order(beats, random):
    """A listing comes in no order."""
    beats = list({each.connection: each for each in beats}.values())
    shuffled = random.sample(beats, len(beats))
    assert choose_lead(shuffled) == choose_lead(beats)


@given(BEATS)
def test_nobody_stands_above_the_lead(beats):
    """The lead is one of the live ones, and none of them has a higher priority."""
    lead = choose_lead(beats)
    best = max((each.priority for each in beats), default=None)
    assert (lead, best) in {(each.connection, each.priority) for each in beats} or not beats


@given(JUMPS, JUMPS, st.booleans(), st.integers(1, 30))
def test_whoever_beats_is_never_dead(device_off, own_off, has_clock, rounds):
    """A device whose clock is wrong by years, seen by one whose clock is, too, lives as long as it
    beats."""
    if has_clock:
        device_off, own_off = trusted(device_off), trusted(own_off)
    known: Sightings = {}
    for n in range(1, rounds + 1):
        moment = at(60.0 * n, device=own_off, has_clock=has_clock)
        known = looks(lambda seconds: [beat(seconds - 1, off=device_off)], [moment], known)
        assert not is_dead(known["a"], moment, INTERVAL)


@given(JUMPS, st.booleans())
def test_whoever_stops_is_dead_in_the_end(device_off, has_clock):
    """A stamp from the far future does not keep a dead lead for ever."""
    moments = [at(60.0 * n, has_clock=has_clock) for n in range(MISSED + 3)]
    if timedelta() < device_off <= timedelta(days=1):
        moments += [at(device_off.total_seconds() + 60.0 * n) for n in range(MISSED + 3)]
    known = looks(lambda seconds: [beat(-1, off=device_off)], moments)
    assert is_dead(known["a"], moments[-1], INTERVAL)


def test_a_beat_that_was_just_found_is_given_time():
    """What is old by its stamp may be of a device whose clock is slow: it is watched first."""
    known = looks(lambda seconds: [beat(-3600)], [at(0), at(120)])
    assert not is_dead(known["a"], at(120), INTERVAL)
    assert is_dead(known["a"], at(181), INTERVAL)


def test_a_beat_of_last_month_needs_no_watching():
    """Its stamp is more than a day behind the store's clock, as no honest one is."""
    known = looks(lambda seconds: [beat(-30 * 86400)], [at(0)])
    assert is_dead(known["a"], at(0), INTERVAL)
    assert living(known, at(0), INTERVAL) == []


def test_without_a_clock_of_the_store_it_is_watched_all_the_same():
    """One's own wall clock alone never buries anybody."""
    known = looks(lambda seconds: [beat(-30 * 86400)], [at(0, has_clock=False)])
    assert not is_dead(known["a"], at(0, has_clock=False), INTERVAL)
    assert is_dead(known["a"], at(181, has_clock=False), INTERVAL)


def test_a_store_whose_clock_jumps_ahead_buries_nobody():
    """The stamp is fresh by this device's clock: only both together count."""
    known = looks(lambda seconds: [beat(0)], [at(10)])
    assert not is_dead(known["a"], at(20, store=YEARS), INTERVAL)


def test_a_store_whose_clock_goes_back_is_watched_anew():
    """What was seen by a clock that is another one now says nothing."""
    known = looks(lambda seconds: [beat(-600)], [at(0, store=YEARS), at(100)])
    assert known["a"].first == at(100)
    assert is_dead(known["a"], at(281), INTERVAL)


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_only_what_stands_there_is_remembered(stamps):
    """A connection that was swept is forgotten; a beat that moved is seen for the first time."""
    known = looks(lambda seconds: [beat(0, "gone"), beat(0, "here")], [at(0)])
    for n, stamp in enumerate(stamps):
        known = sight(known, [Beat("here", stamp)], at(n + 1.0))
    assert set(known) == {"here"}
    assert known["here"].beat.stamp == stamps[-1]
