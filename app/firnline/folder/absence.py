"""What it means that the walk had nothing for a known path: missing, hidden, or not to be told.

Only what is really gone may become a deletion (docs/design.md section 10.4), so each absent path is
looked for once more, by its exact name: a file system that ignores case would find another
spelling.
"""

from collections.abc import Iterable

from firnline.core.clock import Clock
from firnline.core.event import Kind
from firnline.core.paths import ancestors, normalize, parent_of
from firnline.folder.errors import FolderError, NotInside, Vanished
from firnline.folder.ignore import Ignore
from firnline.folder.merge import Known, Seen
from firnline.folder.metadata import Stat
from firnline.folder.view import View
from firnline.folder.walk import Walk

STILL = 0.05
"""Seconds between the two looks. Some programs save by moving the old file away before the new
one has its name; a directory that is gone as well needs no second look."""


def _is_known(row: Known, found: Stat) -> bool:
    now = (found.kind, found.size, found.mtime_ns, found.inode)
    return now == (row.kind, row.size, row.mtime_ns, row.inode)


class Absence:
    """Sorts out the absent paths of one finished walk."""

    def __init__(self, root: View, walk: Walk, ignore: Ignore) -> None:
        self._root = root
        self._walk = walk
        self._ignore = ignore
        self._ignored: dict[str, bool] = {}

    @property
    def is_plain(self) -> bool:
        """Nothing about the walk and the rules makes one absent path another matter than the
        next: all was looked at, each path has one name, and no pattern hides anything."""
        walk = self._walk
        return not (walk.untouchable or walk.incomplete or walk.rivals or self._ignore.rules)

    def is_gone(self, directory: str) -> bool:
        """True for a directory that is not there and would be synced."""
        return not self._is_hidden_directory(directory) and not self._stands(directory)

    def sort_out(self, rows: Iterable[Known]) -> tuple[list[Known], list[str]]:
        """Those that may be missing, and the paths of those that are hidden. Others are below
        something that could not be read, and nothing is said of them."""
        absent: list[Known] = []
        hidden: list[str] = []
        for row in rows:
            if self._is_untouchable(row.path):
                continue
            if self._is_hidden(row.path, is_directory=False):
                hidden.append(row.path)
            else:
                absent.append(row)
        return absent, hidden

    def look_again(self, rows: list[Known], clock: Clock) -> tuple[list[Known], list[Seen]]:
        """Those that are missing indeed, and those that are there (again) and differ."""
        groups: dict[str, list[Known]] = {}
        for row in rows:
            groups.setdefault(parent_of(row.path), []).append(row)
        if not any(self._stands(parent) for parent in groups):
            return rows, []
        clock.sleep(STILL)
        back: list[Seen] = []
        missing: list[Known] = []
        for parent, group in groups.items():
            names = self._names(parent)
            if names is None:
                continue
            for row in group:
                leaf = row.path.rpartition("/")[2]
                if leaf not in names or not self._is_back(row, names[leaf], back):
                    missing.append(row)
        return sorted(missing), back

    def gone(self, directories: Iterable[str]) -> list[str]:
        """Those of the explicitly known directories that are not there any more."""
        found = []
        for path in sorted(set(directories) - self._walk.explicit_found):
            if self._is_untouchable(path) or self._is_hidden(path, is_directory=True):
                continue
            names = self._names(parent_of(path))
            if names is None:
                continue
            local = names.get(path.rpartition("/")[2])
            if local is None or not self._is_directory(path, local):
                found.append(path)
        return found

    def _is_back(self, row: Known, local: str, back: list[Seen]) -> bool:
        """False when what stands there now is no file or link, so that the known one is gone."""
        place = self._local(parent_of(row.path), local)
        try:
            found = self._root.stat(place)
        except FolderError:
            return True
        if found is None or found.kind is Kind.DIRECTORY:
            return False
        if found.kind is not None and not _is_known(row, found):
            back.append(Seen(row.path, found.kind, found, None if place == row.path else place))
        return True

    def _is_directory(self, path: str, local: str) -> bool:
        try:
            found = self._root.stat(self._local(parent_of(path), local))
        except FolderError:
            return True
        return found is not None and found.kind is Kind.DIRECTORY

    def _stands(self, directory: str) -> bool:
        try:
            return not directory or self._root.stat(self._local_directory(directory)) is not None
        except FolderError:
            return True

    def _names(self, directory: str) -> dict[str, str] | None:
        """Local names by path part; none where the directory is gone, None where that cannot be
        told."""
        try:
            found = self._root.names(self._local_directory(directory))
        except (Vanished, NotInside):
            return {}
        except FolderError as error:
            self._walk.failed(directory, error.detail)
            return None
        return {normalize(name): name for name in found}

    def _local(self, parent: str, name: str) -> str:
        directory = self._local_directory(parent)
        return f"{directory}/{name}" if directory else name

    def _local_directory(self, path: str) -> str:
        return self._walk.local_directories.get(path, path)

    def _is_untouchable(self, path: str) -> bool:
        marked = self._walk.untouchable
        if not marked:
            return False
        return path in marked or not marked.isdisjoint(ancestors(path))

    def _is_hidden(self, path: str, *, is_directory: bool) -> bool:
        parent = parent_of(path)
        if parent and self._is_hidden_directory(parent):
            return True
        return self._ignore.entry_matches(path, is_directory)

    def _is_hidden_directory(self, path: str) -> bool:
        known = self._ignored.get(path)
        if known is None:
            known = self._ignored[path] = self._is_hidden(path, is_directory=True)
        return known
