"""How a server wants to be told who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firnline.stores.webdav.challenge import Basic, Digest, choose, is_stale, parse_challenges

DIGEST = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={},'
    ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
    ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


def fixed(count: int) -> bytes:
    return b"\1" * count


def test_digest_is_preferred():
    """Of Basic and Digest the one that does not tell the password, and of hashes the better."""
    offered = parse_challenges(['Basic realm="x"', DIGEST.format("MD5"), DIGEST.format("SHA-256")])
    proof = choose(offered, "Mufasa", "Circle of Life", fixed, sealed=True)
    assert isinstance(proof, Digest)
    assert "algorithm=SHA-256" in proof.header("GET", "/dir/index.html")


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_of_the_standard(monkeypatch, algorithm, response):
    """The examples of RFC 7616, section 3.9.1."""
    offered = parse_challenges([DIGEST.format(algorithm)])
    proof = choose(offered, "Mufasa", "Circle of Life", fixed, sealed=False)
    assert isinstance(proof, Digest)
    monkeypatch.setattr(proof, "_cnonce", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    header = proof.header("GET", "/dir/index.html")
    assert f'response="{response}"' in header
    assert "nc=00000001" in header
    assert "nc=00000002" in proof.header("GET", "/dir/index.html")


def test_basic_only_over_a_sealed_line():
    """A password that all can read is not sent."""
    offered = parse_challenges(['Basic realm="x", charset="UTF-8"'])
    assert choose(offered, "u", "p", fixed, sealed=False) is None
    proof = choose(offered, "Aladdin", "open sesame", fixed, sealed=True)
    assert isinstance(proof, Basic)
    assert proof.header("GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_unknown_ways():
    """What is offered and not known is no way to log in."""
    offered = parse_challenges(["Negotiate", 'Digest nonce="x", algorithm=SHA-512-256', "Bearer"])
    assert choose(offered, "u", "p", fixed, sealed=True) is None


def test_stale():
    """A number that is used up is no wrong password."""
    assert is_stale(parse_challenges(['Digest nonce="2", stale=TRUE']))
    assert not is_stale(parse_challenges(['Digest nonce="2"']))


@given(st.lists(st.text(max_size=200), max_size=3))
def test_any_header(headers: list[str]):
    """Whatever a server writes there is read, or left out."""
    for challenge in parse_challenges(headers):
        assert challenge.scheme


@given(st.text('Basic digest="\\ ,=', max_size=60))
def test_headers_that_are_nearly_right(header: str):
    """A quote in the wrong place stops nothing."""
    assert isinstance(parse_challenges([header]), list)
