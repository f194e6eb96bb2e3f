"""From what the user types to a store."""

from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock

from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import LocationError, UnavailableError
from firnline.stores.registry import Location, factory_for, parse_location


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/mnt/usb", "/mnt/usb"),
        ("usb/store", "usb/store"),
        ("~", "~"),
        ("C:\\store", "C:\\store"),
        ("a:b", "a:b"),
        ("with space?", "with space?"),
        ("file:///mnt/usb", "/mnt/usb"),
        ("FILE:///mnt/usb", "/mnt/usb"),
        ("file://localhost/mnt/usb", "/mnt/usb"),
        ("file:///a%20b%3F%23", "/a b?#"),
        ("file:///", "/"),
    ],
)
def test_directories(text, address):
    """A path is taken as it is, a file URL decoded."""
    assert parse_location(text) == Location("directory", address)


@pytest.mark.parametrize(
    "text",
    ["", "a\0b", "file://server/share", "file://", "file:///a?b", "file:///a#b", "file:///a%00b"],
)
def test_no_location(text):
    """What names no place of this computer is refused."""
    with pytest.raises(LocationError):
        parse_location(text)


@pytest.mark.parametrize("scheme", ["ftp", "gopher", "http"])
def test_unsupported(scheme):
    """The message names the scheme and what is supported, and never a password."""
    with pytest.raises(LocationError, match=rf"{scheme}://.*file:///") as caught:
        parse_location(f"{scheme}://user:secret@host/path")
    assert "secret" not in str(caught.value)


def test_sftp():
    """An SFTP location is kept as it is; one with a password is refused, and not repeated."""
    text = "sftp://me@nas:2222/srv/files"
    assert parse_location(text) == Location("sftp", text)
    with pytest.raises(LocationError, match="never holds a password") as caught:
        parse_location("sftp://user:secret@host/path")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["webdav", "webdavs"])
def test_webdav(scheme):
    """A WebDAV location is kept as it is; one with a password is refused, and not repeated."""
    text = f"{scheme}://me@cloud.example/remote.php/dav/files/me"
    assert parse_location(text) == Location("webdav", text)
    with pytest.raises(LocationError, match="never holds a password") as caught:
        parse_location(f"{scheme}://user:secret@host/path")
    assert "secret" not in str(caught.value)


def test_s3():
    """An S3 location is kept as it is; one with keys is refused, and not repeated."""
    assert parse_location("s3://bucket/a/b") == Location("s3", "s3://bucket/a/b")
    with pytest.raises(LocationError, match="holds no keys") as caught:
        parse_location("s3://id:secret@bucket/a")
    assert "secret" not in str(caught.value).replace("the secret is asked", "")


def test_open(tmp_path):
    """A directory opens, relative to the directory that was named."""
    (tmp_path / "store").mkdir()
    factory = factory_for(parse_location("store"), relative_to=tmp_path)
    store = factory(connection="c" * 16, clock=StillClock())
    assert isinstance(store, DirectoryStore)
    store.put_many([("a", b"body")])
    assert (tmp_path / "store" / "a").read_bytes() == b"body"


def test_open_what_is_not_there(tmp_path):
    """Opening makes no directory: a disk that is not plugged in is not there."""
    factory = factory_for(Location("directory", str(tmp_path / "usb")), relative_to=Path("/"))
    with pytest.raises(UnavailableError):
        factory(connection=None, clock=StillClock())
    assert not (tmp_path / "usb").exists()


def test_unknown_kind(tmp_path):
    """A kind from elsewhere, such as a later version's settings, is refused."""
    with pytest.raises(LocationError, match="carrier pigeon"):
        factory_for(Location("carrier pigeon", "host"), relative_to=tmp_path)
