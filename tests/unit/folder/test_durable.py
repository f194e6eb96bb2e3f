"""One barrier for many changes, and which way it goes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.folder.placing import stat_at, temporary
from tests.unit.folder.steps_double import StepsDouble

from firnline.folder import durable, kernel
from firnline.folder.errors import FolderError
from firnline.folder.filesystem import Root
from firnline.folder.portable import Paths


class Calls:
    """What was made durable, as the system was told."""

    def __init__(self) -> None:
        self.single: list[str] = []
        self.whole: list[str] = []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Calls:
    found = Calls()

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        found.single.append(path.relative_to(folder).as_posix())

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(kernel, "sync_file_system", lambda _: found.whole.append("syncfs"))
    monkeypatch.setattr(os, "sync", lambda: found.whole.append("sync"))
    return found


@pytest.fixture
def portable(folder: Path) -> Iterator[Root]:
    with Root(str(folder), access=Paths(str(folder))) as root:
        yield root


def place_many(root: Root, count: int = 10) -> None:
    for number in range(count):
        root.place(temporary(root, b"x"), f"d/{number}", None)


def test_nothing_to_wait_for(root: Root, calls: Calls, steps: StepsDouble):
    """A barrier without changes costs nothing."""
    steps.taken.clear()
    root.barrier()
    assert (calls.single, calls.whole, steps.taken) == ([], [], [])


def test_a_handful_is_synced_one_by_one(root: Root, calls: Calls):
    """One file does not wait for all that other programs wrote: file and directory are synced."""
    root.place(temporary(root, b"x"), "file", None)
    root.barrier()
    assert calls.single == ["file", "."]
    assert calls.whole == []
    root.barrier()
    assert calls.single == ["file", "."]


def test_many_are_synced_at_once(root: Root, calls: Calls):
    """Many files cost one call."""
    place_many(root)
    root.barrier()
    assert (calls.single, calls.whole) == ([], ["syncfs"])
    root.barrier()
    assert calls.whole == ["syncfs"]


def test_many_on_an_old_kernel(root: Root, calls: Calls, monkeypatch: pytest.MonkeyPatch):
    """Where one file system cannot be synced alone, all are."""

    def unknown(descriptor: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(kernel, "sync_file_system", unknown)
    place_many(root)
    root.barrier()
    assert calls.whole == ["sync"]


def test_many_where_there_is_no_such_call(
    portable: Root, calls: Calls, monkeypatch: pytest.MonkeyPatch
):
    """Elsewhere every file and directory that was touched is synced, each once."""
    monkeypatch.setattr(durable, "_ALL_AT_ONCE", False)
    place_many(portable)
    portable.barrier()
    files = [f"d/{number}" for number in range(10)]
    assert calls.single == [*files, ".", "d"]
    assert calls.whole == []


def test_a_failing_disk_is_told(root: Root, monkeypatch: pytest.MonkeyPatch):
    """An error of the disk is no success, and the next barrier tries again."""

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    place_many(root)
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "sync_file_system", fail)
        for _ in range(2):
            with pytest.raises(FolderError):
                root.barrier()
    root.barrier()


def test_what_cannot_be_opened(root: Root, folder: Path, calls: Calls):
    """A file or directory that is gone again, or became a link, is synced with the rest."""
    root.place(temporary(root, b"x"), "d/file", None)
    (folder / "d/file").unlink()
    (folder / "d").rmdir()
    (folder / "d").symlink_to("/")
    root.barrier()
    assert calls.whole == ["syncfs"]


def test_every_change_is_noted(root: Root, folder: Path, calls: Calls):
    """Replacing, taking away, moving, times and modes: each has its files and directories."""
    for name in ("replaced", "taken", "moved", "touched"):
        (folder / name).write_bytes(b"x")
    (folder / "directory").mkdir()
    actions = {
        "replaced": lambda: root.place(
            temporary(root, b"y"), "replaced", stat_at(root, "replaced"), "k1"
        ),
        "taken": lambda: root.take_away("taken", stat_at(root, "taken"), "k2"),
        "put back": lambda: root.put_back("k2", "back"),
        "moved": lambda: root.move("moved", "directory/moved", stat_at(root, "moved")),
        "touched": lambda: root.touch("touched", 0, stat_at(root, "touched")),
        "executable": lambda: root.set_executable("touched", True, stat_at(root, "touched")),
        "made": lambda: root.make_directory("made"),
        "removed": lambda: root.remove_directory("made"),
        "renamed": lambda: root.move_directory("directory", "made"),
    }
    synced = {}
    for name, action in actions.items():
        action()
        calls.single.clear()
        root.barrier()
        synced[name] = set(calls.single)
    assert synced == {
        "replaced": {"replaced", ".", ".firnline/kept"},
        "taken": {".", ".firnline/kept"},
        "put back": {"."},
        "moved": {".", "directory"},
        "touched": {"touched"},
        "executable": {"touched"},
        "made": {"."},
        "removed": {"."},
        "renamed": {"."},
    }


def test_what_people_did_is_made_durable(root: Root, folder: Path, calls: Calls):
    """A file with its name, a link and a removal by their directories; nothing twice."""
    (folder / "d").mkdir()
    (folder / "d/file").write_text("x")
    (folder / "link").symlink_to("d/file")
    root.secure(["d/file", "link", "removed"])
    assert calls.single == ["d/file", "d", "."]
    root.barrier()
    assert len(calls.single) == 3


def test_much_of_what_people_did_is_not_looked_at(root: Root, folder: Path, calls: Calls):
    """More than a handful costs one call, however many they are."""
    paths = iter([str(number) for number in range(1000)])
    for number in range(10):
        (folder / str(number)).write_text("x")
    root.secure(paths)
    assert (calls.single, calls.whole) == ([], ["syncfs"])
    assert int(next(paths)) < 10


def test_a_removed_directory_is_made_durable(root: Root, calls: Calls):
    """Where even the directory is gone, the whole file system is made durable."""
    root.secure(["gone/deep/file"])
    assert calls.whole == ["syncfs"]
