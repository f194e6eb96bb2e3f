"""What a hostile or odd server may say of its names."""

import asyncssh
import pytest

from firnline.stores.base import Listed
from firnline.stores.sftp.reading import listed
from firnline.stores.sftp.wire import status_of

FILE, DIRECTORY, LINK = 0o100644, 0o040755, 0o120777


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/etc/passwd", b"../x", b"a\0b"])
def test_names_that_are_none(name: bytes):
    """Names that lead elsewhere are left out, whatever the server says they are."""
    for mode in (FILE, DIRECTORY):
        assert listed(name, status_of(asyncssh.SFTPAttrs(permissions=mode)), sizes=True) is None


def test_names_that_are_some():
    """Files have a size where it was asked for; links and what is unknown are left out."""
    file = status_of(asyncssh.SFTPAttrs(permissions=FILE, size=7))
    assert listed(b"a", file, sizes=True) == Listed("a", 7, False)
    assert listed(b"a", file, sizes=False) == Listed("a", None, False)
    directory = status_of(asyncssh.SFTPAttrs(permissions=DIRECTORY, size=4096))
    assert listed(b"d", directory, sizes=True) == Listed("d", None, True)
    assert listed(b"l", status_of(asyncssh.SFTPAttrs(permissions=LINK)), sizes=True) is None
    assert listed(b"?", status_of(asyncssh.SFTPAttrs()), sizes=True) is None
    name = listed(b"\xff", file, sizes=False)
    assert name is not None
    name.name.encode()
