"""The doubles do what tests rest on."""

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.stores.errors import DeniedError, FullError, UnavailableError

LOST = UnavailableError("", "lost")


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def store(disk: MemoryDisk) -> FaultyStore:
    clock = StillClock()
    return FaultyStore(MemoryStore(disk, clock), clock)


def test_error_instead(store, disk):
    """The error comes instead of the effect, as often as it was queued, then no more."""
    store.add(Fault("create", error=LOST, repeat=2))
    for _ in range(2):
        with pytest.raises(UnavailableError):
            store.create("a", b"x")
    assert disk.files == {}
    store.create("a", b"x")
    store.verify()


def test_error_after(store, disk):
    """The error comes after the effect: the answer was lost."""
    store.add(Fault("rename", error_after=LOST))
    disk.files["a"] = b"x"
    with pytest.raises(UnavailableError):
        store.rename("a", "b")
    assert disk.files == {"b": b"x"}
    store.verify()


def test_error_in_an_upload(store, disk):
    """Each call of an upload can fail, before or after its effect."""
    store.add(Fault("commit", path="a", error_after=LOST))
    with store.upload() as upload:
        upload.write(b"x")
        with pytest.raises(UnavailableError):
            upload.commit("a")
    assert disk.files == {"a": b"x"}


def test_order_and_place(store):
    """Faults are taken in the order of queueing, each only on its paths and after its skips."""
    store.add(Fault("size", path="b", error=LOST))
    store.add(Fault("size", skip=1, error=DeniedError("", "no")))
    assert store.size("a") is None
    with pytest.raises(UnavailableError):
        store.size("b")
    with pytest.raises(DeniedError):
        store.size("a")
    store.verify()
    assert store.calls == [("size", "a"), ("size", "b"), ("size", "a")]


def test_delay_and_callback(store, disk):
    """A call can take time, and something else can happen before it."""
    store.add(Fault("size", delay=5, callback=lambda: disk.files.update(a=b"xx")))
    assert store.size("a") == 2
    assert store.clock.slept == [5]


def test_short_and_garbled(store, disk):
    """What is read or written can be cut, have another bit, and a listing can lack names."""
    disk.files.update({"d/a": b"0123", "d/b": b""})
    store.add(Fault("read", short=2))
    store.add(Fault("read_small", garble=True))
    store.add(Fault("list", short=1))
    with store.open("d/a") as reader:
        assert reader.read(10) == b"01"
    assert store.read_small("d/a", 10) == b"01\x333"
    assert len(list(store.list("d"))) == 1
    assert len(list(store.list("d"))) == 2
    store.add(Fault("write", short=1))
    store.add(Fault("put_many", garble=True))
    with store.upload() as upload:
        upload.write(b"xyz")
        upload.commit("c")
    store.put_many([("e", b"a")])
    assert (disk.files["c"], disk.files["e"]) == (b"x", b"`")
    store.verify()


def test_a_fault_that_never_came(store):
    """`verify` fails for a fault that was not hit, and a misspelt method is refused."""
    store.add(Fault("copy", error=LOST))
    with pytest.raises(AssertionError, match="copy"):
        store.verify()
    with pytest.raises(ValueError, match="kopy"):
        store.add(Fault("kopy"))


def test_memory_that_is_full(disk):
    """Room counts all files; what stood there stays."""
    disk.room = 10
    store = MemoryStore(disk, StillClock())
    store.put_many([("a", b"12345678")])
    assert store.free_space() == 2
    with pytest.raises(FullError):
        store.create("b", b"123")
    store.put_many([("a", b"1234567890")])
    assert disk.files == {"a": b"1234567890"}


def test_memory_that_is_read_only(disk):
    """A read-only disk takes nothing and gives everything."""
    disk.files["a"] = b"x"
    disk.writable = False
    store = MemoryStore(disk, StillClock())
    for attempt in (
        lambda: store.create("b", b""),
        lambda: store.rename("a", "b"),
        lambda: store.delete("a"),
    ):
        with pytest.raises(DeniedError):
            attempt()
    assert store.read_small("a", 10) == b"x"
