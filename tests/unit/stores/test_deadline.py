"""A store that stops answering becomes one that fails."""

from collections.abc import Callable, Iterator
from threading import Event, Thread, current_thread
from threading import enumerate as all_threads
from typing import Any

import pytest
from tests.doubles.cycles import left_in_cycles
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.stores.base import Store
from firnline.stores.deadline import Calls, DeadlineStore
from firnline.stores.errors import HangingError, NotFoundError, UnavailableError


class Place:
    """A store whose calls hang when they are told to, until the test is over."""

    def __init__(self) -> None:
        self.over = Event()
        self.inner = FaultyStore(MemoryStore(MemoryDisk(), StillClock()), StillClock())
        self.calls = Calls(patience=60.0)
        self.store = DeadlineStore(lambda: self.inner, self.calls)
        self.store.put_many([("a", b"a"), ("b", b"b")])

    def hang(self, method: str) -> None:
        self.inner.add(Fault(method, callback=self.over.wait))
        self.calls.patience = 0.01


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    yield found
    found.over.set()
    found.store.close()


def write(store: Store) -> None:
    with store.upload() as upload:
        upload.write(b"body")
        upload.flush()
        upload.commit("c")


def clone(store: Store) -> None:
    with store.upload() as upload:
        upload.clone(0)


def read_back(store: Store) -> None:
    with store.upload() as upload:
        list(upload.read_back())


def read(store: Store) -> None:
    with store.open("a") as reader:
        reader.read(10)


CALLS: dict[str, Callable[[Store], object]] = {
    "list": lambda store: list(store.list("")),
    "size": lambda store: store.size("a"),
    "open": read,
    "read": read,
    "read_small": lambda store: store.read_small("a", 10),
    "upload": write,
    "write": write,
    "clone": clone,
    "read_back": read_back,
    "flush": write,
    "commit": write,
    "put_many": lambda store: store.put_many([("c", b"c")]),
    "create": lambda store: store.create("c", b"c"),
    "rename": lambda store: store.rename("a", "c"),
    "copy": lambda store: store.copy("a", "c"),
    "delete": lambda store: store.delete("a"),
    "server_time": lambda store: store.server_time(),
    "free_space": lambda store: store.free_space(),
}


@pytest.mark.parametrize("method", CALLS)
def test_every_call_has_a_deadline(place: Place, method: str) -> None:
    """It fails as a store that cannot be reached, and so does every later call, which does not
    touch the place any more. Closing is quiet."""
    place.hang(method)
    with pytest.raises(HangingError):
        CALLS[method](place.store)
    touched = len(place.inner.calls)
    for call in CALLS.values():
        with pytest.raises(HangingError):
            call(place.store)
    place.store.close()
    assert len(place.inner.calls) == touched


def test_opening_has_a_deadline() -> None:
    """Making the store touches its place already."""
    over = Event()

    def opening() -> Store:
        over.wait()
        raise AssertionError

    with pytest.raises(HangingError):
        DeadlineStore(opening, Calls(patience=0.01))
    over.set()


def test_time_grows_with_what_is_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting until a large body is durable takes its time, on a slow line too."""
    asked: list[int] = []
    run = place.calls.run

    def noting(call: Callable[[], Any], size: int = 0) -> Any:
        asked.append(size)
        return run(call, size)

    monkeypatch.setattr(place.calls, "run", noting)
    with place.store.upload() as upload:
        upload.write(bytes(1000))
        upload.write(bytes(500))
        upload.flush()
        upload.commit("c")
    assert asked == [0, 0, 1000, 1500, 1500, 1500, 0]
    asked.clear()
    place.store.put_many([("d", bytes(10)), ("e", bytes(20))])
    place.store.create("f", bytes(5))
    place.store.copy("c", "g")
    assert asked == [30, 5, 0, 1500]


def test_errors_are_the_store_s_own(place: Place) -> None:
    """What the call raises is raised where it was made, and ends nothing."""
    with pytest.raises(NotFoundError):
        place.store.open("missing")
    assert place.store.read_small("a", 10) == b"a"


def test_an_error_leaves_nothing_behind(place: Place) -> None:
    """Neither the thread's calls nor those of whoever waited are held by it."""

    def fail() -> None:
        with pytest.raises(NotFoundError):
            place.store.read_small("missing", 10)

    assert left_in_cycles(fail) == {}


def test_files_may_come_from_one_thread_only(place: Place) -> None:
    """A generator that reads a database runs in the thread of whoever made it."""
    threads: list[Thread] = []

    def files() -> Iterator[tuple[str, bytes]]:
        threads.append(current_thread())
        yield "c", b"c"

    place.store.put_many(files())
    assert threads == [current_thread()]


def test_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no mistake in the program: the store is tried again later."""

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    with pytest.raises(UnavailableError, match="thread"):
        DeadlineStore(lambda: MemoryStore(MemoryDisk(), StillClock()))


def test_threads_end_with_the_store() -> None:
    """One that was closed keeps none of them."""
    before = set(all_threads())
    store = DeadlineStore(lambda: MemoryStore(MemoryDisk(), StillClock()))
    write(store)
    workers = set(all_threads()) - before
    assert workers
    store.close()
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)
