"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """See `core.clock.Clock`. `sleep` moves it, and takes no time."""

    def __init__(self, moment: datetime = datetime(2026, 11, 22, 8, 26, tzinfo=UTC)) -> None:
        self.moment = moment
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)
