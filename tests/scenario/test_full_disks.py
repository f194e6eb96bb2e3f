"""Disks without room: a store's, this computer's, for the folder and for the profile.

A full store is read-only for bodies, and is told once; the others go on. What does not fit here is
not begun, and the rest is. Each case is played on a real full disk where one may be mounted, and
with the same error injected everywhere.
"""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop, event_count
from tests.scenario.store_faults import FOREVER, FULL
from tests.unit.stores.disks import disk

from firnline.engine.problems import explain
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.stores.base import Store

MIB = 2**20


class FullStore(FaultyStore):
    """A store on whose disk only names still fit."""

    def put_many(self, files):
        files = list(files)
        if any(len(body) > 1000 for _, body in files):
            raise FULL
        super().put_many(files)


def full(laptop: Laptop, name: str) -> None:
    """The store of that name takes no bodies from now on."""

    def wrap(store: str, inner: Store) -> Store:
        if store != name:
            return inner
        return FullStore(inner, laptop.clock, faults=[Fault("upload", error=FULL, repeat=FOREVER)])

    laptop.wrap = wrap


def well_again(laptop: Laptop) -> None:
    laptop.wrap = lambda name, store: store


# --- stores ---------------------------------------------------------------------------------------


def test_full_store_takes_deletions_and_moves_and_is_told_once(tmp_path: Path) -> None:
    """No space, quota, on a store: bodies wait on this computer, deletions and moves still get
    there, there is one notice and not one per file, and all is sent once there is room."""
    store = tmp_path / "store"
    a, b = (Laptop(tmp_path / name, name * 8, [store]) for name in "ab")
    for name in ("moved", "deleted", "kept"):
        a.write(name, f"{name} text")
    sync_until_rest([a, b])
    full(a, "store")
    a.write("new 1", "x" * 2000)
    a.sync()
    a.delete("deleted")
    report = a.sync()
    assert [(p.kind, p.store) for p in report.problems] == [("store full", "store")]
    assert not report.complete
    a.move("moved", "at another place")
    a.sync()
    a.write("new 2", "y" * 2000)
    assert [(p.kind, p.store) for p in a.sync().problems] == [("store full", "store")]
    b.sync()
    assert b.tree() == {"at another place": "moved text", "kept": "kept text"}
    well_again(a)
    sync_until_rest([a, b])
    assert b.tree() == a.tree()
    check_done([a, b])


def test_what_stands_on_a_body_waits_with_it(tmp_path: Path) -> None:
    """A full store gets no deletion of what it never had: parents come before children."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    a.write("kept", "kept")
    sync_until_rest([a])
    full(a, "store")
    a.write("short-lived", "x" * 2000)
    a.sync()
    a.delete("short-lived")
    before = event_count(store)
    a.sync()
    assert event_count(store) == before
    well_again(a)
    sync_until_rest([a])
    assert event_count(store) == before + 2


@pytest.mark.parametrize("size", [2_000, 33 * MIB], ids=["small", "large"])
def test_other_stores_go_on_beside_a_full_one(tmp_path: Path, size: int) -> None:
    """The full store stops nothing: what it cannot take gets to the other one, by its own path."""
    s1, s2 = tmp_path / "s1", tmp_path / "s2"
    a, b = Laptop(tmp_path / "a", "aaaaaaaa", [s1, s2]), Laptop(tmp_path / "b", "bbbbbbbb", [s2])
    full(a, "s1")
    a.write("f", b"z" * size)
    report = a.sync()
    assert [(p.kind, p.store) for p in report.problems] == [("store full", "s1")]
    b.sync()
    assert b.tree() == a.tree()
    well_again(a)
    sync_until_rest([a, b])
    check_done([a, b])


def test_really_full_store(tmp_path: Path) -> None:
    """The same on a real disk without room: told once, nothing half there, all sent later."""
    with disk(tmp_path, "tmpfs", "size=256k") as point:
        store = point / "store"
        store.mkdir()
        a, b = (Laptop(tmp_path / name, name * 8, [store]) for name in "ab")
        a.write("small", "small")
        sync_until_rest([a, b])
        filler = point / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(MIB))
        for number in range(5):
            a.write(f"new {number}", os.urandom(20_000))
        for _ in range(2):
            report = a.sync()
            assert [(p.kind, p.store) for p in report.problems] == [("store full", "store")]
        b.sync()
        assert b.tree() == {"small": "small"}
        filler.unlink()
        sync_until_rest([a, b])
        assert b.tree() == a.tree()
        check_done([a, b])


# --- this computer --------------------------------------------------------------------------------


def leave(point: Path, room: int) -> Path:
    """Fill a disk but for so many bytes; returns the file that does."""
    space = os.statvfs(point)
    filler = point / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - room)
    return filler


def test_full_disk_at_the_folder(tmp_path: Path) -> None:
    """What does not fit is not begun, and has a line each; what does is brought, some room stays
    free for others, deletions are carried out, and once there is room all comes."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    with disk(tmp_path, "tmpfs", "size=8m") as point:
        b = Laptop(point / "b", "bbbbbbbb", [store])
        b.write("old", "old")
        sync_until_rest([a, b])
        filler = leave(point, 2 * MIB)
        a.write("small", "small")
        for number in range(3):
            a.write(f"large {number}", os.urandom(5 * MIB))
        a.delete("old")
        a.sync()
        report = b.sync()
        assert b.tree() == {"small": "small"}
        assert [(p.kind, p.path) for p in report.problems] == [
            ("no space", f"large {number}") for number in range(3)
        ]
        assert not report.complete
        assert shutil.disk_usage(point).free > MIB
        for number in range(2):
            a.delete(f"large {number}")
        a.sync()
        filler.unlink()
        sync_until_rest([a, b])
        assert b.tree() == a.tree()
        check_done([a, b])


def test_many_small_files_leave_some_room(tmp_path: Path) -> None:
    """Small files do not use up the last of a disk either: the reserve is for all of them."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    with disk(tmp_path, "tmpfs", "size=8m") as point:
        b = Laptop(point / "b", "bbbbbbbb", [store])
        sync_until_rest([a, b])
        leave(point, 2 * MIB)
        for number in range(40):
            a.write(f"f{number}", os.urandom(100_000))
        a.sync()
        report = b.sync()
        assert {problem.kind for problem in report.problems} == {"no space"}
        assert 0 < len(report.problems) < 40
        assert shutil.disk_usage(point).free > 200_000


def test_full_disk_at_the_profile(tmp_path: Path) -> None:
    """The database cannot be written: the folder's pass stops at once, in words, and when there is
    room again nothing was lost and nothing is said twice."""
    store = tmp_path / "store"
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    with disk(tmp_path, "tmpfs", "size=2m") as point:
        a = Laptop(point / "a", "aaaaaaaa", [store])
        a.folder = Path(shutil.move(a.folder, tmp_path / "folder of a"))
        a.write("old", "old")
        sync_until_rest([a, b])
        filler = leave(point, 100_000)
        for number in range(300):
            a.write(f"a rather long name of a file, number {number}", f"text {number}")
        b.write("of b", "of b")
        b.sync()
        with pytest.raises(DatabaseError) as caught:
            a.sync()
        assert caught.value.fault is DatabaseFault.FULL
        found = explain(caught.value)
        assert found.title == "No space here"
        assert "make room" in found.advice
        filler.unlink()
        sync_until_rest([a, b])
        assert len(a.tree()) == 302
        assert a.tree() == b.tree()
        check_done([a, b])


def test_full_disk_at_every_commit(tmp_path: Path) -> None:
    """Wherever in a pass the database finds no room, the next pass carries on, both ways."""
    store = tmp_path / "store"
    a, b = (Laptop(tmp_path / name, name * 8, [store]) for name in "ab")
    for number in range(12):
        for name in ("new", "changed"):
            a.write(f"{name} {number}", f"{number} of a")
        a.write(f"both {number}", f"{number} by a")
        b.write(f"both {number}", f"{number} by b")
        for laptop in (b, a):
            with suppress(DatabaseError):
                laptop.sync(steps=NoRoom(number))
        sync_until_rest([a, b])
        check_done([a, b])
        assert a.tree() == b.tree()
        assert len(a.tree()) == 4 * (number + 1), "one conflict copy for each that people made"


class NoRoom:
    """Steps at which the database is full, from the `number`-th commit on."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, name: str) -> None:
        if name.startswith("commit"):
            self._left -= 1
            if self._left < 0:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
