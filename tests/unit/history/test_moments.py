"""Moments as people write them, and times as they are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.core.clock import format_time, parse_time
from firnline.core.event import MAX_MTIME
from firnline.history.moments import (
    PRESENT,
    BadMomentError,
    format_milliseconds,
    format_time_of,
    instant_of,
    parse_moment,
)

NOW = datetime(2026, 11, 22, 8, 26, 0, 123456, tzinfo=UTC)
NAME = f"20261122082600123456_{'0' * 32}_put_{'0' * 26}.0-aaaaaaaa-000000000--"
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
LOCAL = st.datetimes(datetime.fromisoformat("2000-01-02"), datetime.fromisoformat("2099-12-30"))


@given(local=LOCAL, zone=ZONES)
def test_written_time_is_read_back_as_the_same_moment(local, zone):
    """What `format_time_of` writes, `parse_moment` reads, to the microsecond."""
    moment = format_time(local.replace(tzinfo=zone))
    assert parse_moment(format_time_of(moment), NOW) == moment


@given(local=LOCAL, zone=ZONES, other=ZONES)
def test_time_without_a_zone_is_in_the_given_one_and_a_time_with_one_in_its_own(local, zone, other):
    """The passed zone counts only where the text names none."""
    moment = format_time(local.replace(tzinfo=zone))
    assert parse_moment(local.isoformat(), NOW, zone) == moment
    assert parse_moment(local.replace(tzinfo=zone).isoformat(), NOW, other) == moment


@given(local=LOCAL)
def test_time_without_any_zone_is_this_computers(local):
    """Without a passed zone the computer's own is taken."""
    assert parse_moment(local.isoformat(), NOW) == format_time(local.astimezone())


@given(count=st.integers(0, 10**9 - 1), unit=st.sampled_from("smhdw"))
def test_span_is_counted_back_from_now_and_stays_within_what_names_can_have(count, unit):
    """A span gives the moment before now; one before the year 2000 gives its begin."""
    text = f"-{count}{unit}"
    seconds = count * {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[unit]
    if seconds < (NOW - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds():
        assert instant_of(parse_moment(text, NOW)) == NOW - timedelta(seconds=seconds)
    elif seconds < (NOW - datetime(2, 1, 1, tzinfo=UTC)).total_seconds():
        assert parse_moment(text, NOW) == "20000101000000000000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", PRESENT),
        (" now ", PRESENT),
        ("2026-11-22", "20261122000000000000"),
        ("2026-11-22T08:26", "20261122082600000000"),
        ("2026-11-22 08:26:01", "20261122082601000000"),
        ("2026-11-22T09:26:00.5+01:00", "20261122082600500000"),
        ("2026-11-22T08:26:00Z", "20261122082600000000"),
        ("1999-12-31", "20000101000000000000"),
        ("2100-01-01", PRESENT),
        (NAME, NAME),
    ],
)
def test_each_way_to_name_a_moment(text, expected):
    """ISO 8601, `now` and event names give the bound they stand for."""
    assert parse_moment(text, NOW, UTC) == expected


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "1h", "-1", "-1y", "--1h", "- 1h", "-\u0661h", "-999999999w", "08:26",
     "2026-13-01", "2026-11-22T25:00", "0001-01-01T00:00+14:00", NAME[:-1], NAME + "x", "a_b"],
)  # fmt: skip
def test_text_that_names_no_moment_is_refused_with_what_to_write(text):
    """The error repeats the text and shows the forms that are understood."""
    with pytest.raises(BadMomentError, match="Write a time like") as caught:
        parse_moment(text, NOW, UTC)
    assert repr(text) in str(caught.value)


@given(text=st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text):
    """No other error comes out of any text."""
    try:
        moment = parse_moment(text, NOW, UTC)
    except BadMomentError:
        return
    assert len(format_time_of(moment)) == len("2026-11-22T08:26:00.123456Z")


def test_time_of_an_event_is_the_time_in_its_name():
    """An event name is shown with its DATETIME."""
    assert format_time_of(parse_moment(NAME, NOW)) == "2026-11-22T08:26:00.123456Z"
    assert instant_of(parse_moment(NAME, NOW)) == NOW


@given(milliseconds=st.integers(0, MAX_MTIME))
def test_file_times_keep_their_milliseconds(milliseconds):
    """An MTIME is written to the millisecond, up to the largest that a name holds."""
    text = format_milliseconds(milliseconds)
    assert text.endswith("000Z")
    shown = datetime.fromisoformat(text)
    assert (shown - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == milliseconds


def test_present_is_later_than_all_that_names_can_say():
    """No event is after the present."""
    assert parse_time(PRESENT) == datetime(2099, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
