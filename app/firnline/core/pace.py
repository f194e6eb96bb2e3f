"""When a folder is looked at again though nobody asked for it.

A look at everything makes right what hints missed (docs/design.md section 7), so it comes now and
then even where the folder is watched, and more often where it is not. What a pass left undone is
tried again, sooner at first.
"""

NOW_AND_THEN = 600.0
"""Seconds between two whole looks at a folder that is watched."""
POLL, SLOWEST_POLL = 10.0, 120.0
"""The same for one that cannot be watched: soon after activity, slower while nothing happens."""
RETRY, SLOWEST_RETRY = 5.0, 300.0
SHARE = 50
"""A look that took long is not repeated before so many times its length has passed."""


class Pace:
    """The seconds until the next look at one folder."""

    def __init__(self) -> None:
        self._quiet = 0
        self._failed = 0

    def after_whole(self, took: float, *, watched: bool, moved: bool) -> float:
        """After a look at everything; `moved` when it found something to do."""
        self._quiet = 0 if moved else self._quiet + 1
        wait = NOW_AND_THEN if watched else _doubled(POLL, self._quiet, SLOWEST_POLL)
        return max(wait, took * SHARE)

    def after_failure(self, took: float, *, again: bool) -> float:
        """After a pass that left something undone; `again` when it was tried before, in vain."""
        self._failed = self._failed + 1 if again else 0
        return max(_doubled(RETRY, self._failed, SLOWEST_RETRY), took)


def _doubled(first: float, times: int, most: float) -> float:
    return min(first * 2.0 ** min(times, 16), most)
