"""A listener for watchers: keeps what it is told, and can be waited for."""

import threading
from collections.abc import Callable
from pathlib import Path

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.engine.system import SystemClock
from firnline.watch.hints import Hints
from firnline.watch.watcher import Watcher, make_watcher

PATIENCE = 20.0
"""So long a test waits for what has to come; it hardly ever does."""
QUICK = Settle(quiet=0.02)


class Listener:
    """What a watcher told."""

    def __init__(self) -> None:
        self._heard = threading.Condition()
        self.told: list[Hints] = []
        self.asked: list[tuple[str, bool]] = []
        self.hide: Callable[[str, bool], bool] = lambda path, is_directory: False

    def tell(self, hints: Hints) -> None:
        with self._heard:
            self.told.append(hints)
            self._heard.notify_all()

    def ignored(self, path: str, is_directory: bool) -> bool:
        with self._heard:
            self.asked.append((path, is_directory))
            self._heard.notify_all()
        return self.hide(path, is_directory)

    @property
    def paths(self) -> set[str]:
        return {path for hints in self.told for path in hints.paths}

    @property
    def everything(self) -> bool:
        return any(hints.everything for hints in self.told)

    def wait(self, reached: Callable[[], bool]) -> None:
        """Until `reached` is true; it is asked after each call of the watcher."""
        with self._heard:
            assert self._heard.wait_for(reached, PATIENCE), f"only {self.told[-9:]}"

    def wait_for(self, *paths: str) -> None:
        """Until all of these were told."""
        self.wait(lambda: self.paths.issuperset(paths))

    def clear(self) -> None:
        with self._heard:
            self.told.clear()
            self.asked.clear()


def watching(
    root: Path,
    listener: Listener,
    *,
    clock: Clock | None = None,
    settle: Settle | None = QUICK,
    recursive: bool = True,
) -> Watcher:
    """The watcher of this system, not started."""
    return make_watcher(
        root,
        listener.tell,
        clock=clock or SystemClock(),
        settle=settle,
        ignored=listener.ignored,
        recursive=recursive,
    )
