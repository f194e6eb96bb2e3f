"""A store that a pass waits for only a moment. What hangs here hangs until the test lets it go."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as all_threads

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock
from tests.unit.stores.test_deadline import CALLS

from firnline.stores import hurried
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import NotFoundError, SlowError, StoreError
from firnline.stores.hurried import LATELY, MOMENT, QUICK, HurriedStore, Hurry

SOON = 0.01
LARGE = 4 * 2**20


class Place:
    """A store, how long it is waited for, and who hears of it."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.over = Event()
        self.back = Event()
        self.leisure = False
        self.inner = FaultyStore(MemoryStore(MemoryDisk(), self.clock), self.clock)
        self.inner.put_many([("a", b"a"), ("b", b"b")])
        self.hurry = Hurry(self.clock, self.back.set, lambda: self.leisure)
        self.store = HurriedStore(self.inner, self.hurry)

    def hang(self, method: str) -> None:
        self.inner.add(Fault(method, callback=self.over.wait))

    def answer(self) -> None:
        """What hangs comes back, and that was told."""
        self.over.set()
        assert self.back.wait(10)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    found = Place()
    monkeypatch.setattr(hurried, "MOMENT", SOON)
    yield found
    found.over.set()
    found.store.close()


@pytest.mark.parametrize("method", sorted(CALLS.keys() - {"close"}))
def test_nobody_waits_for_more_than_a_moment(place: Place, method: str) -> None:
    """No call, and after it no other one touches the place, until the first has come back: then
    the store is what it was."""
    if method in ("read", "read_back", "list"):
        # One that brings nothing is given the time of a body on a slow line.
        place.inner.inner.put_many([("a", b"")])
    place.hang(method)
    with pytest.raises(SlowError):
        CALLS[method](place.store)
    touched = len(place.inner.calls)
    for call in CALLS.values():
        with pytest.raises(SlowError):
            call(place.store)
    assert place.hurry.is_late
    assert place.hurry.is_slow(0)
    assert len(place.inner.calls) == touched
    place.answer()
    assert not place.hurry.is_late
    assert place.store.read_small("b", 10) == b"b"


def test_errors_are_the_store_s_own(place: Place) -> None:
    """What the call raises is raised where it was made, and ends nothing."""
    with pytest.raises(NotFoundError):
        place.store.open("missing")
    assert place.store.read_small("a", 10) == b"a"


def test_what_was_given_up_is_never_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file that was under way leaves nothing, as soon as the store answers again."""
    clock, over, back = StillClock(), Event(), Event()
    DirectoryStore.create_base(tmp_path / "s")
    inner = FaultyStore(DirectoryStore(tmp_path / "s", connection="c", clock=clock), clock)
    store = HurriedStore(inner, Hurry(clock, back.set, lambda: False))
    monkeypatch.setattr(hurried, "MOMENT", SOON)
    monkeypatch.setattr(hurried, "QUICK", LARGE * 10_000)
    inner.add(Fault("write", skip=3, callback=over.wait))
    with pytest.raises(SlowError):
        store.put_many([("small", b"1"), ("large", bytes(LARGE)), ("after", b"2")])
    over.set()
    assert back.wait(10)
    assert store.size("small") == 1
    assert store.size("large") is None
    assert store.size("after") is None
    assert list((tmp_path / "s").glob("connections/*/tmp/*")) == []
    store.close()


def test_it_is_waited_for_longer_each_time(place: Place) -> None:
    """So what only takes its time comes to its end some day; after a while all is forgotten."""
    waited: list[float] = []
    for _ in range(3):
        waited.append(place.hurry.allowed)
        place.over.clear()
        place.back.clear()
        place.hang("size")
        with pytest.raises(SlowError):
            place.store.size("a")
        place.answer()
    assert waited == [SOON, 2 * SOON, 4 * SOON]
    place.clock.sleep(LATELY + 1)
    assert place.hurry.allowed == SOON


def test_slow_writing_is_remembered() -> None:
    """What was too slow for a body is not tried with another one that would be as well, for a
    while; small ones go there all the same."""
    place = Place()
    place.inner.add(Fault("write", repeat=100, delay=0.3))
    assert not place.hurry.is_slow(LARGE)
    with pytest.raises(SlowError):
        place.store.put_many([("large", bytes(LARGE))])
    assert not place.hurry.is_late
    assert place.hurry.is_slow(LARGE)
    assert not place.hurry.is_slow(1000)
    place.store.put_many([("small", b"1")])
    assert place.hurry.is_slow(LARGE)
    place.clock.sleep(LATELY + 1)
    assert not place.hurry.is_slow(LARGE)
    place.store.close()


def test_quick_writing_is_remembered() -> None:
    """A store that was slow once and is quick again is used again."""
    place = Place()
    place.hurry.wrote(LARGE, LARGE / QUICK * 50)
    assert place.hurry.is_slow(LARGE)
    with place.store.upload() as upload:
        upload.write(bytes(LARGE))
        place.clock.sleep(MOMENT / 2)
        upload.commit("large")
    assert not place.hurry.is_slow(LARGE)
    place.store.close()


def test_at_leisure_everything_is_waited_for(place: Place) -> None:
    """On the caller's own thread, also what is slow as a whole."""
    place.leisure = True
    place.inner.add(Fault("write", repeat=1000, delay=5.0))
    before = set(all_threads())
    place.store.put_many([("large", bytes(LARGE))])
    assert place.store.size("large") == LARGE
    assert set(all_threads()) <= before
    place.hurry.require_waited()


def test_whoever_still_works_is_told_to_end(place: Place) -> None:
    """A limit of bandwidth makes what was given up wait for hours; it asks whether to go on."""
    place.hurry.require_waited()
    place.hang("size")
    with pytest.raises(SlowError):
        place.store.size("a")
    with pytest.raises(SlowError):
        place.hurry.require_waited()


def test_threads_end_with_the_store(place: Place) -> None:
    """Also the one whose call was given up, as soon as that comes back."""
    before = set(all_threads())
    place.hang("size")
    with pytest.raises(SlowError):
        place.store.size("a")
    workers = set(all_threads()) - before
    place.store.close()
    place.answer()
    end(workers)


def end(workers: set[Thread]) -> None:
    assert workers
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)


def test_tidying_up_never_fails(place: Place) -> None:
    """What a call that was given up leaves to be tidied may be gone with the store."""
    place.hang("write")
    place.inner.add(Fault("size", error=StoreError("", "away")))
    with pytest.raises(SlowError), place.store.upload() as upload:
        upload.write(b"x")
    place.hurry.run_if_left(lambda: place.inner.size("a"))
    place.answer()
    assert place.store.size("a") == 1


def test_bodies_have_their_time_unless_somebody_is_strict() -> None:
    """A slow line is no reason to go without a body; who can have it brought beside gives it up,
    and it is remembered for a while."""
    place = Place()
    place.inner.put_many([("large", bytes(LARGE))])
    place.inner.add(Fault("read", repeat=1000, delay=0.5))
    with place.store.open("large") as reader:
        assert reader.read(LARGE) == bytes(LARGE)
    assert not place.hurry.reads_slowly
    place.hurry.strict = True
    with pytest.raises(SlowError), place.store.open("large") as reader:
        reader.read(LARGE)
    assert place.hurry.reads_slowly
    assert place.hurry.gave_up == 1
    with place.store.open("a") as reader:
        assert reader.read(100) == b"a"
    place.clock.sleep(LATELY + 1)
    assert not place.hurry.reads_slowly
    place.store.close()
