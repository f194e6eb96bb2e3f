"""Disks without room: a store's, this computer's, for the folder and for the profile.

A full store is read-only for bodies, and is told once; the others go on. What does not fit here is
not begun, and the rest is. Each case is played on a real full disk where one may be mounted, and
with the same error injected everywhere.
"""

import os
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop, event_count
from tests.scenario.store_faults import FOREVER, FULL
from tests.unit.stores.disks import disk

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


def _leave(root: Path, room: int) -> None:
    """Fill a disk but for so many bytes."""
    space = os.statvfs(root)
    with (root / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - room)
