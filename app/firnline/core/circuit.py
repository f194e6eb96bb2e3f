"""When a server that failed is asked again: by all of its callers together, and not for ever.

One `Circuit` for all who use a store. A failure shuts it for a moment, which grows with each
failure in a row: no longer than 0.5, 1, 2, 4, 8 s, by chance ("full jitter": many devices that lost
one server together do not come back together). A server that asked for time gets that much, and
the same by chance on top. After `ATTEMPTS` failures in a row it is taken for gone: whoever comes
next within a while fails at once, without asking.

Each call keeps a `Trial` of its own, so that one that always fails, on a server that is well, ends.
A server that answers is there, whatever it says: failures of that kind alone never make it gone.
"""

from typing import NamedTuple

ATTEMPTS = 6
"""Times that one call is made at most."""
SICK = 3
"""Failures, at most, of a server that answers each time."""
FIRST, LONGEST = 0.5, 8.0
"""Seconds of the first pause and of the longest, at most."""
PATIENCE = 60.0
"""Seconds after which a call is not made again, unless it was made only once; nobody waits longer
for a server that asks for time."""
AWAY = 20.0
"""Seconds, or half of it, for which a server that is gone is not asked; shorter than the pause
before a new connection (`core.backoff`)."""
MOST_ASKED = 300.0
"""Seconds that are granted to a server that asks for time."""


class Circuit(NamedTuple):
    """What is known of one server. Times are those of a clock that only goes on."""

    failures: int = 0
    """In a row."""
    until: float = 0.0
    """Nobody asks before, while there are failures."""
    asked: bool = False
    """The server itself asked for the pause."""
    turn: int = 0
    """Grows with each failure that counts. What was begun in an earlier turn says nothing new."""

    def failed(
        self,
        turn: int,
        now: float,
        share: float,
        asked: float | None = None,
        *,
        answered: bool = False,
    ) -> "Circuit":
        """After a call that began in `turn`: `share` is from 0 to 1, by chance; `asked` the seconds
        that the server wants, None where it did not say; `answered`: it was reached."""
        granted = None if asked is None else min(max(asked, 0.0), MOST_ASKED)
        if turn != self.turn:
            if granted is None or now + granted <= self.until:
                return self
            return Circuit(max(self.failures, 1), now + granted, True, self.turn)
        failures = min(self.failures + 1, SICK) if answered else self.failures + 1
        pause = _pause(failures, share)
        if granted is not None:
            pause = granted + share * _cap(failures)
        return Circuit(failures, now + pause, granted is not None, turn + 1)

    def worked(self, turn: int) -> "Circuit":
        """After a call that began in `turn` and was answered."""
        return Circuit(turn=turn) if turn == self.turn and self.failures else self

    def pause(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return max(self.until - now, 0.0) if self.failures else 0.0

    @property
    def is_gone(self) -> bool:
        """It failed so often that nobody waits for it."""
        return self.failures >= ATTEMPTS


def _cap(failures: int) -> float:
    # More doublings than these change nothing, and a float has an end.
    return min(LONGEST, FIRST * 2.0 ** min(failures - 1, 16))


def _pause(failures: int, share: float) -> float:
    if failures >= ATTEMPTS:
        return AWAY * (1.0 - share / 2)
    return share * _cap(failures)


class Trial(NamedTuple):
    """One call, and how often it was made."""

    began: float
    attempts: int = 0
    opens: bool = False
    """It makes a connection: made once, since whoever connects comes again by himself, but that
    the time is granted which a server asks for."""

    def again(self) -> "Trial":
        """It was made once more, in vain."""
        return self._replace(attempts=self.attempts + 1)

    def wait(self, circuit: Circuit, now: float) -> float | None:
        """Seconds until the next attempt; None: there is none."""
        if self.opens and not circuit.asked:
            return None if self.attempts else 0.0
        pause = circuit.pause(now)
        if self.attempts >= ATTEMPTS or (circuit.is_gone and (self.attempts or pause)):
            return None
        late = now + pause - self.began > PATIENCE
        if late and (pause > PATIENCE or self.attempts > 1):
            return None
        return pause
