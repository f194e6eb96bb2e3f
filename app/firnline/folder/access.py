"""How one folder's files are reached: the steps that all file actions are made of.

Two ways: `handles` opens each parent in turn, so that no link leads astray whoever races with us
(Linux, macOS); `portable` checks the parents and then goes by the whole path (Windows). Both take
paths relative to the folder, already checked by `check_local` or made here, and raise OSError,
except `NotInside` for a parent that is a link or not a directory.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from firnline.core.paths import OWN_DIRECTORY, is_own_name
from firnline.folder.errors import NameImpossible

TEMPORARIES = f"{OWN_DIRECTORY}/tmp"
"""What is being written. Whatever is left there at start is thrown away."""
KEPT = f"{OWN_DIRECTORY}/kept"
"""What was replaced or taken away, until it is known that no save slipped in."""
SYNCED = f"{OWN_DIRECTORY}/synced"
"""Stands there once the folder was synced on this disk; says how far the table was then."""
OWN_DIRECTORIES = frozenset({OWN_DIRECTORY, TEMPORARIES, KEPT})

_NOT_A_NAME = frozenset({"", ".", ".."})


def check_local(path: str) -> str:
    """`path`, if it can be nothing but the path of somebody's file inside the folder.

    Weaker than `core.paths.check_path`, which every path from the log has passed: a local name
    need not be NFC. Raises NameImpossible.
    """
    if "\0" in path:
        raise NameImpossible(path, "holds a NUL character")
    for part in path.split("/"):
        if part in _NOT_A_NAME:
            raise NameImpossible(path, "an empty, '.' or '..' part")
        if is_own_name(part):
            raise NameImpossible(path, "a name that Firnline keeps for itself")
    return path


class Entry(Protocol):
    """One name in a directory; `os.DirEntry` is one."""

    @property
    def name(self) -> str: ...

    def is_dir(self, *, follow_symlinks: bool = True) -> bool: ...

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result: ...


class OpenDirectory(Protocol):
    """A directory that stays the same one, whatever happens to its name."""

    device: int

    def entries(self) -> AbstractContextManager[Iterator[Entry]]: ...

    def child(self, name: str) -> "OpenDirectory":
        """A directory in this one, never through a link. Raises OSError."""
        ...

    def expect(self, names: Iterable[str], length: int) -> None:
        """Tell the system that these files' first `length` bytes are wanted soon.

        A hint: does nothing where the system takes none, or for what cannot be opened.
        """
        ...

    def sync(self) -> None:
        """Make its entries durable."""
        ...

    def close(self) -> None: ...


class Access(Protocol):
    """File actions by relative path. May be used from several threads at once."""

    def lstat(self, path: str) -> os.stat_result:
        """Of what stands there, links not followed; '' is the folder itself."""
        ...

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        """A file descriptor; a link at the path is an error, never followed."""
        ...

    def read_link(self, path: str) -> str: ...

    def make_directory(self, path: str, mode: int) -> None: ...

    def remove_directory(self, path: str) -> None: ...

    def unlink(self, path: str) -> None: ...

    def rename(self, source: str, target: str) -> None:
        """Replaces a file that stands at the target."""
        ...

    def rename_new(self, source: str, target: str) -> None:
        """Raises FileExistsError when something stands at the target.

        In one step where the file system can; else nothing is replaced unless somebody makes the
        target in the same microseconds.
        """
        ...

    def exchange(self, source: str, target: str) -> None:
        """The two change places in one step; an error of `kernel.UNSUPPORTED` where they cannot."""
        ...

    def link(self, source: str, target: str) -> None:
        """A second name of one file (a hard link), also of a symbolic link itself."""
        ...

    def symlink(self, text: str, path: str) -> None: ...

    def set_times(self, path: str, nanoseconds: int) -> None: ...

    def open_directory(self, path: str) -> OpenDirectory:
        """'' is the folder itself."""
        ...

    def sync_all(self) -> bool:
        """Make the whole file system of the folder durable; False where there is no such call."""
        ...

    def forget(self) -> None:
        """Close what is kept open. The next action opens it again."""
        ...
