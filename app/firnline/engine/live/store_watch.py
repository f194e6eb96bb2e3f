"""A directory store that is watched: another device's event is told as it appears.

Only what holds events is watched (`FOLDER/events/DAY`, of the folders that are kept there), so that
contents, snapshots and the beats of others cost nothing.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol

from firnline.core.clock import Clock
from firnline.stores.layout import EVENTS, parse_day, parse_folder_directory
from firnline.sync.news import News, is_event_of
from firnline.watch.hints import Hints
from firnline.watch.watcher import Watcher, make_watcher


class Watch(Protocol):
    """Tells news until it is closed; see `watch.watcher.Watcher`."""

    @property
    def works(self) -> bool: ...

    def start(self) -> None: ...

    def close(self) -> None: ...


MakeWatch = Callable[[Callable[[News], None]], Watch]
"""Makes the watch of one store, given whom to tell; called on a thread of the watch."""


class StoreWatch:
    """The watch of one store's directory; lives once, like any watcher."""

    def __init__(
        self, base: Path, folder_ids: Collection[str], clock: Clock, tell: Callable[[News], None]
    ) -> None:
        self._folder_ids = folder_ids
        self._tell = tell
        self._watcher: Watcher = make_watcher(
            base, self._hear, clock=clock, settle=None, ignored=self._is_ignored
        )
        self.start = self._watcher.start
        self.close = self._watcher.close

    @property
    def works(self) -> bool:
        return self._watcher.works

    def _is_ignored(self, path: str, is_directory: bool) -> bool:
        parts = path.split("/")
        if not is_directory:
            return len(parts) != 4 or not is_event_of(parts[3], parts[2])
        if len(parts) == 1:
            return not self._folders(path)
        if len(parts) == 2:
            return parts[1] != EVENTS
        return len(parts) > 3 or parse_day(parts[2]) is None

    def _hear(self, hints: Hints) -> None:
        if hints.everything:
            self._tell(dict.fromkeys(self._folder_ids))
            return
        names: dict[str, set[str]] = {}
        listed: set[str] = set()
        for path in hints.paths:
            directory, _, below = path.partition("/")
            for folder_id in self._folders(directory) if directory else self._folder_ids:
                if below.count("/") == 2:
                    names.setdefault(folder_id, set()).add(path.rpartition("/")[2])
                else:
                    listed.add(folder_id)
        news: dict[str, frozenset[str] | None] = {
            folder_id: frozenset(found) for folder_id, found in names.items()
        }
        self._tell(news | dict.fromkeys(listed))

    def _folders(self, directory: str) -> list[str]:
        """The folders that may be kept in a directory of the base: one, or none."""
        parts = parse_folder_directory(directory)
        return [each for each in self._folder_ids if parts and each.startswith(parts[1])]
