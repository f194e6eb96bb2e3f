"""What every watcher promises, and the one that fits this system."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.watch.hints import Hints

Tell = Callable[[Hints], None]
"""Called on the watcher's own thread; has to be quick, and raises nothing."""
Ignored = Callable[[str, bool], bool]
"""Whether a path is of no interest; the second argument says whether it is a directory. What is
below an ignored directory is never asked about."""


class Watcher(Protocol):
    """Tells what changes below a directory; sleeps while nothing does.

    A watcher never misses anything while it `works`, or it tells of everything. It lives once:
    one that does not work any more is closed, and another one made when it is time to try again.
    """

    def start(self) -> None:
        """Begin. What happens after this returned is told, unless `works` is False then.

        Looks at every directory, so it blocks as long as a walk through them. Raises nothing.
        """
        ...

    def close(self) -> None:
        """Tells nothing any more when this returns. May be called several times."""
        ...

    @property
    def works(self) -> bool:
        """False: not every change is told, so look now and then. Never becomes True again. Before
        it becomes False in a watcher that worked, everything is told."""
        ...

    @property
    def why_not(self) -> str:
        """Why it does not work, and what helps, in a sentence for people; '' while it works."""
        ...


def make_watcher(
    root: Path,
    tell: Tell,
    *,
    clock: Clock,
    settle: Settle | None,
    ignored: Ignored,
    recursive: bool = True,
) -> Watcher:
    """A watcher of `root`, not started. `settle` None: what happens is told at once."""
    if sys.platform == "linux":
        from firnline.watch.inotify_watcher import InotifyWatcher

        return InotifyWatcher(
            root, tell, clock=clock, settle=settle, ignored=ignored, recursive=recursive
        )
    from firnline.watch.observer_watcher import ObserverWatcher

    return ObserverWatcher(
        root, tell, clock=clock, settle=settle, ignored=ignored, recursive=recursive
    )
