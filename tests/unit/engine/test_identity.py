"""Who a device is, and the small private files beside it."""

import os
import stat
from pathlib import Path

import pytest

from firnline.engine.identity import (
    IdentityError,
    make_identity,
    read_identity,
    write_private,
)


def test_identity_is_made_once_and_read_again(tmp_path: Path) -> None:
    """What was made is what is read, and nothing is there before."""
    assert read_identity(tmp_path) is None
    made = make_identity(tmp_path, os.urandom)
    assert read_identity(tmp_path) == made
    assert len(made.device) == 8


def test_two_devices_differ(tmp_path: Path) -> None:
    """Id and token are random."""
    first, second = make_identity(tmp_path, os.urandom), make_identity(tmp_path, os.urandom)
    assert first.device != second.device
    assert first.token != second.token


def test_identity_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """The token is for this user only, also while the umask allows everything."""
    before = os.umask(0)
    try:
        make_identity(tmp_path, os.urandom)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "device.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"[]",
        b'{"device": "aaaaaaaa"}',
        b'{"device": "../../x", "token": "' + b"a" * 32 + b'"}',
        b'{"device": 12345678, "token": "' + b"a" * 32 + b'"}',
        b"[" * 4096,
    ],
)
def test_damaged_identity_is_told_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    """A device never takes a new id by itself: its events would be another's."""
    (tmp_path / "device.json").write_bytes(content)
    with pytest.raises(IdentityError):
        read_identity(tmp_path)
    assert (tmp_path / "device.json").read_bytes() == content


def test_interrupted_write_leaves_what_was_there(tmp_path: Path) -> None:
    """Killed before the rename, the old content stands; the next write goes through."""
    file = tmp_path / "x.json"
    write_private(file, b"old")

    def steps(name: str) -> None:
        if name.startswith("rename"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_private(file, b"new", steps)
    assert file.read_bytes() == b"old"
    write_private(file, b"newer")
    assert file.read_bytes() == b"newer"
