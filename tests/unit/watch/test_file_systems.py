"""Where nothing tells of what other computers do."""

import os
import sys
from pathlib import Path

import pytest

from firnline.watch import file_systems
from firnline.watch.file_systems import is_remote, kind_at, remote_kind

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
35 22 0:30 / /mnt/nas rw - nfs4 nas:/export rw,vers=4.2
36 22 0:31 / /mnt/nas\\040two rw shared:2 master:1 - fuse.sshfs me@host:/ rw
37 35 0:32 / /mnt/nas/local rw - tmpfs none rw
38 22 0:33 / /twice rw - tmpfs none rw
39 22 0:34 / /twice rw - cifs //host/share rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/me/Documents", "ext4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/deep/down", "nfs4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/nas/local/x", "tmpfs"),
        ("/mnt/nas two/x", "fuse.sshfs"),
        ("/twice", "cifs"),
    ],
)
def test_the_innermost_mount_counts(path, kind):
    """And of two at one place the later one, which hides the other."""
    assert kind_at(MOUNTS, path) == kind


def test_a_system_without_mounts():
    """Nothing is known then."""
    assert kind_at("", "/home") == ""


@pytest.mark.parametrize(
    ("kind", "remote"),
    [
        ("ext4", False),
        ("btrfs", False),
        ("fuseblk", False),
        ("overlay", False),
        ("nfs", True),
        ("cifs", True),
        ("9p", True),
        ("fuse.sshfs", True),
        ("fuse.rclone", True),
        ("fuse.gocryptfs", False),
        ("", False),
    ],
)
def test_kinds(kind, remote):
    """What other computers can change is remote; FUSE is, but for a few known kinds."""
    assert is_remote(kind) is remote


@pytest.mark.parametrize(("kind", "found"), [("nfs4", "nfs4"), ("ext4", None)])
def test_a_place_by_what_is_mounted_there(tmp_path, monkeypatch, kind, found):
    """Links on the way are followed."""
    real = tmp_path / "real place"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    mounts = tmp_path / "mountinfo"
    point = str(real).replace(" ", "\\040")
    mounts.write_text(f"22 1 254:0 / / rw - ext4 /dev/vda rw\n35 22 0:30 / {point} rw - {kind} x\n")
    monkeypatch.setattr(file_systems, "_MOUNTS", str(mounts))
    monkeypatch.setattr(sys, "platform", "linux")
    assert remote_kind(tmp_path / "link") == found


def test_a_windows_share_by_its_name(monkeypatch):
    """It says itself that it is one."""
    monkeypatch.setattr(os.path, "realpath", str)
    assert remote_kind(Path("\\\\server\\share\\x")) == "network share"


def test_other_systems_do_not_say(tmp_path, monkeypatch):
    """Elsewhere what is local is not told from what is not."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert remote_kind(tmp_path) is None
