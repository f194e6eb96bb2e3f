"""The last look at a path before and after it is changed."""

from firnline.folder.access import Access
from firnline.folder.errors import Changed, NotInside
from firnline.folder.metadata import Stat, stat_of


def look(access: Access, path: str, *, modes: bool = True) -> Stat | None:
    """What stands at `path`; None also where a parent is missing or leads elsewhere.

    Raises OSError where that cannot be told.
    """
    try:
        found = access.lstat(path)
    except (FileNotFoundError, NotADirectoryError, NotInside):
        return None
    return stat_of(found, modes=modes)


def expect(access: Access, path: str, expected: Stat) -> None:
    """Raises Changed unless `path` still has what the caller knows."""
    if not is_expected(access, path, expected):
        raise Changed(path, "was changed or removed by somebody else")


def is_expected(access: Access, path: str, expected: Stat) -> bool:
    found = look(access, path)
    return found is not None and found.same_version(expected)
