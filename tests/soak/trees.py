"""A folder as it stands: what two devices must have alike."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from firnline.core.hashing import PLAIN, DataHash, Digest

_CHUNK = 2**20


class Node(NamedTuple):
    """A file, a link, or a directory with nothing in it."""

    kind: str
    content: DataHash | None = None
    executable: bool = False
    mtime: int = 0
    """Of files, in whole milliseconds since 1970."""


def tree(folder: Path) -> dict[str, Node]:
    """What stands below `folder`, by path in Unicode's composed form, without `.firnline`."""
    found = {}
    for entry in _below(str(folder), skip=".firnline"):
        path = Path(entry.path)
        name = unicodedata.normalize("NFC", path.relative_to(folder).as_posix())
        found[name] = look(path)
    return found


def look(path: Path) -> Node:
    """What stands at `path`. Raises OSError."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return Node("link", PLAIN.data(os.readlink(os.fsencode(path))))
    if stat.S_ISDIR(status.st_mode):
        return Node("directory")
    executable = bool(status.st_mode & stat.S_IXUSR)
    return Node("file", hash_of(path), executable, status.st_mtime_ns // 1_000_000)


def hash_of(path: Path) -> DataHash:
    """Of a file's content, whatever its size."""
    digest: Digest = PLAIN.running()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.data_hash()


def files_below(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and directory: path → inode, and of files size and time of modification."""
    found = {}
    for entry in _below(str(directory), every=True):
        status = entry.stat(follow_symlinks=False)
        inner = entry.is_dir(follow_symlinks=False)
        rest = (0, 0) if inner else (status.st_size, status.st_mtime_ns)
        found[entry.path] = (status.st_ino, *rest)
    return found


def _below(directory: str, skip: str = "", *, every: bool = False) -> Iterator["os.DirEntry[str]"]:
    """All but directories that hold something; with `every` those too."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name == skip:
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield entry
                continue
            below = list(_below(entry.path, every=every))
            if every or not below:
                yield entry
            yield from below
