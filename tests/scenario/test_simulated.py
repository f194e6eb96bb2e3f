"""What the simulation found (tests/simulation), each as the smallest story that shows it."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import LAYOUT, Laptop, LaptopClock, settle
from tests.scenario.schedules import lose_database
from tests.scenario.store_contents import event_files

from firnline.state.folder_state import FolderState
from firnline.stores.base import Store
from firnline.stores.errors import UnavailableError


class Faults:
    """Faults for the store of that name, in every pass from now on."""

    def __init__(self, clock: LaptopClock, name: str, *faults: Fault) -> None:
        self._clock = clock
        self._name = name
        self.faults = list(faults)

    def __call__(self, name: str, store: Store) -> Store:
        return FaultyStore(store, self._clock, faults=self.faults if name == self._name else [])


def garbled(method: str) -> Fault:
    """One bit of what is written is another, and the call fails."""
    return Fault(method, garble=True, error_after=UnavailableError("", "broke off"))


@pytest.mark.parametrize("text", ["small", "large " * 100_000])
def test_a_failed_write_that_left_the_right_size(tmp_path: Path, text: str) -> None:
    """Where a write failed, a name that stands there with the right size proves nothing: the event
    is written again, and only then is it dropped from the home store."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    settle(a, b)
    faults = Faults(clock, "store", garbled("put_many"), Fault("write", garble=True))
    faults.faults.append(Fault("commit", error_after=UnavailableError("", "broke off")))
    a.wrap = faults
    a.write("file", text)
    a.sync()
    a.wrap = Laptop(tmp_path / "c", "cccccccc").wrap
    settle(a, b)
    assert b.read("file") == text
    check_rest([a, b])


def test_a_failed_copy_that_left_the_right_size(tmp_path: Path) -> None:
    """The same when an event is copied from one store to another."""
    near, far, clock = tmp_path / "near", tmp_path / "far", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [near], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [near, far], clock=clock)
    c = Laptop(tmp_path / "c", "cccccccc", [far], clock=clock)
    settle(a, b, c)
    a.write("file", "text")
    a.sync()
    b.wrap = Faults(clock, "far", garbled("put_many"))
    b.sync()
    b.wrap = a.wrap
    settle(a, b, c)
    assert c.read("file") == "text"
    check_rest([a, b, c])


def test_an_older_table_and_a_newer_home_store(tmp_path: Path) -> None:
    """What was written while no store was in reach reaches the store all the same when the table
    is then set back to an older one: the home store is looked through within a week."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    a.write("file", "first")
    settle(a)
    shutil.copy2(a.place / "state.db", tmp_path / "backup")
    a.away = {store}
    a.write("file", "second")
    a.sync()
    a.write("file", "third")
    a.sync()
    lose_database(a)
    shutil.copy2(tmp_path / "backup", a.place / "state.db")
    a.away = set()
    clock.advance(days=8)
    settle(a)
    state = FolderState(a.place / "state.db")
    assert state.stores.held() == []
    assert len({entry.data_hash for entry in state.journal.entries("file")}) == 3
    state.close()
    check_rest([a])


def test_a_store_that_goes_while_a_device_joins(tmp_path: Path) -> None:
    """A device without a table whose store goes in the middle of the first reading tells nobody
    anything yet: an older copy of the folder on it is no new version of anything, and what others
    deleted is not new."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    for number in (1, 2, 3):
        a.write("file", f"version {number}")
        a.write("deleted", f"version {number}")
        settle(a)
    a.delete("deleted")
    settle(a)
    b.write("file", "version 2")
    b.write("deleted", "version 2")
    b.wrap = Faults(clock, "store", Fault("open", repeat=99, error=UnavailableError("", "gone")))
    report = b.sync()
    assert not report.complete
    assert "first reading" in {problem.kind for problem in report.problems}
    assert report.written == report.applied == 0
    b.wrap = a.wrap
    settle(a, b)
    assert a.tree() == b.tree() == {"file": "version 3"}
    check_rest([a, b])


class Order:
    """Steps that note whether the names of index entries are durable before those of events."""

    def __init__(self, store: Path) -> None:
        self.unsafe: list[str] = []
        self._store = store
        self._new: set[Path] = set()
        self._before = self._index()

    def _index(self) -> set[Path]:
        return set((self._store / LAYOUT.root / "eventsindex").rglob("*"))

    def __call__(self, name: str) -> None:
        self._new |= self._index() - self._before
        if self._new and event_files(self._store):
            self.unsafe.append(name)
        if name == "store.sync_directory":
            self._before |= self._new
            self._new.clear()


def test_index_entries_are_durable_before_a_copied_event(tmp_path: Path) -> None:
    """An event that is copied to a store may be found there after a loss of power, and then nobody
    looks whether its index entries are: so they stand before it has its name."""
    near, far, clock = tmp_path / "near", tmp_path / "far", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [near], clock=clock)
    a.write("file", "text")
    settle(a)
    a.stores.append(far)
    order = Order(far)
    a.sync(steps=order)
    assert len(event_files(far)) == 1
    assert order.unsafe == []
