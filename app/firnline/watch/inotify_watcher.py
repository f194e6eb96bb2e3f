"""The watcher of Linux: one thread that sleeps in `poll` until something happened or is to be told.

**What can be missed, and how it is not.** A full queue, or a file system that was unmounted below
the root: the watches are made anew, since directories may have come and gone unseen, and then
everything is told. A root that is removed, moved (also with a directory above it) or unmounted, a
table of watches that is full: the watcher gives up and says so. Files made in a new directory
before it is watched: its own path is told, which stands for them.

**Rest.** Reports carry no time, so they are read soon after they come; at most every few
milliseconds, or a program that writes without pause would keep this thread as busy as itself.

A removed root is reported by the kernel only once nobody has it open any more; until then there
are only the reports of what was in it.
"""

import errno
import logging
import os
import select
import threading
from contextlib import ExitStack
from math import ceil
from pathlib import Path

from firnline.core.clock import Clock
from firnline.core.settling import Settle
from firnline.watch import inotify
from firnline.watch.file_systems import remote_kind
from firnline.watch.hints import EVERYTHING
from firnline.watch.inotify import Report
from firnline.watch.outbox import Outbox
from firnline.watch.watched_tree import Directory, WatchedTree
from firnline.watch.watcher import Ignored, Tell

_APPEARS = inotify.CREATE | inotify.MOVED_TO
_LEAVES = inotify.DELETE | inotify.MOVED_FROM
# Where somebody waits for rest: a report for each write to each file.
_RESTLESS = inotify.MODIFY | inotify.ATTRIB
_WATCH_ENDS = inotify.UNMOUNT | inotify.IGNORED | inotify.DELETE_SELF | inotify.MOVE_SELF

_PAUSE = 0.004
_HELP = {
    errno.ENOSPC: "the system watches no more directories for this user: let it, for example by "
    "`sudo sysctl fs.inotify.max_user_watches=1048576`",
    errno.EMFILE: "the system has no more watchers for this user: let it, for example by "
    "`sudo sysctl fs.inotify.max_user_instances=1024`",
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "it is no directory",
}
_logger = logging.getLogger(__name__)


class _RootGone(Exception):
    """The root was removed, moved or unmounted."""


class InotifyWatcher:
    """See `watcher.Watcher`. `tell` may call `close`, too."""

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
        self._root = str(root)
        self._tell = tell
        self._ignored = ignored
        self._recursive = recursive
        self._outbox = Outbox(clock, settle)
        self._mask = _APPEARS | _LEAVES | inotify.CLOSE_WRITE | (_RESTLESS if settle else 0)
        self._pause = _PAUSE if settle else 0.0
        self._why_not = "it was not started"
        self._closing = threading.Event()
        self._alarm: int | None = None
        self._thread: threading.Thread | None = None

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
            with ExitStack() as failing:
                tree = self._watch_all()
                failing.callback(tree.close)
                alarm = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                failing.callback(os.close, alarm)
                self._thread = threading.Thread(
                    target=self._run, args=(tree, alarm), name="watcher", daemon=True
                )
                self._why_not = ""
                self._thread.start()
                self._alarm = alarm
                failing.pop_all()
        except OSError as error:
            self._why_not = _reason(error)
        except RuntimeError:
            self._why_not = "the system gives this program no more threads"

    def close(self) -> None:
        self._closing.set()
        self._why_not = self._why_not or "it was closed"
        alarm, self._alarm = self._alarm, None
        if alarm is None or self._thread is None:
            return
        os.eventfd_write(alarm, 1)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        os.close(alarm)

    def _watch_all(self) -> WatchedTree:
        return WatchedTree(self._root, self._mask, self._ignored, recursive=self._recursive)

    # --- on the watcher's own thread ----------------------------------------------------------

    def _run(self, tree: WatchedTree, alarm: int) -> None:
        try:
            self._follow(tree, alarm)
        except _RootGone:
            self._give_up("it was removed, moved or unmounted")
        except OSError as error:
            self._give_up(_reason(error))
        except Exception:
            _logger.exception("a mistake in the program")
            self._give_up("a mistake in the program; the log has more about it")

    def _follow(self, tree: WatchedTree, alarm: int) -> None:
        """Until there is a reason to watch anew, again and again."""
        while True:
            try:
                self._wait_for_loss(tree, alarm)
            finally:
                # Before new watches are asked for: there may be no room for both.
                tree.close()
            if self._closing.is_set():
                return
            tree = self._watch_all()
            self._tell(EVERYTHING)

    def _wait_for_loss(self, tree: WatchedTree, alarm: int) -> None:
        """Tell what happens until everything has to be told, or `close` is called."""
        poll = select.poll()
        poll.register(tree.fileno(), select.POLLIN)
        poll.register(alarm, select.POLLIN)
        while not self._closing.is_set():
            patience = self._outbox.patience()
            woken = poll.poll(None if patience is None else ceil(patience * 1000))
            for report in tree.reports() if woken else ():
                self._take_in(tree, report)
            hints = self._outbox.take()
            if hints == EVERYTHING:
                return
            if hints is not None:
                self._tell(hints)
            if woken and self._pause:
                self._closing.wait(self._pause)

    def _take_in(self, tree: WatchedTree, report: Report) -> None:
        if report.mask & inotify.OVERFLOW:
            _logger.info("%s: more changes than the system could report", self._root)
            self._outbox.lost()
            return
        directory = tree.find(report.watch)
        if tree.is_above(report.watch):
            raise _RootGone
        if directory is None:
            # It was given up, and what that means was told by the directory above it.
            return
        if report.mask & _WATCH_ENDS:
            self._lose(tree, directory, report.mask)
        elif report.name:
            self._notice(tree, directory, report)

    def _lose(self, tree: WatchedTree, directory: Directory, mask: int) -> None:
        if directory is tree.root:
            raise _RootGone
        if mask & inotify.UNMOUNT:
            # What the mount has hidden is there again, and not watched.
            self._outbox.lost()
        tree.forget(directory)

    def _notice(self, tree: WatchedTree, directory: Directory, report: Report) -> None:
        name = os.fsdecode(report.name)
        path = tree.path(directory, name)
        is_directory = bool(report.mask & inotify.IS_DIRECTORY)
        if self._ignored(path, is_directory):
            return
        if report.mask & _LEAVES:
            tree.drop(directory, name)
        elif is_directory:
            known = name in directory.children
            tree.add(directory, name)
            if report.mask & inotify.ATTRIB and (known or name not in directory.children):
                # Its rights or its times; only one that could not be read until now is news.
                return
        self._outbox.changed(path)

    def _give_up(self, why: str) -> None:
        if self._closing.is_set():
            return
        _logger.info("%s is not watched any more: %s", self._root, why)
        self._why_not = why
        self._tell(EVERYTHING)


def _reason(error: OSError) -> str:
    return _HELP.get(error.errno or 0) or error.strerror or str(error)
