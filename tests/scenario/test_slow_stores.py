"""Stores that a pass does not wait for, since saves wait behind it: what it does without them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop, LaptopClock, event_count
from tests.scenario.store_faults import FOREVER, FULL

from firnline.core.batch import MAX_BODIES
from firnline.stores.base import Store
from firnline.stores.errors import SlowError
from firnline.sync.context import HOME, Connected, FolderContext, Patience
from firnline.sync.event_writer import NowhereToWriteError
from firnline.sync.scope import WHOLE, Scope

SMALL, LARGE = 1000, MAX_BODIES + 1
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE])
MUCH = 2**40
SLOW = SlowError("", "it takes long")


class Hurried(Patience):
    """Of one pass."""

    def __init__(self, *, known: bool) -> None:
        """`known`: that the store is slow is known in advance."""
        self.known = known
        self.leisure = False

    def is_slow(self, connected: Connected, size: int) -> bool:
        return self.known

    @contextmanager
    def at_leisure(self) -> Iterator[None]:
        self.leisure = True
        try:
            yield
        finally:
            self.leisure = False


@pytest.fixture(params=[True, False], ids=["known", "found out"])
def patience(request: pytest.FixtureRequest) -> Hurried:
    return Hurried(known=request.param)


class Home(FaultyStore):
    """A home store on whose disk so many bytes fit, as it says, or none at all."""

    def __init__(self, inner: Store, room: int) -> None:
        super().__init__(inner, LaptopClock(), faults=[] if room else no_room())
        self.room = room

    def free_space(self) -> int:
        return self.room


def no_room() -> list[Fault]:
    return [Fault(method, error=FULL, repeat=FOREVER) for method in ("put_many", "upload")]


class Slow(FaultyStore):
    """Takes nothing while somebody is in a hurry."""

    def __init__(self, inner: Store, patience: Hurried) -> None:
        super().__init__(inner, LaptopClock())
        self.patience = patience

    def put_many(self, files):
        self._require_leisure()
        super().put_many(files)

    def upload(self):
        self._require_leisure()
        return super().upload()

    def _require_leisure(self) -> None:
        if not self.patience.leisure:
            raise SLOW


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def anna(tmp_path: Path, store: Path) -> Laptop:
    laptop = Laptop(tmp_path / "anna", "anna0000", [store])
    laptop.write("a.txt", "a")
    sync_until_rest([laptop])
    return laptop


def hurry(laptop: Laptop, patience: Hurried, room: int = MUCH) -> None:
    """Its passes wait for no store from now on, and copy nothing."""

    def scope(context: FolderContext) -> Scope:
        context.patience = patience
        return WHOLE._replace(copy=False)

    laptop.scope = scope
    laptop.wrap = lambda name, inner: Home(inner, room) if name == HOME else Slow(inner, patience)


def take_time(laptop: Laptop) -> None:
    laptop.scope = lambda context: WHOLE
    laptop.wrap = lambda name, inner: inner


@SIZES
def test_what_is_new_waits_at_home(anna: Laptop, store: Path, patience: Hurried, size: int) -> None:
    """It is recorded, with nothing to be told; whoever has the time brings it, and then it waits
    no more."""
    hurry(anna, patience)
    anna.write("new", "x" * size)
    report = anna.sync()
    assert (report.written, report.problems) == (1, [])
    assert event_count(store) == 1
    assert event_count(anna.place / "home") == 1
    anna.write("new", "y" * size)
    assert anna.sync().written == 1
    take_time(anna)
    sync_until_rest([anna])
    assert event_count(store) == 3
    assert event_count(anna.place / "home") == 0
    check_done([anna])


@SIZES
def test_without_room_at_home_the_store_is_waited_for(
    anna: Laptop, store: Path, patience: Hurried, size: int
) -> None:
    """Sparing a wait is not worth the last of this computer's disk."""
    hurry(anna, patience, 2**29)
    anna.write("new", "x" * size)
    report = anna.sync()
    assert (report.written, report.problems) == (1, [])
    assert event_count(store) == 2
    assert event_count(anna.place / "home") == 0
    take_time(anna)
    sync_until_rest([anna])
    check_done([anna])


@SIZES
def test_what_has_to_be_at_home_waits_there_first(
    anna: Laptop, tmp_path: Path, patience: Hurried, size: int
) -> None:
    """With two stores the body is in the home store before it goes anywhere, slow or not."""
    anna.stores.append(tmp_path / "second")
    sync_until_rest([anna])
    hurry(anna, patience, 2**29)
    anna.write("new", "x" * size)
    report = anna.sync()
    assert (report.written, report.problems) == (1, [])
    assert event_count(anna.place / "home") == 1
    take_time(anna)
    sync_until_rest([anna])
    check_done([anna])


@SIZES
def test_nobody_takes_it(anna: Laptop, store: Path, patience: Hurried, size: int) -> None:
    """No room here, and a store that fails in the end: it is told, and tried again."""
    hurry(anna, patience, 0)
    anna.wrap = lambda name, inner: (
        Home(inner, 0) if name == HOME else FaultyStore(inner, anna.clock, faults=no_room())
    )
    anna.write("new", "x" * size)
    with suppress(NowhereToWriteError):
        report = anna.sync()
        assert "no space" in {problem.kind for problem in report.problems}
    take_time(anna)
    sync_until_rest([anna])
    assert event_count(store) == 2
    check_done([anna])


def test_small_changes_are_no_members_of_a_large_batch(
    anna: Laptop, store: Path, patience: Hurried
) -> None:
    """Where a store is slow they would wait for all of it; where none is, one event says all."""
    anna.write("b.txt", "b")
    anna.write("c.bin", "c" * 2**20)
    anna.write("d.txt", "d")
    assert anna.sync().written == 1
    hurry(anna, patience)
    anna.write("a.txt", "aa")
    anna.sync()
    for name in ("b.txt", "c.bin", "d.txt"):
        anna.write(name, name * 2**18 if name == "c.bin" else name)
    assert anna.sync().written == (3 if patience.known else 1)
    take_time(anna)
    sync_until_rest([anna])
    check_done([anna])
