"""Stores behind a line with a limit."""

import os
import tempfile
from threading import Condition, Event, Thread

import pytest
from tests.doubles.memory_store import ABLE, MemoryDisk, MemoryStore, MemoryUpload
from tests.doubles.still_clock import StillClock

from firnline.stores.deadline import DeadlineStore
from firnline.stores.directory import DirectoryStore
from firnline.stores.line import LARGEST, PORTION, Line, Lines
from firnline.stores.throttled import ThrottledStore

RATE = 100_000


class EndedError(Exception):
    """The transfer is to end."""


def goes_on():
    """Never raises."""


class Played:
    """Lines on a clock that stands still, except while somebody waits; a memory store on them."""

    def __init__(self, upload=0, download=0, able=ABLE):
        self.clock = StillClock()
        self.start = self.clock.monotonic()
        self.lines = Lines.new(self.clock, lambda condition, seconds: self.clock.sleep(seconds))
        self.lines.limit(upload, download)
        self.disk = MemoryDisk()
        self.plain = MemoryStore(self.disk, self.clock, able=able)
        self.store = ThrottledStore(self.plain, self.lines, goes_on)

    @property
    def seconds(self):
        return self.clock.monotonic() - self.start


def put(store, path, body):
    with store.upload() as upload:
        upload.write(body)
        upload.commit(path)


def read(store, path, chunk=1 << 20):
    with store.open(path) as reader:
        return b"".join(iter(lambda: reader.read(chunk), b""))


WAYS_IN = {
    "upload": lambda store, body: put(store, "a", body),
    "put_many": lambda store, body: store.put_many([("a", body)]),
    "put_many of small ones": lambda store, body: store.put_many(
        (f"d/{at}", body[at : at + 1000]) for at in range(0, len(body), 1000)
    ),
    "create": lambda store, body: store.create("a", body),
}


@pytest.mark.parametrize("way", WAYS_IN)
def test_what_is_written_takes_its_time(way):
    """A million bytes at 100,000 a second take ten seconds, but for the quarter that was saved up,
    whichever way they are written; a limit on reading makes no difference."""
    played = Played(upload=RATE, download=1_000)
    WAYS_IN[way](played.store, os.urandom(1_000_000))
    assert played.seconds == pytest.approx(10 - PORTION, abs=0.1)


@pytest.mark.parametrize("way", ["open", "open in small pieces", "read_small"])
def test_what_is_read_takes_its_time(way):
    """As for what is written, by its own limit."""
    played = Played(upload=1_000, download=RATE)
    body = os.urandom(1_000_000)
    put(played.plain, "a", body)
    if way == "read_small":
        assert played.store.read_small("a", len(body)) == body
    else:
        assert read(played.store, "a", 1 << 20 if way == "open" else 10_007) == body
    assert played.seconds == pytest.approx(10 - PORTION, abs=0.1)


def test_a_range_costs_what_it_has():
    """Who reads a part of a file waits for that part, however much was asked for."""
    played = Played(download=RATE)
    put(played.plain, "a", bytes(1_000_000))
    with played.store.open("a", 900_000, 150_000) as reader:
        assert len(reader.read(1 << 30)) == 100_000
        assert reader.read(1 << 30) == b""
    assert played.seconds == pytest.approx(1 - PORTION, abs=0.1)


class Cut(MemoryStore):
    """Files that are shorter when they are read than when they were opened."""

    def open(self, path, offset=0, length=None):
        reader = super().open(path, offset, 100_000)
        assert reader.size == 500_000
        return reader


def test_a_file_that_is_shorter_than_it_was():
    """A file that was cut while it is read ends where it ends, and nobody waits for the rest."""
    played = Played(download=RATE)
    put(played.plain, "a", bytes(500_000))
    store = ThrottledStore(Cut(played.disk, played.clock), played.lines, goes_on)
    with store.open("a") as reader:
        assert len(reader.read(1 << 30)) == 100_000
        assert reader.read(1 << 30) == b""
    assert played.seconds < 1.1


class Noting(MemoryStore):
    """Notes the sizes of what arrives at one blow."""

    blows: list[int]

    def put_many(self, files):
        files = list(files)
        self.blows = [*getattr(self, "blows", []), *(len(body) for _, body in files)]
        super().put_many(files)


def test_large_bodies_go_in_portions():
    """Nothing leaves at one blow that takes longer than a portion, in the order that was asked."""
    played = Played(upload=RATE)
    inner = Noting(played.disk, played.clock)
    store = ThrottledStore(inner, played.lines, goes_on)
    store.put_many([("a", b"x"), ("b", bytes(LARGEST)), ("c", b"y"), ("b", b"last")])
    assert inner.blows == [1, 1, 4]
    assert played.disk.files == {"a": b"x", "b": b"last", "c": b"y"}


def test_names_cost_nothing():
    """Listings, sizes, renames and deletions do not wait."""
    played = Played(upload=1_000, download=1_000)
    put(played.plain, "d/a", bytes(1_000_000))
    store = played.store
    assert [entry.name for entry in store.list("d", sizes=True)] == ["a"]
    assert store.size("d/a") == 1_000_000
    store.rename("d/a", "d/b")
    store.delete("d/b")
    assert store.server_time() is not None
    assert played.seconds == 0


def test_a_copy_inside_the_store():
    """It costs nothing where the store copies by itself; where the bytes come and go, both ways."""
    for server_copy, seconds in ((True, 0.0), (False, 20 - 2 * PORTION)):
        able = ABLE._replace(server_copy=server_copy)
        played = Played(upload=RATE, download=RATE, able=able)
        put(played.plain, "a", bytes(1_000_000))
        played.store.copy("a", "b")
        assert played.disk.files["b"] == bytes(1_000_000)
        assert played.seconds == pytest.approx(seconds, abs=0.3)


def test_a_clone_waits_for_its_size(tmp_path, monkeypatch):
    """A reflink is made, since it spares the disk, and takes as long as writing would: a limit
    means the same for a store on the same disk."""
    played = Played(upload=RATE)
    monkeypatch.setattr(MemoryUpload, "clone", lambda self, descriptor: True)
    with tempfile.TemporaryFile(dir=tmp_path) as source:
        source.write(bytes(1_000_000))
        source.flush()
        with played.store.upload() as upload:
            assert upload.clone(source.fileno())
    assert played.seconds == pytest.approx(10 - PORTION, abs=0.1)


def test_where_nothing_can_be_cloned_nothing_is_waited_for(tmp_path):
    """A refused clone costs nothing; the writes that follow do."""
    played = Played(upload=1_000)
    with tempfile.TemporaryFile(dir=tmp_path) as source, played.store.upload() as upload:
        source.write(bytes(1_000_000))
        assert not upload.clone(source.fileno())
    assert played.seconds == 0


def test_stores_share_the_line():
    """Two stores together get what one of them would get alone."""
    played = Played(upload=RATE)
    other = ThrottledStore(MemoryStore(MemoryDisk(), played.clock), played.lines, goes_on)
    put(played.store, "a", bytes(500_000))
    put(other, "a", bytes(500_000))
    assert played.seconds == pytest.approx(10 - PORTION, abs=0.1)


def test_without_a_limit_nothing_waits():
    """A limit that was taken away is gone at once."""
    played = Played(upload=1_000)
    played.lines.limit(0, 0)
    put(played.store, "a", bytes(3 * LARGEST))
    assert read(played.store, "a") == bytes(3 * LARGEST)
    assert played.seconds == 0


def test_another_limit_holds_in_the_middle_of_a_body():
    """What is under way goes on with the limit that was set meanwhile."""
    played = Played(upload=1_000)
    asked = []

    def go_on():
        asked.append(played.seconds)
        if len(asked) == 8:
            played.lines.limit(RATE, 0)

    store = ThrottledStore(played.plain, played.lines, go_on)
    put(store, "a", bytes(100_000))
    assert asked[7] == pytest.approx(2.0, abs=0.1)
    assert played.seconds == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("way", [*WAYS_IN, "read"])
def test_what_waits_can_be_ended(way):
    """Whoever waits asks at least every quarter of a second whether to go on, and what is said then
    comes out; nothing stands there that was not written whole."""
    played = Played(upload=RATE, download=RATE)
    put(played.plain, "old", bytes(1_000_000))

    def go_on():
        if played.seconds > 2:
            raise EndedError

    store = ThrottledStore(played.plain, played.lines, go_on)
    ways = {**WAYS_IN, "read": lambda store, body: read(store, "old")}
    with pytest.raises(EndedError):
        ways[way](store, bytes(1_000_000))
    assert 2 < played.seconds <= 2 + 2 * PORTION
    assert "a" not in played.disk.files


def test_who_ended_leaves_its_place():
    """Nobody waits behind one that is gone."""
    played = Played(upload=RATE)
    with pytest.raises(EndedError):
        played.lines.up.take(RATE, raising)
    played.lines.up.take(RATE, goes_on)
    assert played.seconds < 1.5


def raising():
    raise EndedError


def test_threads_take_turns():
    """Of transfers that begin at the same time each gets its share: none is through before the
    others are far, and together they keep the limit."""
    clock = StillClock()
    started, log, guard = Event(), [], Condition()

    def wait(condition, seconds):
        # Whoever is first in the line moves the clock; the others are woken when it is through.
        if seconds < PORTION or not condition.wait(0.005):
            clock.sleep(seconds / 10)

    line = Line(clock, wait)
    line.limit(RATE)

    def transfer(number):
        started.wait()
        for portion in line.portions(RATE, goes_on):
            with guard:
                log.append((number, portion))

    threads = [Thread(target=transfer, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    begun = clock.monotonic()
    started.set()
    for thread in threads:
        thread.join()
    assert sum(portion for _, portion in log) == 4 * RATE
    assert clock.monotonic() - begun >= 4 - PORTION - 0.01
    last_of_first = min(max(at for at, (who, _) in enumerate(log) if who == n) for n in range(4))
    assert last_of_first >= len(log) // 2


def test_waiting_is_outside_of_deadlines(tmp_path):
    """A store that answers in time is not given up because its line is slow."""
    played = Played(upload=RATE)
    DirectoryStore.create_base(tmp_path / "store")
    directory = DirectoryStore(tmp_path / "store", connection="0" * 16, clock=played.clock)
    store = ThrottledStore(DeadlineStore(lambda: directory), played.lines, goes_on)
    put(store, "a", bytes(1_000_000))
    assert played.seconds > 9
    assert store.size("a") == 1_000_000
    store.close()
