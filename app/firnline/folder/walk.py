"""The walk over a folder: every file and link, in the order of the log's path bytes.

Children are sorted by name, directories as `name/` (git's index order), so that a scan is one
merge with what is known and nothing is held but the differences. Nothing is followed: not links,
not names that became something else meanwhile. Other file systems inside the folder are walked.

What cannot be synced or read is noted, and marked as untouchable: whatever is known there or
below it is neither changed nor missing (docs/design.md section 10.4).
"""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from firnline.core.paths import (
    MAX_DEPTH,
    MAX_PART_BYTES,
    MAX_PATH_BYTES,
    OWN_DIRECTORY,
    TEMPORARY_PREFIX,
    BadPathError,
    check_path,
    is_own_name,
    normalize,
)
from firnline.folder.access import Entry, OpenDirectory
from firnline.folder.errors import translate
from firnline.folder.focus import Branch, Focus
from firnline.folder.ignore import FIRST, SUFFIX, SYSTEM, Ignore
from firnline.folder.view import View

_FORMAT = 0o170000
_SYNCABLE = frozenset({stat.S_IFREG, stat.S_IFLNK})
_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_LONG_PREFIX = MAX_PATH_BYTES - MAX_PART_BYTES


class SkipKind(StrEnum):
    """Why something in the folder is not synced."""

    NOT_UNICODE = "not unicode"
    SECOND_NAME = "second name"
    SPECIAL = "special"
    UNREADABLE = "unreadable"
    NAME = "name"
    AWAY = "away"


class Skipped(NamedTuple):
    """One thing that is not synced, to be shown with its reason."""

    path: str
    """As it can be shown: bytes that are no Unicode are escaped."""
    kind: SkipKind
    message: str


Found = tuple[str, os.stat_result, str | None]
"""Path, stat, and the local name where it differs from the path."""


class _Frame:
    """A directory that is being walked."""

    __slots__ = ("branch", "children", "directory", "items", "local_prefix", "plain", "prefix")

    def __init__(
        self, directory: OpenDirectory, prefix: str, local_prefix: str, branch: Branch | None
    ) -> None:
        self.directory = directory
        self.branch = branch
        """What of it is looked at; None: all."""
        self.prefix = prefix
        """Of the log's paths; '' or ending in a slash."""
        self.local_prefix = local_prefix
        self.plain = prefix == local_prefix
        """No path in here differs from its local name."""
        self.items: Iterator[tuple[str, Entry]] = iter(())
        self.children = 0


class Walk:
    """One walk; iterate once, then ask for what was noted.

    Yields runs of files and links that stand side by side in the order of paths: the files of a
    directory, up to the next directory in it.
    """

    def __init__(
        self,
        root: View,
        ignore: Ignore,
        *,
        explicit: Collection[str] = (),
        mounts: Collection[str] = (),
        cancelled: Callable[[], bool] = lambda: False,
        focus: Focus | None = None,
    ) -> None:
        """`focus`: only that part of the folder is walked."""
        self._root = root
        self._focus = focus
        self._ignore = ignore
        self._all_careful = bool(ignore.rules)
        self._explicit = explicit
        self._missing_mounts = set(mounts)
        self._asks_cancelled = cancelled
        self.cancelled = False
        self.skipped: list[Skipped] = []
        self.untouchable = set(mounts)
        """Paths at and below which nothing that is known is missing."""
        self.incomplete: list[str] = []
        """Directories that could not be read."""
        self.empty: list[str] = []
        """Directories, not explicit ones, without a child that is synced."""
        self.explicit_found: set[str] = set()
        self.mounts: list[str] = []
        """Where other file systems are mounted, or were when `mounts` was made."""
        self.strays: list[str] = []
        """Local names of our own temporary files beside people's."""
        self.rivals: dict[str, list[tuple[str, os.stat_result]]] = {}
        """Paths that several local names stand for, with all of them."""
        self.local_directories: dict[str, str] = {}
        """Local names of directories, where they differ from the path."""

    def __iter__(self) -> Iterator[list[Found]]:
        """Raises FolderError when the folder itself cannot be read."""
        branch = None if self._focus is None else self._focus.tree
        top = _Frame(self._root.top(), "", "", branch)
        frames = [top]
        try:
            try:
                self._list(top)
            except OSError as error:
                raise translate("", error) from error
            while frames and not self.cancelled:
                frame = frames[-1]
                run = self._files(frame, frames)
                if run:
                    yield run
                if frames[-1] is frame and not self.cancelled:
                    self._leave(frames.pop())
        finally:
            for frame in frames:
                frame.directory.close()
        self._end()

    def _files(self, frame: _Frame, frames: list[_Frame]) -> list[Found]:
        """What stands in `frame` up to the next directory, which is put on `frames`."""
        prefix, plain = frame.prefix, frame.plain
        run: list[Found] = []
        for name, entry in frame.items:
            if name[-1] == "/":
                child = self._enter(frame, name, entry)
                if child is not None:
                    frames.append(child)
                    break
                if self.cancelled:
                    break
                continue
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError as error:
                self._no_stat(prefix + name, error)
                continue
            if found.st_mode & _FORMAT not in _SYNCABLE:
                self._special(prefix + name, found)
                continue
            path = prefix + name
            run.append((path, found, None if plain else _differing(path, frame, entry)))
        frame.children += len(run)
        return run

    # -- directories

    def _enter(self, frame: _Frame, name: str, entry: Entry) -> _Frame | None:
        if self._asks_cancelled():
            self.cancelled = True
            return None
        path = frame.prefix + name[:-1]
        try:
            directory = frame.directory.child(entry.name)
        except OSError as error:
            self._not_entered(frame, path, error)
            return None
        frame.children += 1
        branch = None if frame.branch is None else frame.branch[name[:-1]]
        child = _Frame(directory, frame.prefix + name, f"{frame.local_prefix}{entry.name}/", branch)
        if not self._is_mounted(path, directory, frame.directory):
            directory.close()
            return None
        if path in self._explicit:
            self.explicit_found.add(path)
        if not child.plain:
            self.local_directories[path] = child.local_prefix[:-1]
        try:
            self._list(child)
        except OSError as error:
            directory.close()
            self._unreadable(path, error)
            return None
        return child

    def _not_entered(self, frame: _Frame, path: str, error: OSError) -> None:
        if error.errno == errno.ENOENT:
            # Gone since the directory was listed, as if it had never been there.
            return
        frame.children += 1
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            # Something else stands there since then: the next scan sees what it is.
            self.untouchable.add(path)
        else:
            self._unreadable(path, error)

    def _is_mounted(self, path: str, directory: OpenDirectory, above: OpenDirectory) -> bool:
        """False for the mount point of a disk that is not there now: it is not walked, or all
        that is known of the disk would be missing."""
        if directory.device != above.device:
            self.mounts.append(path)
            self._missing_mounts.discard(path)
            self.untouchable.discard(path)
            return True
        return path not in self._missing_mounts

    def _leave(self, frame: _Frame) -> None:
        frame.directory.close()
        path = frame.prefix[:-1]
        if path and not frame.children and path not in self._explicit:
            self.empty.append(path)

    def _end(self) -> None:
        for path in sorted(self._missing_mounts):
            self.mounts.append(path)
            looked_at = self._focus is None or self._focus.covers(path)
            if looked_at and not self.cancelled:
                message = "the disk that was mounted here is not"
                self.skipped.append(Skipped(path, SkipKind.AWAY, message))

    # -- names

    def _list(self, frame: _Frame) -> None:
        """Raises OSError; a directory that was read in part only is not walked at all."""
        prefix = frame.prefix
        careful = self._all_careful or _is_long(prefix)
        items: dict[str, Entry] = {}
        forms: dict[str, list[Entry]] = {}
        with frame.directory.entries() as entries:
            looked_at = entries if frame.branch is None else self._chosen(frame, entries)
            for entry in looked_at:
                name = entry.name
                if (
                    careful
                    or name[0] in FIRST
                    or not name.isascii()
                    or name in SYSTEM
                    or name.endswith(SUFFIX)
                ):
                    form = self._admit(frame, entry)
                    if form is None:
                        continue
                    if not form.isascii():
                        forms.setdefault(form, []).append(entry)
                        continue
                if entry.is_dir(follow_symlinks=False):
                    name += "/"
                items[name] = entry
        for form, rivals in forms.items():
            self._choose(frame, items, form, rivals)
        frame.items = iter(sorted(items.items(), key=itemgetter(0)))

    def _chosen(self, frame: _Frame, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Those that are looked at. Another one counts, so that the directory is not empty."""
        branch = frame.branch
        assert branch is not None
        for entry in entries:
            form = normalize(entry.name)
            if form in branch and (branch[form] is None or entry.is_dir(follow_symlinks=False)):
                yield entry
            elif not frame.children and self._is_synced(frame.prefix + form, entry):
                frame.children = 1

    def _is_synced(self, path: str, entry: Entry) -> bool:
        """True for what a walk over everything would find, and say nothing of here."""
        is_directory = entry.is_dir(follow_symlinks=False)
        if self._ignore.entry_matches(path, is_directory):
            return False
        try:
            path.encode()
            check_path(path)
            found = is_directory or entry.stat(follow_symlinks=False).st_mode & _FORMAT in _SYNCABLE
        except (UnicodeEncodeError, BadPathError, OSError):
            return False
        return found

    def _admit(self, frame: _Frame, entry: Entry) -> str | None:
        """The name in the log; None for what is not synced, which is noted."""
        name, prefix = entry.name, frame.prefix
        form = normalize(name)
        path = prefix + form
        if is_own_name(form):
            self._own_name(frame.local_prefix, name)
            return None
        is_directory = entry.is_dir(follow_symlinks=False)
        if self._ignore.entry_matches(path, is_directory):
            return None
        if name.isascii() and not _is_long(prefix):
            return form
        try:
            form.encode()
        except UnicodeEncodeError:
            self._skip(prefix + name, SkipKind.NOT_UNICODE, "the name is not valid Unicode")
            return None
        try:
            check_path(path)
        except BadPathError as error:
            self._skip(prefix + name, SkipKind.NAME, f"the name cannot be synced: {error}")
            return None
        return form

    def _own_name(self, prefix: str, name: str) -> None:
        if name.startswith(TEMPORARY_PREFIX):
            self.strays.append(prefix + name)
        elif prefix or name != OWN_DIRECTORY:
            message = "a name that Firnline keeps for itself"
            self._skip(prefix + name, SkipKind.NAME, message)

    def _choose(
        self, frame: _Frame, items: dict[str, Entry], form: str, rivals: list[Entry]
    ) -> None:
        """One of several local names that are one name in the log (NFC)."""
        rivals.sort(key=lambda entry: (entry.name != form, entry.name))
        first = rivals[0]
        if len(rivals) == 1 or not any(entry.is_dir(follow_symlinks=False) for entry in rivals):
            frame.plain = frame.plain and first.name == form
            items[form + ("/" if first.is_dir(follow_symlinks=False) else "")] = first
        path = frame.prefix + form
        if len(rivals) == 1:
            return
        if form in items:
            self.rivals[path] = [
                (frame.local_prefix + entry.name, entry.stat(follow_symlinks=False))
                for entry in rivals
            ]
            return
        # Nobody can tell which of two directories the known files are in.
        self.untouchable.add(path)
        for entry in rivals:
            self.second_name(frame.local_prefix + entry.name)

    # -- what is not synced

    def second_name(self, local: str) -> None:
        """Note that `local` is not synced, since another name stands for the same path."""
        message = "another name here differs only in the way its letters are written in Unicode"
        self._skip(local, SkipKind.SECOND_NAME, message)

    def _special(self, path: str, found: os.stat_result) -> None:
        self.untouchable.add(path)
        what = _SPECIAL.get(stat.S_IFMT(found.st_mode))
        if what is not None:
            self._skip(path, SkipKind.SPECIAL, f"{what} cannot be synced")

    def _no_stat(self, path: str, error: OSError) -> None:
        if error.errno != errno.ENOENT:
            self.untouchable.add(path)
            self._skip(path, SkipKind.UNREADABLE, error.strerror or str(error))

    def _unreadable(self, path: str, error: OSError) -> None:
        self.untouchable.add(path)
        self.failed(path, error.strerror or str(error))

    def failed(self, path: str, why: str) -> None:
        """A directory could not be looked at, or not again."""
        if path not in self.incomplete:
            self.incomplete.append(path)
            self._skip(path, SkipKind.UNREADABLE, why)

    def _skip(self, path: str, kind: SkipKind, message: str) -> None:
        shown = path.encode("utf-8", "backslashreplace").decode()
        self.skipped.append(Skipped(shown, kind, message))


def _is_long(prefix: str) -> bool:
    """True where a name of the usual length could make a path too long, or too deep."""
    return prefix.count("/") >= MAX_DEPTH or len(prefix.encode()) > _LONG_PREFIX


def _differing(path: str, frame: _Frame, entry: Entry) -> str | None:
    local = frame.local_prefix + entry.name
    return None if local == path else local
