"""Stores that do not show what they had: set back, names removed, listings that are not whole.

Known names only grow: what is missing is looked up, sent again where it is gone, and told.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.doubles.faulty_store import FaultyStore
from tests.scenario.invariants import check_nothing_lost, check_rest, sync_until_rest
from tests.scenario.laptops import LAYOUT, Laptop, settle, store_hash
from tests.scenario.store_contents import contents_in, event_files, missing_contents

from firnline.state.folder_state import FolderState
from firnline.stores.base import Listed, Store

Loss = Callable[[Path], None]


@pytest.fixture
def s1(tmp_path: Path) -> Path:
    return tmp_path / "s1"


@pytest.fixture
def s2(tmp_path: Path) -> Path:
    return tmp_path / "s2"


@pytest.fixture
def both(tmp_path: Path, s1: Path, s2: Path) -> tuple[Laptop, Laptop]:
    """Two laptops that know both stores, with some days of history."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1, s2]) for name in "ab")
    for day in range(5):
        a.write(f"d/{day}.txt", f"text {day}")
        a.write("same.txt", f"version {day}")
        settle(a, b)
        if day == 2:
            b.move("d/1.txt", "moved.txt")
            b.write("copy.txt", "text 2")
            settle(a, b)
        for laptop in (a, b):
            laptop.clock.advance(days=1)
    return a, b


def take_newest(store: Path) -> None:
    """The newest name is gone."""
    max(event_files(store).values(), key=lambda path: path.name).unlink()


def take_oldest(store: Path) -> None:
    """The oldest."""
    min(event_files(store).values(), key=lambda path: path.name).unlink()


def take_every_second(store: Path) -> None:
    """Names removed one by one."""
    for path in list(event_files(store).values())[::2]:
        path.unlink()


def take_newest_days(store: Path) -> None:
    """An older backup: the last two days are not in it."""
    for day in sorted((store / LAYOUT.events).iterdir())[-2:]:
        shutil.rmtree(day)


def take_folder(store: Path) -> None:
    """The whole folder's directory, while the store stays."""
    shutil.rmtree(store / LAYOUT.root)


def take_nothing(store: Path) -> None:
    """For comparison."""


@pytest.mark.parametrize(
    "loss", [take_newest, take_oldest, take_every_second, take_newest_days, take_folder]
)
@pytest.mark.parametrize("who", [0, 1])
def test_what_a_store_lost_is_sent_again(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path, loss: Loss, who: int
) -> None:
    """By whoever notices, told once, and then the store is as the other one again. What is days
    old is noticed with the next full listing, all else at once."""
    written = set(contents_in(s1))
    loss(s1)
    if loss in (take_oldest, take_every_second):
        both[who].clock.advance(days=7)
    report = both[who].sync()
    assert [problem.kind for problem in report.problems] == ["store set back"]
    assert report.problems[0].store == "s1"
    assert event_files(s1).keys() == event_files(s2).keys()
    if loss is not take_folder:
        assert missing_contents(s1) == set()
    sync_until_rest(both)
    assert event_files(s1).keys() == event_files(s2).keys()
    check_nothing_lost(both, written)
    check_rest(both)


@pytest.mark.parametrize("loss", [take_newest, take_newest_days, take_folder])
def test_only_store_that_was_set_back(tmp_path: Path, s1: Path, loss: Loss) -> None:
    """What the folders still have comes from them; a version that is gone everywhere is told, and
    nothing else waits for it."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    for day in range(4):
        a.write(f"{day}.txt", f"text {day}")
        a.write("same.txt", f"version {day}")
        settle(a, b)
        for laptop in (a, b):
            laptop.clock.advance(days=1)
    names = event_files(s1).keys()
    loss(s1)
    report = b.sync()
    assert "store set back" in {problem.kind for problem in report.problems}
    a.sync()
    c = Laptop(tmp_path / "c", "cccccccc", [s1], clock=a.clock)
    c.sync()
    assert c.tree() == a.tree() == b.tree()
    assert event_files(s1).keys() <= names
    a.write("later.txt", "later")
    for laptop in (a, b, c):
        laptop.sync()
    assert b.read("later.txt") == c.read("later.txt") == "later"


@pytest.mark.parametrize("files", [1, 2])
def test_part_of_an_event_under_its_name(tmp_path: Path, s1: Path, s2: Path, files: int) -> None:
    """A part of an event, or a batch that came without its bodies, is found by the weekly look at
    all days, told once, and made whole from the other store: who has just this one reads it."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2])
    for number in range(files):
        a.write(f"{number}.txt", f"text {number}")
    settle(a)
    (event,) = event_files(s1).values()
    whole = event.read_bytes()
    event.write_bytes(whole[: whole.index(b"text 0")] if files > 1 else whole[:2])
    assert a.sync().problems == []
    a.clock.advance(days=8)
    report = a.sync()
    assert [(problem.kind, problem.store) for problem in report.problems] == [
        ("suspect store", "s1")
    ]
    assert report.copied == 1
    assert event.read_bytes() == whole
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1], clock=a.clock)
    assert b.sync().problems == []
    assert b.tree() == a.tree()
    check_rest([a, b])


class _Hiding(FaultyStore):
    """A store whose listings of one day leave out every second name: a cache, or a page that is
    missing."""

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        found = sorted(super().list(directory, after, sizes), key=lambda each: each.name)
        return iter(found[1::2] if "/events/" in directory else found)


@pytest.mark.parametrize("loss", [take_nothing, take_newest])
def test_names_that_a_listing_hides(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path, loss: Loss
) -> None:
    """Nothing is taken for gone that stands there, nothing is sent or deleted for it, and the
    user is told that the store is suspect."""
    a, b = both
    names = event_files(s1).keys()

    def wrap(name: str, store: Store) -> Store:
        return _Hiding(store, a.clock) if name == "s1" else store

    loss(s1)
    before = a.tree()
    a.wrap = wrap
    a.clock.advance(days=7)
    report = a.sync()
    kinds = [problem.kind for problem in report.problems]
    assert kinds == ["suspect store"] if loss is take_nothing else ["store set back", kinds[-1]]
    assert report.copied == (0 if loss is take_nothing else 1)
    assert (report.written, report.applied) == (0, 0)
    assert not report.complete or report.problems
    assert a.tree() == before
    a.wrap = lambda name, store: store
    b.sync()
    assert event_files(s1).keys() == names == event_files(s2).keys()
    sync_until_rest(both)
    check_rest(both)


def test_listing_that_hides_news_is_caught_up(both: tuple[Laptop, Laptop], s1: Path) -> None:
    """What was not listed once is listed the next time."""
    a, b = both
    a.stores = b.stores = [s1]
    for laptop in both:
        laptop.sync()
    for number in range(4):
        a.write(f"new {number}.txt", f"new {number}")
        a.sync()
    b.wrap = lambda name, store: _Hiding(store, b.clock) if name == "s1" else store
    b.sync()
    b.wrap = lambda name, store: store
    settle(a, b)
    assert b.tree() == a.tree()


def test_wrong_file_that_vanished_is_no_loss(both: tuple[Laptop, Laptop], s1: Path) -> None:
    """A store lacks an event of which it has a damaged copy; that this goes is no news."""
    a, _ = both
    name, path = max(event_files(s1).items())
    with closing(FolderState(a.place / "state.db")) as state, state.transaction("test"):
        row = state.journal.event(name)
        assert row is not None
        state.stores.lost(store_hash(s1), row.id, wrong=True)
    path.unlink()
    a.clock.advance(days=8)
    report = a.sync()
    assert report.problems == []
    assert report.copied == 1
