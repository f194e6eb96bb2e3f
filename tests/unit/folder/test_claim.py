"""One process at a time works in a folder."""

import errno
import os
from pathlib import Path

import pytest
from tests.unit.folder.conftest import FOLDER_ID

from firnline.folder import claim, marker
from firnline.folder.claim import InUse, claimed
from firnline.folder.filesystem import Root


def test_second_instance_waits(root: Root, folder: Path):
    """Second instance, of another profile on the same directory: it is refused at once, and gets
    the folder when the first one is done."""
    with Root(str(folder)) as other:
        with claimed(root), pytest.raises(InUse), claimed(other):
            pytest.fail("both are at work")
        with claimed(other):
            pass


def test_folder_without_a_marker(tmp_path: Path):
    """It is away: there is nothing to hold, and nothing is made."""
    with Root(str(tmp_path)) as root, claimed(root), claimed(root):
        assert os.listdir(tmp_path) == []


def test_file_system_without_locks(root: Root, monkeypatch: pytest.MonkeyPatch):
    """Then the folder is used all the same."""

    def unknown(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(claim, "_lock", unknown)
    with claimed(root), claimed(root):
        assert marker.check(root, FOLDER_ID, None)
