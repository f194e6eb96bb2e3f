"""The clock of the event log, and its guards (docs/design.md section 2, *DATETIME*).

A DATETIME is 20 digits of UTC, `YYYYMMDDhhmmssffffff`. Nothing here asks for the time: a `Clock`
is passed in.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol

DateTime = NewType("DateTime", str)

DAY_AHEAD = timedelta(hours=24)
"""A DATETIME further ahead than this is not believed, nor is a clock that is further off."""
BUILD_DATE = datetime(2026, 11, 1, tzinfo=UTC)
"""No computer that runs this program can honestly be before this moment."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


class ClockBeforeBuildError(Exception):
    """This computer's clock cannot be right, and no store knows better.

    It is before the program was built, or after the last year that a name can hold.
    """


class Clock(Protocol):
    """Where the program gets its time from; tests pass one of their own."""

    def now(self) -> datetime:
        """The wall clock, UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Seconds from some fixed moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...


def format_time(moment: datetime) -> DateTime:
    """The DATETIME of an aware moment."""
    return DateTime(moment.astimezone(UTC).strftime("%Y%m%d%H%M%S%f").zfill(20))


def parse_time(text: str) -> datetime:
    """The moment of a DATETIME.

    Raises ValueError when it is no calendar time of the years 2000 to 2099: a fixed bound, since
    all readers must agree on which names parse.
    """
    if len(text) != 20 or not (text.isascii() and text.isdigit()):
        raise ValueError(f"not 20 digits: {text!r}")
    year = int(text[:4])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(f"year outside {_FIRST_YEAR}-{_LAST_YEAR}: {text!r}")
    return datetime(
        year,
        int(text[4:6]),
        int(text[6:8]),
        int(text[8:10]),
        int(text[10:12]),
        int(text[12:14]),
        int(text[14:]),
        tzinfo=UTC,
    )


def later(time: DateTime, microseconds: int = 1) -> DateTime:
    """`time` + `microseconds`; the very last moment of 2099 stays what it is."""
    moved = parse_time(time) + timedelta(microseconds=microseconds)
    return format_time(moved) if moved.year <= _LAST_YEAR else time


def horizon(now: datetime) -> DateTime:
    """The largest DATETIME that is believed at `now` (inclusive)."""
    return format_time(now + DAY_AHEAD)


def next_time(now: datetime, seen: Iterable[DateTime]) -> DateTime:
    """max(now, s + 1 µs), s the largest DATETIME seen that is at most now + 24 h.

    A device with a clock years ahead must not poison the others, so what it wrote is passed over.
    """
    limit = horizon(now)
    believed = max((time for time in seen if time <= limit), default=None)
    present = format_time(now)
    return present if believed is None else max(present, later(believed))


def trusted_now(device: datetime, store: datetime | None) -> tuple[datetime, bool]:
    """The time to write with, and whether this device's own clock was passed over.

    With a store in reach, a device that is more than 24 h off uses the store's time. A store whose
    clock cannot be right (it lost its battery) is none to go by. Raises ClockBeforeBuildError when
    there is none and this device's clock cannot be right either.
    """
    if store is not None and _possible(store):
        return (store, True) if abs(device - store) > DAY_AHEAD else (device, False)
    if not _possible(device):
        raise ClockBeforeBuildError(f"the clock of this computer says {device:%Y-%m-%d}")
    return device, False


def _possible(moment: datetime) -> bool:
    return moment >= BUILD_DATE and moment.year <= _LAST_YEAR
