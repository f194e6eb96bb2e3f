"""A folder that already has files joins, a database is lost, paths are hidden and shown again.

The same rule holds for all of them (section 7): a file that equals a logged version of its path is
that version, and what is missing was never deleted.
"""

from pathlib import Path

import pytest
from tests.scenario.cases import chmod, shown
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, event_count, settle
from tests.scenario.schedules import lose_database


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def a(tmp_path: Path, store: Path) -> Laptop:
    """A laptop with some history: two versions of `old`, `gone` deleted, `was` moved to `is`."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    for name in ("same", "old", "gone", "was", "d/deep"):
        a.write(name, f"{name}, first")
    a.sync()
    a.write("old", "old, second")
    a.delete("gone")
    a.move("was", "is")
    chmod("d/deep")(a)
    a.sync()
    return a


@pytest.fixture
def b(tmp_path: Path, store: Path) -> Laptop:
    """One that has never synced."""
    return Laptop(tmp_path / "b", "bbbbbbbb", [store])


# --- joining ------------------------------------------------------------------------------------


def test_equal_files_are_taken_as_they_are(a: Laptop, b: Laptop, store: Path) -> None:
    """Files that are there already, with the same content, are neither sent nor fetched, and no
    event is written."""
    for path in ("same", "old", "is", "d/deep"):
        b.write(path, a.read(path), executable=path == "d/deep")
    inodes = {path: path.stat().st_ino for path in b.folder.rglob("*")}
    before = event_count(store)
    report = b.sync()
    assert (report.written, report.problems) == (0, [])
    assert {path: path.stat().st_ino for path in inodes} == inodes
    settle(a, b)
    assert b.tree() == a.tree()
    assert event_count(store) == before


def test_older_versions_become_the_newest(a: Laptop, b: Laptop, store: Path) -> None:
    """A file that is an older version of its path is brought up to date, and is no rival."""
    b.write("old", "old, first")
    b.write("d/deep", "d/deep, first")
    report = b.sync()
    assert report.written == 0
    assert b.tree() == a.tree()


def test_deleted_versions_go(a: Laptop, b: Laptop) -> None:
    """A file that the others deleted, in the version that they deleted, is deleted here too; and
    one that they moved away does not come back."""
    b.write("gone", "gone, first")
    b.write("was", "was, first")
    settle(b, a)
    assert b.tree() == a.tree()
    assert "gone" not in a.tree()
    assert "was" not in a.tree()


def test_different_files_stand_beside_each_other(a: Laptop, b: Laptop) -> None:
    """A file with a content of its own becomes a rival of the one that is there; nothing of either
    is lost."""
    b.write("old", "of b's own")
    b.write("gone", "something else")
    settle(b, a)
    assert a.tree() == b.tree()
    assert shown(a)["old"] == ["of b's own", "old, second"]
    assert shown(a)["gone"] == ["something else"]


def test_other_files_are_added_and_missing_ones_arrive(a: Laptop, b: Laptop) -> None:
    """What only one side has gets to the other one; nothing that is missing counts as deleted."""
    before = a.tree()
    b.write("new", "new")
    b.write("d/new", "new too")
    settle(b, a)
    assert a.tree() == b.tree() == before | {"new": "new", "d/new": "new too"}


def test_kinds_that_differ(a: Laptop, b: Laptop) -> None:
    """A directory where the others have a file, and a file where they have a directory: the
    directories stay, the files become conflict copies."""
    b.write("same/inner", "inner")
    b.write("d", "a file")
    settle(b, a)
    assert a.tree() == b.tree()
    found = shown(a)
    assert found["same"] == ["same, first"]
    assert found["same/inner"] == ["inner"]
    assert found["d"] == ["a file"]
    assert found["d/deep"] == [("d/deep, first", "x")]


def test_third_device_joins_in_the_middle_of_a_conflict(
    tmp_path: Path, a: Laptop, b: Laptop, store: Path
) -> None:
    """Who joins with one of two rival versions writes nothing of it anew."""
    b.sync()
    a.write("old", "by a")
    b.write("old", "by b")
    a.sync()
    settle(b, a)
    c = Laptop(tmp_path / "c", "cccccccc", [store])
    c.write("old", "by a")
    before = event_count(store)
    settle(c, a, b)
    assert event_count(store) == before
    assert c.tree() == a.tree() == b.tree()


# --- a lost database ----------------------------------------------------------------------------


def test_lost_database_changes_nothing(a: Laptop, b: Laptop, store: Path) -> None:
    """A laptop that lost its tables finds everything as it was: no event, no conflict, and not one
    file is touched."""
    settle(a, b)
    before = event_count(store)
    files = {path: path.stat() for name in b.tree() if (path := b.folder / name).is_file()}
    lose_database(b)
    report = b.sync()
    assert (report.written, report.problems) == (0, [])
    for path, stat in files.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    settle(a, b)
    assert event_count(store) == before
    check_rest([a, b])


def test_lost_database_and_changes_since(a: Laptop, b: Laptop) -> None:
    """What changed since the last pass before the loss: new files are taken, a deletion cannot be
    told from a loss and comes back, an edit cannot be told from a rival."""
    settle(a, b)
    b.write("new", "new")
    b.write("same", "edited")
    b.delete("old")
    lose_database(b)
    settle(b, a)
    assert a.tree() == b.tree()
    found = shown(a)
    assert found["new"] == ["new"]
    assert found["same"] == ["edited", "same, first"]
    assert found["old"] == ["old, second"]


def test_lost_database_while_others_went_on(a: Laptop, b: Laptop) -> None:
    """What others edited, moved and deleted meanwhile is applied, without a conflict."""
    settle(a, b)
    a.write("same", "edited by a")
    a.delete("old")
    a.move("d", "e")
    a.sync()
    lose_database(b)
    settle(b, a)
    assert (
        b.tree()
        == a.tree()
        == {
            "same": "edited by a",
            "is": "was, first",
            "e/deep": ("d/deep, first", "x"),
        }
    )


def test_outbox_outlives_the_database(a: Laptop, b: Laptop) -> None:
    """What was waiting in the home store when the tables were lost goes out all the same."""
    settle(a, b)
    b.away = set(b.stores)
    b.write("same", "edited offline")
    b.sync()
    b.move("same", "moved offline")
    b.sync()
    lose_database(b)
    b.away = set()
    settle(b, a)
    assert a.tree() == b.tree()
    assert a.read("moved offline") == "edited offline"
    assert "same" not in a.tree()
    check_rest([a, b])


def test_lost_database_without_a_store(a: Laptop, b: Laptop) -> None:
    """A laptop that lost its tables and reaches no store does nothing that does harm later: what is
    equal stays one file, and nothing is deleted."""
    settle(a, b)
    before = a.tree()
    lose_database(b)
    b.away = set(b.stores)
    b.sync()
    b.away = set()
    settle(b, a)
    assert a.tree() == b.tree() == before
    check_rest([a, b])


def test_both_lost_their_databases(a: Laptop, b: Laptop) -> None:
    """The store alone is enough."""
    settle(a, b)
    before = a.tree()
    for laptop in (a, b):
        lose_database(laptop)
    settle(a, b)
    assert a.tree() == b.tree() == before
    a.write("same", "edited")
    settle(a, b)
    assert b.read("same") == "edited"


# --- hidden paths -------------------------------------------------------------------------------


def hide(laptop: Laptop, *patterns: str) -> None:
    """Only on this laptop: the others get the file, and hide the same, when it syncs."""
    laptop.write(".firnlineignore", "".join(f"{pattern}\n" for pattern in patterns))


def test_hidden_files_stay_at_home(a: Laptop, b: Laptop) -> None:
    """What a pattern hides is not sent; the rest is."""
    hide(a, "*.log", "build/")
    a.write("x.log", "hidden")
    a.write("build/out/x.txt", "hidden")
    a.write("d/x.txt", "seen")
    settle(a, b)
    assert "x.log" not in b.tree()
    assert "build/out/x.txt" not in b.tree()
    assert b.read("d/x.txt") == "seen"


@pytest.mark.parametrize("pattern", ["same", "d/", "*"])
def test_hiding_is_no_deletion(a: Laptop, b: Laptop, pattern: str) -> None:
    """A file that was synced and is hidden now stays where it is, on every laptop."""
    settle(a, b)
    before = b.tree()
    hide(a, pattern)
    settle(a, b)
    for laptop in (a, b):
        assert {path: laptop.tree().get(path) for path in before} == before
    check_rest([a, b])


def test_shown_again_as_it_was(a: Laptop, b: Laptop, store: Path) -> None:
    """A path that is hidden no longer, and unchanged, is booked and not written anew."""
    settle(a, b)
    hide(a, "same", "d/")
    settle(a, b)
    a.delete(".firnlineignore")
    report = a.sync()
    assert report.written == 1, "the deletion of the patterns alone"
    settle(a, b)
    a.write("same", "edited")
    settle(a, b)
    assert b.read("same") == "edited"
    assert shown(b)["same"] == ["edited"]
    check_rest([a, b])


def test_others_go_on_with_what_is_hidden_here(a: Laptop, b: Laptop) -> None:
    """What others do to a path that is hidden here comes when it is shown again: edits are applied
    to the old version, new files arrive, deletions are carried out."""
    settle(a, b)
    b.away = set(b.stores)
    hide(b, "same", "old", "new", "d/")
    b.sync()
    a.write("same", "edited by a")
    a.write("new", "new")
    a.delete("old")
    a.write("d/deep", "edited too", executable=True)
    settle(a, b)
    b.away = set()
    b.sync()
    assert (b.read("same"), b.read("old")) == ("same, first", "old, second")
    assert not (b.folder / "new").exists()
    b.delete(".firnlineignore")
    settle(b, a)
    assert (
        a.tree()
        == b.tree()
        == {
            "same": "edited by a",
            "new": "new",
            "is": "was, first",
            "d/deep": ("edited too", "x"),
        }
    )


def test_edited_while_hidden(a: Laptop, b: Laptop) -> None:
    """An edit that was made while the path was hidden is a rival of what the others have; a
    deletion is none, and the file comes back."""
    settle(a, b)
    hide(a, "same", "old")
    settle(a, b)
    a.write("same", "edited while hidden")
    a.delete("old")
    a.sync()
    a.delete(".firnlineignore")
    settle(a, b)
    assert a.tree() == b.tree()
    assert shown(a)["same"] == ["edited while hidden", "same, first"]
    assert shown(a)["old"] == ["old, second"]


def test_negated_patterns(a: Laptop, b: Laptop) -> None:
    """A pattern with `!` takes back what one before it hides."""
    hide(a, "*.txt", "!keep.txt")
    a.write("keep.txt", "kept")
    a.write("other.txt", "hidden")
    settle(a, b)
    assert b.read("keep.txt") == "kept"
    assert "other.txt" not in b.tree()
