"""Locations of WebDAV stores, and the URLs that are made of them."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.errors import DeniedError, LocationError
from firnline.stores.webdav.address import parse_webdav
from firnline.stores.webdav.fingerprint import parse_fingerprint, show_fingerprint


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("webdavs://me@cloud.example/remote.php/dav", "https://cloud.example/remote.php/dav/a%20b"),
        ("webdav://127.0.0.1:8080", "http://127.0.0.1:8080/a%20b"),
        ("webdavs://[::1]:444/x%20y/", "https://[::1]:444/x%20y/a%20b"),
    ],
)
def test_urls(text, url):
    """The scheme, the port and the path of the location lead to the file."""
    assert parse_webdav(text).url("a b") == url


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_any_name(name: str):
    """Whatever is in a name stays in the path of the URL."""
    name = name.replace("/", "-")
    url = parse_webdav("webdavs://host/base").url(name)
    parts = urlsplit(url)
    assert (parts.netloc, parts.query, parts.fragment) == ("host", "", "")
    assert unquote(parts.path) == f"/base/{name}"


@pytest.mark.parametrize(
    "text",
    [
        "webdavs://me:canary@host/",
        "webdavs:///path",
        "webdavs://host/a/../b",
        "webdavs://host/a//b",
        "webdavs://host/a?b",
        "webdavs://host/a#",
        "webdavs://host:x/",
        "webdavs://host/%0d%0aX",
        "webdavs://host/%ff",
    ],
)
def test_refused(text):
    """What is no address is refused, and never repeated: it may hold a password."""
    with pytest.raises(LocationError) as caught:
        parse_webdav(text)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ("webdav://localhost/x", True),
        ("webdav://127.0.0.2/x", True),
        ("webdav://[::1]/x", True),
        ("webdav://nas.local/x", False),
        ("webdav://localhost.example/x", False),
        ("webdavs://nas.local/x", True),
    ],
)
def test_who_can_read_along(text, sealed):
    """Nobody on TLS, nobody on this computer, anybody else."""
    assert parse_webdav(text).is_sealed is sealed


@given(st.binary(min_size=32, max_size=32))
def test_fingerprints(digest: bytes):
    """A fingerprint is read as it is shown, and as other programs write it."""
    shown = show_fingerprint(digest)
    for text in (shown, digest.hex(), f"sha256:{digest.hex(' ')}"):
        assert parse_fingerprint(text) == digest


@pytest.mark.parametrize("text", ["", "SHA256:", "SHA1:" + "00" * 20, "00" * 31, "0g" * 32])
def test_no_fingerprint(text):
    """What is no SHA-256 is said, and pins nothing."""
    with pytest.raises(DeniedError):
        parse_fingerprint(text)
