"""What goes wrong during a scan, and is never taken for a deletion."""

import errno
import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.unit.folder.scanning import Scanner, changed, fill, skipped
from tests.unit.stores.disks import mounted

from firnline.folder.access import Entry
from firnline.folder.errors import FolderError, Vanished
from firnline.folder.filesystem import Root
from firnline.folder.handles import HandleDirectory
from firnline.folder.scan import SkipKind


def test_a_directory_that_cannot_be_read(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """What is below it is neither changed nor missing, and the scan is said to be incomplete."""
    fill(folder, "a/x", "b/c/x", "b/c/d/y", "b/z", "c")
    (folder / "b/c/empty").mkdir()
    scanner.dirs = {"b/c/empty", "b/c/other", "b/c"}
    scanner.learn()
    child = HandleDirectory.child

    def refuse(self: HandleDirectory, name: str) -> HandleDirectory:
        if name == "c":
            raise PermissionError(errno.EACCES, "Permission denied")
        return child(self, name)

    monkeypatch.setattr(HandleDirectory, "child", refuse)
    (folder / "b/z").unlink()
    found = scanner.look()
    assert found.missing == ["b/z"]
    assert changed(found) == found.gone_directories == found.empty_directories == []
    assert not found.complete
    assert found.incomplete_under == ["b/c"]
    assert skipped(found) == [("b/c", SkipKind.UNREADABLE)]


def test_a_listing_that_breaks_off(scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Half a listing counts as none."""
    fill(folder, "a", "d/1", "d/2", "d/3", "e/x")
    scanner.learn()
    entries = HandleDirectory.entries

    @contextmanager
    def broken(self: HandleDirectory):
        with entries(self) as found:
            names = list(found)
            if not any(entry.name == "1" for entry in names):
                yield iter(names)
                return

            def half():
                yield names[0]
                raise OSError(errno.EIO, "Input/output error")

            yield half()

    monkeypatch.setattr(HandleDirectory, "entries", broken)
    found = scanner.look()
    assert changed(found) == found.missing == []
    assert found.incomplete_under == ["d"]
    assert found.files == 2


def test_the_folder_itself_cannot_be_read(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """There is no scan then, rather than one in which everything is missing."""

    def fail(self: HandleDirectory) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(HandleDirectory, "entries", fail)
        with pytest.raises(FolderError):
            scanner.look()
    folder.rename(tmp_path / "away")
    scanner.root.forget()
    with pytest.raises(Vanished):
        scanner.look()


class OddEntry:
    """A name in a directory, whose stat goes wrong."""

    def __init__(self, entry: Entry, number: int) -> None:
        self._entry = entry
        self.name = entry.name
        self._number = number

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._entry.is_dir(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT])
def test_a_file_that_cannot_be_looked_at(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    """It is not missing: it is shown, or was gone only for the moment of the first look."""
    fill(folder, "a", "odd", "z")
    scanner.learn()
    entries = HandleDirectory.entries

    @contextmanager
    def odd(self: HandleDirectory):
        with entries(self) as found:
            yield (OddEntry(entry, number) if entry.name == "odd" else entry for entry in found)

    monkeypatch.setattr(HandleDirectory, "entries", odd)
    found = scanner.look()
    assert changed(found) == found.missing == []
    shown = [("odd", SkipKind.UNREADABLE)] if number == errno.EACCES else []
    assert skipped(found) == shown


def test_a_file_that_becomes_a_directory_during_the_walk(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is left to the next scan, which sees what it is."""
    fill(folder, "a", "odd", "z")
    scanner.learn()
    (folder / "odd").unlink()
    (folder / "odd").mkdir()
    entries = HandleDirectory.entries

    class ListedAsFile(OddEntry):
        def is_dir(self, *, follow_symlinks: bool = True) -> bool:
            return False

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            return self._entry.stat(follow_symlinks=follow_symlinks)

    @contextmanager
    def odd(self: HandleDirectory):
        with entries(self) as found:
            yield (ListedAsFile(entry, 0) if entry.name == "odd" else entry for entry in found)

    with monkeypatch.context() as patch:
        patch.setattr(HandleDirectory, "entries", odd)
        found = scanner.look()
    assert changed(found) == found.missing == []
    assert found.skipped == []
    found = scanner.look()
    assert found.missing == ["odd"]
    assert found.empty_directories == ["odd"]


@pytest.mark.parametrize("what", ["gone", "link", "file"])
def test_a_directory_that_changes_during_the_walk(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
):
    """One that is gone has missing files; one that became something else waits for the next."""
    fill(folder, "a", "d/x")
    scanner.learn()
    child = HandleDirectory.child

    def swap(self: HandleDirectory, name: str) -> HandleDirectory:
        (folder / "d/x").unlink()
        (folder / "d").rmdir()
        if what == "link":
            (folder / "d").symlink_to("/")
        elif what == "file":
            (folder / "d").touch()
        return child(self, name)

    monkeypatch.setattr(HandleDirectory, "child", swap)
    found = scanner.look()
    assert changed(found) == []
    assert found.missing == (["d/x"] if what == "gone" else [])
    assert found.complete


def test_the_second_look_fails(
    scanner: Scanner, folder: Path, root: Root, monkeypatch: pytest.MonkeyPatch
):
    """What cannot be looked at twice is not missing, and the scan says that it is not complete."""
    fill(folder, "a", "d/x", "d/y")
    (folder / "d/e").mkdir()
    scanner.learn()
    scanner.dirs = {"d/e"}
    (folder / "d/x").unlink()
    (folder / "d/e").rmdir()

    def fail(directory: str) -> list[str]:
        raise FolderError(directory, "Input/output error")

    monkeypatch.setattr(root, "names", fail)
    found = scanner.look()
    assert found.missing == found.gone_directories == []
    assert not found.complete
    assert found.incomplete_under == ["d"]
    assert [(s.path, s.message) for s in found.skipped] == [("d", "Input/output error")]


def test_the_second_look_at_single_files_fails(
    scanner: Scanner, folder: Path, root: Root, monkeypatch: pytest.MonkeyPatch
):
    """A name that is there again, but cannot be looked at, is neither missing nor changed."""
    fill(folder, "d/file", "z")
    scanner.learn()
    scanner.dirs = {"d/sub"}
    (folder / "d/file").unlink()

    def fail(path: str) -> None:
        fill(folder, "d/file")
        (folder / "d/sub").mkdir(exist_ok=True)
        raise FolderError(path, "Input/output error")

    monkeypatch.setattr(root, "stat", fail)
    found = scanner.look()
    assert changed(found) == found.missing == found.gone_directories == []


def test_cancelled(scanner: Scanner, folder: Path):
    """A scan that is cancelled says what it has found, and that nothing is missing."""
    fill(folder, "a/x", "b/x", "c/x", "z")
    scanner.learn()
    scanner.dirs = {"gone"}
    fill(folder, "a/new", "c/new")
    (folder / "b/x").unlink()
    turns = iter([False, False, True])
    scanner.cancelled = lambda: next(turns)
    found = scanner.look()
    assert changed(found) == ["a/new"]
    assert found.missing == found.gone_directories == found.empty_directories == []
    assert not found.complete
    assert found.incomplete_under == []


def test_cancelled_with_a_disk_inside(scanner: Scanner, folder: Path):
    """What was not looked at is not called away."""
    (folder / "a").mkdir()
    scanner.mounts = ["mnt"]
    scanner.cancelled = lambda: True
    found = scanner.look()
    assert found.mounts == ["mnt"]
    assert found.skipped == []


def test_rows_out_of_order(scanner: Scanner, folder: Path):
    """A table in another order would make everything look missing, so it is refused."""
    fill(folder, "a", "b", "c")
    scanner.learn()
    for wrong in (scanner.known[::-1], [*scanner.known, scanner.known[-1]]):
        scanner.known = wrong
        with pytest.raises(ValueError, match="out of order"):
            scanner.look()


def test_a_disk_inside_the_folder(scanner: Scanner, folder: Path, root: Root):
    """It is walked while it is mounted; when it is not, nothing on it is missing; that is told."""
    fill(folder, "a", "z")
    point = folder / "mnt"
    point.mkdir()
    with mounted(point, "-t", "tmpfs", "tmpfs"):
        fill(folder, "mnt/x", "mnt/d/y")
        (point / "known").mkdir()
        found = scanner.learn()
        assert changed(found) == ["a", "mnt/d/y", "mnt/x", "z"]
        assert found.mounts == ["mnt"]
        scanner.dirs = {"mnt/known"}
        assert scanner.look().skipped == []
        root.forget()
    found = scanner.look()
    assert changed(found) == found.missing == found.gone_directories == []
    assert found.empty_directories == []
    assert found.mounts == ["mnt"]
    assert skipped(found) == [("mnt", SkipKind.AWAY)]
    point.rmdir()
    found = scanner.look()
    assert found.missing == []
    assert found.mounts == ["mnt"]
    scanner.mounts = []
    assert scanner.look().missing == ["mnt/d/y", "mnt/x"]
