"""Trying out names on a disk that has trouble of its own."""

import errno
import os
from pathlib import Path

import pytest

from firnline.folder.errors import FolderError
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles
from firnline.folder.probing import probe


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_trouble_says_nothing_about_names(tmp_path: Path, number: int) -> None:
    """A disk that is full or fails while names are tried out is not taken for one that cannot hold
    them: nothing is found out, and the next pass tries again."""

    class Failing(Handles):
        def open(self, path: str, flags: int, mode: int = 0o600) -> int:
            if path.endswith("K") or "x" * 20 in path:
                raise OSError(number, os.strerror(number))
            return super().open(path, flags, mode)

    (tmp_path / ".firnline").mkdir()
    with Root(str(tmp_path), access=Failing(str(tmp_path))) as root, pytest.raises(FolderError):
        probe(root)
