"""Hearing that something was mounted."""

import os
import select
import sys
import threading
from pathlib import Path
from unittest.mock import patch

import pytest

from firnline.watch.mounts import MountWatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


_POLL = select.poll


class PlayedPoll:
    """Says that the table changed as often as it is told to; hears of the end by itself."""

    def __init__(self) -> None:
        self._real = _POLL()
        self._first = -1

    def register(self, descriptor: int, mask: int) -> None:
        if self._first < 0:
            self._first = descriptor
            return
        self._real.register(descriptor, mask)

    def poll(self) -> list[tuple[int, int]]:
        if changes:
            changes.pop()
            return [(self._first, select.POLLPRI | select.POLLERR)]
        return self._real.poll()


changes: list[int] = []


def test_each_change_is_told_until_it_is_closed() -> None:
    """On a thread of its own, which ends with it."""
    heard = threading.Semaphore(0)
    changes[:] = [1, 2]
    before = threading.active_count()
    with patch("firnline.watch.mounts.select.poll", PlayedPoll):
        watch = MountWatch(heard.release)
        watch.start()
        assert heard.acquire(timeout=10)
        assert heard.acquire(timeout=10)
        watch.close()
    assert not heard.acquire(blocking=False)
    assert threading.active_count() == before
    watch.close()


def test_quiet_system_tells_nothing() -> None:
    """The real table; nothing is held open afterwards."""
    open_before = set(os.listdir("/proc/self/fd"))
    watch = MountWatch(lambda: None)
    watch.start()
    watch.close()
    assert set(os.listdir("/proc/self/fd")) == open_before


def test_system_without_a_table_is_no_error(tmp_path: Path) -> None:
    """What is away is found later then."""
    watch = MountWatch(lambda: None, str(tmp_path / "none"))
    watch.start()
    watch.close()
