"""Which places may never answer, and whether one does."""

import os
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from firnline.engine import mounts
from firnline.engine.mounts import answers, can_hang, mount_points

TABLE = r"""21 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
22 21 0:21 / /proc rw,nosuid - proc proc rw
30 21 0:40 / /mnt/nas rw,relatime shared:2 master:3 - nfs4 nas:/export rw,hard
31 21 0:41 / /mnt/my\040share\134 rw - cifs //nas/share rw
32 21 8:17 / /media/stick rw - fuseblk /dev/sdb1 rw
33 21 0:42 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
34 21 8:33 / /mnt/local rw shared:9 - xfs /dev/sdc1 rw
"""


def test_table_of_mounts() -> None:
    """Network and FUSE file systems are found whatever stands between, under their real names."""
    assert mount_points(TABLE) == {
        "/mnt/nas",
        "/mnt/my share\\",
        "/media/stick",
        "/run/user/1000/gvfs",
    }


def test_root_of_the_system_is_local() -> None:
    """A container may stand on FUSE as a whole: nothing would run if that did not answer."""
    assert mount_points("21 1 0:40 / / rw - fuse.overlayfs overlay rw\n") == set()


def test_local_disk(tmp_path: Path) -> None:
    """What this test stands on is asked nothing."""
    assert not can_hang(tmp_path)


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows gives up by itself")


@posix
def test_links_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path leads to a mount through links, absolute, relative or one after the other; also one
    that is not there at all."""
    point = tmp_path.resolve() / "mnt" / "nas"
    point.mkdir(parents=True)
    near = tmp_path / "near"
    near.mkdir()
    (tmp_path / "absolute").symlink_to(point)
    (near / "relative").symlink_to("../mnt")
    (tmp_path / "twice").symlink_to("near/relative/nas/deep")
    (tmp_path / "ring").symlink_to("ring")
    monkeypatch.setattr(mounts, "_points", lambda: {str(point)})
    monkeypatch.chdir(near)
    for path in ("mnt/nas", "absolute/x", "near/relative/nas", "twice", "near/../mnt/nas/x"):
        assert can_hang(tmp_path / path), path
    assert can_hang(Path("relative/nas"))
    for path in ("", "near", "near/relative", "mnt/nasty", "mnt/nas/..", "ring", "mnt/missing"):
        assert not can_hang(tmp_path / path) or path == "mnt/nas/..", path


@posix
def test_mounted_volumes_of_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no table to read there: all that is mounted counts."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert can_hang(Path("/Volumes/nas/store"))
    assert not can_hang(Path("/Users/anna"))


def test_system_without_a_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is known then, and nothing done."""
    monkeypatch.setattr(mounts, "_TABLE", str(tmp_path / "missing"))
    assert not can_hang(Path("/mnt/nas"))


@posix
def test_whatever_is_there_is_an_answer(tmp_path: Path) -> None:
    """A file, none, no directory: the place answers. Names are not read by the shell."""
    (tmp_path / "file").touch()
    odd = tmp_path / "-x $(touch surprise); 'a\nb"
    odd.mkdir()
    for path in (tmp_path, tmp_path / "file", tmp_path / "missing", odd):
        assert answers(path, "file")
        assert answers(path, "missing")
    assert not list(tmp_path.rglob("surprise"))


@posix
def test_no_answer(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes takes for ever; it is given up, and its child ended."""
    os.mkfifo(tmp_path / "file")
    assert not answers(tmp_path, "file", 0.01)


@posix
def test_no_child_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is tried all the same then."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(os, "posix_spawn", refuse)
    assert answers(tmp_path, "file")


def test_the_child_is_told_no_secret(tmp_path: Path) -> None:
    """Its environment is empty: passwords of stores may stand in ours."""
    with patch("firnline.engine.mounts.os.posix_spawn", wraps=os.posix_spawn) as spawn:
        assert answers(tmp_path, "x")
    assert spawn.call_args.args[2] == {}
