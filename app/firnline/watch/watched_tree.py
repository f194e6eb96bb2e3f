"""The watched directories of one tree, and where each of them is.

inotify watches a directory and not what is below it, and reports numbers and not paths. Here each
directory has its watch and its place in the tree.

**Above the root.** Whoever renames a directory there takes the tree with it, and the kernel tells
nobody who watches only the root. So each directory above has a watch that reports nothing else.

**New directories.** A directory is watched first and listed afterwards, so that what is made in it
is found by one or the other. A directory that is moved is given up with all below it, and taken in
anew where it appears: nothing has to be known about the two belonging together.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import accumulate

from firnline.watch import inotify
from firnline.watch.inotify import Inotify, Report

# What is gone again, was replaced by a link, must not be looked into or has too long a path: a scan
# sees it, or says why it cannot.
_PASSED_OVER = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG}
)
_BELOW = inotify.ONLY_DIRECTORY | inotify.NO_UNLINKED | inotify.NO_FOLLOW
# The path of the root may lead over links.
_ROOT = inotify.ONLY_DIRECTORY | inotify.NO_UNLINKED | inotify.DELETE_SELF | inotify.MOVE_SELF
_ABOVE = inotify.ONLY_DIRECTORY | inotify.NO_UNLINKED | inotify.NO_FOLLOW | inotify.MOVE_SELF

_logger = logging.getLogger(__name__)


class Directory:
    """A watched directory; `parent` is None for the root only."""

    __slots__ = ("children", "name", "parent", "watch")

    def __init__(self, name: str, parent: "Directory | None", watch: int) -> None:
        self.name = name
        self.parent = parent
        self.watch = watch
        self.children: dict[str, Directory] = {}


class WatchedTree:
    """Watches `root` and, if `recursive`, every directory below it that is not `ignored`.

    Raises OSError when the root cannot be watched, or when there are no more watches to be had
    (EMFILE, ENOSPC, ENOMEM): at first, and from `add`.
    """

    def __init__(
        self, root: str, mask: int, ignored: Callable[[str, bool], bool], *, recursive: bool
    ) -> None:
        self._root_path = root
        self._mask = mask
        self._ignored = ignored
        self._recursive = recursive
        self._by_watch: dict[int, Directory] = {}
        self._instance = Inotify()
        with ExitStack() as failing:
            failing.callback(self._instance.close)
            self._above = self._watch_above()
            watch = self._instance.add(os.fsencode(root), mask | _ROOT)
            self.root = self._by_watch[watch] = Directory("", None, watch)
            self._add_below(self.root)
            failing.pop_all()

    def fileno(self) -> int:
        """To be polled: readable when something was reported."""
        return self._instance.fileno()

    def reports(self) -> Iterator[Report]:
        """What was reported since; never waits."""
        return self._instance.read()

    def close(self) -> None:
        """Nothing is watched any more."""
        self._instance.close()

    def __len__(self) -> int:
        return len(self._by_watch)

    def find(self, watch: int) -> Directory | None:
        """The directory of that watch; None for one that was given up."""
        return self._by_watch.get(watch)

    def is_above(self, watch: int) -> bool:
        """Whether that is the watch of a directory above the root."""
        return watch in self._above

    def path(self, directory: Directory, name: str = "") -> str:
        """The path of `name` in `directory`, or its own, relative to the root."""
        parts = [name] if name else []
        place: Directory | None = directory
        while place is not None and place.parent is not None:
            parts.append(place.name)
            place = place.parent
        return "/".join(reversed(parts))

    def add(self, parent: Directory, name: str) -> None:
        """Watch a directory and what is below it. Does nothing when it is gone again."""
        if self._recursive:
            added = self._add_one(parent, name)
            if added is not None:
                self._add_below(added)

    def drop(self, parent: Directory, name: str) -> None:
        """The directory `name` is gone from there: nothing below it is watched any more."""
        found = parent.children.pop(name, None)
        if found is not None:
            for directory in _with_all_below(found):
                del self._by_watch[directory.watch]
                self._instance.remove(directory.watch)

    def forget(self, directory: Directory) -> None:
        """The kernel dropped the watch of a directory, since that is gone."""
        if directory.parent is not None:
            self.drop(directory.parent, directory.name)

    def _watch_above(self) -> frozenset[int]:
        """Outermost first: one that is renamed meanwhile is reported, or the root is not found."""
        found = set()
        *above, _ = accumulate(os.path.realpath(self._root_path).split("/"), "{}/{}".format)
        for path in above:
            try:
                if path:
                    found.add(self._instance.add(os.fsencode(path), _ABOVE))
            except OSError as error:
                _pass_over(error)
        return frozenset(found)

    def _add_below(self, top: Directory) -> None:
        if not self._recursive:
            return
        waiting = [top]
        while waiting:
            directory = waiting.pop()
            added = (self._add_one(directory, name) for name in self._directories(directory))
            waiting.extend(each for each in added if each is not None)

    def _directories(self, directory: Directory) -> list[str]:
        path = self.path(directory)
        before = f"{path}/" if path else ""
        try:
            with os.scandir(self._on_disk(path)) as entries:
                names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            _pass_over(error)
            return []
        return [name for name in names if not self._ignored(before + name, True)]

    def _add_one(self, parent: Directory, name: str) -> Directory | None:
        """None when it cannot be watched, or stands there with its watch already."""
        path = os.fsencode(self._on_disk(self.path(parent, name)))
        try:
            watch = self._instance.add(path, self._mask | _BELOW)
        except OSError as error:
            _pass_over(error)
            return None
        known = self._by_watch.get(watch)
        if known is not None:
            if known is parent.children.get(name) or known is self.root:
                return None
            # It was moved here, and the report of its leaving is still to come.
            self.forget(known)
            return self._add_one(parent, name)
        self.drop(parent, name)
        added = Directory(name, parent, watch)
        parent.children[name] = self._by_watch[watch] = added
        return added

    def _on_disk(self, path: str) -> str:
        return f"{self._root_path}/{path}"


def _with_all_below(top: Directory) -> Iterator[Directory]:
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        yield directory
        waiting.extend(directory.children.values())


def _pass_over(error: OSError) -> None:
    if error.errno not in _PASSED_OVER:
        raise error
    _logger.debug("a directory is not watched", exc_info=error)
