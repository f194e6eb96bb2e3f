"""Servers that are odd, hostile, or not the right ones."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.servers.odd_server import Asked, OddServer, Told, multistatus, odd_server, resource
from tests.servers.process import HOST
from tests.servers.webdav_stores import on_webdav

from firnline.engine.system import SystemClock
from firnline.stores.base import Store
from firnline.stores.errors import (
    BusyError,
    CorruptError,
    CredentialsError,
    DeniedError,
    FullError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
    UntrustedError,
)
from firnline.stores.webdav.address import parse_webdav
from firnline.stores.webdav.store import connection_by

PAGE = Told(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>")
BASE = multistatus(resource("/dav/", directory=True))
Answer = Callable[[Asked], Told | None]


def after_opening(answer: Answer) -> Callable[[Asked], Told]:
    """A store that is there; everything else as `answer` says, where it says something."""

    def script(asked: Asked) -> Told:
        if asked.path == "/dav/" and asked.method == "PROPFIND":
            return BASE
        return answer(asked) or Told(404)

    return script


def open_store(server: OddServer, password: str | None = None) -> Store:
    return on_webdav(f"webdav://me@{HOST}:{server.port}/dav", None, password=password)


def with_answer(told: Told, call: Callable[[Store], object]) -> type[StoreError]:
    """The error that a call ends with when everything below the base is answered with `told`."""
    with odd_server(after_opening(lambda asked: told)) as server:
        store = open_store(server)
        try:
            with pytest.raises(StoreError) as caught:
                call(store)
        finally:
            store.close()
    return caught.type


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, DeniedError),
        (404, NotFoundError),
        (423, ServerError),
        (500, ServerError),
        (502, ServerError),
        (503, BusyError),
        (429, BusyError),
        (507, FullError),
        (204, ServerError),
        (418, DeniedError),
    ],
)
def test_statuses(status, expected):
    """Each status is the error that says whether waiting helps."""
    assert with_answer(Told(status), lambda store: store.read_small("a", 10)) is expected


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("17", 17.0),
        ("x", None),
        ("", None),
        ("9" * 9, 86_400.0),
        ("Fri, 21 Oct 2095 07:28:00 GMT", 86_400.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00", None),
    ],
)
def test_patience(said, seconds):
    """How long to wait is what the server says, and a day at most."""
    answer = Told(429, {"Retry-After": said})
    with odd_server(after_opening(lambda asked: answer)) as server:
        store = open_store(server)
        with pytest.raises(BusyError) as caught:
            store.size("a")
        assert caught.value.seconds == seconds
        store.close()


def test_a_login_page_for_everything():
    """A page instead of a store is a store that is away, not one that is empty."""
    with odd_server(lambda asked: PAGE) as server, pytest.raises(UnavailableError, match="page"):
        open_store(server)


def test_a_login_page_in_the_middle():
    """A page that comes later is no file and no empty directory."""
    assert with_answer(PAGE, lambda store: list(store.list("d"))) is ServerError
    assert with_answer(PAGE, lambda store: store.read_small("a", 100)) is ServerError
    assert with_answer(PAGE, lambda store: store.size("a")) is ServerError


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/dav/",
        "https://127.0.0.1/dav/",
        "http://other.example/dav/",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "//other.example/",
        "http://me:x@[::1/",
        "",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_elsewhere(target, status):
    """Nobody is followed to another server or scheme, and no endless ring is walked."""
    asked_in_all = []

    def script(asked: Asked) -> Told:
        asked_in_all.append(asked)
        return Told(status, {"Location": target})

    with odd_server(script) as server, pytest.raises((DeniedError, UnavailableError)):
        open_store(server, "canary")
    assert len(asked_in_all) <= 7
    assert not any("Authorization" in asked.headers for asked in asked_in_all)


def test_a_redirect_on_the_same_server():
    """To a path with a slash, for example, a question is followed."""

    def script(asked: Asked) -> Told:
        return BASE if asked.path == "/real/" else Told(301, {"Location": "/real/"})

    with odd_server(script) as server:
        open_store(server).close()
        assert [asked.path for asked in server.asked] == ["/dav/", "/real/"]


def test_a_wrong_password_is_tried_once():
    """Each further try brings a lock-out nearer."""
    refusal = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})
    with odd_server(lambda asked: refusal) as server:
        with pytest.raises(CredentialsError):
            open_store(server, "canary")
        assert len([each for each in server.asked if "Authorization" in each.headers]) == 1


def test_no_password():
    """A server that wants one, and nobody has it."""
    refusal = Told(401, {"WWW-Authenticate": 'Basic realm="x"'})
    with odd_server(lambda asked: refusal) as server, pytest.raises(CredentialsError):
        open_store(server)


def test_an_open_line():
    """Without TLS nothing goes to another computer, unless the user says so."""
    address = parse_webdav("webdav://me@nas.example/dav")
    with pytest.raises(DeniedError, match="webdavs"):
        connection_by(address, {}, lambda: None)
    connection_by(address, {"unencrypted": "yes"}, lambda: None)


def test_hrefs_elsewhere():
    """A listing has what lies in the directory, however it is written, and nothing else."""
    answer = multistatus(
        resource("/dav/d/", directory=True),
        resource("http://inside:8080/dav/d/%61bsolute", size=1),
        resource("/dav/d/a%2Fb"),
        resource("/dav/d/..%2f"),
        resource("/dav/d/../x"),
        resource("/etc/passwd"),
        resource("/dav/d/deep/er"),
        resource("/dav/d/gone", status=404),
    )
    with odd_server(after_opening(lambda asked: answer)) as server:
        store = open_store(server)
        found = [entry.name for entry in store.list("d")]
        store.close()
    assert "absolute" in found
    assert not any("/" in name or name in ("passwd", "x", "er", "..") for name in found)


def test_a_listing_that_is_cut_off():
    """A server that says that it lists only a part is not believed to list all."""
    part = resource("/dav/d/a")
    cut = "<D:response><D:href>/dav/d/</D:href><D:status>HTTP/1.1 507 X</D:status></D:response>"
    assert with_answer(multistatus(part, cut), lambda s: list(s.list("d"))) is ServerError
    half = multistatus(part)
    half = half._replace(body=half.body[:-10])
    assert with_answer(half, lambda store: list(store.list("d"))) is ServerError


def test_a_body_that_is_cut():
    """Less than was said is a break, never a short file."""
    cut = Told(200, {}, b"half", length=8)
    assert with_answer(cut, lambda store: store.read_small("a", 100)) is UnavailableError


@pytest.mark.parametrize(
    "told",
    [
        Told(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"),
        Told(200, {}, b"x" * 200),
    ],
    ids=["packed", "large"],
)
def test_bodies_that_are_refused(told):
    """What unpacks to anything, and what is larger than a small file is."""
    assert with_answer(told, lambda store: store.read_small("a", 100)) is CorruptError


def test_large_headers():
    """Headers without end are not taken."""
    told = Told(200, {"X-Long": "x" * 1_000_000}, b"body")
    assert with_answer(told, lambda store: store.read_small("a", 100)) is UnavailableError


def test_a_range_that_is_ignored():
    """A server that sends the whole file instead of a range costs time, not content."""
    with odd_server(after_opening(lambda asked: Told(200, {}, b"0123456789"))) as server:
        store = open_store(server)
        with store.open("a", 3, 4) as reader:
            assert (reader.size, reader.read(10)) == (10, b"3456")
        store.close()


def test_another_range():
    """A range that was not asked for is refused."""
    told = Told(206, {"Content-Range": "bytes 0-3/10"}, b"0123")
    assert with_answer(told, lambda store: store.open("a", 3, 4)) is CorruptError


def certificate(place: Path, days: int) -> ssl.SSLContext:
    """Of a server that nobody vouches for; it expires in `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = place / "server.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("days", [-1, 30], ids=["expired", "of-another-host"])
def test_certificates(tmp_path, days):
    """A certificate that nobody vouches for is refused with its fingerprint; pinned, it is the
    right one, and another is not."""
    with odd_server(lambda asked: BASE, certificate(tmp_path, days)) as server:
        location = f"webdavs://me@{HOST}:{server.port}/dav"
        with pytest.raises(UntrustedError) as caught:
            on_webdav(location, None)
        assert caught.value.known is None
        assert server.asked == []
        seen = caught.value.seen
        on_webdav(location, None, options={"fingerprint": seen}).close()
        before = len(server.asked)
        other = seen[:-2] + ("00" if seen[-2:] != "00" else "11")
        with pytest.raises(UntrustedError) as caught:
            on_webdav(location, None, options={"fingerprint": other})
        assert (caught.value.seen, caught.value.known) == (seen, other)
        assert len(server.asked) == before


def test_old_tls(tmp_path):
    """What can be broken is not used."""
    context = certificate(tmp_path, 30)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with odd_server(lambda asked: BASE, context) as server:
        with pytest.raises((DeniedError, UnavailableError)):
            on_webdav(f"webdavs://me@{HOST}:{server.port}/dav", None)
        assert server.asked == []


def test_lengths_are_told():
    """Every body has its length, an empty one as well, since some servers keep nothing else."""
    sent = []

    def script(asked: Asked) -> Told:
        if asked.method == "PROPFIND":
            return BASE if asked.path == "/dav/" else Told(404)
        sent.append(asked)
        return Told(201)

    with odd_server(script) as server:
        store = on_webdav(f"webdav://{HOST}:{server.port}/dav", "0" * 16)
        store.put_many([("a", b""), ("b", b"12345")])
        with store.upload() as upload:
            upload.write(b"x" * 3_000_000)
            upload.commit("c")
        store.close()
    puts = [asked for asked in sent if asked.method == "PUT"]
    assert sorted(int(each.headers["Content-Length"]) for each in puts) == [0, 5, 3_000_000]
    assert not any("Transfer-Encoding" in each.headers for each in puts)
