"""Stores that fail, lie, lose things, and several of them at once."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.forging import At, PowerCut, change, events, plant, single
from tests.scenario.laptops import LAYOUT, Laptop, LaptopClock, event_count, settle, store_hash

from firnline.core.event import Op
from firnline.core.hashing import PLAIN, Ref
from firnline.state.folder_state import FolderState
from firnline.stores.base import Store
from firnline.stores.errors import DeniedError, FullError, StoreError, UnavailableError


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "s1", tmp_path / "s2"


def _faulty(laptop: Laptop, name: str, *faults: Fault) -> Callable[[str, Store], Store]:
    """Wraps the store of that name; the faults stay with it from one pass to the next."""

    def wrap(store: str, inner: Store) -> Store:
        if store != name:
            return inner
        return FaultyStore(inner, laptop.clock, faults=list(faults))

    return wrap


def _hints(store: Path) -> list[Path]:
    return sorted(store.glob("connections/*/late_*"))


# --- what sizes and bodies are worth --------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"cut", b"a much longer body than the one of the event"])
def test_wrong_copy_in_one_store_does_no_harm_where_another_has_the_right_one(
    tmp_path: Path, stores: tuple[Path, Path], body: bytes
) -> None:
    """A body is taken by its hash, whatever another store says of its size; and the store with
    the wrong one gets the right one."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores)
    a.write("f.txt", "right content")
    settle(a)
    (event,) = events(stores[0])
    event.write_bytes(body)
    b = Laptop(tmp_path / "b", "bbbbbbbb", stores)
    settle(b)
    assert b.tree() == {"f.txt": "right content"}
    with closing(FolderState(b.place / "state.db")) as state:
        assert [entry.size for entry in state.journal.entries("f.txt")] == [13]
    assert events(stores[0])[0].read_bytes() == b"right content"
    assert not b.sync().problems


def test_content_that_a_store_lost_comes_from_a_renamed_file(tmp_path: Path) -> None:
    """While a file here has the content, this device is a source for it, at whatever path."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "the only copy")
    a.sync()
    a.move("f.txt", "g.txt")
    a.sync()
    events(store)[0].unlink()
    with closing(FolderState(a.place / "state.db")) as state, state.transaction("test"):
        row = state.journal.event(min(name for _, name in state.stores.not_held()))
        assert row is not None
        state.stores.lost(store_hash(store), row.id)
    a.sync()
    assert events(store)[0].read_bytes() == b"the only copy"


def test_batch_of_which_one_body_is_lost_brings_the_others(tmp_path: Path) -> None:
    """What nobody can supply holds nothing back: the rest of a batch goes on as header and
    manifest, with its other contents beside it (docs/design.md section 4)."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    for number in range(5):
        a.write(f"{number}.txt", f"content {number}")
    with pytest.raises(PowerCut):
        a.sync(steps=At("store.rename"))
    a.away = {store}
    a.sync()
    a.away = set()
    a.write("3.txt", "edited since")
    for _ in range(3):
        a.sync()
        b.sync()
    expected = {f"{number}.txt": f"content {number}" for number in range(5)}
    assert b.tree() == expected | {"3.txt": "edited since"}
    before = event_count(store)
    for laptop in (a, b):
        report = laptop.sync()
        assert (report.written, report.applied, report.copied) == (0, 0, 0)
    assert event_count(store) == before


def test_missing_member_of_a_batch_hides_no_other_member(tmp_path: Path) -> None:
    """A batch whose manifest is at hand counts in full: one content that cannot be had leaves
    conflicts that the batch closed closed."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    for name in ("f.txt", "g.txt"):
        a.write(name, "original")
    settle(a, b)
    a.write("f.txt", "f by a")
    a.write("g.txt", "g by a")
    a.sync()
    batch = events(store)[-1]
    start = batch.read_bytes().index(b"f by a")
    batch.write_bytes(batch.read_bytes()[:start])
    body = store / LAYOUT.history(PLAIN.data(b"g by a"))
    body.parent.mkdir(parents=True)
    body.write_bytes(b"g by a")
    b.sync()
    assert b.tree() == {"f.txt": "original", "g.txt": "g by a"}
    b.write("g.txt", "g by b")
    settle(b)
    c = Laptop(tmp_path / "c", "cccccccc", [store])
    c.sync()
    assert c.tree() == {"f.txt": "original", "g.txt": "g by b"}


def test_content_that_comes_late_replaces_what_was_shown_meanwhile(tmp_path: Path) -> None:
    """Where nothing stands the nearest ancestor is shown, and the newest version once it comes."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "one")
    a.sync()
    a.write("f.txt", "two")
    a.sync()
    newest = events(store)[-1]
    newest.write_bytes(b"")
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    b.sync()
    assert b.tree() == {"f.txt": "one"}
    newest.write_bytes(b"two")
    settle(b)
    assert b.tree() == {"f.txt": "two"}


def test_lost_version_is_moved_aside_once_its_content_comes(tmp_path: Path) -> None:
    """A conflict whose loser cannot be had waits, and is not forgotten."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    one = plant(store, single(change(Op.PUT, "f.txt", b"one"), b"one"))
    (store / LAYOUT.event(one)).write_bytes(b"")
    two = single(change(Op.PUT, "f.txt", b"two"), b"two", device=a.device)
    plant(store, two)
    for _ in range(3):
        a.sync()
    assert len(a.tree()) == 1
    (store / LAYOUT.event(one)).write_bytes(b"one")
    settle(a)
    assert set(a.tree().values()) == {"one", "two"}


def test_no_content_is_named_that_cannot_be_had(tmp_path: Path) -> None:
    """A store whose copy of a content is no good gets it again with the next file that has it."""
    store = tmp_path / "store"
    plant(store, single(change(Op.PUT, "f.txt", b"the content"), b"xxx"))
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.sync()
    a.write("g.txt", "the content")
    a.sync()
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    b.sync()
    assert b.tree()["g.txt"] == "the content"


# --- several stores -------------------------------------------------------------------------------


def test_nothing_goes_to_a_minor_store_alone(tmp_path: Path, stores: tuple[Path, Path]) -> None:
    """While no lasting store is in reach a body waits in the home store until every one has it: a
    stick in a drawer does not count."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores, minor=[stores[1]])
    a.away = {stores[0]}
    a.write("f.txt", "first")
    a.sync()
    a.write("f.txt", "second")
    a.sync()
    assert len(events(a.place / "home")) == 2
    a.away = {stores[1]}
    a.sync()
    assert event_count(stores[0]) == 2
    assert events(a.place / "home") == []


def test_event_without_its_index_entry_is_not_passed_on(
    tmp_path: Path, stores: tuple[Path, Path]
) -> None:
    """An event that cannot be read yet waits: a copy without the entry for its path would never
    get one."""
    plant(stores[0], single(change(Op.PUT, "f.txt", b"text"), b"text"), index=False)
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores)
    a.sync()
    place = stores[0] / LAYOUT.index(PLAIN.path("f.txt"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"f.txt")
    a.sync()
    b = Laptop(tmp_path / "b", "bbbbbbbb", [stores[1]])
    b.sync()
    assert a.tree() == b.tree() == {"f.txt": "text"}


def test_refused_event_is_told_once_and_changes_nothing(
    tmp_path: Path, stores: tuple[Path, Path]
) -> None:
    """It is not copied, not looked for, and no store is blamed for it."""
    plant(stores[0], single(change(Op.PUT, "../f.txt", b"text"), b"text"))
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores)
    for _ in range(2):
        report = a.sync()
        assert [problem.kind for problem in report.problems] == ["refused event"]
        assert report.copied == 0


@pytest.mark.parametrize("error", [UnavailableError("", "gone"), DeniedError("", "read-only")])
@pytest.mark.parametrize("size", [10, 500_000])
def test_target_that_fails_is_not_taken_for_the_source(
    tmp_path: Path, stores: tuple[Path, Path], error: StoreError, size: int
) -> None:
    """A store that takes nothing is dropped; the one that was read from has its event still."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [stores[0]])
    a.write("f.bin", b"x" * size)
    a.sync()
    b = Laptop(tmp_path / "b", "bbbbbbbb", stores)
    fault = [Fault(method, error=error, repeat=100) for method in ("upload", "put_many")]
    b.wrap = _faulty(b, "s2", *fault)
    report = b.sync()
    assert not report.complete
    with closing(FolderState(b.place / "state.db")) as state:
        assert state.stores.lacking(store_hash(stores[0])) == []
        assert state.stores.lacking_count(store_hash(stores[1])) == 1
    b.wrap = lambda name, inner: inner
    b.sync()
    assert event_count(stores[1]) == 1


def test_full_home_store_is_told(tmp_path: Path) -> None:
    """History that could not be kept on this computer is a line of its own."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "text")
    a.sync()
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    b.keep_all = True
    b.wrap = _faulty(b, "home", Fault("put_many", error=FullError("", "no space"), repeat=100))
    report = b.sync()
    assert b.tree() == {"f.txt": "text"}
    assert [problem.store for problem in report.problems] == ["home"]


def test_event_whose_index_is_in_another_store(tmp_path: Path, stores: tuple[Path, Path]) -> None:
    """Garbage in one store's index refuses no event: another store has the right entry."""
    draft = single(change(Op.PUT, "f.txt", b"text"), b"text")
    for store in stores:
        plant(store, draft)
    (stores[0] / LAYOUT.index(PLAIN.path("f.txt"))).write_bytes(b"\xff\xfe")
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores)
    a.sync()
    assert a.tree() == {"f.txt": "text"}


# --- listings, clocks, hints ----------------------------------------------------------------------


def test_clock_that_was_years_ahead_hides_nothing(tmp_path: Path) -> None:
    """A store that was listed by a clock which is right again now is listed in full."""
    store = tmp_path / "store"
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    b.wrap = _with_time(datetime(2031, 1, 1, tzinfo=UTC), b.clock)
    b.sync()
    b.wrap = lambda name, inner: inner
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "text")
    a.sync()
    b.sync()
    assert b.tree() == {"f.txt": "text"}


@pytest.mark.parametrize("year", [1970, 1999, 2150])
def test_store_without_a_clock_is_listed_all_the_same(tmp_path: Path, year: int) -> None:
    """A store that lost its battery is read in full, and no pass fails over its time."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    for laptop in (a, b):
        laptop.wrap = _with_time(datetime(year, 1, 1, tzinfo=UTC), laptop.clock)
    for number in range(2):
        a.write("f.txt", f"text {number}")
        a.sync()
        b.sync()
        assert b.tree() == {"f.txt": f"text {number}"}


def _with_time(time: datetime, clock: LaptopClock) -> Callable[[str, Store], Store]:
    return lambda name, inner: _WithTime(inner, time, clock)


class _WithTime(FaultyStore):
    """A store with a clock of its own."""

    def __init__(self, inner: Store, time: datetime, clock: LaptopClock) -> None:
        super().__init__(inner, clock)
        self._time = time

    def server_time(self) -> datetime | None:
        return self._time


def test_event_that_cannot_be_copied_makes_no_hint_at_every_pass(
    tmp_path: Path, stores: tuple[Path, Path]
) -> None:
    """A hint says what comes; nothing is said of what does not."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [stores[0]])
    a.write("f.txt", "text")
    a.sync()
    a.clock.advance(days=3)
    a.stores = list(stores)
    events(stores[0])[0].unlink()
    a.delete("f.txt")
    for _ in range(3):
        a.sync()
    assert len(_hints(stores[1])) <= 1


def test_hints_are_small_enough_to_be_read(tmp_path: Path, stores: tuple[Path, Path]) -> None:
    """Many late events come with hints that every reader takes."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [stores[0]])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [stores[1]])
    for number in range(4):
        a.write("f.txt", f"text {number}")
        a.sync()
    for laptop in (a, b):
        laptop.clock.advance(days=4)
    b.sync()
    for laptop in (a, b):
        laptop.clock.advance(days=1)
    a.stores = list(stores)
    a.sync()
    b.sync()
    assert b.tree() == {"f.txt": "text 3"}
    assert sum(path.stat().st_size for path in _hints(stores[1])) > 0


def test_store_that_was_set_back_gets_again_what_it_lost(tmp_path: Path) -> None:
    """What a full listing does not show is looked up, name by name, and sent again."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "kept")
    a.sync()
    a.clock.advance(days=1)
    a.write("g.txt", "lost")
    a.sync()
    lost = next(event for event in events(store) if event.read_bytes() == b"lost")
    lost.unlink()
    lost.parent.rmdir()
    a.clock.advance(days=8)
    report = a.sync()
    assert lost.read_bytes() == b"lost"
    assert [problem.kind for problem in report.problems] == ["store set back"]
    assert a.sync().problems == []


def test_path_waits_for_a_parent_for_seven_days(tmp_path: Path) -> None:
    """A conflict with something of which a part is missing is settled when it was waited for long
    enough, without anybody touching the file (rule 7)."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("f.txt", "by a")
    a.sync()
    unknown = Ref("0123456789")
    plant(store, single(change(Op.PUT, "f.txt", b"by somebody", unknown), b"by somebody"))
    a.sync()
    before = event_count(store)
    for _ in range(6):
        a.clock.advance(days=1)
        report = a.sync()
        assert not report.complete
        assert [problem.kind for problem in report.problems] == ["waiting"]
    assert event_count(store) == before
    a.clock.advance(days=2)
    a.sync()
    settle(a)
    assert set(a.tree().values()) == {"by a", "by somebody"}
    assert a.sync().complete


@pytest.mark.parametrize("days", [timedelta(0), timedelta(days=30)])
def test_unknown_parent_alone_is_nothing_to_wait_for(tmp_path: Path, days: timedelta) -> None:
    """Where no rule has anything to say, nothing is left to do."""
    store = tmp_path / "store"
    unknown = Ref("0123456789")
    plant(store, single(change(Op.PUT, "f.txt", b"text", unknown), b"text"))
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.clock.advance(seconds=days.total_seconds())
    report = a.sync()
    assert (report.complete, report.problems) == (True, [])
