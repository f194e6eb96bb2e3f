"""Hearing that something was mounted or unmounted: a disk that was plugged in, a share.

Linux tells whoever polls its table of mounts. On other systems nobody is told, and what is away is
looked for again after a while.
"""

import os
import select
import sys
import threading
from collections.abc import Callable

_TABLE = "/proc/self/mountinfo"


class MountWatch:
    """Tells of each change of the table of mounts, on a thread of its own, until it is closed."""

    def __init__(self, tell: Callable[[], None], table: str = _TABLE) -> None:
        """`tell` has to be quick, and raises nothing."""
        self._tell = tell
        self._table = table
        self._thread: threading.Thread | None = None
        self._ends: tuple[int, int] | None = None

    def start(self) -> None:
        """Begin, where the system has such a table. Raises nothing."""
        if sys.platform != "linux":
            return
        try:
            table = os.open(self._table, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        self._ends = os.pipe()
        self._thread = threading.Thread(
            target=self._run, args=(table, self._ends[0]), name="mounts", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Tells nothing any more when this returns."""
        if self._thread is None or self._ends is None:
            return
        reading, writing = self._ends
        os.close(writing)
        self._thread.join()
        os.close(reading)
        self._thread = self._ends = None

    def _run(self, table: int, end: int) -> None:
        poll = select.poll()
        poll.register(table, select.POLLPRI)
        poll.register(end, select.POLLIN)
        try:
            while all(descriptor != end for descriptor, _ in poll.poll()):
                self._tell()
        finally:
            os.close(table)
