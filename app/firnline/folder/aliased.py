"""`Access` for a file system that cannot hold every name: above it, all names can be held.

Paths that come in are those of the log. Each part is found under its own name or its alias, by its
exact spelling: where two spellings are one name to the file system, the other one's file is not
the one that was asked for. What is made anew gets its own name, or an alias where the file system
cannot hold that, or holds another name that it takes for the same.

Listings are kept, since exact spellings have no call of their own; a kept one is read again where
the file system answers otherwise. `.firnline` is left alone.
"""

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from firnline.core.local_names import Limits, Standing, arrange
from firnline.core.paths import leaf_of, parent_of
from firnline.core.steps import Steps
from firnline.folder.access import Access, Entry, OpenDirectory
from firnline.folder.aliased_directory import AliasedDirectory, AliasEntry, Listing, is_own, join
from firnline.folder.aliases import AliasBook
from firnline.folder.area import list_names
from firnline.folder.errors import FolderError, NameImpossible

_T = TypeVar("_T")
_LISTINGS = 256
_REFUSED = frozenset(
    getattr(errno, name)
    for name in ("EINVAL", "EILSEQ", "ENAMETOOLONG", "EIO")
    if hasattr(errno, name)
)
"""What file systems answer about a name that they cannot hold."""


class Aliased:
    """`Access` around another one, `inner`. `in_use`: paths that are known to stand under an alias;
    `seconds`: local names of aliases beside which somebody made a file of the real name; `walked`:
    directories of which all such names are known."""

    def __init__(self, inner: Access, steps: Steps, limits: Limits, book: AliasBook) -> None:
        self.inner = inner
        self._steps = steps
        self._limits = limits
        self._book = book
        self._lock = threading.RLock()
        self._listings: OrderedDict[str, Listing] = OrderedDict()
        self.in_use: set[str] = set()
        self.seconds: set[str] = set()
        self.walked: set[str] = set()

    # -- actions on what stands there

    def lstat(self, path: str) -> os.stat_result:
        with self._lock:
            return self.inner.lstat(self._resolve(path))

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        with self._lock:
            if flags & os.O_CREAT:
                return self._create(path, lambda local: self.inner.open(local, flags, mode))
            return self.inner.open(self._resolve(path), flags, mode)

    def read_link(self, path: str) -> str:
        with self._lock:
            return self.inner.read_link(self._resolve(path))

    def remove_directory(self, path: str) -> None:
        with self._lock:
            local = self._resolve(path)
            self.inner.remove_directory(local)
            self._left(path, local)

    def unlink(self, path: str) -> None:
        with self._lock:
            local = self._resolve(path)
            self.inner.unlink(local)
            self._left(path, local)

    def exchange(self, source: str, target: str) -> None:
        with self._lock:
            self.inner.exchange(self._resolve(source), self._resolve(target))

    def set_times(self, path: str, nanoseconds: int) -> None:
        with self._lock:
            self.inner.set_times(self._resolve(path), nanoseconds)

    def open_directory(self, path: str) -> OpenDirectory:
        with self._lock:
            local = self._resolve(path)
            return AliasedDirectory(self, self.inner.open_directory(local), path, local)

    def sync_all(self) -> bool:
        return self.inner.sync_all()

    def forget(self) -> None:
        with self._lock:
            self._listings.clear()
            self.inner.forget()

    # -- actions that make a name

    def make_directory(self, path: str, mode: int) -> None:
        with self._lock:
            self._create(path, lambda local: self.inner.make_directory(local, mode))

    def symlink(self, text: str, path: str) -> None:
        with self._lock:
            self._create(path, lambda local: self.inner.symlink(text, local))

    def link(self, source: str, target: str) -> None:
        with self._lock:
            old = self._resolve(source)
            self._create(target, lambda local: self.inner.link(old, local))

    def rename(self, source: str, target: str) -> None:
        self._rename(source, target, self.inner.rename)

    def rename_new(self, source: str, target: str) -> None:
        self._rename(source, target, self.inner.rename_new)

    def _rename(self, source: str, target: str, rename: Callable[[str, str], None]) -> None:
        """A file that changes only its spelling goes over its alias, which is never lost sight of:
        no system call says what it does with two spellings of one file."""
        with self._lock:
            old = self._resolve(source)
            self._create(target, lambda local: rename(old, local))
            self._left(source, old)
            self._moved_below(source, target)
            if target in self.in_use:
                with suppress(OSError, FolderError):
                    self._straighten(target)

    def _create(self, path: str, action: Callable[[str], _T]) -> _T:
        """`action` on the local path under which `path` shall stand."""
        if is_own(path):
            return action(path)
        directory = self._resolve(parent_of(path))
        name = leaf_of(path)
        local = self._find(directory, name)
        if local is None:
            local = self._free(directory, name)
        try:
            made = action(join(directory, local))
        except (OSError, NameImpossible) as error:
            alias = self._second_try(directory, name, local, error)
            if alias is None:
                raise
            made, local = action(join(directory, alias)), alias
        self._names(directory).add(local)
        if local != name:
            self.in_use.add(path)
        return made

    def _second_try(
        self, directory: str, name: str, local: str, error: OSError | NameImpossible
    ) -> str | None:
        """The alias, where the file system refused the name itself, which nobody knew before."""
        if local != name:
            return None
        if isinstance(error, FileExistsError):
            self._listings.pop(directory, None)
            if self._find(directory, name) is not None:
                return None
        elif isinstance(error, OSError) and error.errno not in _REFUSED:
            return None
        return self._alias(directory, name)

    # -- names

    def named(self, path: str, local: str, entries: list[Entry]) -> list[Entry]:
        """The entries of a directory under the names of the log."""
        if is_own(path):
            return entries
        with self._lock:
            self.walked.add(path)
            listing = Listing(self._limits, (entry.name for entry in entries))
            self._keep(local, listing)
            return [
                found
                for entry in entries
                if (found := self._named(path, local, entry, listing)) is not None
            ]

    def _named(self, path: str, local: str, entry: Entry, listing: Listing) -> Entry | None:
        name = self._book.name_of(entry.name)
        if name is None:
            return entry
        if self._is_able(name) and name in listing:
            self.seconds.add(join(local, entry.name))
            return None
        self.in_use.add(join(path, name))
        return AliasEntry(entry, name)

    def local_leaf(self, directory: str, name: str) -> str:
        """The local name of `name` in a local directory. Raises FileNotFoundError."""
        with self._lock:
            found = self._find(directory, name)
            if found is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            return self._names(directory).written(found)

    def local_path(self, path: str) -> str | None:
        """The local path of what stands at `path`; None where nothing does."""
        try:
            with self._lock:
                return self._resolve(path)
        except (OSError, FolderError):
            return None

    def _resolve(self, path: str) -> str:
        if not path or is_own(path):
            return path
        local = ""
        for part in path.split("/"):
            local = join(local, self.local_leaf(local, part))
        return local

    def _find(self, directory: str, name: str) -> str | None:
        """Its own name before its alias. What is in no listing is looked for once more."""
        listing = self._names(directory)
        alias = self._book.alias_of(name)
        possible = [local for local in (name if self._is_able(name) else None, alias) if local]
        for local in possible:
            if local in listing:
                return local
        for local in possible:
            if self._stands(join(directory, local)):
                self._listings.pop(directory)
                return local if local in self._names(directory) else None
        return None

    def _stands(self, local: str) -> bool:
        try:
            self.inner.lstat(local)
        except (OSError, FolderError):
            return False
        return True

    def _free(self, directory: str, name: str) -> str:
        if self._is_free(directory, name):
            return name
        return self._alias(directory, name)

    def _is_free(self, directory: str, name: str) -> bool:
        return self._is_able(name) and not self._names(directory).like(name)

    def _is_able(self, name: str) -> bool:
        """True when the file system can hold `name`, and would be understood."""
        return self._limits.objection(name) is None and self._book.name_of(name) is None

    def _alias(self, directory: str, name: str) -> str:
        return self._book.make(name, self._names(directory))

    def _names(self, directory: str) -> Listing:
        found = self._listings.get(directory)
        if found is None:
            found = Listing(self._limits, iter(list_names(self.inner, directory)))
            self._keep(directory, found)
        else:
            self._listings.move_to_end(directory)
        return found

    def _keep(self, directory: str, listing: Listing) -> None:
        self._listings[directory] = listing
        self._listings.move_to_end(directory)
        while len(self._listings) > _LISTINGS:
            self._listings.popitem(last=False)

    def _left(self, path: str, local: str) -> None:
        """Nothing stands at `path` any more, nor below it."""
        if is_own(path):
            return
        self.in_use.discard(path)
        listing = self._listings.get(parent_of(local))
        if listing is not None:
            listing.remove(leaf_of(local))
        below = local + "/"
        for directory in [d for d in self._listings if d == local or d.startswith(below)]:
            del self._listings[directory]

    def _moved_below(self, source: str, target: str) -> None:
        below = source + "/"
        for path in [path for path in self.in_use if path.startswith(below)]:
            self.in_use.discard(path)
            self.in_use.add(target + path[len(source) :])

    # -- putting names right

    def tidy(self, rank: Callable[[str], str]) -> None:
        """Give back its own name to whatever needs its alias no longer.

        Where names cannot stand side by side, the path of lowest `rank` has its own. What cannot
        be renamed now is left for another time.
        """
        with self._lock:
            for directory in sorted({parent_of(path) for path in self.in_use}):
                with suppress(OSError, FolderError):
                    self._tidy(directory, rank)

    def _tidy(self, path: str, rank: Callable[[str], str]) -> None:
        directory, below = self._resolve(path), join(path, "")
        for rivals in self._rivals(path, directory):
            first, yielding = arrange(rivals, self._limits, lambda name: rank(below + name))
            with suppress(OSError, FolderError):
                for rival in yielding:
                    alias = self._alias(directory, rival.name)
                    self._respell(directory, rival.local, alias)
                    self.in_use.add(below + rival.name)
                if first is not None:
                    self._straighten(below + first.name)

    def _rivals(self, path: str, directory: str) -> list[list[Standing]]:
        """What stands under an alias in a directory, each with all that cannot stand beside it."""
        groups: dict[str, list[Standing]] = {}
        for known in [known for known in self.in_use if parent_of(known) == path]:
            if self._find(directory, leaf_of(known)) is None:
                self.in_use.discard(known)
            else:
                groups[self._limits.key(leaf_of(known))] = []
        listing = self._names(directory)
        for local in listing:
            name = self._book.name_of(local) or local
            group = groups.get(self._limits.key(name))
            is_second = name != local and self._is_able(name) and name in listing
            if group is not None and not is_second:
                group.append(Standing(name, local))
        return list(groups.values())

    def _straighten(self, path: str) -> None:
        """From the alias to its own name, if that is free."""
        directory, name = self._resolve(parent_of(path)), leaf_of(path)
        local = self._find(directory, name)
        if local is None or local == name:
            self.in_use.discard(path)
        elif self._is_free(directory, name):
            self._respell(directory, local, name)
            self.in_use.discard(path)

    def _respell(self, directory: str, old: str, new: str) -> None:
        self._steps("rename alias")
        self.inner.rename_new(join(directory, old), join(directory, new))
        self._left(join(directory, old), join(directory, old))
        self._names(directory).add(new)
