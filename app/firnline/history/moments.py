"""Moments that people name: `--at`, `--since` and `--until`, and how times are written out.

Pure: what time it is now is passed in. A moment is a bound on event names, DATETIME or whole name,
inclusive, as `core.replay.until` takes it. It is the writers' clock that is compared with it
(docs/design.md section 8), so an event of a device whose clock was wrong stands where that clock
said.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from firnline.core.clock import DateTime, format_time, parse_time
from firnline.core.event import BadNameError, EventText, parse_name

Moment = DateTime | EventText

PRESENT = DateTime("20991231235959999999")
"""The end of all times that names can have. Not the clock's *now*: a device whose clock is ahead
may have written events that are ahead of it, and they are part of the present."""

_FIRST = DateTime("20000101000000000000")
"""The first time that names can have."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGO = re.compile("-([0-9]{1,9})([smhdw])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


class BadMomentError(ValueError):
    """A text that names no moment. The message is fit to be shown."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no time. Write a time like 2026-11-22, 2026-11-22T08:26 or"
            " 2026-11-22T08:26:00Z, `now`, -30m, -1h, -2d or -1w, or the name of an event"
        )
        self.text = text


def parse_moment(text: str, now: datetime, zone: tzinfo | None = None) -> Moment:
    """The moment that `text` names.

    ISO 8601 (a time without a zone is in `zone`, by default this computer's; a date is its first
    instant; of a local time that occurs twice, the first), `now` (all that the log has), a span
    before the aware `now` (`-30m`, `-1h`, `-2d`, `-1w`; a day is 24 h), or an event name. What is
    before or after all times that names can have is the first or the last of them.

    Raises BadMomentError.
    """
    text = text.strip()
    if text == "now":
        return PRESENT
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return _clamp(now - int(ago[1]) * _UNITS[ago[2]])
        if "_" in text:
            parse_name(text)
            return EventText(text)
        return _clamp(_aware(datetime.fromisoformat(text), zone))
    except (BadNameError, ValueError, OverflowError) as error:
        raise BadMomentError(text) from error


def _clamp(moment: datetime) -> DateTime:
    return min(max(format_time(moment), _FIRST), PRESENT)


def _aware(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is not None:
        return moment
    return moment.astimezone() if zone is None else moment.replace(tzinfo=zone)


def instant_of(moment: Moment) -> datetime:
    """The instant of a DATETIME or of an event name, UTC."""
    return parse_time(moment[:20])


def format_time_of(moment: Moment) -> str:
    """The time of a DATETIME or of an event name, as `2026-11-22T08:26:00.123456Z`."""
    t = moment
    return f"{t[:4]}-{t[4:6]}-{t[6:8]}T{t[8:10]}:{t[10:12]}:{t[12:14]}.{t[14:20]}Z"


def format_milliseconds(milliseconds: int) -> str:
    """An MTIME (milliseconds since 1970) in the same form."""
    return format_time_of(format_time(_EPOCH + timedelta(milliseconds=milliseconds)))
