"""When a store is asked for news (docs/design.md section 4, *Polling*).

Soon after activity every 5 s, then doubling to 5 min. A store that is watched is looked at once an
hour all the same: a listing only adds knowledge, and a watch that was lost unseen would otherwise
hide what came since. Times are seconds of a clock that never goes back.
"""

from typing import NamedTuple


class Pace(NamedTuple):
    """Between two looks, in seconds."""

    shortest: float
    longest: float


POLLED = Pace(5.0, 300.0)
WATCHED = Pace(3600.0, 3600.0)


class Polling(NamedTuple):
    """When the next look is due, and how long was waited for it."""

    due: float
    interval: float

    @classmethod
    def begin(cls, now: float, pace: Pace) -> "Polling":
        """The store was read just now."""
        return cls(now + pace.shortest, pace.shortest)

    def looked(self, now: float, pace: Pace, *, news: bool) -> "Polling":
        """A look is done: with news another one follows soon, without any later than this one."""
        if news:
            return self.begin(now, pace)
        interval = min(max(2 * self.interval, pace.shortest), pace.longest)
        return Polling(now + interval, interval)

    def active(self, now: float, pace: Pace) -> "Polling":
        """Something was written there, by this device for example: others may answer soon."""
        soon = self.begin(now, pace)
        return soon if soon.due < self.due else self._replace(interval=soon.interval)
