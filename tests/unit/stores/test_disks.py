"""The directory store on real file systems: reflinks, full disks, read-only and swapped ones."""

import os

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.stores.disks import disk, remount

from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import DeniedError, FullError, UnavailableError

CONNECTION = "c" * 16
TMP = f"connections/{CONNECTION}/tmp"
BODY = os.urandom(3 << 20)


def opened(base):
    return DirectoryStore(base, connection=CONNECTION, clock=StillClock())


def used(point):
    """Bytes that are in use on the file system, everything written out."""
    os.sync()
    room = os.statvfs(point)
    return (room.f_blocks - room.f_bfree) * room.f_frsize


@pytest.mark.parametrize("kind", ["xfs", "btrfs"])
def test_reflinks(tmp_path, kind):
    """Where blocks can be shared, a clone and a copy take no room and are files of their own."""
    with disk(tmp_path, kind) as point:
        (point / "folder").mkdir()
        (point / "store").mkdir()
        store = opened(point / "store")
        assert store.capabilities.clones
        source = point / "folder" / "file"
        source.write_bytes(BODY)
        before = used(point)
        with source.open("rb") as file, store.upload() as upload:
            assert upload.clone(file.fileno())
            assert b"".join(upload.read_back()) == BODY
            upload.commit("cloned")
        store.copy("cloned", "d/copied")
        assert used(point) - before < len(BODY) // 2
        source.write_bytes(b"changed")
        assert store.read_small("cloned", len(BODY)) == BODY
        assert store.read_small("d/copied", len(BODY)) == BODY


def test_no_reflinks(tmp_path):
    """On ext4 the store says so, `clone` says no, and a copy is made by copying."""
    with disk(tmp_path, "ext4") as point:
        store = opened(point)
        assert not store.capabilities.clones
        source = tmp_path / "file"
        source.write_bytes(b"body")
        with source.open("rb") as file, store.upload() as upload:
            assert not upload.clone(file.fileno())
            upload.write(b"body")
            upload.commit("a")
        store.copy("a", "b")
        assert store.read_small("b", 10) == b"body"
        assert os.listdir(point / TMP) == []


def test_clone_from_another_disk(tmp_path):
    """Blocks cannot be shared between two disks: `clone` says no and nothing is taken."""
    with disk(tmp_path, "xfs") as point:
        store = opened(point)
        source = tmp_path / "file"
        source.write_bytes(b"body")
        with source.open("rb") as file, store.upload() as upload:
            assert not upload.clone(file.fileno())
            assert b"".join(upload.read_back()) == b""


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_full_disk(tmp_path, kind):
    """A full disk is `FullError`, leaves nothing behind, and what stood there stays."""
    with disk(tmp_path, kind, "rw,size=4m" if kind == "tmpfs" else "rw") as point:
        store = opened(point)
        store.put_many([("a", b"old")])

        def upload() -> None:
            with store.upload() as upload:
                for _ in range(8):
                    upload.write(bytes(1 << 20))
                upload.commit("a")

        for attempt in (
            upload,
            lambda: store.put_many([("a", bytes(8 << 20))]),
            lambda: store.put_many((f"d/{number}", bytes(1 << 18)) for number in range(40)),
            lambda: store.create("b", bytes(8 << 20)),
        ):
            with pytest.raises(FullError):
                attempt()
            assert os.listdir(point / TMP) == []
        assert store.read_small("a", 10) == b"old"
        assert store.size("b") is None
        free = store.free_space()
        assert free is not None
        assert 1 << 20 < free < 4 << 20
        store.put_many([("c", bytes(1 << 20))])
        assert store.size("c") == 1 << 20


def test_read_only(tmp_path):
    """A read-only disk can be read; what would write is `DeniedError`; it has no clock."""
    with disk(tmp_path, "tmpfs", "size=1m") as point:
        opened(point).put_many([("d/a", b"body")])
        (point / TMP / "left").write_bytes(b"from a crash")
        remount(point, "ro")
        store = opened(point)
        assert store.read_small("d/a", 10) == b"body"
        assert [entry.name for entry in store.list("d")] == ["a"]
        assert store.server_time() is None
        assert not store.capabilities.clones
        for attempt in (
            store.upload,
            lambda: store.put_many([("b", b"")]),
            lambda: store.put_many((str(number), b"") for number in range(50)),
            lambda: store.create("b", b""),
            lambda: store.rename("d/a", "b"),
            lambda: store.copy("d/a", "b"),
            lambda: store.delete("d/a"),
        ):
            with pytest.raises(DeniedError):
                attempt()
        assert store.read_small("d/a", 10) == b"body"


@pytest.mark.parametrize("by_handle", [True, False])
def test_another_disk_in_its_place(tmp_path, by_handle):
    """When the disk under the base is another one than at the start, nothing goes there."""
    base = tmp_path / "tmpfs-mounted"
    with disk(tmp_path, "tmpfs", "size=1m") as point:
        store = DirectoryStore(
            point, connection=CONNECTION, clock=StillClock(), by_handle=by_handle
        )
        store.put_many([("a", b"body")])
    for attempt in (
        lambda: store.put_many([("a", b"body")]),
        lambda: store.size("a"),
        lambda: list(store.list("")),
        store.upload,
    ):
        with pytest.raises(UnavailableError, match="another disk"):
            attempt()
    assert os.listdir(base) == []


def test_a_disk_can_be_unplugged(tmp_path):
    """Between two calls nothing is open, so the disk can be unmounted while the store is."""
    with disk(tmp_path, "tmpfs", "size=1m") as point:
        store = opened(point)
        store.put_many([("a", b"body")])
        assert len(list(store.list(""))) == 2
        with store.open("a") as reader:
            reader.read(1)
    with pytest.raises(UnavailableError):
        store.size("a")
