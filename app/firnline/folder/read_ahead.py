"""Asking the disk for the next files while one is being read.

A small file that is not in memory costs one wait for the disk, and read one by one they cost that
wait each: more than half of a first pass. Told early which files come next, the system fetches
many at once. Files that are in memory already need no such help, so it begins only where reading
was seen to wait.
"""

from collections.abc import Sequence
from itertools import groupby

from firnline.core.clock import Clock
from firnline.core.paths import parent_of
from firnline.folder.view import View

_AHEAD = 64
"""Files that are asked for at a time: enough for a disk that answers in any order."""
_BYTES = 2**20
"""Of one file; the system itself reads ahead in what is longer."""
_TRIED = 32
_WAITING = 80e-6
"""Seconds for one file. Opened and read from memory it takes a third of that."""


class ReadAhead:
    """Files of one folder in the order in which they will be read.

        with ahead.reading(path):
            ...

    A path that is not the next one of `paths` is read without any help.
    """

    def __init__(self, root: View, clock: Clock, paths: Sequence[str]) -> None:
        self._root = root
        self._clock = clock
        self._paths = paths
        self._next = 0
        self._asked = 0
        self._tried = 0
        self._waited = 0.0
        self.active = False
        """Reading was seen to wait for the disk."""

    def reading(self, path: str) -> "ReadAhead":
        """To be entered around the reading of `path`."""
        if self._next < len(self._paths) and self._paths[self._next] == path:
            self._next += 1
            if self.active:
                self._ask_for_next()
        return self

    def __enter__(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, *error: object) -> None:
        if self.active:
            return
        self._waited += self._clock.monotonic() - self._began
        self._tried += 1
        if self._tried == _TRIED:
            self.active = self._waited > _TRIED * _WAITING
            self._tried, self._waited = 0, 0.0

    def _ask_for_next(self) -> None:
        """Another lot, as soon as half of the last one was read."""
        start = max(self._asked, self._next)
        if start > self._next + _AHEAD // 2:
            return
        self._asked = start + _AHEAD
        for directory, paths in groupby(self._paths[start : self._asked], parent_of):
            names = [path.rpartition("/")[2] for path in paths]
            self._root.expect(directory, names, _BYTES)
