"""What the simulation found (tests/simulation), each as the smallest story that shows it."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.crashes import Killed, KilledAfter
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import LAYOUT, Laptop, LaptopClock, settle
from tests.scenario.schedules import lose_database
from tests.scenario.store_contents import event_files

from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState
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


def test_an_open_event_that_went_nowhere(tmp_path: Path) -> None:
    """It was taken for an event while its store could not be asked, and the next save stands on
    it. When it is in no store after all, others see that save and no conflict, and nobody goes on
    looking for what was lost."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    a.write("file", "first")
    settle(a, b)
    a.write("file", "second")
    with pytest.raises(Killed):
        a.sync(steps=KilledAfter("commit open event"))
    a.away = {store}
    a.write("file", "third")
    a.sync()
    a.away = set()
    settle(a, b)
    assert a.tree() == b.tree() == {"file": "third"}
    clock.advance(days=8)
    settle(a, b)
    assert a.tree() == b.tree() == {"file": "third"}
    check_rest([a, b])


def test_an_open_event_that_has_its_content_still(tmp_path: Path) -> None:
    """Nothing is lost of it while its file stands: it is written again."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    settle(a)
    a.write("file", "text")
    with pytest.raises(Killed):
        a.sync(steps=KilledAfter("commit open event"))
    a.away = {store}
    a.sync()
    a.away = set()
    settle(a)
    assert len(event_files(store)) == 1
    check_rest([a])


@pytest.mark.parametrize("lost", [True, False])
def test_a_garbled_index_entry(tmp_path: Path, lost: bool) -> None:
    """A path that a store garbled at its right size is written right by who knows it, within a
    week: also when its writer has lost its table, and with it that the write had failed."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    a.write("file", "text")
    settle(a, b)
    (entry,) = (store / LAYOUT.root / "eventsindex").glob("*/*")
    entry.write_bytes(b"fIle")
    if lost:
        lose_database(a)
    c = Laptop(tmp_path / "c", "cccccccc", [store], clock=clock)
    c.sync()
    assert c.tree() == {}
    clock.advance(days=8)
    settle(a, b)
    assert entry.read_bytes() == b"file"
    settle(a, b, c)
    assert c.tree() == {"file": "text"}
    check_rest([a, b, c])


def test_a_reader_that_knows_the_path(tmp_path: Path) -> None:
    """Who cannot read a new event's path in its store has it in the log, and writes it there."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("file", "text")
    settle(a, b)
    a.delete("file")
    a.sync()
    (entry,) = (store / LAYOUT.root / "eventsindex").glob("*/*")
    entry.write_bytes(b"fIle")
    assert b.sync().problems == []
    assert b.tree() == {}
    assert entry.read_bytes() == b"file"
    check_rest([a, b])


def test_a_garbled_event(tmp_path: Path) -> None:
    """An event of the right size with wrong bytes is sent again within a week by who can make it,
    though that one has no need to read it; the store is called suspect."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    a.write("file", "text")
    settle(a)
    (event,) = event_files(store).values()
    event.write_bytes(b"tExt")
    report = b.sync()
    assert {problem.kind for problem in report.problems} == {"pending", "pending event"}
    clock.advance(days=8)
    assert {problem.kind for problem in a.sync().problems} == {"suspect store"}
    settle(a, b)
    assert b.tree() == {"file": "text"}
    check_rest([a, b])


def test_a_store_that_told_another_size(tmp_path: Path) -> None:
    """Who learnt a wrong size from a damaged event knows better once it is whole: the outbox lets
    go of it, and nobody sends it again and again."""
    s1, s2, clock = tmp_path / "s1", tmp_path / "s2", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2], clock=clock)
    a.write("file", "text")
    settle(a)
    for store in (s1, s2):
        (event,) = event_files(store).values()
        event.write_bytes(b"te")
    lose_database(a)
    settle(a)
    clock.advance(days=8)
    settle(a)
    assert [path.read_bytes() for s in (s1, s2) for path in event_files(s).values()] == [
        b"text"
    ] * 2
    check_rest([a])


def test_a_large_file_waits_for_its_parent(tmp_path: Path) -> None:
    """A store that lacks what a large file stands on gets both from the copier, in their order."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.away = {store}
    a.write("file", "first")
    a.sync()
    a.away = set()
    a.write("file", b"large " * 7_000_000)
    seen = set[tuple[int, ...]]()
    a.sync(steps=lambda name: seen.add(sizes(store)))
    assert seen == {(), (5,), (5, 42_000_000)}
    settle(a)
    check_rest([a])


def sizes(store: Path) -> tuple[int, ...]:
    """Of the event files, in the order of their names."""
    return tuple(path.stat().st_size for _, path in sorted(event_files(store).items()))


@pytest.mark.parametrize("older", [True, False])
def test_a_file_that_was_booked_on_an_event_that_never_was(tmp_path: Path, older: bool) -> None:
    """A large file found no place, and later in the same pass its open event looked as if the log
    had the file already. The event never was, so the file is told in the next pass."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    if older:
        a.write("file", "older")
    settle(a)
    a.write("file", "newer")
    with pytest.raises(Killed):
        a.sync(steps=KilledAfter("commit open event"))
    state = FolderState(a.place / "state.db")
    (event,) = state.journal.in_state(EventState.OPEN)
    (entry,) = state.journal.entries_of_event(event.id)
    found = (a.folder / "file").stat()
    times = (found.st_size, found.st_mtime_ns, found.st_ino)
    with state.transaction("test"):
        row = FileRow("file", entry.kind, *times, entry.data_hash, entry.flags, entry.ref)
        state.files.put_many([row])
    state.close()
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    settle(a, b)
    assert b.tree() == {"file": "newer"}
    check_rest([a, b])


def test_a_conflict_whose_loser_came_late(tmp_path: Path) -> None:
    """A path where a version could not be had counts without it for a while. When it can be had,
    the path is looked at again, whatever was done there meanwhile."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    a.write("file", "by a")
    a.sync()
    unreadable = Fault("open", repeat=99, error=UnavailableError("", "gone"))
    clock.advance(hours=1)
    b.write("file", "by b")
    b.wrap = Faults(clock, "store", unreadable)
    b.sync()
    b.move("file", "moved")
    b.sync()
    b.wrap = a.wrap
    settle(b, a)
    assert a.tree() == b.tree()
    check_rest([a, b])


def test_a_row_that_stands_alone_no_more(tmp_path: Path) -> None:
    """An older event with the same content came late and changed nothing here. When the file is
    moved then, that one is closed as well, and the file does not come back."""
    store, clock = tmp_path / "store", LaptopClock()
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock)
    c = Laptop(tmp_path / "c", "cccccccc", [store], clock=clock)
    a.write("file", "older")
    settle(a)
    a.write("file", "text")
    a.sync()
    clock.advance(hours=1)
    b.away = {store}
    b.write("file", "text")
    b.sync()
    b.away = set()
    settle(b, a)
    b.move("file", "moved")
    settle(b, a, c)
    assert a.tree() == b.tree() == c.tree() == {"moved": "text"}
    check_rest([a, b, c])
