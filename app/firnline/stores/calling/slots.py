"""How many transfers go on at a time with one store."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from firnline.stores.line import GoOn, Wait

AT_ONCE = 4
"""Transfers; many small files that go in one call count as one."""
LARGE = 4 << 20
"""Bytes; of larger transfers there is one less at a time, so that a small one is never stuck behind
large ones alone."""
STEP = 0.25
"""Seconds after which one who waits asks whether to go on."""


class Slots:
    """For one store. A slot is held for one call into the store, and never while anything else is
    waited for, so nobody waits for each other. From any thread."""

    def __init__(self, wait: Wait = threading.Condition.wait) -> None:
        self._wait = wait
        self._condition = threading.Condition()
        self._taken = 0
        self._large = 0

    @contextmanager
    def taken(self, size: int, go_on: GoOn) -> Iterator[None]:
        """Inside, `size` bytes may be moved. Raises what `go_on` raises, which is asked while this
        one waits."""
        large = size > LARGE
        with self._condition:
            while not self._is_free(large=large):
                self._wait(self._condition, STEP)
                go_on()
            self._count(1, large=large)
        try:
            yield
        finally:
            with self._condition:
                self._count(-1, large=large)
                self._condition.notify_all()

    def _is_free(self, *, large: bool) -> bool:
        return self._taken < AT_ONCE and not (large and self._large >= AT_ONCE - 1)

    def _count(self, change: int, *, large: bool) -> None:
        self._taken += change
        self._large += change if large else 0
