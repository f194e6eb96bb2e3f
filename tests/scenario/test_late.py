"""Events that come late, clocks that are wrong, devices that come back after a year."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.scenario.cases import shown
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, LaptopClock, settle
from tests.scenario.store_contents import event_files

START = LaptopClock().moment


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def pair(tmp_path: Path, store: Path) -> tuple[Laptop, Laptop]:
    """Two laptops whose clocks go together."""
    clock = LaptopClock()
    return (
        Laptop(tmp_path / "a", "aaaaaaaa", [store], clock=clock),
        Laptop(tmp_path / "b", "bbbbbbbb", [store], clock=clock),
    )


def years(store: Path) -> list[str]:
    """The years in the names of a store's events."""
    return sorted(name[:4] for name in event_files(store))


# --- late events --------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1.5, 3, 6, 30, 400])
def test_late_events_arrive(pair: tuple[Laptop, Laptop], days: float) -> None:
    """Events that were written offline days before they reach the store are found by those who
    listed the store meanwhile."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    a.away = set(a.stores)
    a.write("f", "offline")
    a.write("new", "new")
    a.sync()
    for _ in range(3):
        a.clock.advance(days=days / 3)
        b.sync()
    a.away = set()
    a.sync()
    b.sync()
    assert b.tree() == {"f": "offline", "new": "new"}
    check_rest([a, b])


def test_late_events_cross_stores(tmp_path: Path) -> None:
    """What was late in one store is late in the next one too, and arrives."""
    clock = LaptopClock()
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1], clock=clock)
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2], clock=clock)
    c = Laptop(tmp_path / "c", "cccccccc", [s2], clock=clock)
    a.write("f", "first")
    settle(a, b, c)
    b.away = {s2}
    a.write("f", "second")
    settle(a, b)
    for _ in range(4):
        clock.advance(days=1)
        c.sync()
    b.away = set()
    b.sync()
    c.sync()
    assert c.read("f") == "second"
    check_rest([a, b, c])


@pytest.mark.parametrize("other_way", [False, True])
def test_device_that_comes_back_after_a_year(pair: tuple[Laptop, Laptop], other_way: bool) -> None:
    """A laptop from a drawer brings nothing back that the others deleted; what it edited before it
    went there stays."""
    a, b = pair
    for name in ("deleted", "edited", "moved", "both"):
        a.write(name, f"{name}, first")
    settle(a, b)
    b.write("both", "edited before the drawer")
    b.away = set(b.stores)
    b.sync()
    a.delete("deleted")
    a.write("edited", "edited")
    a.move("moved", "moved on")
    a.delete("both")
    a.sync()
    a.clock.advance(days=400)
    a.write("later", "later")
    a.sync()
    b.away = set()
    settle(*((a, b) if other_way else (b, a)))
    assert (
        a.tree()
        == b.tree()
        == {
            "edited": "edited",
            "moved on": "moved, first",
            "both": "edited before the drawer",
            "later": "later",
        }
    )
    check_rest([a, b])


def test_store_that_comes_back_after_a_year(tmp_path: Path) -> None:
    """An old stick brings nothing back either, and is brought up to date."""
    clock = LaptopClock()
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    a, b = (Laptop(tmp_path / name, name * 8, [s1, s2], clock=clock, minor=[s2]) for name in "ab")
    a.write("deleted", "text")
    a.write("edited", "first")
    settle(a, b)
    a.away = b.away = {s2}
    a.delete("deleted")
    a.write("edited", "second")
    settle(a, b)
    clock.advance(days=400)
    settle(a, b)
    b.away = set()
    b.sync()
    c = Laptop(tmp_path / "c", "cccccccc", [s2], clock=clock)
    c.sync()
    assert a.tree() == b.tree() == c.tree() == {"edited": "second"}
    assert event_files(s2).keys() == event_files(s1).keys()


def test_parent_that_never_comes(pair: tuple[Laptop, Laptop], store: Path) -> None:
    """A conflict waits while an event that it stands on is missing, for seven days; then it is
    settled without."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    b.away = set(b.stores)
    before = event_files(store).keys()
    a.write("f", "second")
    a.sync()
    (lost,) = event_files(store).keys() - before
    a.write("f", "third")
    a.sync()
    event_files(store)[lost].unlink()
    b.write("f", "by b")
    b.sync()
    b.away = set()
    b.sync()
    assert "conflict" not in "".join(b.tree())
    b.clock.advance(days=8)
    b.sync()
    assert shown(b)["f"] == ["by b", "third"]
    settle(a, b)
    assert a.tree() == b.tree()


# --- clocks -------------------------------------------------------------------------------------


def clocked(place: Path, store: Path, device: str, moment: datetime) -> Laptop:
    """A laptop whose own clock may be wrong; the store's is right."""
    return Laptop(
        place / device,
        device * 8,
        [store],
        clock=LaptopClock(moment),
        store_clock=LaptopClock(START),
    )


@pytest.mark.parametrize("off", [timedelta(days=365 * 5), timedelta(days=2), timedelta(days=-300)])
def test_clock_that_is_off_uses_the_stores_time(
    tmp_path: Path, store: Path, off: timedelta
) -> None:
    """A device whose clock is more than a day off writes with the store's time, and says so."""
    a = clocked(tmp_path, store, "a", START + off)
    a.write("f", "text")
    report = a.sync()
    (name,) = event_files(store)
    assert name[:8] == START.strftime("%Y%m%d")
    assert [problem.kind for problem in report.problems] == ["clock"]
    b = clocked(tmp_path, store, "b", START)
    settle(b)
    assert b.tree() == {"f": "text"}


def test_clock_that_is_a_little_off_is_gone_by(tmp_path: Path, store: Path) -> None:
    """Up to a day is nothing to speak of."""
    a = clocked(tmp_path, store, "a", START + timedelta(hours=23))
    a.write("f", "text")
    assert a.sync().problems == []


def test_events_of_years_ahead_poison_nobody(tmp_path: Path, store: Path) -> None:
    """What a device wrote offline with a clock years ahead arrives and can be edited, and nobody
    else's clock follows it."""
    a = clocked(tmp_path, store, "a", START + timedelta(days=365 * 7))
    b = clocked(tmp_path, store, "b", START)
    b.write("f", "first")
    settle(b)
    a.sync()
    a.away = {store}
    a.write("f", "by a, in seven years")
    a.write("n", "new")
    a.sync()
    a.away = set()
    settle(a, b)
    assert b.tree() == {"f": "by a, in seven years", "n": "new"}
    b.write("f", "by b, on top")
    settle(b, a)
    assert a.tree() == b.tree() == {"f": "by b, on top", "n": "new"}
    assert years(store) == ["2026", "2026", "2033"]


def test_years_ahead_and_a_conflict(tmp_path: Path, store: Path) -> None:
    """A rival from the future wins, as the largest name does, and both contents stay."""
    a = clocked(tmp_path, store, "a", START + timedelta(days=365 * 7))
    b = clocked(tmp_path, store, "b", START)
    b.write("f", "first")
    settle(b)
    a.sync()
    a.away = {store}
    a.write("f", "by a")
    a.sync()
    b.write("f", "by b")
    b.sync()
    a.away = set()
    settle(a, b)
    assert a.tree() == b.tree()
    assert a.read("f") == "by a"
    assert shown(a) == {"f": ["by a", "by b"]}
    b.write("g", "later")
    settle(b, a)
    assert max(event_files(store))[:4] == "2033"
    assert a.tree() == b.tree()
    check_rest([a, b])


def test_clock_before_the_program_was_built(tmp_path: Path, store: Path) -> None:
    """With no store in reach and a clock that cannot be right, no event is made, and it is said;
    with a store in reach the work goes on."""
    a = clocked(tmp_path, store, "a", datetime(2001, 1, 1, tzinfo=UTC))
    a.away = {store}
    a.write("f", "text")
    report = a.sync()
    assert report.written == 0
    assert [problem.kind for problem in report.problems] == ["clock"]
    a.away = set()
    a.sync()
    assert years(store) == ["2026"]


def test_clock_set_back(pair: tuple[Laptop, Laptop], store: Path) -> None:
    """Events that a device writes after its clock was set back by hours still come after those that
    it knows, and parents reach a new store before children."""
    a, b = pair
    a.write("f", "first")
    settle(a, b)
    a.clock.advance(hours=-20)
    a.write("f", "second")
    settle(a, b)
    assert b.read("f") == "second"
    names = sorted(event_files(store))
    assert len({name[:20] for name in names}) == len(names)
    check_rest([a, b])
