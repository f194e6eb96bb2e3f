"""File systems that can do less, played on one that can do all."""

import errno
import os

import pytest

from firnline.folder import kernel
from firnline.folder.area import list_names
from firnline.folder.handles import Handles

WAYS = ("exchange", "links", "renames")


class NoExchange(Handles):
    """As ext4 before Linux 3.15, or NFS: no two names change places."""

    def exchange(self, source: str, target: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class NoLinks(NoExchange):
    """As FAT: no hard links either."""

    def link(self, source: str, target: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class FoldsCase(Handles):
    """As on macOS and Windows: two spellings of the last part are one name."""

    def lstat(self, path: str) -> os.stat_result:
        return super().lstat(self._spelled(path))

    def rename_new(self, source: str, target: str) -> None:
        if self._spelled(target) != target:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        super().rename_new(source, target)

    def _spelled(self, path: str) -> str:
        directory, slash, leaf = path.rpartition("/")
        for name in list_names(self, directory):
            if name.casefold() == leaf.casefold():
                return f"{directory}{slash}{name}"
        return path


def access_of(way: str, path: str) -> Handles:
    """The access under which a replacement goes one of `WAYS`."""
    kinds = {"exchange": Handles, "links": NoExchange, "renames": NoLinks}
    return kinds[way](path)


def without_renameat2(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system, or a file system, that does not know the flags of a rename."""

    def unknown(*arguments: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(kernel, "rename_exclusive", unknown)
    monkeypatch.setattr(kernel, "exchange", unknown)
