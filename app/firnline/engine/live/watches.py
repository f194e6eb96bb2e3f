"""The watchers of one folder: of its own tree, and of the way to it while it is away.

Made, renewed and closed on the folder's thread; what they tell comes from threads of their own and
goes to the loop. A watcher lives once: one that stopped working is replaced at the next whole look,
one that never worked not before some time has passed. Stores are watched by their links.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.engine.mounts import can_hang
from firnline.folder.ignore import Ignore
from firnline.watch.hints import EVERYTHING
from firnline.watch.watcher import Ignored, Tell, Watcher

TRY_AGAIN = 600.0
"""Seconds after which it is tried again to watch what could not be watched."""


class MakeWatcher(Protocol):
    """As `watch.watcher.make_watcher`."""

    def __call__(
        self,
        root: Path,
        tell: Tell,
        *,
        clock: Clock,
        settle: Settle | None,
        ignored: Ignored,
        recursive: bool = True,
    ) -> Watcher: ...


class Place(NamedTuple):
    """A directory to be watched."""

    root: Path
    settle: Settle | None
    ignored: Ignored


class ReturnWatch:
    """Waits for a place that is away: tells when something appears there, or on the way to it."""

    def __init__(
        self, place: Path, tell: Callable[[], None], make: MakeWatcher, clock: Clock
    ) -> None:
        self._place = place
        self._tell = tell
        self._make = make
        self._clock = clock
        self._watched: Path | None = None
        self._watcher: Watcher | None = None

    def look(self) -> None:
        """It is still away: watch from where something is there."""
        above = self._nearest()
        if self._watcher is not None and self._watcher.works and above == self._watched:
            return
        self.close()
        name = self._place.relative_to(above).parts[0]
        self._watched = above
        self._watcher = self._make(
            above,
            lambda hints: self._tell(),
            clock=self._clock,
            settle=None,
            ignored=lambda path, is_directory: path != name,
            recursive=False,
        )
        self._watcher.start()
        if _stands(self._place):
            self._tell()

    def close(self) -> None:
        """Tells nothing any more."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def _nearest(self) -> Path:
        """The deepest directory above the place that is there."""
        return next((above for above in self._place.parents if _stands(above)), self._place.parent)


def _stands(place: Path) -> bool:
    """Whether a directory is there that can be watched. A disk that may never answer is not asked,
    and one that fails has none."""
    return not can_hang(place) and os.path.isdir(place)


class Watches:
    """All watchers of one folder. Used by its thread."""

    def __init__(self, make: MakeWatcher, clock: Clock, tell: Tell) -> None:
        """`tell` hears of what changes in the folder, on a thread of a watcher."""
        self._make = make
        self._clock = clock
        self._tell = tell
        self._folder: _Watch | None = None
        self._rules = ""
        self._return: ReturnWatch | None = None

    @property
    def folder_works(self) -> bool:
        """What changes in the folder is told."""
        return self._folder is not None and self._folder.works

    @property
    def why_not(self) -> str:
        """Why the folder is not watched, for people; '' when it is."""
        return "" if self._folder is None else self._folder.why_not

    def follow_folder(self, root: Path, ignore: Ignore) -> None:
        """Watch the folder's tree, but for what is never looked at."""
        self._stop_waiting()
        if self._folder is not None and self._rules != ignore.fingerprint:
            self._folder.close()
            self._folder = None
        if self._folder is None:
            self._rules = ignore.fingerprint
            place = Place(root, Settle(), ignore.entry_matches)
            self._folder = _Watch(place, self._tell, self._make, self._clock)
        else:
            self._folder.renew()

    def wait_for_return(self, root: Path) -> None:
        """The folder is away: tell when it may be back."""
        if self._return is None:
            tell = partial(self._tell, EVERYTHING)
            self._return = ReturnWatch(root, tell, self._make, self._clock)
        self._return.look()

    def _stop_waiting(self) -> None:
        if self._return is not None:
            self._return.close()
            self._return = None

    def close(self) -> None:
        """Nothing is told any more."""
        self._stop_waiting()
        if self._folder is not None:
            self._folder.close()
            self._folder = None


class _Watch:
    """One place, watched as well as can be."""

    def __init__(self, place: Place, tell: Tell, make: MakeWatcher, clock: Clock) -> None:
        self.place = place
        self._tell = tell
        self._make = make
        self._clock = clock
        self._try_at = 0.0
        self._watcher = self._begin()

    @property
    def works(self) -> bool:
        return self._watcher.works

    @property
    def why_not(self) -> str:
        return self._watcher.why_not

    def renew(self) -> None:
        """Watch anew what is not watched any more."""
        if not self._watcher.works and self._clock.monotonic() >= self._try_at:
            self._watcher.close()
            self._watcher = self._begin()

    def close(self) -> None:
        self._watcher.close()

    def _begin(self) -> Watcher:
        place = self.place
        watcher = self._make(
            place.root,
            self._tell,
            clock=self._clock,
            settle=place.settle,
            ignored=place.ignored,
        )
        watcher.start()
        if not watcher.works:
            self._try_at = self._clock.monotonic() + TRY_AGAIN
        return watcher
