"""Short ways to put something into a folder under test, and to see what is there."""

import os
import stat
from pathlib import Path

from firnline.folder.filesystem import Root
from firnline.folder.metadata import Stat

MTIME_MS = 1_600_000_000_123


def temporary(root: Root, content: bytes, *, executable: bool = False) -> str:
    """The name of a finished temporary."""
    with root.new_temporary() as file:
        file.write(content)
        file.finish(MTIME_MS, executable)
    return file.name


def stat_at(root: Root, path: str) -> Stat:
    found = root.stat(path)
    assert found is not None
    return found


def kept(root: Root, keep: str) -> bytes:
    with os.fdopen(root.open_kept(keep), "rb") as file:
        return file.read()


def tree(folder: Path) -> dict[str, str | bytes | None]:
    """What people see in the folder: content of files, text of links, None for directories."""
    found: dict[str, str | bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] == ".firnline":
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def make_device(place: Path) -> None:
    """A device node; where that takes rights that this user has not, a pipe."""
    try:
        os.mknod(place, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(place)
