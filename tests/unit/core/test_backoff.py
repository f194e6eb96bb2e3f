"""Waiting between attempts."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.backoff import FIRST, LONGEST, Backoff


def no_jitter(count):
    return b"\0" * count


def most_jitter(count):
    return b"\xff" * count


def after(failures):
    backoff = Backoff()
    for _ in range(failures):
        backoff = backoff.failed()
    return backoff


def test_waits_double_up_to_five_minutes():
    """30 s, 60 s, 120 s, 240 s, and 300 s from then on."""
    waits = [after(failures).delay(no_jitter) for failures in range(8)]
    assert waits == [0, 30, 60, 120, 240, 300, 300, 300]


def test_waits_after_years_of_failures():
    """There is no number of failures after which it is not tried again."""
    assert Backoff(10**9).delay(no_jitter) == LONGEST


@given(st.integers(1, 10_000), st.binary(min_size=2, max_size=2))
def test_jitter_shortens_by_a_fifth_at_most(failures, drawn):
    """Whatever chance says, a wait is between four fifths and the whole of what it would be."""
    whole = after(min(failures, 20)).delay(no_jitter)
    wait = after(min(failures, 20)).delay(lambda count: drawn[:count])
    assert 0.8 * whole <= wait <= whole


def test_two_devices_do_not_wait_for_the_same_time():
    """Chance moves a wait by seconds."""
    assert FIRST - after(1).delay(most_jitter) == pytest.approx(6, abs=0.01)
    assert len({after(1).delay(os.urandom) for _ in range(20)}) > 1


def test_what_held_for_long_begins_anew():
    """A connection that broke after an hour is tried again after 30 s."""
    assert after(9).failed(held=3600.0).delay(no_jitter) == FIRST


def test_what_breaks_at_once_is_tried_more_and_more_seldom():
    """A store that can be connected but not used does not keep the device busy."""
    assert after(3).failed(held=1.0).delay(no_jitter) == 240
