"""Servers that are odd, hostile, or not the right ones."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.servers.certificates import self_signed
from tests.servers.odd_server import Asked, OddServer, Told, odd_server
from tests.servers.process import HOST
from tests.servers.s3_stores import on_s3

from firnline.stores.errors import (
    AlreadyExistsError,
    BusyError,
    CorruptError,
    CredentialsError,
    DeniedError,
    FullError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
)
from firnline.stores.foresight import Questions
from firnline.stores.s3.store import S3Store

PAGE = Told(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>")
EMPTY = Told(200, {}, b"<ListBucketResult/>")
LOOK = "max-keys=1"
FINE = {"ETag": '"e"', "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}
Answer = Callable[[Asked], Told | None]


def refusal(status: int, code: str, headers: dict[str, str] | None = None) -> Told:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    return Told(status, headers or {}, body.encode())


def after_opening(answer: Answer) -> Callable[[Asked], Told]:
    """A bucket that is there; everything else as `answer` says, where it says something."""

    def script(asked: Asked) -> Told:
        if LOOK in asked.path:
            return EMPTY
        return answer(asked) or Told(404)

    return script


def open_store(server: OddServer, connection: str | None = None, scheme: str = "http") -> S3Store:
    options = {"endpoint": f"{scheme}://{HOST}:{server.port}", "key_id": "ID"}
    return on_s3("s3://bucket/base", connection, options)


def with_answer(told: Told, call: Callable[[S3Store], object]) -> StoreError:
    """The error that a call ends with when everything in the bucket is answered with `told`."""
    with odd_server(after_opening(lambda asked: told)) as server:
        store = open_store(server)
        try:
            with pytest.raises(StoreError) as caught:
                call(store)
        finally:
            store.close()
    return caught.value


def put(store: S3Store) -> None:
    store.put_many([("a", b"1")])


CALLS: list[Callable[[S3Store], object]] = [
    lambda store: list(store.list("d")),
    lambda store: store.size("a"),
    lambda store: store.read_small("a", 100),
    lambda store: store.open("a"),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_login_page_in_between(call):
    """A web page with status 200 is no listing, no file and no size."""
    error = with_answer(PAGE, call)
    assert type(error) is ServerError
    assert "login page" in error.detail


def test_a_login_page_at_once():
    """It is recognised when the store is opened."""
    with odd_server(lambda asked: PAGE) as server:
        with pytest.raises(UnavailableError, match="login page"):
            open_store(server)
        assert server.methods() == ["GET"]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (refusal(403, "InvalidAccessKeyId"), CredentialsError),
        (refusal(403, "AccessDenied"), DeniedError),
        (refusal(403, "RequestTimeTooSkewed"), DeniedError),
        (refusal(507, "XMinioStorageFull"), FullError),
        (refusal(400, "EntityTooLarge"), DeniedError),
    ],
)
@pytest.mark.parametrize("call", [CALLS[0], CALLS[2]], ids=["asked", "library"])
def test_refusals(told, kind, call):
    """What we ask ourselves and what the library asks ends with the same error."""
    assert type(with_answer(told, call)) is kind


def test_a_busy_server():
    """`Retry-After` is known of what we ask ourselves; what the library asks is told as busy."""
    told = refusal(503, "SlowDown", {"Retry-After": "7"})
    error = with_answer(told, CALLS[0])
    assert isinstance(error, BusyError)
    assert error.seconds == 7
    assert type(with_answer(told, CALLS[2])) is BusyError


def test_the_wrong_region():
    """The right one is said."""
    told = Told(301, {"x-amz-bucket-region": "eu-west-1"}, b"")
    with odd_server(lambda asked: told) as server, pytest.raises(DeniedError) as caught:
        open_store(server)
    assert "--option region=eu-west-1" in caught.value.detail


@pytest.mark.parametrize("call", [CALLS[0], CALLS[2]], ids=["asked", "library"])
def test_a_redirect_to_another_server(call):
    """Nothing that says who asks gets there."""
    with odd_server(lambda asked: EMPTY) as other:
        told = Told(302, {"Location": f"http://localhost:{other.port}/x"}, b"")
        assert isinstance(with_answer(told, call), StoreError)
        assert not any("authorization" in {n.lower() for n in a.headers} for a in other.asked)


def test_a_listing_in_circles():
    """The same page again and again ends it."""
    body = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>base/d/a</Key>"
        b"<Size>1</Size></Contents><NextContinuationToken>t</NextContinuationToken>"
        b"</ListBucketResult>"
    )
    assert type(with_answer(Told(200, {}, body), CALLS[0])) is CorruptError


def test_a_body_that_ends_early():
    """It raises, and is never taken for the whole."""
    told = Told(200, FINE, b"half", length=8)

    def read(store: S3Store) -> None:
        with store.open("a") as reader:
            reader.read(8)

    assert type(with_answer(told, read)) is UnavailableError


def test_a_copy_that_fails_with_success():
    """An error that comes with status 200 is one."""

    def answer(asked: Asked) -> Told | None:
        return refusal(200, "InternalError") if asked.method == "PUT" else None

    with odd_server(after_opening(answer)) as server:
        store = open_store(server, "0" * 16)
        with pytest.raises(UnavailableError, match="failed"):
            store.copy("a", "b")
        store.close()


def test_a_file_that_is_too_large_to_be_copied(monkeypatch: pytest.MonkeyPatch):
    """It travels over this device; a refusal with another cause is told."""
    kept: dict[str, bytes] = {}

    def answer(asked: Asked) -> Told | None:
        if asked.method != "PUT":
            return Told(200, FINE, b"body")
        if "x-amz-copy-source" in {name.lower() for name in asked.headers}:
            return refusal(400, "InvalidRequest")
        kept[asked.path] = asked.body
        return Told(200, FINE)

    with odd_server(after_opening(answer)) as server:
        store = open_store(server, "0" * 16)
        with pytest.raises(DeniedError, match="InvalidRequest"):
            store.copy("a", "b")
        monkeypatch.setattr("firnline.stores.s3.store._LARGEST_COPY", 3)
        store.copy("a", "b")
        store.close()
    assert kept == {"/bucket/base/b": b"body"}


def test_no_deletion_of_many():
    """A server that cannot remove many at a time is asked for one after the other."""

    def answer(asked: Asked) -> Told | None:
        if asked.method == "POST":
            return refusal(501, "NotImplemented")
        return Told(204) if asked.method == "DELETE" else None

    with odd_server(after_opening(answer)) as server:
        store = open_store(server, "0" * 16)
        store.delete("a")
        store.close()
        removed = [asked.path for asked in server.asked if asked.method == "DELETE"]
    assert removed == ["/bucket/base/a"]


def test_conditions_that_are_ignored():
    """`create` does not trust a header that the server does not heed, and looks before."""
    kept: dict[str, bytes] = {}

    def answer(asked: Asked) -> Told | None:
        if asked.method == "PUT":
            kept[asked.path] = asked.body
            return Told(200, FINE)
        if asked.method == "HEAD" and asked.path in kept:
            return Told(200, FINE, kept[asked.path])
        return EMPTY if "list-type" in asked.path else None

    with odd_server(after_opening(answer)) as server:
        store = open_store(server, "0" * 16)
        assert not store.capabilities.exclusive_create
        store.create("a", b"first")
        with pytest.raises(AlreadyExistsError):
            store.create("a", b"second")
        store.close()
    assert kept["/bucket/base/a"] == b"first"


def test_reading_only():
    """Opened without a connection, it writes nothing."""
    writes: list[Callable[[S3Store], object]] = [
        put,
        lambda store: store.create("a", b""),
        lambda store: store.rename("a", "b"),
        lambda store: store.copy("a", "b"),
        lambda store: store.delete("a"),
        lambda store: store.upload().__enter__(),
    ]
    with odd_server(after_opening(lambda asked: None)) as server:
        store = open_store(server)
        for write in writes:
            with pytest.raises(DeniedError, match="reading only"):
                write(store)
        with pytest.raises(NotFoundError):
            store.read_small("a", 1)
        store.close()
        assert set(server.methods()) == {"GET"}


def test_an_unknown_certificate(tmp_path: Path):
    """Nothing is sent to a server that nobody the system trusts vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path, HOST))
    with odd_server(lambda asked: EMPTY, context) as server:
        with pytest.raises(DeniedError, match="make its authority known") as caught:
            open_store(server, scheme="https")
        assert f"{HOST}:{server.port}" in caught.value.detail
        assert server.asked == []


def test_a_certificate_that_the_system_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """We and the library go by the same authorities."""
    chain = self_signed(tmp_path, HOST)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)

    def answer(asked: Asked) -> Told | None:
        return Told(200, FINE, b"body") if asked.path.endswith("/a") else None

    with odd_server(after_opening(answer), context) as server:
        store = open_store(server, scheme="https")
        assert store.read_small("a", 10) == b"body"
        store.close()


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    """What Amazon's programs read there is not for this store."""
    for name, value in (
        ("AWS_SESSION_TOKEN", "canary"),
        ("AWS_ACCESS_KEY_ID", "canary"),
        ("AWS_ENDPOINT_URL_S3", f"http://{HOST}:1"),
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_REQUEST_PAYER", "true"),
    ):
        monkeypatch.setenv(name, value)
    with odd_server(after_opening(lambda asked: Told(200, FINE, b"body"))) as server:
        store = open_store(server)
        assert store.read_small("a", 10) == b"body"
        store.close()
        headers = {name.lower(): text for name, text in server.asked[-1].headers.items()}
    assert "Credential=ID/" in headers["authorization"]
    assert "canary" not in str(headers)
    assert "x-amz-request-payer" not in headers


def test_answers_in_advance():
    """What was said to be asked is asked once; what is written makes the answers void."""
    tree = (
        b"<ListBucketResult><Contents><Key>base/t/b</Key><Size>4</Size></Contents>"
        b"<CommonPrefixes><Prefix>base/t/d/</Prefix></CommonPrefixes></ListBucketResult>"
    )

    def answer(asked: Asked) -> Told | None:
        if asked.path.startswith("/bucket?"):
            return Told(200, {}, tree) if "prefix=base%2Ft%2F&" in f"{asked.path}&" else EMPTY
        found = asked.path.endswith("/t/b") or asked.method == "PUT"
        return Told(200, FINE, b"body") if found else None

    with odd_server(after_opening(answer)) as server:
        store = open_store(server, "0" * 16)
        names = ["/bucket/base/t/b", "/bucket/base/t/x", "prefix=base%2Ft%2F", "base%2Fl%2F"]
        store.expect(Questions(lists=["l"], trees=["t"], reads=["t/b"], sizes=["t/b", "t/x"]))
        assert list(store.list("l")) == []
        assert sorted(each.name for each in store.list("t")) == ["b", "d"]
        assert list(store.list("t/d")) == []
        assert store.read_small("t/b", 9) == b"body"
        assert (store.size("t/b"), store.size("t/x")) == (4, None)
        counts = {name: sum(name in asked.path for asked in server.asked) for name in names}
        # Of `t/b` the body and the size; below `prefix=base/t/` there is `t/d/`.
        assert counts == dict(zip(names, (2, 1, 2, 1), strict=True))
        store.expect(Questions(reads=["t/b"]))
        put(store)
        assert store.read_small("t/b", 9) == b"body"
        asked = [each for each in server.asked if each.path.endswith("/t/b")]
        store.close()
    assert len(asked) == 4
