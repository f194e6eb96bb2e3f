"""A directory of a disk that cannot hold every name: what is in it, and how it is listed."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from firnline.core.local_names import Limits
from firnline.core.paths import OWN_DIRECTORY
from firnline.folder.access import Entry, OpenDirectory


def join(directory: str, name: str) -> str:
    """The path of a name in a directory; '' is the folder."""
    return f"{directory}/{name}" if directory else name


def is_own(path: str) -> bool:
    """True for the marker directory and what is in it: their names are ours, and never aliases."""
    return path == OWN_DIRECTORY or path.startswith(f"{OWN_DIRECTORY}/")


class Listing:
    """The local names in a directory."""

    def __init__(self, limits: Limits, names: Iterator[str]) -> None:
        self._limits = limits
        self._spelled: dict[str, str] = {}
        self._keys: dict[str, set[str]] = {}
        for name in names:
            self.add(name)

    def add(self, local: str) -> None:
        self._spelled[self._limits.spelling(local)] = local
        self._keys.setdefault(self._limits.key(local), set()).add(local)

    def remove(self, local: str) -> None:
        self._spelled.pop(self._limits.spelling(local), None)
        self._keys.get(self._limits.key(local), set()).discard(local)

    def __contains__(self, local: object) -> bool:
        return isinstance(local, str) and self._limits.spelling(local) in self._spelled

    def __iter__(self) -> Iterator[str]:
        return iter(self._spelled.values())

    def written(self, local: str) -> str:
        """`local` as the disk writes it."""
        return self._spelled.get(self._limits.spelling(local), local)

    def like(self, name: str) -> set[str]:
        """What cannot stand beside `name`."""
        return self._keys.get(self._limits.key(name), set())


class Naming(Protocol):
    """Between names of the log and names on disk; `Aliased` is one."""

    def named(self, path: str, local: str, entries: list[Entry]) -> list[Entry]:
        """The entries of a directory under the names of the log."""
        ...

    def local_leaf(self, directory: str, name: str) -> str:
        """The local name of `name` in a local directory. Raises FileNotFoundError."""
        ...


class AliasEntry:
    """An `Entry` under the name that its alias stands for."""

    __slots__ = ("_entry", "name")

    def __init__(self, entry: Entry, name: str) -> None:
        self._entry = entry
        self.name = name

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._entry.is_dir(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self._entry.stat(follow_symlinks=follow_symlinks)


class AliasedDirectory:
    """An `OpenDirectory` that lists names of the log."""

    __slots__ = ("_access", "_inner", "_local", "_path", "device")

    def __init__(self, access: Naming, inner: OpenDirectory, path: str, local: str) -> None:
        self._access = access
        self._inner = inner
        self._path = path
        self._local = local
        self.device = inner.device

    @contextmanager
    def _listing(self) -> Iterator[Iterator[Entry]]:
        with self._inner.entries() as entries:
            yield iter(self._access.named(self._path, self._local, list(entries)))

    def entries(self) -> AbstractContextManager[Iterator[Entry]]:
        return self._listing()

    def child(self, name: str) -> "AliasedDirectory":
        path = join(self._path, name)
        local = name if is_own(path) else self._access.local_leaf(self._local, name)
        return AliasedDirectory(
            self._access, self._inner.child(local), path, join(self._local, local)
        )

    def expect(self, names: Iterable[str], length: int) -> None:
        local = [self._access.local_leaf(self._local, name) for name in names]
        self._inner.expect(local, length)

    def sync(self) -> None:
        self._inner.sync()

    def close(self) -> None:
        self._inner.close()
