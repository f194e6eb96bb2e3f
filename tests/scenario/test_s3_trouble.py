"""A line to an S3 server that breaks, a server that restarts, and what is left behind."""

import os
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.servers.relay import Relay, relay
from tests.servers.s3 import BUCKET, SECRET, RcloneS3, S3Server
from tests.servers.s3_stores import new_base, on_s3

from firnline.engine.system import SystemClock
from firnline.stores.base import Store
from firnline.stores.errors import UnavailableError
from firnline.stores.probe import probe
from firnline.stores.s3 import listing
from firnline.stores.s3.address import parse_s3
from firnline.stores.s3.asking import Asker
from firnline.stores.s3.objects import PART
from firnline.stores.s3.store import Account, S3Store

CONNECTION = "0" * 16
BODY = bytes(range(256)) * 4096 * 24
"""Three parts."""
assert len(BODY) == 3 * PART


@pytest.fixture
def line(seaweedfs: S3Server) -> Iterator[Relay]:
    with relay(seaweedfs.port) as made:
        yield made


def far(server: S3Server, line: Relay, location: str) -> S3Store:
    return on_s3(location, CONNECTION, server.options(line.port), clock=SystemClock())


def asker(server: S3Server, location: str) -> Asker:
    account = Account(parse_s3(location), server.options(), lambda: SECRET)
    return Asker(account.address, account.keys)


def send(store: Store, path: str, body: bytes) -> None:
    with store.upload() as upload:
        upload.write(body)
        upload.commit(path)


def test_cut_on_the_way_up(seaweedfs: S3Server, line: Relay):
    """Half a body stands nowhere; what was sent of it is taken back once the line is there again,
    and the same store writes it then."""
    location = new_base()
    store, direct = far(seaweedfs, line, location), asker(seaweedfs, location)
    store.put_many([("a", b"before")])
    line.cut_up = line.up + 2 * PART
    with pytest.raises(UnavailableError):
        send(store, "a", BODY)
    line.cut_up = None
    assert store.read_small("a", 10) == b"before"
    assert len(listing.unfinished_uploads(direct)) == 1
    send(store, "a", BODY)
    assert store.size("a") == len(BODY)
    assert listing.unfinished_uploads(direct) == []
    store.close()
    direct.close()


def test_cut_on_the_way_down(seaweedfs: S3Server, line: Relay):
    """A body that breaks off raises, and the same store reads it once the line is back."""
    store = far(seaweedfs, line, new_base())
    send(store, "a", BODY)
    line.cut_down = line.down + len(BODY) // 2
    with pytest.raises(UnavailableError), store.open("a") as reader:
        reader.read(len(BODY))
    line.cut_down = None
    with store.open("a") as reader:
        assert reader.read(len(BODY) + 1) == BODY
    store.close()


def test_a_line_that_is_down(seaweedfs: S3Server, line: Relay):
    """Nothing is said while it is down but that it is; afterwards all goes on."""
    store = far(seaweedfs, line, new_base())
    store.put_many([("d/a", b"1")])
    line.target = 1
    line.cut()
    for call in (lambda: list(store.list("d")), lambda: store.read_small("d/a", 9)):
        with pytest.raises(UnavailableError):
            call()
    line.target = seaweedfs.port
    assert [entry.name for entry in store.list("d")] == ["a"]
    assert store.read_small("d/a", 9) == b"1"
    store.close()


def test_uploads_that_nobody_ended(seaweedfs: S3Server):
    """Those of others that are a week old are removed, and newer ones are left alone."""
    location = new_base()
    direct = asker(seaweedfs, location)
    direct.ask("POST", direct.address.key("x"), query={"uploads": ""})
    (left,) = listing.unfinished_uploads(direct)
    listing.sweep_uploads(direct, left.begun + listing.LEFT)
    assert listing.unfinished_uploads(direct) == [left]
    listing.sweep_uploads(direct, left.begun + listing.LEFT + timedelta(seconds=1))
    assert listing.unfinished_uploads(direct) == []
    direct.close()


def test_a_server_that_restarts(tmp_path: Path):
    """The calls in between fail, and those after it go on."""
    server = RcloneS3(tmp_path)
    server.start()
    try:
        store = on_s3(f"s3://{BUCKET}/x", CONNECTION, server.options())
        store.put_many([("a", b"1")])
        server.stop()
        for call in (lambda: store.size("a"), lambda: list(store.list(""))):
            with pytest.raises(UnavailableError):
                call()
        server.start()
        assert store.read_small("a", 9) == b"1"
        assert [entry.name for entry in store.list("")] == ["a"]
        store.close()
    finally:
        server.stop()


def test_pages(seaweedfs: S3Server):
    """More names than one answer has, from the start and from one in the middle; and all of them
    are removed."""
    store = on_s3(new_base(), CONNECTION, seaweedfs.options())
    names = sorted(f"{number:05}" for number in range(1_100))
    store.put_many((f"d/{name}", b"") for name in names)
    assert [entry.name for entry in store.list("d")] == names
    assert [entry.name for entry in store.list("d", after="00049")] == names[50:]
    store.delete_many([f"d/{name}" for name in names])
    assert list(store.list("d")) == []
    store.close()


def test_marks_of_directories(seaweedfs: S3Server):
    """Empty objects that end in a slash, as some programs make for directories, are no files, and
    names that no honest program makes spoil no listing."""
    location = new_base()
    direct = asker(seaweedfs, location)
    store = on_s3(location, CONNECTION, seaweedfs.options())
    store.put_many([("d/good", b"1")])
    for key in ("d/", "d/below/", "d/a\x01b", "d/?"):
        direct.ask("PUT", direct.address.key(key))
    found = sorted(store.list("d", sizes=True))
    assert [(each.name, each.is_directory) for each in found] == [
        ("?", False),
        ("below", True),
        ("good", False),
    ]
    assert [each.name for each in store.list("d/below")] == []
    store.close()
    direct.close()


NAMES = [
    "a b",
    "a+b",
    "a%25",
    "a%",
    "~t",
    "#x",
    "[y]",
    "é",
    "e\u0301",
    "雪",
    "a&b=c",
    "x{y}^`",
    "'q'",
    "a;b,c@d$!()",
    "🙂",
    "👩\u200d🔬",
    "x\u202ey",
]


@pytest.mark.parametrize("kind", ["seaweedfs", "rclone_s3"])
def test_odd_names(kind: str, request: pytest.FixtureRequest):
    """Percent, plus, spaces and letters in either form are kept as they are, by whatever way a
    name is asked for."""
    server: S3Server = request.getfixturevalue(kind)
    store = on_s3(new_base(), CONNECTION, server.options())
    store.put_many((f"d/{name}", name.encode()) for name in NAMES)
    assert sorted(each.name for each in store.list("d")) == sorted(NAMES)
    for name in NAMES:
        store.copy(f"d/{name}", f"copies/{name}")
        assert store.read_small(f"copies/{name}", 99) == name.encode()
        assert store.size(f"d/{name}") == len(name.encode())
    # As directories in one form only, as the layout has them: rclone shows one of the two.
    composed = {name for name in NAMES if unicodedata.is_normalized("NFC", name)}
    store.put_many((f"{name}/x", b"") for name in composed)
    assert {each.name for each in store.list("")} >= composed
    store.delete_many([f"d/{name}" for name in NAMES])
    assert list(store.list("d")) == []
    store.close()


def test_what_the_user_is_told(seaweedfs: S3Server, rclone_s3: S3Server):
    """The probe says what each server really does, whatever it takes without a word."""
    missing: dict[str, set[str]] = {}
    for server in (seaweedfs, rclone_s3):
        clock = SystemClock()
        store = on_s3(new_base(), CONNECTION, server.options(), clock=clock)
        report = probe(store, CONNECTION, clock, os.urandom)
        assert report.usable
        assert report.capabilities.exclusive_create == (server is seaweedfs)
        missing[type(server).__name__] = {each.ability for each in report.findings if not each.ok}
        assert list(store.list(f"connections/{CONNECTION}/tmp")) == []
        store.close()
    never = {"free space", "share blocks (reflink)"}
    assert missing["SeaweedFs"] == never
    assert missing["RcloneS3"] == never | {"create exclusively", "sweep unfinished uploads"}
