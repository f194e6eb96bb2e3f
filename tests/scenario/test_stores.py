"""Several stores: devices with different sets of them; stores away, new, minor and dropped."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.laptops import Laptop, settle
from tests.scenario.store_contents import contents_in, event_files, missing_contents

from firnline.core.hashing import PLAIN

Edit = Callable[[Laptop], object]


@pytest.fixture
def s1(tmp_path: Path) -> Path:
    return tmp_path / "s1"


@pytest.fixture
def s2(tmp_path: Path) -> Path:
    return tmp_path / "s2"


@pytest.fixture
def chain(tmp_path: Path, s1: Path, s2: Path) -> tuple[Laptop, Laptop, Laptop]:
    """A knows the first store, C the second, and only B both."""
    return (
        Laptop(tmp_path / "a", "aaaaaaaa", [s1]),
        Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2]),
        Laptop(tmp_path / "c", "cccccccc", [s2]),
    )


@pytest.fixture
def both(tmp_path: Path, s1: Path, s2: Path) -> tuple[Laptop, Laptop]:
    """Two laptops that know both stores."""
    return (
        Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2]),
        Laptop(tmp_path / "b", "bbbbbbbb", [s1, s2]),
    )


def outbox(laptop: Laptop) -> int:
    """Events in the home store."""
    return len(event_files(laptop.place / "home"))


def assert_equal_stores(*stores: Path) -> None:
    """All have the same events, and all content that these bring or name."""
    for store in stores:
        assert event_files(store).keys() == event_files(stores[0]).keys()
        assert missing_contents(store) == set()


def assert_done(*laptops: Laptop) -> None:
    """Nothing is left to do, and nothing is wrong."""
    for laptop in laptops:
        report = laptop.sync()
        assert (report.problems, report.complete, report.copied) == ([], True, 0)


def move_directory(laptop: Laptop) -> None:
    laptop.move("d", "moved")


def copy_file(laptop: Laptop) -> None:
    laptop.write("copy.txt", laptop.read("d/1.txt"))


def swap_files(laptop: Laptop) -> None:
    laptop.move("d/1.txt", "aside")
    laptop.move("d/2.txt", "d/1.txt")
    laptop.move("aside", "d/2.txt")


EDITS: dict[str, Edit] = {
    "write": lambda laptop: laptop.write("new.txt", f"new from {laptop.device}"),
    "edit": lambda laptop: laptop.write("d/1.txt", f"edited by {laptop.device}"),
    "delete": lambda laptop: laptop.delete("d/1.txt"),
    "move": lambda laptop: laptop.move("d/1.txt", "e/1.txt"),
    "move directory": move_directory,
    "copy": copy_file,
    "swap": swap_files,
    "chmod": lambda laptop: (laptop.folder / "d/1.txt").chmod(0o755),
    "link": lambda laptop: (laptop.folder / "l").symlink_to("d/1.txt"),
}


@pytest.mark.parametrize("who", [0, 1, 2])
@pytest.mark.parametrize("edit", EDITS)
def test_everything_reaches_everybody(
    chain: tuple[Laptop, Laptop, Laptop], s1: Path, s2: Path, edit: str, who: int
) -> None:
    """Whatever one laptop does gets to all others through the one that knows both stores, and both
    stores have all of it, also the content that an event names without bringing it."""
    chain[0].write("d/1.txt", "one")
    chain[0].write("d/2.txt", "two")
    settle(*chain)
    EDITS[edit](chain[who])
    wanted = chain[who].tree()
    settle(*chain)
    assert [laptop.tree() for laptop in chain] == [wanted] * 3
    assert_equal_stores(s1, s2)
    assert_done(*chain)


@pytest.mark.parametrize("edit", EDITS)
def test_store_that_was_away_gets_all(
    chain: tuple[Laptop, Laptop, Laptop], s1: Path, s2: Path, edit: str
) -> None:
    """A store that was out of reach gets everything when it is back, and those who know only that
    one see it then."""
    a, b, c = chain
    a.write("d/1.txt", "one")
    a.write("d/2.txt", "two")
    settle(*chain)
    before = c.tree()
    b.away = {s2}
    EDITS[edit](a)
    a.write("later.txt", "later")
    for laptop in (a, b, c):
        laptop.sync()
    assert not b.sync().complete
    assert c.tree() == before
    b.away = set()
    settle(*chain)
    assert c.tree() == b.tree() == a.tree() != before
    assert_equal_stores(s1, s2)


# --- the home store as an outbox ----------------------------------------------------------------


def test_nothing_is_kept_at_home_with_one_store(tmp_path: Path, s1: Path) -> None:
    """With one store in reach, bodies go straight there."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    a.write("f.txt", "text")
    a.sync()
    assert outbox(a) == 0
    assert not (a.place / "home" / "documents-01234567").exists()


def test_offline_edits_wait_at_home(tmp_path: Path, s1: Path) -> None:
    """With no store in reach, each version waits in the home store and goes out later; then the
    home store is empty again."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    a.write("f.txt", "first")
    settle(a, b)
    a.away = {s1}
    for text in ("second", "third"):
        a.write("f.txt", text)
        report = a.sync()
        assert (report.written, report.complete) == (1, False)
    assert outbox(a) == 2
    b.sync()
    assert b.read("f.txt") == "first"
    a.away = set()
    settle(a, b)
    assert b.read("f.txt") == "third"
    assert outbox(a) == 0
    assert PLAIN.data(b"second") in contents_in(s1)
    assert_done(a, b)


def test_offline_edits_wait_for_every_lasting_store(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """What was written with no store in reach stays at home until all stores have it."""
    a, b = both
    settle(a, b)
    a.away = {s1, s2}
    a.write("f.txt", "text")
    a.sync()
    a.away = {s2}
    a.sync()
    assert event_files(s1)
    assert outbox(a) == 1
    a.away = set()
    a.sync()
    assert outbox(a) == 0
    assert_equal_stores(s1, s2)
    b.sync()
    assert b.read("f.txt") == "text"


def test_home_keeps_what_one_of_two_stores_has(
    both: tuple[Laptop, Laptop], s1: Path, s2: Path
) -> None:
    """With two lasting stores, content stays at home while only one of them has it."""
    a, _ = both
    a.away = {s2}
    a.write("f.txt", "text")
    a.sync()
    assert event_files(s1)
    assert outbox(a) == 1
    a.away = {s1}
    a.sync()
    assert event_files(s2)
    assert outbox(a) == 1, "two stores have it, but they were not seen in one and the same pass"
    a.away = set()
    a.sync()
    assert outbox(a) == 0


def test_two_of_three_stores_are_enough(tmp_path: Path, s1: Path, s2: Path) -> None:
    """What was written with stores in reach leaves the home store when two of them have it."""
    s3 = tmp_path / "s3"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2, s3])
    a.away = {s3}
    a.write("f.txt", "text")
    a.sync()
    assert_equal_stores(s1, s2)
    assert outbox(a) == 0
    a.away = set()
    a.sync()
    assert_equal_stores(s1, s2, s3)


def test_offline_moves_and_edits_keep_their_order(tmp_path: Path, s1: Path) -> None:
    """A whole day of work without a store arrives as it was done, moves as moves."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    for number in range(3):
        a.write(f"d/{number}.txt", f"text {number}")
    settle(a, b)
    inode = (b.folder / "d/1.txt").stat().st_ino
    a.away = {s1}
    for edit in ("move directory", "copy", "link"):
        if edit == "copy":
            a.write("d/1.txt", "came again")
        EDITS[edit](a)
        a.sync()
    a.write("moved/0.txt", "edited after the move")
    a.sync()
    a.away = set()
    settle(a, b)
    assert b.tree() == a.tree()
    assert (b.folder / "moved/1.txt").stat().st_ino == inode
    assert outbox(a) == 0


# --- minor stores -------------------------------------------------------------------------------


def test_nobody_waits_for_a_minor_store(tmp_path: Path, s1: Path, s2: Path) -> None:
    """A stick in a drawer holds nothing back: home is emptied without it, and it gets all when it
    is plugged in again."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2], minor=[s2])
    a.write("f.txt", "first")
    a.sync()
    a.away = {s2}
    a.write("f.txt", "second")
    a.sync()
    assert outbox(a) == 0
    a.away = set()
    a.sync()
    assert_equal_stores(s1, s2)


def test_offline_edits_go_out_though_a_minor_store_is_away(
    tmp_path: Path, s1: Path, s2: Path
) -> None:
    """Home waits for every lasting store, and for no stick."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2], minor=[s2])
    a.sync()
    a.away = {s1, s2}
    a.write("f.txt", "text")
    a.sync()
    a.away = {s2}
    a.sync()
    assert outbox(a) == 0
    assert event_files(s1)


def test_history_does_not_rest_on_a_stick_alone(tmp_path: Path, s1: Path, s2: Path) -> None:
    """While only a stick is in reach, each version stays at home too, and gets to the lasting store
    though the stick has gone back into its drawer."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2], minor=[s2])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1])
    settle(a, b)
    a.away = {s1}
    for text in ("first", "second"):
        a.write("f.txt", text)
        a.sync()
    assert event_files(s2)
    a.away = {s2}
    a.sync()
    assert PLAIN.data(b"first") in contents_in(s1)
    assert outbox(a) == 0
    assert_done(b)
    assert b.read("f.txt") == "second"


def test_only_minor_stores_are_no_safe_place(tmp_path: Path, s2: Path) -> None:
    """With nothing but a stick, the home store keeps the whole history."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s2], minor=[s2])
    for text in ("first", "second"):
        a.write("f.txt", text)
        a.sync()
    assert_equal_stores(a.place / "home", s2)
    assert outbox(a) == 2


# --- stores that come and go --------------------------------------------------------------------


def live_a_little(laptop: Laptop) -> None:
    """Several passes that leave versions, moves, copies and deletions behind."""
    laptop.write("d/1.txt", "one")
    laptop.write("d/2.txt", "two")
    laptop.sync()
    laptop.write("d/1.txt", "one, edited")
    laptop.sync()
    laptop.move("d", "e")
    laptop.write("copy.txt", "two")
    laptop.sync()
    laptop.delete("e/2.txt")
    laptop.sync()


@pytest.mark.parametrize("old_one_in_reach", [True, False])
def test_second_store_gets_the_whole_log(
    tmp_path: Path, s1: Path, s2: Path, old_one_in_reach: bool
) -> None:
    """A store that is added later gets every version, and somebody who knows only that store all
    of the folder; of what only the other store has, when that is in reach."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    live_a_little(a)
    a.stores.append(s2)
    if not old_one_in_reach:
        a.away = {s1}
        a.sync()
        c = Laptop(tmp_path / "c", "cccccccc", [s2])
        c.sync()
        assert c.tree() == a.tree(), "the folder itself is a source for what it still has"
        a.away = set()
    a.sync()
    assert_equal_stores(s1, s2)
    assert {PLAIN.data(text) for text in (b"one", b"two", b"one, edited")} <= set(contents_in(s2))
    c = Laptop(tmp_path / "d", "dddddddd", [s2])
    settle(a, c)
    assert c.tree() == a.tree() == {"copy.txt": "two", "e/1.txt": "one, edited"}
    assert_done(a, c)


def test_history_without_any_store(tmp_path: Path, s1: Path) -> None:
    """A laptop without stores keeps every version at home, and gives all of it to the first store
    that is added."""
    a = Laptop(tmp_path / "a", "aaaaaaaa")
    live_a_little(a)
    home = a.place / "home"
    assert missing_contents(home) == set()
    written = event_files(home).keys()
    assert_done(a)
    a.stores.append(s1)
    a.sync()
    assert event_files(s1).keys() == written
    assert missing_contents(s1) == set()
    assert outbox(a) == 0, "with a lasting store it is an outbox"
    b = Laptop(tmp_path / "b", "bbbbbbbb", [s1])
    settle(a, b)
    assert b.tree() == a.tree()


def test_history_wanted_at_home(tmp_path: Path, s1: Path) -> None:
    """Whoever wants the history on this computer gets it, that of other devices too."""
    a, b = (Laptop(tmp_path / name, name * 8, [s1]) for name in "ab")
    live_a_little(b)
    a.keep_all = True
    settle(a, b)
    assert_equal_stores(s1, a.place / "home")
    assert event_files(a.place / "home").keys() == event_files(s1).keys()


def test_dropped_store(both: tuple[Laptop, Laptop], s1: Path, s2: Path) -> None:
    """When one of two stores is dropped, all goes on through the other one, and nothing waits."""
    a, b = both
    live_a_little(a)
    settle(a, b)
    before = event_files(s1).keys()
    a.stores.remove(s1)
    b.stores.remove(s1)
    a.write("e/1.txt", "after it was dropped")
    settle(a, b)
    assert b.read("e/1.txt") == "after it was dropped"
    assert outbox(a) == 0
    assert event_files(s1).keys() == before
    assert_done(a, b)


def test_dropped_and_added_again(both: tuple[Laptop, Laptop], s1: Path, s2: Path) -> None:
    """A store that comes back after a time gets what it missed, and writes nothing anew."""
    a, b = both
    live_a_little(a)
    settle(a, b)
    a.stores.remove(s1)
    a.write("e/1.txt", "while it was gone")
    a.sync()
    a.stores.insert(0, s1)
    settle(a, b)
    assert_equal_stores(s1, s2)
    assert_done(a, b)


def test_last_store_dropped(tmp_path: Path, s1: Path) -> None:
    """Without its last store a laptop keeps at home what its folder still has, and says of which
    versions it knows but the names."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [s1])
    a.write("f.txt", "first")
    a.sync()
    a.write("f.txt", "second")
    a.sync()
    a.stores.clear()
    report = a.sync()
    assert PLAIN.data(b"second") in contents_in(a.place / "home")
    assert a.read("f.txt") == "second"
    a.write("f.txt", "third")
    report = a.sync()
    assert PLAIN.data(b"third") in contents_in(a.place / "home")
    assert {problem.kind for problem in report.problems} == {"no source"}
