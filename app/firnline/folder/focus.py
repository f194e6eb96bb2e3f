"""The part of a folder that a scan looks at: some paths, each with all that is below it.

The directories above these paths are listed as a whole, so that exact names, rival spellings and
mounts are seen as in any scan; but of what else they hold nothing is said, save that it is there.
"""

from collections.abc import Callable, Iterable

from firnline.core.event import Kind
from firnline.core.paths import ancestors, normalize
from firnline.folder.access import check_local
from firnline.folder.errors import FolderError, NameImpossible
from firnline.folder.view import View

Branch = dict[str, "Branch | None"]
"""What is looked at in a directory, by name in the log; None: that name and all below it."""


class Focus:
    """Paths of the log. `heads` are the topmost ones, in byte order; all below them is meant."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.tree: Branch = {}
        self.heads: list[str] = []
        for path in sorted(set(paths), key=_as_parts):
            if not self.covers(path):
                self._add(path)
        self.heads.sort()

    def _add(self, path: str) -> None:
        *above, leaf = path.split("/")
        branch = self.tree
        for part in above:
            below = branch.setdefault(part, {})
            assert below is not None, "sorted: what covers a path was there before it"
            branch = below
        branch[leaf] = None
        self.heads.append(path)

    def __bool__(self) -> bool:
        return bool(self.heads)

    def covers(self, path: str) -> bool:
        """True for the heads and what is below them."""
        branch: Branch | None = self.tree
        for part in path.split("/"):
            if branch is None:
                return True
            if part not in branch:
                return False
            branch = branch[part]
        return branch is None

    def above(self) -> set[str]:
        """The directories that hold the heads, but for the folder itself."""
        return {directory for head in self.heads for directory in ancestors(head)}


def focus_on(root: View, hints: Iterable[str], name_of: Callable[[str], str]) -> Focus:
    """What to look at when these local paths may have changed.

    Where a directory above a path is gone, or is none any more, that is what has changed, with all
    that was below it. Names that nobody syncs are passed over. `name_of` turns a local name into
    the one that `root` knows it by.
    """
    standing: dict[str, bool] = {}
    paths: set[str] = set()
    for hint in hints:
        try:
            parts = [name_of(part) for part in check_local(hint).split("/")]
            hint.encode()
        except (NameImpossible, UnicodeEncodeError):
            continue
        place = ""
        for number, part in enumerate(parts, 1):
            place = f"{place}/{part}" if place else part
            if number == len(parts) or not _is_directory(root, place, standing):
                paths.add(normalize(place))
                break
    return Focus(paths)


def _is_directory(root: View, path: str, known: dict[str, bool]) -> bool:
    """True as well where nobody can tell: the walk finds out, and says so."""
    if path not in known:
        try:
            found = root.stat(path)
        except FolderError:
            known[path] = True
        else:
            known[path] = found is not None and found.kind is Kind.DIRECTORY
    return known[path]


def _as_parts(path: str) -> list[str]:
    return path.split("/")
