"""The bucket that keeps a rate."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from firnline.core.token_bucket import SHORTEST, Bucket

RATES = st.floats(1, 1e9)
BURSTS = st.floats(1, 1e8)
PAUSES = st.floats(0, 1e4)
START = 1e6


def take(bucket, now, amount):
    """Wait as told, and take; the bucket and the moment after it."""
    for _ in range(3):
        seconds = bucket.wait(now, amount)
        if not seconds:
            break
        now += seconds
    assert bucket.wait(now, amount) == 0
    return bucket.taken(now, amount), now


@st.composite
def takings(draw, most):
    """Pauses, and what is taken after each."""
    return draw(st.lists(st.tuples(PAUSES, st.floats(0, most)), max_size=30))


def taken_in(rate, burst, wishes):
    """(moment, amount) of each that was taken."""
    bucket, now, found = Bucket.full(rate, burst, START), START, []
    for pause, amount in wishes:
        bucket, now = take(bucket, now + pause, amount)
        found.append((now, amount))
    return found


@given(RATES, BURSTS, st.data())
def test_never_more_than_the_rate_and_one_burst(rate, burst, data):
    """Over any interval no more goes through than the rate and one burst allow."""
    found = taken_in(rate, burst, data.draw(takings(burst)))
    for first in range(len(found)):
        total = 0.0
        for now, amount in found[first:]:
            total += amount
            allowed = rate * (now - found[first][0]) + burst
            assert total <= allowed * (1 + 1e-6) + rate * 1e-6


@given(RATES, BURSTS, st.data())
def test_more_than_a_burst_leaves_a_debt(rate, burst, data):
    """What is larger than the bucket gets through, and is paid for by those behind it."""
    found = taken_in(rate, burst, data.draw(takings(burst * 5)))
    for first in range(len(found)):
        total = 0.0
        for now, amount in found[first:]:
            total += amount
            allowed = rate * (now - found[first][0]) + max(burst, amount)
            assert total <= allowed * (1 + 1e-6) + rate * 1e-6


@given(RATES, BURSTS, st.data())
def test_nobody_starves(rate, burst, data):
    """Whoever asks gets what it wants no later than all that was taken so far takes."""
    wishes = data.draw(takings(burst * 5))
    found = taken_in(rate, burst, [(0.0, amount) for _, amount in wishes])
    total = sum(amount for _, amount in wishes)
    for now, _ in found:
        assert now - START <= total / rate + len(found) * 3 * SHORTEST + 1e-6


@given(RATES, RATES, BURSTS, st.floats(0, 1))
def test_another_rate_holds_at_once(rate, other, burst, part):
    """Who waits when the rate is changed waits for the rest at the new rate."""
    assume(burst / rate > 1e-3)
    bucket = Bucket.full(rate, burst, 0.0).taken(0.0, burst)
    halfway = bucket.wait(0.0, burst) * part
    changed = bucket.changed(halfway, other, burst)
    rest = burst * (1 - part) / other
    assert changed.wait(halfway, burst) == pytest.approx(rest, rel=1e-3, abs=2 * SHORTEST)


@given(RATES, BURSTS, BURSTS)
def test_another_rate_is_no_present(rate, burst, other):
    """A change of the rate puts nothing into the bucket, and leaves no more than it can hold."""
    empty = Bucket.full(rate, burst, START).taken(START, burst)
    assert empty.changed(START, rate * 2, other).level <= 0
    assert Bucket.full(rate, burst, START).changed(START, rate, other).level == min(burst, other)


def test_an_idle_line_saves_up_one_burst():
    """A bucket that nobody used for a year holds a burst, not a year."""
    bucket = Bucket.full(100.0, 25.0, START).taken(START + 3e7, 25.0)
    assert bucket.wait(START + 3e7, 25.0) == 0.25


def test_a_clock_that_goes_back():
    """A moment before the last one fills nothing and takes nothing away."""
    bucket = Bucket.full(100.0, 25.0, START).taken(START, 20.0)
    assert bucket.wait(START - 10, 10.0) == pytest.approx(0.05)
    assert bucket.taken(START - 10, 5.0) == Bucket(100.0, 25.0, 0.0, START)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (1, 0), (-1, 1)])
def test_no_bucket_without_a_rate(rate, burst):
    """A rate of nothing would make everybody wait for ever, so there is no such bucket."""
    with pytest.raises(ValueError, match="no bucket"):
        Bucket.full(rate, burst, START)
