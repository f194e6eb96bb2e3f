"""What can go wrong with a file in the user's folder.

    FolderError
    ├── Vanished            nothing stands at the path (any more)
    ├── Changed             not what the caller expected to find there
    ├── Occupied            something stands where nothing was to be
    ├── Blocked             no permission, locked, read-only
    │   └── OtherDevice     a rename cannot reach there: another file system inside the folder
    ├── NoSpace             no space, quota used up
    ├── NotInside           a parent is a link, or not a directory: the path leads elsewhere
    └── NameImpossible      a path that this file system (or this program) cannot hold

`FolderError` itself is any other error of the system, a failing disk for example. The system's
errors are translated in one place, `translating`. An exception carries facts; `engine.problems`
makes titles and advice of them.
"""

import errno
from types import TracebackType


class FolderError(Exception):
    """`path` is relative to the folder ('' for the folder itself); `detail` is what the system
    said, or what was found."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(path, detail)
        self.path = path
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.path or 'the folder'}: {self.detail}"


class Vanished(FolderError):
    """Nothing stands at the path (any more)."""


class Changed(FolderError):
    """What stands at the path is not what the caller expected.

    `kept`, where given, is the name under which a file that could not be put back is kept.
    """

    def __init__(self, path: str, detail: str, kept: str | None = None) -> None:
        super().__init__(path, detail)
        self.kept = kept


class Occupied(FolderError):
    """Something stands where nothing was to be. It was not touched."""


class Blocked(FolderError):
    """No permission, locked by another program, or read-only: worth another try later."""


class OtherDevice(Blocked):
    """The path is on another file system inside the folder, so it cannot be renamed from here."""


class NoSpace(FolderError):
    """No space left, or a quota is used up."""


class NotInside(FolderError):
    """A parent of the path is a link or not a directory, so the path leads out of the folder or
    nowhere."""


class NameImpossible(FolderError):
    """A path that this file system cannot hold, or that Firnline refuses."""


_NAMES: dict[type[FolderError], str] = {
    Vanished: "ENOENT ESTALE",
    Changed: "ELOOP ENOTDIR",
    Occupied: "EEXIST ENOTEMPTY EISDIR",
    Blocked: "EACCES EPERM EROFS EBUSY ETXTBSY ENXIO EFBIG",
    OtherDevice: "EXDEV",
    NoSpace: "ENOSPC EDQUOT",
    NameImpossible: "ENAMETOOLONG EINVAL EILSEQ",
}
# By name, since no system knows all of them.
_CLASSES = {
    getattr(errno, name): kind
    for kind, names in _NAMES.items()
    for name in names.split()
    if hasattr(errno, name)
}


def translate(path: str, error: OSError) -> FolderError:
    """The member of the tree that says what `error` says."""
    found = _CLASSES.get(error.errno or 0, FolderError)
    return found(path, error.strerror or str(error))


class translating:
    """Turns an OSError of its block into a FolderError about `path`.

    A class and not a generator: it is entered several times for every file.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise translate(self._path, error) from error
