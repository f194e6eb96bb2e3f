"""Another file system mounted inside the folder: the same promises, by copies."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.folder.placing import kept, stat_at, temporary, tree
from tests.unit.folder.steps_double import StepsDouble
from tests.unit.stores.disks import disk

from firnline.folder import kernel
from firnline.folder.errors import (
    Blocked,
    Changed,
    FolderError,
    NoSpace,
    Occupied,
    OtherDevice,
)
from firnline.folder.filesystem import Root

MOUNT = "tmpfs-mounted"


@pytest.fixture
def mount(folder: Path, root: Root) -> Iterator[Path]:
    """A disk of 300 KiB inside the folder, at `MOUNT`."""
    with disk(folder, "tmpfs", "size=300k") as path:
        yield path
        root.forget()


def test_a_new_file(root: Root, mount: Path, folder: Path):
    """It arrives whole, with mode and time, and its parents."""
    placed = root.place(temporary(root, b"new", executable=True), f"{MOUNT}/d/file", None)
    assert tree(mount) == {"d": None, "d/file": b"new"}
    assert placed.stat == stat_at(root, f"{MOUNT}/d/file")
    assert placed.stat.executable
    assert os.listdir(folder / ".firnline/tmp") == []
    name = temporary(root, b"other")
    with pytest.raises(Occupied):
        root.place(name, f"{MOUNT}/d/file", None)
    assert tree(mount) == {"d": None, "d/file": b"new"}
    root.barrier()


def test_replacing(root: Root, mount: Path, folder: Path):
    """The old content is kept, in the folder's own place."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    placed = root.place(temporary(root, b"new"), f"{MOUNT}/file", old, "k")
    assert tree(mount) == {"file": b"new"}
    assert placed.stat == stat_at(root, f"{MOUNT}/file")
    assert placed.kept == root.kept_stat("k")
    assert not placed.slipped
    assert kept(root, "k") == b"old"
    assert os.listdir(folder / ".firnline/tmp") == []


def test_replacing_by_and_of_a_link(root: Root, mount: Path):
    """Links are made again on the other side."""
    root.make_link("target", f"{MOUNT}/link", None)
    found = stat_at(root, f"{MOUNT}/link")
    root.make_link("other", f"{MOUNT}/link", found, "k")
    assert tree(mount) == {"link": "other"}
    assert root.kept_link("k") == "target"


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("by_rename", [False, True])
def test_a_save_slips_in(
    root: Root, mount: Path, folder: Path, steps: StepsDouble, number: int, by_rename: bool
):
    """A save just before any step is in the folder, or it is kept and told."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    name = temporary(root, b"new")
    root.area.prepare(".firnline/kept")

    def save() -> None:
        (mount / "saving").write_bytes(b"saved!")
        if by_rename:
            (mount / "saving").rename(mount / "file")
        else:
            (mount / "saving").unlink()
            (mount / "file").write_bytes(b"saved!")

    steps.before(number, save)
    placed = root.place(name, f"{MOUNT}/file", old, "k")
    contents = [tree(mount).get("file"), kept(root, "k")]
    assert set(tree(mount)) == {"file"}
    assert steps.waiting or b"saved!" in contents
    assert placed.slipped == (contents[1] == b"saved!")


@pytest.mark.parametrize("what", ["gone", "directory"])
def test_something_else_takes_its_place(
    root: Root, mount: Path, folder: Path, steps: StepsDouble, what: str
):
    """A file that is gone, or became a directory in the last moment, is not replaced."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    name = temporary(root, b"new")

    def swap() -> None:
        (mount / "file").unlink()
        if what == "directory":
            (mount / "file").mkdir()

    exchanges = 4
    root.area.prepare(".firnline/kept")
    steps.before(exchanges, swap)
    with pytest.raises(Changed):
        root.place(name, f"{MOUNT}/file", old, "k")
    assert tree(mount) == ({} if what == "gone" else {"file": None})
    assert root.list_kept() == []


def test_without_exchange(root: Root, mount: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that cannot exchange two names is not written over a file: that is told."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    exchange = kernel.exchange

    def only_here(source: int, name: str, directory: int, target: str) -> None:
        if os.fstat(directory).st_dev == mount.stat().st_dev == os.fstat(source).st_dev:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        exchange(source, name, directory, target)

    monkeypatch.setattr(kernel, "exchange", only_here)
    with pytest.raises(OtherDevice):
        root.place(temporary(root, b"new"), f"{MOUNT}/file", old, "k")
    assert tree(mount) == {"file": b"old"}


def test_taking_away(root: Root, mount: Path, steps: StepsDouble):
    """A deleted file is kept; one that was saved in the last moment is not taken."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    root.take_away(f"{MOUNT}/file", old, "k")
    assert kept(root, "k") == b"old"
    assert tree(mount) == {}
    (mount / "file").write_bytes(b"second")
    old = stat_at(root, f"{MOUNT}/file")
    steps.before(1, lambda: (mount / "file").write_bytes(b"saved!"))
    with pytest.raises(Changed):
        root.take_away(f"{MOUNT}/file", old, "k2")
    assert tree(mount) == {"file": b"saved!"}
    assert root.list_kept() == ["k"]


def test_moving_there_and_back(root: Root, mount: Path, folder: Path):
    """A file moves by a copy, and is another file then."""
    (folder / "file").write_bytes(b"x")
    before = stat_at(root, "file")
    there = root.move("file", f"{MOUNT}/d/file", before)
    assert tree(folder) == {MOUNT: None, f"{MOUNT}/d": None, f"{MOUNT}/d/file": b"x"}
    assert there == stat_at(root, f"{MOUNT}/d/file")
    assert there.mtime_ns == before.mtime_ns
    back = root.move(f"{MOUNT}/d/file", "file", there)
    assert back == stat_at(root, "file")
    assert tree(folder) == {MOUNT: None, f"{MOUNT}/d": None, "file": b"x"}
    (mount / "file").touch()
    with pytest.raises(Occupied):
        root.move("file", f"{MOUNT}/file", back)
    assert tree(folder) == {MOUNT: None, f"{MOUNT}/d": None, f"{MOUNT}/file": b"", "file": b"x"}


@pytest.mark.parametrize("number", range(5))
def test_a_save_slips_into_a_move(
    root: Root, mount: Path, folder: Path, steps: StepsDouble, number: int
):
    """A save just before any step stays at the source, and nothing comes to the target."""
    (folder / "file").write_bytes(b"old")
    before = stat_at(root, "file")
    steps.before(number, lambda: (folder / "file").write_bytes(b"saved!"))
    try:
        root.move("file", f"{MOUNT}/file", before)
    except Changed:
        assert tree(folder) == {MOUNT: None, "file": b"saved!"}
    else:
        assert (mount / "file").read_bytes() == b"old"
        assert not (folder / "file").exists() or (folder / "file").read_bytes() == b"saved!"


def test_moving_a_directory(root: Root, mount: Path, folder: Path):
    """A directory is not moved across in one rename; the caller moves its files."""
    (folder / "d").mkdir()
    with pytest.raises(OtherDevice) as error:
        root.move_directory("d", f"{MOUNT}/d")
    assert isinstance(error.value, Blocked)
    assert tree(folder) == {MOUNT: None, "d": None}


def test_no_space(root: Root, mount: Path, folder: Path):
    """A disk that is full gets no half file, and nothing is lost here."""
    name = temporary(root, b"x" * 1_000_000)
    with pytest.raises(NoSpace):
        root.place(name, f"{MOUNT}/file", None)
    assert tree(mount) == {}
    root.place(name, "file", None)
    found = stat_at(root, "file")
    with pytest.raises(NoSpace):
        root.move("file", f"{MOUNT}/file", found)
    assert tree(mount) == {}
    assert stat_at(root, "file") == found


def test_writing_while_the_old_file_is_kept(
    root: Root, mount: Path, folder: Path, steps: StepsDouble
):
    """A program that still has the replaced file open may write until it is kept, and it is."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    name = temporary(root, b"new")
    root.area.prepare(".firnline/kept")
    copies = []
    with (mount / "file").open("r+b", buffering=0) as editor:
        # Step 5 of a replacement across is the copy of the old file.
        steps.before(5, lambda: copies.append(editor.write(b"saved!")))
        placed = root.place(name, f"{MOUNT}/file", old, "k")
    assert copies == [6]
    assert kept(root, "k") == b"saved!"
    assert placed.slipped
    assert tree(mount) == {"file": b"new"}


def test_a_failing_disk(root: Root, mount: Path, monkeypatch: pytest.MonkeyPatch):
    """An error of the mounted disk is told as it is; nothing changes there."""
    (mount / "file").write_bytes(b"old")
    old = stat_at(root, f"{MOUNT}/file")
    exchange = kernel.exchange

    def fail(source: int, name: str, directory: int, target: str) -> None:
        if os.fstat(source).st_dev == os.fstat(directory).st_dev:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        exchange(source, name, directory, target)

    monkeypatch.setattr(kernel, "exchange", fail)
    with pytest.raises(FolderError) as error:
        root.place(temporary(root, b"new"), f"{MOUNT}/file", old, "k")
    assert type(error.value) is FolderError
    assert tree(mount) == {"file": b"old"}


def test_saved_at_the_target_too(root: Root, mount: Path, folder: Path, steps: StepsDouble):
    """When a move is called off, a target that somebody wrote meanwhile is not taken away."""
    (folder / "file").write_bytes(b"old")
    before = stat_at(root, "file")

    def save() -> None:
        (folder / "file").write_bytes(b"saved!")
        (mount / "file").write_bytes(b"saved there")

    steps.before(3, save)
    with pytest.raises(Changed):
        root.move("file", f"{MOUNT}/file", before)
    assert tree(folder) == {
        MOUNT: None,
        f"{MOUNT}/file": b"saved there",
        "file": b"saved!",
    }
