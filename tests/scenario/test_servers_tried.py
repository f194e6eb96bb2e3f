"""What real servers and lines do wrong, one row at a time, as the program calls their stores.

The table is in docs/faults.md; what each kind of store makes of such an answer by itself is tested
with it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.contract.subjects import calling
from tests.servers.odd_server import Asked, Told, odd_server
from tests.servers.openssh import OpenSsh
from tests.servers.process import HOST
from tests.servers.relay import Relay, relay
from tests.servers.s3 import BUCKET, S3Server
from tests.servers.s3_stores import on_s3
from tests.servers.sftp_stores import on_openssh
from tests.servers.tiny_dav import ROOT, TinyDav
from tests.servers.webdav import Apache, WebDavServer
from tests.servers.webdav_stores import new_base, on_webdav
from tests.unit.stores.disks import disk

from firnline.core.circuit import ATTEMPTS
from firnline.stores.base import Store
from firnline.stores.errors import FullError, ServerError, StoreError

CONNECTION = "0123456789abcdef"
MANY = 10_000
BODY = os.urandom(6 << 20)


class Place(NamedTuple):
    """A store on a server, behind a line."""

    line: Relay
    connect: Callable[[int], Store]
    """By the port to connect to."""
    directory: Path
    """The store's base, as the server keeps it on this computer."""

    def open(self) -> Store:
        """As the program calls it."""
        return calling(lambda connection: self.connect(self.line.port))(CONNECTION)


def on_ssh(server: OpenSsh, line: Relay, tmp_path: Path) -> Place:
    base = tmp_path / "store"
    base.mkdir()
    return Place(line, lambda port: on_openssh(server, base, CONNECTION, port=port), base)


def on_dav(server: WebDavServer, line: Relay, tmp_path: Path) -> Place:
    base = new_base(server)
    return Place(
        line,
        lambda port: on_webdav(server.location(base, port), CONNECTION),
        server.files / base,
    )


def on_bucket(server: S3Server, line: Relay, tmp_path: Path) -> Place:
    base = os.urandom(8).hex()
    return Place(
        line,
        lambda port: on_s3(f"s3://{BUCKET}/{base}", CONNECTION, server.options(port)),
        server.place / "files" / BUCKET / base,
    )


KINDS: dict[str, tuple[str, Callable[[Any, Relay, Path], Place]]] = {
    "sftp": ("openssh", on_ssh),
    "webdav": ("apache", on_dav),
    "s3": ("rclone_s3", on_bucket),
}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """On each kind of server in turn."""
    fixture, make = KINDS[request.param]
    server = request.getfixturevalue(fixture)
    with relay(server.port) as line:
        yield make(server, line, tmp_path)


def test_cut_in_the_middle_of_a_body_on_its_way_up(place: Place):
    """It is sent again, and stands whole."""
    store = place.open()
    place.line.cut_once(up=len(BODY) // 2)
    with store.upload() as upload:
        for start in range(0, len(BODY), 1 << 20):
            upload.write(BODY[start : start + (1 << 20)])
        upload.flush()
        upload.commit("d/large")
    assert place.line.cuts == 1
    assert (place.directory / "d" / "large").read_bytes() == BODY
    store.close()


def test_cut_in_the_middle_of_a_body_on_its_way_down(place: Place):
    """It is read on from where it was."""
    store = place.open()
    store.put_many([("d/large", BODY)])
    place.line.cut_once(down=len(BODY) // 2)
    with store.open("d/large") as reader:
        assert b"".join(iter(lambda: reader.read(1 << 20), b"")) == BODY
    assert place.line.cuts == 1
    store.close()


def test_cut_between_all_calls(place: Place):
    """A line that breaks before each call costs time and nothing else."""
    store = place.open()
    for number in range(3):
        place.line.cut()
        store.put_many([(f"d/{number}", b"%d" % number)])
        place.line.cut()
        assert store.read_small(f"d/{number}", 10) == b"%d" % number
        place.line.cut()
        assert sum(1 for _ in store.list("d")) == number + 1
    store.close()


@pytest.mark.parametrize("place", ["sftp", "webdav"], indirect=True)
def test_ten_thousand_names(place: Place):
    """A long listing is whole."""
    (place.directory / "d").mkdir(parents=True)
    for number in range(MANY):
        (place.directory / "d" / f"{number:05}").touch()
    store = place.open()
    names = sorted(entry.name for entry in store.list("d"))
    assert names == [f"{number:05}" for number in range(MANY)]
    store.close()


def test_a_full_disk_behind_webdav(tmp_path: Path):
    """It is said to be full; what was there stays, and may be deleted to make room."""
    with disk(tmp_path, "tmpfs", "size=4m") as point:
        server = Apache(point)
        server.start()
        try:
            store = calling(lambda name: on_webdav(server.location(new_base(server)), name))(
                CONNECTION
            )
            store.put_many([("d/a", b"a"), ("d/b", bytes(1 << 20))])
            with pytest.raises(FullError):
                store.put_many([("d/large", bytes(5 << 20))])
            assert store.size("d/large") is None
            store.delete("d/b")
            store.put_many([("d/c", bytes(1 << 20))])
            assert store.read_small("d/a", 10) == b"a"
            store.close()
        finally:
            server.stop()


# --- a server that answers as it is told --------------------------------------------------------


@pytest.fixture
def dav() -> TinyDav:
    return TinyDav()


@pytest.fixture
def store(dav: TinyDav) -> Iterator[Store]:
    """On that server."""
    with odd_server(dav) as server:
        location = f"webdav://{HOST}:{server.port}{ROOT}"
        opened = calling(lambda connection: on_webdav(location, connection))(CONNECTION)
        yield opened
        opened.close()


def work(store: Store) -> dict[str, bytes]:
    """All that a store does; what is read in the end."""
    store.put_many((f"d/{number}", b"%d" % number) for number in range(5))
    store.create("d/claim", b"claim")
    store.rename("d/4", "e/4")
    store.delete("d/3")
    with store.upload() as upload:
        upload.write(b"body")
        upload.commit("d/body")
    paths = [f"{where}/{entry.name}" for where in "de" for entry in store.list(where)]
    return {path: store.read_small(path, 100) for path in paths}


WHOLE = {"d/0": b"0", "d/1": b"1", "d/2": b"2", "d/body": b"body", "d/claim": b"claim", "e/4": b"4"}
LOGIN_PAGE = Told(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")


ANSWERS = {
    "500": Told(500),
    "502": Told(502),
    "503": Told(503),
    "504": Told(504),
    "429": Told(429, {"Retry-After": "3"}),
    "503-later": Told(503, {"Retry-After": "3"}),
    "portal-elsewhere": Told(302, {"Location": "http://portal.example/login"}),
    "portal": LOGIN_PAGE,
}
TROUBLES = {
    f"{method}-{name}": (method, told)
    for method in ("PUT", "MOVE", "MKCOL", "PROPFIND", "GET", "DELETE")
    for name, told in ANSWERS.items()
}


@pytest.mark.parametrize(("method", "told"), TROUBLES.values(), ids=TROUBLES)
def test_trouble_in_the_middle(dav: TinyDav, store: Store, method: str, told: Told):
    """Some requests in the middle fail, whatever they were for: nobody hears of it."""
    dav.counts.clear()
    dav.trouble = lambda asked, number: told if asked.method == method and number < 3 else None
    assert work(store) == WHOLE
    assert dav.counts[method] > 2


def test_a_server_that_says_200_and_no_more(dav: TinyDav, store: Store):
    """Some do so to whoever writes, and are believed."""

    def empty_page(asked: Asked, number: int) -> Told | None:
        if asked.method not in ("PUT", "MOVE", "DELETE"):
            return None
        told = dav.answer(asked)
        return Told(200, {"Content-Type": "text/html"}) if told.status < 300 else told

    dav.trouble = empty_page
    assert work(store) == WHOLE


def test_a_quota_that_is_used_up(dav: TinyDav, store: Store):
    """It is not asked again and again for room; what takes none is still done."""
    assert work(store) == WHOLE
    dav.trouble = lambda asked, number: Told(507) if asked.method == "PUT" else None
    dav.counts.clear()
    with pytest.raises(FullError):
        store.put_many([("d/more", b"more")])
    assert dav.counts["PUT"] == 1
    store.delete("d/0")
    store.rename("d/1", "e/1")
    assert store.size("e/1") == 1


@pytest.mark.parametrize("told", [Told(500), LOGIN_PAGE], ids=["500", "portal"])
def test_trouble_without_end(dav: TinyDav, store: Store, told: Told):
    """It is an error, and never an empty directory or a file that is gone."""
    assert work(store) == WHOLE
    dav.trouble = lambda asked, number: told
    calls: list[Callable[[], object]] = [
        lambda: list(store.list("d")),
        lambda: store.size("d/0"),
        lambda: store.read_small("d/0", 10),
        lambda: store.open("d/0"),
    ]
    for call in calls:
        dav.counts.clear()
        with pytest.raises(ServerError):
            call()
        assert dav.counts.total() <= 3 * ATTEMPTS
    dav.trouble = lambda asked, number: None
    assert store.read_small("d/0", 10) == b"0"


def test_a_listing_that_is_always_cut_off(dav: TinyDav, store: Store):
    """It is an error after some attempts, and never a shorter listing."""
    assert work(store) == WHOLE

    def cut(asked: Asked, number: int) -> Told | None:
        if asked.method != "PROPFIND":
            return None
        whole = dav.answer(asked)
        return whole._replace(body=whole.body[:-30])

    dav.trouble = cut
    with pytest.raises(StoreError):
        list(store.list("d"))
