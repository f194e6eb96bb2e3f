"""Locations of S3 stores, their options, and the keys and URLs that are made of them."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.errors import LocationError, OptionsError
from firnline.stores.s3.address import S3Place, parse_s3, resolve

AT_HOME = {"endpoint": "https://nas.example:9000"}


@pytest.mark.parametrize(
    ("text", "options", "endpoint", "url"),
    [
        (
            "s3://bucket/a/b",
            {},
            "https://bucket.s3.us-east-1.amazonaws.com",
            "/a/b/x%20y",
        ),
        (
            "s3://my.bucket",
            {"region": "eu-west-1"},
            "https://s3.eu-west-1.amazonaws.com",
            "/my.bucket/x%20y",
        ),
        ("s3://bucket/a%20b/", AT_HOME, "https://nas.example:9000", "/bucket/a%20b/x%20y"),
        (
            "s3://bucket",
            {**AT_HOME, "path_style": "no"},
            "https://bucket.nas.example:9000",
            "/x%20y",
        ),
        (
            "s3://bucket/p",
            {"endpoint": "https://host.example/storage/v1/s3/"},
            "https://host.example/storage/v1/s3",
            "/storage/v1/s3/bucket/p/x%20y",
        ),
        (
            "s3://bucket/p",
            {"endpoint": "https://bucket.host.example:443", "path_style": "no"},
            "https://bucket.host.example",
            "/p/x%20y",
        ),
        ("s3://bucket", {"endpoint": "http://[::1]:9"}, "http://[::1]:9", "/bucket/x%20y"),
    ],
)
def test_where_it_is(text, options, endpoint, url):
    """Amazon's buckets have a host of their own, others a path, unless the options say else."""
    address = resolve(parse_s3(text), options)
    assert address.endpoint == endpoint
    assert address.target(address.key("x y")) == url


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_name(name: str):
    """Whatever is in a name stays in the path of the URL, as it is."""
    address = resolve(S3Place("bucket", "base"), AT_HOME)
    target = address.target(address.key(name))
    assert target.isascii()
    assert set(target) & set("?# +&=") == set()
    assert unquote(target) == f"/bucket/base/{name}"


@pytest.mark.parametrize(
    "text",
    [
        "s3://key:canary@bucket/x",
        "s3://key@bucket/x",
        "s3:///x",
        "s3://bucket:80/x",
        "s3://b/x",
        "s3://a..b/x",
        "s3://bucket/a/../b",
        "s3://bucket/a//b",
        "s3://bucket/a?canary",
        "s3://bucket/a#",
        "s3://bucket/%0d%0aX",
        "s3://bucket/%ff",
        "s3://bucket/" + "x" * 401,
        "s3://[bucket/x",
    ],
)
def test_refused(text):
    """What is no address is refused, and never repeated: it may hold a secret."""
    with pytest.raises(LocationError) as caught:
        parse_s3(text)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "nas.example"},
        {"endpoint": "ftp://nas.example"},
        {"endpoint": "https://me:canary@nas.example"},
        {"endpoint": "https://nas.example?x=y"},
        {"endpoint": "https://nas.example:x"},
        {"region": "over there"},
        {**AT_HOME, "path_style": "perhaps"},
        {"endpoint": "http://nas.example"},
        {"endpoint": "http://127.evil.example"},
        {"endpoint": "http://127.0.0.1.evil.example:9000"},
    ],
)
def test_options_that_say_nothing_sensible(options):
    """They are refused, and so is a line that everybody on the way could read."""
    with pytest.raises(OptionsError) as caught:
        resolve(parse_s3("s3://bucket"), options)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "http://localhost:9000"},
        {"endpoint": "http://127.0.0.1:9000"},
        {"endpoint": "http://nas.example", "unencrypted": "yes"},
    ],
)
def test_without_tls(options):
    """On this computer, or where the user says that it may be."""
    assert resolve(parse_s3("s3://bucket"), options).scheme == "http"
