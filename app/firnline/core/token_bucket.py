"""A token bucket: how much may go through now, when there is to be no more than so much a second.

Pure: a value, and the moments are passed in (seconds of one monotonic clock). It fills at the rate,
up to the burst; who takes something waits until the bucket has it. Hence, over any interval of `t`
seconds, no more than `rate * t + burst` is taken, as long as nobody takes more than a burst at a
time. Who does gets it when the bucket is full, and leaves a debt that the next ones wait for: over
any interval no more than `rate * t` and that one amount, and nobody waits for ever.
"""

from typing import NamedTuple

SHORTEST = 0.001
"""Seconds: a shorter wait is worth no sleep, and might not move a coarse clock at all."""


class Bucket(NamedTuple):
    """At one moment; `full` makes the first."""

    rate: float
    """A second; more than 0."""
    burst: float
    """The most that it holds."""
    level: float
    """What can be taken; below 0 while a debt is paid off."""
    moment: float

    @classmethod
    def full(cls, rate: float, burst: float, now: float) -> "Bucket":
        """Raises ValueError for a rate or a burst of nothing: nobody would ever get anything."""
        if rate <= 0 or burst <= 0:
            raise ValueError(f"no bucket: rate {rate}, burst {burst}")
        return cls(rate, burst, burst, now)

    def wait(self, now: float, amount: float) -> float:
        """Seconds until `amount` can be taken, at the rate of this moment; 0: now."""
        short = min(amount, self.burst) - self._filled(now)
        return 0.0 if short <= 0 else max(short / self.rate, SHORTEST)

    def taken(self, now: float, amount: float) -> "Bucket":
        """After `amount` was taken, which `wait` said it can be."""
        return self._replace(level=self._filled(now) - amount, moment=max(now, self.moment))

    def changed(self, now: float, rate: float, burst: float) -> "Bucket":
        """With another rate from now on; what is in it stays, where it has room."""
        full = Bucket.full(rate, burst, now)
        return full._replace(level=min(self._filled(now), burst))

    def _filled(self, now: float) -> float:
        return min(self.burst, self.level + self.rate * max(now - self.moment, 0.0))
