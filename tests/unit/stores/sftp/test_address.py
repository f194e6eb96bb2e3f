"""`sftp://…`, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.errors import LocationError
from firnline.stores.sftp.address import SftpAddress, parse_sftp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sftp://nas/srv/files", SftpAddress("nas", 22, None, "/srv/files")),
        ("SFTP://me@NAS:2222/a b/", SftpAddress("nas", 2222, "me", "/a b")),
        ("sftp://me@[::1]/x", SftpAddress("::1", 22, "me", "/x")),
        ("sftp://nas/", SftpAddress("nas", 22, None, "")),
        ("sftp://a%40b@nas/%23%3F%25", SftpAddress("nas", 22, "a@b", "/#?%")),
    ],
)
def test_addresses(text, expected):
    """User and port may be missing; what is escaped is taken as what it stands for."""
    assert parse_sftp(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sftp://",
        "sftp:///path",
        "sftp://nas",
        "sftp://nas:port/x",
        "sftp://nas:99999/x",
        "sftp://[::1/x",
        "sftp://nas/x?y",
        "sftp://nas/x#y",
        "sftp://nas/%00",
        "sftp://nas/a%0Ab",
        "ftp://nas/x",
    ],
)
def test_what_is_none(text):
    """What is no such address is refused with the form that is needed."""
    with pytest.raises(LocationError):
        parse_sftp(text)


def test_no_password_in_a_location():
    """A password is refused with advice, and never repeated."""
    with pytest.raises(LocationError, match="never holds a password") as caught:
        parse_sftp("sftp://me:canary@nas/x")
    assert "canary" not in str(caught.value)


def test_the_server_for_people():
    """A server is written as people write it."""
    assert SftpAddress("nas", 22, None, "").server == "nas"
    assert SftpAddress("::1", 2222, None, "").server == "[::1]:2222"


@given(st.text())
def test_any_text(rest):
    """Any text is an address or refused."""
    try:
        address = parse_sftp(f"sftp://{rest}")
    except LocationError:
        return
    assert address.host
    assert not address.path.endswith("/")
