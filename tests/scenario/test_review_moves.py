"""Moves beside what others did, and moves that are none."""

import os
from itertools import count
from pathlib import Path

import pytest
from tests.scenario.crashes import killed
from tests.scenario.laptops import Laptop, event_count, settle


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Laptop, Laptop]:
    store = tmp_path / "store"
    return (
        Laptop(tmp_path / "a", "aaaaaaaa", [store]),
        Laptop(tmp_path / "b", "bbbbbbbb", [store]),
    )


def test_move_onto_a_deleted_path_beside_a_deletion(pair: tuple[Laptop, Laptop]) -> None:
    """A file that is moved to a name which once had this content stays, whatever happened to its
    old name meanwhile: this device knows that the old version was deleted."""
    a, b = pair
    a.write("once.txt", "text")
    a.write("now.txt", "text")
    settle(a, b)
    a.delete("once.txt")
    settle(a, b)
    b.move("now.txt", "once.txt")
    a.delete("now.txt")
    a.sync()
    settle(b, a)
    assert a.tree() == b.tree() == {"once.txt": "text"}


def test_link_moved_beside_a_deletion_brings_its_text(pair: tuple[Laptop, Laptop]) -> None:
    """A link whose old name is gone by somebody else's doing as well is written anew, whole."""
    a, b = pair
    (a.folder / "l").symlink_to("target")
    settle(a, b)
    b.move("l", "m")
    a.delete("l")
    a.sync()
    b.sync()
    c = Laptop(a.place.parent / "c", "cccccccc", a.stores)
    settle(a, b, c)
    assert a.tree() == b.tree() == c.tree() == {"m": ("link", "target")}


def test_large_file_moved_beside_a_deletion(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with a file that is too large for a batch."""
    monkeypatch.setattr("firnline.sync.differences.MAX_BODIES", 10)
    a, b = pair
    a.write("l", "long enough for that")
    settle(a, b)
    b.move("l", "m")
    a.delete("l")
    a.sync()
    b.sync()
    c = Laptop(a.place.parent / "c", "cccccccc", a.stores)
    settle(a, b, c)
    assert a.tree() == b.tree() == c.tree() == {"m": "long enough for that"}


def test_inode_that_is_used_again_is_no_move(pair: tuple[Laptop, Laptop]) -> None:
    """A new file with inode, size and time of one that was deleted is read all the same: times of
    whole seconds are what archives restore, and inodes are given out again at once."""
    a, b = pair
    a.write("old.txt", "content one")
    os.utime(a.folder / "old.txt", (1_600_000_000, 1_600_000_000))
    settle(a, b)
    # What a file system does to the inode when one file is removed and another one made.
    a.move("old.txt", "new.txt")
    (a.folder / "new.txt").write_text("content two")
    os.utime(a.folder / "new.txt", (1_600_000_000, 1_600_000_000))
    settle(a, b)
    assert a.tree() == b.tree() == {"new.txt": "content two"}


def test_removed_directory_is_not_carried_along(pair: tuple[Laptop, Laptop]) -> None:
    """An empty directory that was removed before its parent was renamed stays removed."""
    a, b = pair
    for number in range(3):
        a.write(f"d/{number}.txt", str(number))
    (a.folder / "d/empty").mkdir()
    settle(a, b)
    (a.folder / "d/empty").rmdir()
    a.move("d", "e")
    settle(a, b)
    assert a.tree() == b.tree() == {f"e/{number}.txt": str(number) for number in range(3)}


def test_renamed_directory_with_an_empty_one(pair: tuple[Laptop, Laptop]) -> None:
    """One that is still wanted is carried along."""
    a, b = pair
    for number in range(3):
        a.write(f"d/{number}.txt", str(number))
    (a.folder / "d/empty").mkdir()
    settle(a, b)
    a.move("d", "e")
    settle(a, b)
    expected = {f"e/{number}.txt": str(number) for number in range(3)}
    assert a.tree() == b.tree() == expected | {"e/empty": "directory"}


def test_conflict_is_finished_in_one_pass(pair: tuple[Laptop, Laptop]) -> None:
    """A pass goes on until nothing is left to do, also with the copies that it made itself."""
    a, b = pair
    a.write("zeta.txt", "original")
    settle(a, b)
    a.write("zeta.txt", "by a")
    b.write("zeta.txt", "by b")
    a.sync()
    report = b.sync()
    assert set(b.tree().values()) == {"by a", "by b"}
    assert report.complete
    before = event_count(a.stores[0])
    a.sync()
    assert a.tree() == b.tree()
    assert event_count(a.stores[0]) == before


def _times(laptop: Laptop) -> dict[str, int]:
    """Of files, in the milliseconds that events hold."""
    files = [path for path in laptop.folder.rglob("*") if path.is_file()]
    return {
        path.name: path.stat().st_mtime_ns // 10**6
        for path in files
        if path.parent.name != ".firnline"
    }


def _copy_and_delete(laptop: Laptop, directory: str, target: str) -> None:
    """What `cp -r` and `rm -r` do: a move by its content, and a new time."""
    for path in sorted((laptop.folder / directory).iterdir()):
        laptop.write(f"{target}/{path.name}", path.read_bytes())
        laptop.delete(f"{directory}/{path.name}")
    (laptop.folder / directory).rmdir()


@pytest.mark.parametrize("names", ["x", "xyz"])
def test_move_brings_its_time(pair: tuple[Laptop, Laptop], names: str) -> None:
    """A file that was copied to another name, and deleted, has the copy's time everywhere, also
    where a whole directory is renamed for it."""
    a, b = pair
    for name in names:
        a.write(f"old/{name}", f"text of {name}")
    settle(a, b)
    _copy_and_delete(a, "old", "new")
    settle(a, b)
    assert b.tree() == {f"new/{name}": f"text of {name}" for name in names}
    assert _times(b) == _times(a)


@pytest.mark.parametrize("names", ["x", "xyz"])
def test_move_brings_its_time_after_a_crash(tmp_path: Path, names: str) -> None:
    """The same, wherever the pass is killed that applies it."""
    for number in count(1):
        store = tmp_path / f"{number}/store"
        a = Laptop(tmp_path / f"{number}/a", "aaaaaaaa", [store])
        b = Laptop(tmp_path / f"{number}/b", "bbbbbbbb", [store])
        for name in names:
            a.write(f"old/{name}", f"text of {name}")
        settle(a, b)
        _copy_and_delete(a, "old", "new")
        a.sync()
        steps = killed(b, number)
        settle(b, a)
        assert b.tree() == a.tree()
        assert _times(b) == _times(a), f"killed at {steps}"
        if steps is None:
            assert number > len(names)
            return
