"""A table that was brought back from a backup, in a folder that was not (docs/decisions/0018)."""

import shutil
from pathlib import Path

import pytest
from tests.scenario.crashes import Killed
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, LaptopClock, settle

from firnline.folder.access import SYNCED
from firnline.state.folder_state import FolderState


def pair(place: Path) -> tuple[Laptop, Laptop]:
    """Two laptops with a store; `back_up` was called for the first one."""
    store, clock = place / "store", LaptopClock()
    a = Laptop(place / "a", "aaaaaaaa", [store], clock=clock)
    b = Laptop(place / "b", "bbbbbbbb", [store], clock=clock)
    for name in "abcdefgh":
        a.write(name, "first")
    settle(a, b)
    back_up(a)
    return a, b


def back_up(laptop: Laptop) -> None:
    copy = laptop.place / "backup"
    copy.mkdir()
    for file in laptop.place.glob("state.db*"):
        shutil.copy2(file, copy)


def bring_back(laptop: Laptop) -> None:
    for file in laptop.place.glob("state.db*"):
        file.unlink()
    for file in (laptop.place / "backup").iterdir():
        shutil.copy2(file, laptop.place)


def older(laptop: Laptop) -> bool:
    """Whether the next pass finds that the table is older than the folder."""
    return [p.kind for p in laptop.sync().problems] == ["state older"]


def age(laptop: Laptop) -> tuple[int, int]:
    """Of the table, and of the folder."""
    state = FolderState(laptop.place / "state.db")
    value = state.age.value
    state.close()
    return value, int((laptop.folder / SYNCED).read_bytes()[:17])


def test_what_others_deleted_meanwhile_stays_deleted(tmp_path: Path) -> None:
    """What the device itself told or applied since its backup is no edit of its user: neither
    brings it back what was deleted, nor is it a rival of what others wrote."""
    a, b = pair(tmp_path)
    a.write("a", "second")
    a.write("b", "second")
    b.write("c", "second")
    b.write("d", "second")
    settle(a, b)
    b.delete("a")
    b.write("b", "third")
    b.delete("c")
    b.write("d", "third")
    b.sync()
    bring_back(a)
    a.write("new", "mine")
    assert older(a)
    settle(a, b)
    rest = dict.fromkeys("efgh", "first")
    assert a.tree() == b.tree() == {"b": "third", "d": "third", "new": "mine", **rest}
    check_rest([a, b])


def test_it_is_told_once(tmp_path: Path) -> None:
    """The pass after is one like any other, and the next backup that comes back is seen again."""
    a, b = pair(tmp_path)
    a.write("a", "second")
    settle(a, b)
    for _ in range(2):
        bring_back(a)
        assert older(a)
        assert a.sync().problems == []
        a.write("a", "second")
        settle(a, b)
    check_rest([a, b])


def test_without_a_store_nothing_is_told(tmp_path: Path) -> None:
    """An older table is a lost one: the stores have to be read first."""
    a, b = pair(tmp_path)
    b.write("a", "second")
    settle(b, a)
    bring_back(a)
    a.away = set(a.stores)
    a.write("b", "mine")
    for _ in range(2):
        report = a.sync()
        assert (report.written, report.applied, report.complete) == (0, 0, False)
    a.away = set()
    settle(a, b)
    assert b.read("b") == "mine"
    check_rest([a, b])


def test_a_backup_of_all(tmp_path: Path) -> None:
    """Table and folder of one backup belong together: what came since comes again, and nothing is
    told, whosever it was."""
    a, b = pair(tmp_path)
    shutil.copytree(a.place, tmp_path / "all", symlinks=True)
    a.write("a", "second")
    settle(a, b)
    b.delete("b")
    b.sync()
    for name in ("state.db", "folder", "home"):
        there, back = a.place / name, tmp_path / "all" / name
        if there.is_dir():
            shutil.rmtree(there)
            shutil.copytree(back, there, symlinks=True)
        else:
            shutil.copy2(back, there)
    report = a.sync()
    assert report.written == 0
    assert not report.problems
    settle(a, b)
    assert a.tree() == b.tree()
    assert a.read("a") == "second"
    check_rest([a, b])


def test_a_folder_of_two_profiles(tmp_path: Path) -> None:
    """A folder on a disk that goes from one computer to the other: what one of them did there is no
    edit for the other."""
    a, b = pair(tmp_path)
    c = Laptop(tmp_path / "c", "cccccccc", a.stores, clock=a.clock, folder=a.folder)
    b.write("a", "second")
    b.sync()
    settle(c)
    b.delete("a")
    b.sync()
    assert older(a)
    settle(a, b)
    assert "a" not in a.tree()
    assert older(c)
    assert older(a)
    check_rest([a, b])


@pytest.mark.parametrize("written", [b"", b"12", b"rubbish of no meaning at all\n"])
def test_an_age_that_is_lost(tmp_path: Path, written: bytes) -> None:
    """A power cut may take the folder's number, or a part of it; nothing comes of it."""
    a, b = pair(tmp_path)
    a.write("a", "second")
    settle(a, b)
    (a.folder / SYNCED).write_bytes(written)
    assert a.sync().problems == []
    a.write("a", "third")
    settle(a, b)
    table, folder = age(a)
    assert table == folder > 1
    check_rest([a, b])


def test_a_kill_between_the_two(tmp_path: Path) -> None:
    """The table's number is first: a kill before the folder has it makes nobody older."""
    a, b = pair(tmp_path)
    b.write("a", "second")
    b.sync()

    def kill(name: str) -> None:
        if name == "note age":
            raise Killed(name)

    with pytest.raises(Killed):
        a.sync(steps=kill)
    table, folder = age(a)
    assert table > folder
    assert a.sync().problems == []
    settle(a, b)
    b.write("a", "third")
    settle(b, a)
    table, folder = age(a)
    assert table == folder
    check_rest([a, b])


def test_a_pass_that_was_killed_counts(tmp_path: Path) -> None:
    """The folder has the number before anything is changed there."""
    a, b = pair(tmp_path)
    b.write("a", "second")
    b.sync()

    def kill(name: str) -> None:
        if name.startswith("commit applied"):
            raise Killed(name)

    with pytest.raises(Killed):
        a.sync(steps=kill)
    assert a.read("a") == "second"
    b.delete("a")
    b.sync()
    bring_back(a)
    assert older(a)
    settle(a, b)
    assert "a" not in a.tree()
    check_rest([a, b])


def test_nothing_to_do_changes_nothing(tmp_path: Path) -> None:
    """A pass that finds nothing writes neither number."""
    a, b = pair(tmp_path)
    a.write("a", "second")
    settle(a, b)
    before, steps = age(a), list[str]()
    a.sync(steps=steps.append)
    assert age(a) == before
    assert "note age" not in steps
