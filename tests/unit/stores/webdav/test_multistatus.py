"""Answers to PROPFIND, honest and hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.odd_server import multistatus, resource

from firnline.stores.webdav.multistatus import (
    MultistatusError,
    MultistatusReader,
    Resource,
    name_below,
    path_parts,
)


def read(body: bytes, piece: int = 7) -> list[Resource]:
    reader = MultistatusReader()
    found = [
        resource
        for start in range(0, len(body), piece)
        for resource in reader.feed(body[start : start + piece])
    ]
    reader.close()
    return found


def test_an_answer():
    """Names, sizes and kinds, in whatever pieces they come."""
    body = multistatus(
        resource("/d/", directory=True), resource("http://other:1/d/a%20b", size=12)
    ).body
    assert read(body) == [
        Resource(("d",), True, 0, None, 200),
        Resource(("d", "a b"), False, 12, None, 200),
    ]


def test_properties_of_another_status():
    """A property that there is not says nothing, nor does an href inside a property."""
    body = (
        b'<x:multistatus xmlns:x="DAV:"><x:response><x:href>/a</x:href><x:propstat><x:prop>'
        b"<x:getcontentlength>5</x:getcontentlength><x:owner><x:href>/me</x:href></x:owner>"
        b"</x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat><x:propstat><x:prop>"
        b"<x:quota-available-bytes>-3</x:quota-available-bytes><x:resourcetype><x:collection/>"
        b"</x:resourcetype></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat>"
        b"</x:response></x:multistatus>"
    )
    assert read(body) == [Resource(("a",), False, 5, None, 200)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Log in</body></html>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>",
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        b"<!DOCTYPE x SYSTEM 'http://169.254.169.254/'><x/>",
        b'<D:multistatus xmlns:D="DAV:">' + b"<a>" * 100_000,
        b'<D:multistatus xmlns:D="DAV:"><D:response><D:href>' + b"x" * 100_000,
        multistatus(resource("/d/")).body[:-5],
        b'<D:multistatus xmlns:D="DAV:">' + b"\xff\xfe",
    ],
    ids=["empty", "page", "laughs", "file", "outside", "deep", "long", "cut", "garbled"],
)
def test_refused(body):
    """What no honest server sends is refused before it costs anything; so is half an answer."""
    with pytest.raises(MultistatusError):
        read(body, 4096)


@pytest.mark.parametrize(
    ("href", "name"),
    [
        ("/dav/d/a", "a"),
        ("/dav/d/a/", "a"),
        ("https://other.example/dav/d/a", "a"),
        ("/dav/d/%61", "a"),
        ("/dav/d/", None),
        ("/dav/d/a/b", None),
        ("/dav/other/a", None),
        ("/dav/d/..", None),
        ("/dav/d/%2e%2e", None),
        ("/dav/d/../../a", None),
        ("/dav/d/a%2Fb", None),
        ("/dav/d/a%00", None),
        ("a", None),
        ("", None),
    ],
)
def test_names(href, name):
    """Only what lies directly in the directory that was asked for is a name in it."""
    assert name_below(path_parts(href), ("dav", "d")) == name


@given(st.text(max_size=50))
def test_any_href(href: str):
    """An href is a path or an error, and its name never leads anywhere."""
    try:
        name = name_below(path_parts(href), ())
    except MultistatusError:
        return
    assert name is None or ("/" not in name and name not in ("", ".", ".."))
