"""A file system that holds fewer names, played on one that holds them all.

Names are matched as a case-folding one matches them and kept as they were written; names that it
cannot hold are refused as FAT refuses them; on demand names are written in NFD, as HFS+ does. All
parts of a path are treated so, not the last one alone.
"""

import errno
import os
import unicodedata

from firnline.core.local_names import CONTROLS, Fold, Limits
from firnline.folder.handles import HandleDirectory, Handles

FAT = Limits(fold=Fold.SIMPLE, forbidden='<>:"|?*\\' + CONTROLS, keeps_end=False)
CASEFOLD = Limits(fold=Fold.FULL, normalizes=True)
NFD = Limits(fold=Fold.FULL, normalizes=True)
ENCRYPTED = Limits(longest=143)


class LimitedFiles(Handles):
    """`Handles` on a directory whose names are limited."""

    def __init__(self, root: str, limits: Limits, *, writes_nfd: bool = False) -> None:
        super().__init__(root)
        self._limits = limits
        self._writes_nfd = writes_nfd

    # -- one path made one that stands there

    def _found(self, path: str) -> str:
        """`path` as it is spelled on disk, where it stands."""
        local = ""
        for part in path.split("/") if path else []:
            if self._limits.objection(part) is not None:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
            local = f"{local}/{self._spelled(local, part)}" if local else self._spelled("", part)
        return local

    def _spelled(self, directory: str, name: str) -> str:
        try:
            names = self._names(directory)
        except OSError:
            names = []
        if name in names:
            return name
        key = self._limits.key(name)
        found = next((n for n in names if self._limits.key(n) == key), name)
        if found == name and self._writes_nfd:
            return unicodedata.normalize("NFD", name)
        return found

    def _names(self, directory: str) -> list[str]:
        opened = super().open_directory(directory)
        try:
            with opened.entries() as entries:
                return [entry.name for entry in entries]
        finally:
            opened.close()

    # -- all actions

    def lstat(self, path: str) -> os.stat_result:
        return super().lstat(self._found(path))

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        return super().open(self._found(path), flags, mode)

    def read_link(self, path: str) -> str:
        return super().read_link(self._found(path))

    def make_directory(self, path: str, mode: int) -> None:
        super().make_directory(self._found(path), mode)

    def remove_directory(self, path: str) -> None:
        super().remove_directory(self._found(path))

    def unlink(self, path: str) -> None:
        super().unlink(self._found(path))

    def rename(self, source: str, target: str) -> None:
        super().rename(self._found(source), self._found(target))

    def rename_new(self, source: str, target: str) -> None:
        super().rename_new(self._found(source), self._found(target))

    def exchange(self, source: str, target: str) -> None:
        super().exchange(self._found(source), self._found(target))

    def link(self, source: str, target: str) -> None:
        super().link(self._found(source), self._found(target))

    def symlink(self, text: str, path: str) -> None:
        super().symlink(text, self._found(path))

    def set_times(self, path: str, nanoseconds: int) -> None:
        super().set_times(self._found(path), nanoseconds)

    def open_directory(self, path: str) -> HandleDirectory:
        return super().open_directory(self._found(path))


class SimpleFiles(LimitedFiles):
    """As FAT: neither links of any kind, nor two names that change places in one step."""

    def exchange(self, source: str, target: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def link(self, source: str, target: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    def symlink(self, text: str, path: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
