"""The watcher of macOS and Windows: watchdog reports, a thread of our own waits for rest.

watchdog knows of no overflow on Windows and says nothing of one, so the scan now and then is what
finds what a rush has lost there (docs/decisions/0011-watching.md). Paths are spelled as the system
reports them.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.watch.file_systems import remote_kind
from firnline.watch.hints import EVERYTHING
from firnline.watch.outbox import Outbox
from firnline.watch.watcher import Ignored, Tell

# On Windows watchdog collects until nothing happened for so long, and wakes up as often.
_COLLECTING = 0.1
# Reading is no change, and a directory's own times are nobody's business.
_NO_NEWS = (DirModifiedEvent, FileClosedNoWriteEvent, FileOpenedEvent)


class ObserverWatcher:
    """See `watcher.Watcher`."""

    def __init__(
        self,
        root: Path,
        tell: Tell,
        *,
        clock: Clock,
        settle: Settle | None,
        ignored: Ignored,
        recursive: bool,
    ) -> None:
        self._root = os.path.realpath(root)
        self._tell = tell
        self._ignored = ignored
        self._recursive = recursive
        self._outbox = Outbox(clock, settle)
        self._changed = threading.Condition()
        self._why_not = "it was not started"
        self._gone = self._closing = False
        self._observer = Observer(timeout=_COLLECTING)
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def works(self) -> bool:
        return not self._why_not

    @property
    def why_not(self) -> str:
        return self._why_not

    def start(self) -> None:
        kind = remote_kind(Path(self._root))
        if kind is not None:
            self._why_not = f"no changes are reported on a network file system ({kind})"
            return
        try:
            handler = _Handler(self._take_in)
            self._observer.schedule(handler, self._root, recursive=self._recursive)
            self._observer.start()
            self._why_not = ""
            self._thread.start()
        except (OSError, RuntimeError) as error:
            self._why_not = str(error)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._why_not = self._why_not or "it was closed"
            self._changed.notify()
        if self._observer.ident is not None:
            self._observer.stop()
            self._observer.join()
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    def _take_in(self, event: FileSystemEvent) -> None:
        """On watchdog's thread."""
        with self._changed:
            for place in (event.src_path, event.dest_path):
                self._notice(os.fsdecode(place), is_directory=event.is_directory)
            self._changed.notify()

    def _notice(self, place: str, *, is_directory: bool) -> None:
        if place == self._root:
            self._gone = not os.path.isdir(self._root)
            return
        path = os.path.relpath(place, self._root).replace(os.sep, "/") if place else "."
        if path == "." or path.startswith("../") or self._is_ignored(path, is_directory):
            return
        self._outbox.changed(path)

    def _is_ignored(self, path: str, is_directory: bool) -> bool:
        """All that is below the root is reported, what is below ignored directories included."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self._ignored(each, True) for each in above) or self._ignored(path, is_directory)

    def _run(self) -> None:
        while True:
            with self._changed:
                hints = self._outbox.take()
                while hints is None and not (self._closing or self._gone):
                    self._changed.wait(self._outbox.patience())
                    hints = self._outbox.take()
                if self._closing:
                    return
                if self._gone:
                    self._why_not = "it was removed or moved"
            self._tell(EVERYTHING if self._gone or hints is None else hints)
            if self._gone:
                return


class _Handler(FileSystemEventHandler):
    def __init__(self, take_in: Callable[[FileSystemEvent], None]) -> None:
        self._take_in = take_in

    def on_any_event(self, event: FileSystemEvent) -> None:
        if not isinstance(event, _NO_NEWS):
            self._take_in(event)
