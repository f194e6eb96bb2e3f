"""Noticing that the computer slept."""

from datetime import timedelta

import pytest
from tests.doubles.still_clock import StillClock

from firnline.engine.live.sleep_watch import JUMP, SleepWatch


class SleepingClock(StillClock):
    """Its two clocks may go apart."""

    def __init__(self) -> None:
        super().__init__()
        self.awake = 0.0

    def monotonic(self) -> float:
        return self.awake


def test_waiting_is_no_sleep() -> None:
    """However long: both clocks go on."""
    clock = SleepingClock()
    watch = SleepWatch(clock)
    clock.moment += timedelta(hours=5)
    clock.awake += 5 * 3600
    assert not watch.has_jumped()


@pytest.mark.parametrize("seconds", [JUMP + 1, 8 * 3600, -JUMP - 1, -365 * 86400])
def test_clocks_that_went_apart_are_noticed_once(seconds: float) -> None:
    """After sleep, and when somebody set the clock, forwards or backwards."""
    clock = SleepingClock()
    watch = SleepWatch(clock)
    clock.moment += timedelta(seconds=seconds)
    assert watch.has_jumped()
    assert not watch.has_jumped()


@pytest.mark.parametrize("seconds", [JUMP - 1, 1 - JUMP])
def test_small_corrections_are_passed_over(seconds: float) -> None:
    """Time servers correct clocks all day."""
    clock = SleepingClock()
    watch = SleepWatch(clock)
    clock.moment += timedelta(seconds=seconds)
    assert not watch.has_jumped()
