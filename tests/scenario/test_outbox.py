"""The home store as an outbox, sentence by sentence of docs/design.md section 4; and what happens
when the one store that had a body dies."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore, FaultyUpload
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.scenario.invariants import check_nothing_lost, check_rest, sync_until_rest
from tests.scenario.laptops import LAYOUT, Laptop, settle
from tests.scenario.store_contents import contents_in, entries_in, event_files, missing_contents
from tests.scenario.store_faults import FOREVER, FULL

from firnline.core.entry import Entry
from firnline.core.event import ref_of
from firnline.core.hashing import NO_PARENT, PLAIN
from firnline.state.folder_state import FolderState
from firnline.stores.base import Store
from firnline.sync.context import HOME


@pytest.fixture
def s1(tmp_path: Path) -> Path:
    return tmp_path / "s1"


@pytest.fixture
def s2(tmp_path: Path) -> Path:
    return tmp_path / "s2"


@pytest.fixture
def both(tmp_path: Path, s1: Path, s2: Path) -> tuple[Laptop, Laptop]:
    a, b = (Laptop(tmp_path / name, name * 8, [s1, s2]) for name in "ab")
    settle(a, b)
    return a, b


def at_home(laptop: Laptop) -> set[str]:
    """The texts that a home store has."""
    return {body.decode() for body in contents_in(laptop.place / "home").values()}


def texts(store: Path) -> set[str]:
    return {body.decode() for body in contents_in(store).values()}


# --- what the home store keeps --------------------------------------------------------------------


def test_named_content_is_kept_until_two_stores_have_it(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """B renames what only one store has, and edits it: the version that only that store and A have
    stays at B's home as well. That store dies, A is gone: the other store gets it from B."""
    a, b = both
    a.away = b.away = {s2}
    a.write("f.txt", "first")
    a.sync()
    b.sync()
    b.move("f.txt", "g.txt")
    b.sync()
    assert at_home(b) == {"first"}
    b.write("g.txt", "second")
    b.sync()
    assert at_home(b) == {"first", "second"}
    shutil.rmtree(s1)
    b.stores = [s2]
    b.away = set()
    sync_until_rest([b])
    assert texts(s2) >= {"first", "second"}
    assert missing_contents(s2) == set()
    assert at_home(b) == set()


class _Cloning(FaultyStore):
    """A store that shares blocks with local files, as far as anybody can tell."""

    @contextmanager
    def upload(self) -> Iterator[FaultyUpload]:
        with super().upload() as upload:
            yield _CloningUpload(self, upload)


class _CloningUpload(FaultyUpload):
    def clone(self, descriptor: int) -> bool:
        with self._store.at("clone", ""):
            self._inner.write(os.pread(descriptor, 2**20, 0))
            return True


@pytest.mark.parametrize("change", [False, True])
def test_named_content_is_shared_with_the_folders_file(
    both: tuple[Laptop, Laptop], s1: Path, change: bool
) -> None:
    """Where the file system can, and only when it is that content still."""
    a, b = both
    a.away = b.away = {s1.with_name("s2")}
    a.write("f.txt", "first")
    a.sync()
    b.sync()
    b.move("f.txt", "g.txt")
    edit = Fault("clone", callback=lambda: b.write("g.txt", "other"))
    home = _Cloning(MemoryStore(MemoryDisk(), b.clock), b.clock, faults=[edit] if change else [])

    def wrap(name: str, store: Store) -> Store:
        if name != "home":
            return store
        home.inner = store
        return home

    b.wrap = wrap
    b.sync()
    b.wrap = lambda name, store: store
    assert ("clone", "") in home.calls
    assert at_home(b) == {"first"}
    a.away = b.away = set()
    settle(a, b)
    assert at_home(b) == set()
    check_rest(both)


def test_named_content_goes_with_its_event(both: tuple[Laptop, Laptop], s1: Path, s2: Path) -> None:
    """Once two stores have the event and its content, nothing is left at home."""
    a, b = both
    a.away = b.away = {s2}
    for number in range(3):
        a.write(f"d/{number}.txt", f"text {number}")
    a.sync()
    b.sync()
    b.move("d", "moved")
    b.sync()
    assert at_home(b) == {"text 0", "text 1", "text 2"}
    assert b.sync().copied == 0
    a.away = b.away = set()
    settle(a, b)
    for laptop in both:
        assert at_home(laptop) == set()
    check_nothing_lost(both, {PLAIN.data(f"text {number}".encode()) for number in range(3)})
    check_rest(both)


def test_nothing_is_copied_for_content_that_two_stores_have(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """A renamed directory costs no copy, though one of the stores is away just now."""
    a, b = both
    a.write("d/f.txt", "text")
    settle(a, b)
    b.away = {s1}
    b.move("d", "moved")
    b.sync()
    assert len(event_files(b.place / "home")) == 1
    assert at_home(b) == set()
    b.away = set()
    settle(a, b)
    check_rest(both)


def test_undone_deletion_names_content_that_is_kept(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """Two stores, and what one of them names it has, whichever way it came."""
    a, b = both
    a.away = {s1}
    b.away = {s2}
    a.write("f.txt", "by a")
    a.sync()
    b.write("f.txt", "by b")
    b.sync()
    a.away = b.away = set()
    settle(a, b)
    for store in (s1, s2):
        assert texts(store) >= {"by a", "by b"}
        assert missing_contents(store) == set()
    check_rest(both)


@pytest.mark.parametrize("names", [["s1"], ["s1", "s2"]])
def test_part_of_an_event_is_written_again(tmp_path: Path, names: list[str]) -> None:
    """A part that stands in a store under an event's name, and that nobody remembers as a failed
    write, is found when the home store would let go of the event, and is made whole."""
    stores = [tmp_path / name for name in names]
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores)
    settle(a)
    a.away = {stores[-1]}
    a.write("f.txt", "text")
    a.sync()
    (event,) = event_files(a.place / "home").values()
    part = stores[-1] / event.relative_to(a.place / "home")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(event.read_bytes()[:2])
    a.away = set()
    a.sync()
    settle(a)
    assert part.read_text() == "text"
    assert at_home(a) == set()
    check_rest([a])


# --- the one store that had it is dead ------------------------------------------------------------


def test_folder_is_the_source_when_the_only_store_dies(tmp_path: Path, s1: Path, s2: Path) -> None:
    """Each device sends again what its own folder still has, under the old names; what was only
    history is told by the event's name, and holds nothing back."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    a.write("old.txt", "gone version")
    a.write("big.bin", b"x" * 400_000)
    settle(a, b)
    b.write("old.txt", "newest")
    b.write("links/target.txt", "target")
    (b.folder / "links/l").symlink_to("target.txt")
    settle(a, b)
    b.move("big.bin", "moved.bin")
    b.delete("links/target.txt")
    settle(a, b)
    wanted, names = a.tree(), event_files(s1).keys()
    shutil.rmtree(s1)
    a.stores = b.stores = [s2]
    report = a.sync()
    assert {problem.kind for problem in report.problems} <= {"no source"}
    b.sync()
    c = Laptop(tmp_path / "c", "cccccccc", [s2])
    c.sync()
    assert c.tree() == a.tree() == b.tree() == wanted
    assert event_files(s2).keys() <= names
    a.write("after.txt", "after")
    for laptop in (a, b, c, a):
        laptop.sync()
    assert c.read("after.txt") == "after"
    assert a.sync().copied == 0


@pytest.mark.parametrize("what", ["edit", "delete", "move", "move and edit"])
def test_changed_since_the_store_died(tmp_path: Path, s1: Path, s2: Path, what: str) -> None:
    """An event without a body of its own goes alone; a change of what nobody has any more goes all
    the same, and everybody comes to the same tree."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    a.write("f.txt", "first")
    a.write("other.txt", "other")
    settle(a, b)
    shutil.rmtree(s1)
    a.stores = [s2]
    if what == "delete":
        a.delete("f.txt")
    if "move" in what:
        a.move("f.txt", "g.txt")
        a.sync()
    if "edit" in what:
        a.write("g.txt" if "move" in what else "f.txt", "second")
    a.sync()
    b.stores = [s2]
    for laptop in (b, a, b, a):
        laptop.sync()
    c = Laptop(tmp_path / "c", "cccccccc", [s2])
    c.sync()
    assert c.tree() == b.tree() == a.tree()
    assert missing_contents(s2) <= {PLAIN.data(b"first")}
    reports = [laptop.sync() for laptop in (a, b, c)]
    assert not any(report.written or report.applied or report.copied for report in reports)


def test_offline_work_outlives_the_only_store(tmp_path: Path, s1: Path, s2: Path) -> None:
    """What waited at home for a store that died goes to the one that takes its place, every
    version of it."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    a.write("f.txt", "synced")
    settle(a, b)
    a.away = {s1}
    for number in range(3):
        a.write("f.txt", f"offline {number}")
        a.sync()
    shutil.rmtree(s1)
    a.stores, a.away = [s2], set()
    a.sync()
    assert texts(s2) >= {f"offline {number}" for number in range(3)}
    assert at_home(a) == set() or "synced" not in texts(s2)
    b.stores = [s2]
    for laptop in (b, a, b):
        laptop.sync()
    assert b.read("f.txt") == "offline 2"


# --- a home store that is not what it was ---------------------------------------------------------


def test_home_store_that_lost_files_is_noticed(both: tuple[Laptop, Laptop], s1: Path) -> None:
    """With the next look at it: then it no longer counts as a place where something is."""
    a, _ = both
    a.away = set(a.stores)
    a.write("f.txt", "first")
    a.sync()
    a.write("f.txt", "second")
    a.sync()
    for path in event_files(a.place / "home").values():
        path.unlink()
    a.clock.advance(days=8)
    a.sync()
    with closing(FolderState(a.place / "state.db")) as state:
        held = [name for _, name, _ in state.stores.held()]
    assert held == list(event_files(a.place / "home"))
    assert at_home(a) == {"second"}, "the folder still has it"
    a.away = set()
    report = a.sync()
    assert {problem.kind for problem in report.problems} == {"no source"}
    assert "second" in texts(s1)
    assert (s1 / LAYOUT.events).is_dir()


def test_a_move_is_not_written_before_its_content(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """A file was written while a store was away and is moved when only that store is there: at no
    moment does the store have the move without the content, or a change without what it stands on.
    """
    a, _ = both
    a.away = {s2}
    a.write("f.txt", "first")
    a.write("edited.txt", "one")
    a.sync()
    a.away = {s1}
    a.move("f.txt", "g.txt")
    a.write("edited.txt", "two")
    looked = Counter[str]()

    def look(step: str) -> None:
        looked[step] += 1
        assert missing_contents(s2) == set(), step
        known = {ref_of(name) for name in event_files(s2)} | {NO_PARENT}
        assert {entry.parent for entry in entries_in(s2)} <= known, step

    report = a.sync(steps=look)
    look("at the end")
    assert report.complete is False  # one store is away
    assert {"first", "one", "two"} <= texts(s2)
    assert sum(looked.values()) > 5


def test_a_store_that_lacks_nothing_takes_a_move_first(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """The best store was away and lacks the content: the move goes to the other one first."""
    a, _ = both
    a.away = {s1}
    a.write("f.txt", "first")
    a.sync()
    a.away = set()
    a.move("f.txt", "g.txt")
    before = event_files(s2).keys()
    order: list[str] = []

    def look(step: str) -> None:
        assert missing_contents(s1) == set(), step
        if event_files(s2).keys() != before and not order:
            order.append("s2")
            assert not (event_files(s2).keys() - before) & event_files(s1).keys()

    a.sync(steps=look)
    assert order == ["s2"]
    assert event_files(s1).keys() == event_files(s2).keys()


def test_a_store_that_is_behind_is_better_than_no_place(tmp_path: Path, s1: Path) -> None:
    """The only store lost a file's content, and this computer's disk is full: the move goes there
    all the same, and the content follows."""
    a = Laptop(tmp_path / "a", "a" * 8, [s1])
    a.write("f.txt", "first")
    settle(a)
    for path in event_files(s1).values():
        path.unlink()
    faults = [Fault(each, error=FULL, repeat=FOREVER) for each in ("upload", "put_many", "create")]
    a.wrap = lambda name, store: (
        FaultyStore(store, a.clock, faults=faults) if name == HOME else store
    )
    a.move("f.txt", "g.txt")
    sync_until_rest([a])
    assert {entry.path for entry in entries_in(s1)} == {"f.txt", "g.txt"}
    assert missing_contents(s1) == set()
    assert sum(fault.hits for fault in faults) > 0


def test_what_stands_in_a_files_place_waits_for_its_deletion(
    tmp_path: Path, s1: Path, s2: Path
) -> None:
    """C makes a directory of a file, and moves another file into it. A brings the second of these
    events to a store that B alone looks at, while the first can be had from nobody: B would take
    file and directory for a conflict, and bring the deleted file back as a copy."""
    a, b, c = (Laptop(tmp_path / name, name * 8, [s1, s2]) for name in "abc")
    c.write("f", "a file")
    c.write("g", "another")
    settle(a, b, c)
    a.away = c.away = {s2}
    b.away = {s1}
    c.delete("f")
    c.write("f/inside", "first")
    c.sync()
    c.move("g", "f/g")
    c.sync()
    a.sync()
    a.write("f/inside", "second")
    a.away = {s1}
    a.sync()
    b.sync()
    assert a.tree().keys() == {"f/inside", "f/g"}
    a.away = b.away = c.away = set()
    settle(a, b, c)
    assert b.tree().keys() == {"f/inside", "f/g"}
    check_rest((a, b, c))


def test_a_directory_in_a_files_place_is_not_filled_before_the_file_is_gone(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """The second event is written when only a store is there that lacks the first: at no moment
    does that store show a file and what stands below it."""
    a, _ = both
    a.write("f", "a file")
    a.write("g", "another")
    settle(*both)
    a.away = {s2}
    a.delete("f")
    a.write("f/inside", "first")
    a.sync()
    a.away = {s1}
    a.move("g", "f/g")
    looked = Counter[str]()

    def look(step: str) -> None:
        paths = {entry.path: entry.puts for entry in sorted(entries_in(s2), key=by_event)}
        looked[step] += "f/g" in paths
        assert not (paths["f"] and "f/g" in paths), step

    a.sync(steps=look)
    look("at the end")
    assert looked["at the end"] == 1


def by_event(entry: Entry) -> str:
    return entry.event
