"""The clock of the log, and what it does not believe."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.strategies import MOMENTS, TIMES
from tests.unit.core.vectors import vectors

from firnline.core.clock import (
    BUILD_DATE,
    DAY_AHEAD,
    ClockBeforeBuildError,
    DateTime,
    format_time,
    horizon,
    later,
    next_time,
    parse_time,
    trusted_now,
)

LAST = DateTime("20991231235959999999")


@vectors("clock")
def test_vectors(vector):
    """The next DATETIME is the listed one, in whatever order the others were seen."""
    now = datetime.strptime(vector["now"], "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    assert next_time(now, vector["seen"]) == vector["datetime"]
    assert next_time(now, reversed(vector["seen"])) == vector["datetime"]


@given(MOMENTS)
def test_what_is_written_is_read(moment):
    """`parse_time` gives back what `format_time` was given."""
    assert parse_time(format_time(moment)) == moment


@given(TIMES)
def test_what_is_read_is_written(time):
    """And the other way round."""
    assert format_time(parse_time(time)) == time


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_zones_are_converted(moment, minutes):
    """A moment has one DATETIME, whatever zone it is told in."""
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert format_time(elsewhere) == format_time(moment)


@given(MOMENTS, MOMENTS)
def test_texts_sort_as_moments(one, other):
    """Sorting by bytes is sorting by time."""
    assert (format_time(one) < format_time(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026112208260000000",
        "202611220826000000000",
        "2026112208260000000x",
        "2026-11-22T08:26:00Z",
        "19991231235959999999",
        "21000101000000000000",
        "00000101000000000000",
        "99991231235959999999",
        "20260001000000000000",
        "20261301000000000000",
        "20260100000000000000",
        "20260229000000000000",
        "20261122240000000000",
        "20261122086000000000",
        "20261122082660000000",
        "\u0662\u0660\u0662\u06661122082600000000",
        "\uff12\uff10\uff12\uff161122082600000000",
        "\u00b20261122082600000000",
        "+2026112208260000000",
        " 2026112208260000000",
        "2026112208260000000\n",
    ],
)
def test_what_is_no_time_is_refused(text):
    """Only real calendar times of 2000 to 2099, in twenty ASCII digits."""
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


@given(st.one_of(st.text(), st.text("0123456789", min_size=20, max_size=20)))
def test_junk_is_refused_or_a_time(text):
    """Nothing but ValueError is raised, also for texts that have the right shape."""
    try:
        moment = parse_time(text)
    except ValueError:
        return
    assert format_time(moment) == text


@given(TIMES, st.integers(1, 10**12))
def test_later_is_later(time, microseconds):
    """`later` moves by exactly so much, but never out of the years that parse."""
    moved = later(time, microseconds)
    expected = parse_time(time) + timedelta(microseconds=microseconds)
    assert moved == (format_time(expected) if expected.year < 2100 else time)


def test_the_last_moment_stays():
    """There is no later name than that."""
    assert later(LAST) == LAST


@given(MOMENTS, st.lists(TIMES))
def test_the_next_time_is_after_all_that_is_believed(now, seen):
    """Never before now, after each DATETIME of the next 24 hours, and not drawn further ahead."""
    time = next_time(now, seen)
    believed = [other for other in seen if other <= horizon(now)]
    assert time >= format_time(now)
    assert all(time > other or time == LAST for other in believed)
    assert time == format_time(now) or time in map(later, believed)


@pytest.mark.parametrize(
    ("description", "device", "store", "expected", "passed_over"),
    [
        ("no store, a clock that can be right", 0, None, 0, False),
        ("a store that agrees", 0, 0, 0, False),
        ("a little behind the store", 0, 3600, 0, False),
        ("exactly 24 h behind is still believed", 0, 86_400, 0, False),
        ("more than 24 h behind", 0, 86_401, 86_401, True),
        ("more than 24 h ahead", 86_401, 0, 0, True),
        ("years ahead", 10**9, 0, 0, True),
        ("years behind", -(10**9), 0, 0, True),
        ("a store whose clock cannot be right is none", 0, -1, 0, False),
        ("a store whose clock says 1970", 0, -1_793_500_000, 0, False),
        ("a store in the next century", 0, 3 * 10**9, 0, False),
    ],
)
def test_whose_clock_is_used(description, device, store, expected, passed_over):
    """The device's own, unless a store's clock says that it is more than 24 h off."""
    base = BUILD_DATE
    theirs = None if store is None else base + timedelta(seconds=store)
    now, ignored = trusted_now(base + timedelta(seconds=device), theirs)
    assert (now, ignored) == (base + timedelta(seconds=expected), passed_over), description


@pytest.mark.parametrize("store", [None, datetime(1970, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize(
    "device", [BUILD_DATE - timedelta(microseconds=1), datetime(2100, 1, 1, tzinfo=UTC)]
)
def test_a_clock_that_cannot_be_right_writes_nothing(device, store):
    """Without a store that knows better there is no time to write with."""
    with pytest.raises(ClockBeforeBuildError, match=str(device.year)):
        trusted_now(device, store)


def test_the_horizon_is_a_day_ahead():
    """Inclusive, as the examples say."""
    now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    assert horizon(now) == "20270101120000000000" == format_time(now + DAY_AHEAD)
