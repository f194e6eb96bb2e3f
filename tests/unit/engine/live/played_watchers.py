"""Watchers that watch nothing: the test says what they tell, and whether they work."""

from pathlib import Path

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.watch.watcher import Ignored, Tell


class PlayedWatcher:
    """See `watch.watcher.Watcher`."""

    def __init__(self, root: Path, tell: Tell, ignored: Ignored, *, recursive: bool) -> None:
        self.root = root
        self.tell = tell
        self.ignored = ignored
        self.recursive = recursive
        self.why_not = "not started"
        self.closed = False
        self.fails = ""

    @property
    def works(self) -> bool:
        return not self.why_not

    def start(self) -> None:
        self.why_not = self.fails

    def close(self) -> None:
        self.closed = True


class Watchers:
    """Makes them, and keeps them in the order in which they were made."""

    def __init__(self) -> None:
        self.made: list[PlayedWatcher] = []
        self.fails = ""
        """Why those that are made from now on do not work."""

    def __call__(
        self,
        root: Path,
        tell: Tell,
        *,
        clock: Clock,
        settle: Settle | None,
        ignored: Ignored,
        recursive: bool = True,
    ) -> PlayedWatcher:
        watcher = PlayedWatcher(root, tell, ignored, recursive=recursive)
        watcher.fails = self.fails
        self.made.append(watcher)
        return watcher

    @property
    def open(self) -> list[PlayedWatcher]:
        return [watcher for watcher in self.made if not watcher.closed]
