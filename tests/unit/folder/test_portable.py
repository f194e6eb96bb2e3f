"""Going by whole paths, as on a system without directory handles."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.folder.placing import MTIME_MS, stat_at, temporary, tree

from firnline.folder import handles, portable
from firnline.folder.errors import Changed, FolderError, NameImpossible, NotInside, Occupied
from firnline.folder.filesystem import Root
from firnline.folder.ignore import Ignore
from firnline.folder.portable import Paths, check_windows
from firnline.folder.scan import scan


@pytest.fixture
def root(folder: Path) -> Iterator[Root]:
    with Root(str(folder), access=Paths(str(folder))) as found:
        yield found


def test_chosen_where_there_are_no_handles(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The system decides which way is gone."""
    monkeypatch.setattr(handles, "AVAILABLE", False)
    assert isinstance(Root(str(folder)).access, Paths)


def test_parents_are_looked_at(root: Root, folder: Path, tmp_path: Path):
    """A link or file above the path is not passed."""
    (folder / "link").symlink_to(tmp_path)
    (folder / "file").touch()
    for path in ("link/x", "file/x"):
        with pytest.raises(NotInside):
            root.place(temporary(root, b"x"), path, None)
        assert root.stat(path) is None
    with pytest.raises(FolderError):
        root.names("link")


def test_everyday_actions(root: Root, folder: Path):
    """Directories, listing, times, modes and the barrier work as with handles."""
    assert root.make_directory("a/b") == ["a", "a/b"]
    root.place(temporary(root, b"x"), "a/b/file", None)
    found = root.touch("a/b/file", MTIME_MS, stat_at(root, "a/b/file"))
    assert root.set_executable("a/b/file", True, found).executable
    assert root.names("a/b") == ["file"]
    root.move_directory("a/b", "c")
    assert root.remove_directory("a")
    root.make_link("c/file", "link")
    assert root.read_link("link") == "c/file"
    with pytest.raises(Changed):
        root.open_read("link")
    with pytest.raises(Changed):
        root.touch("link", 0, stat_at(root, "link"))
    with pytest.raises(Occupied):
        root.move_directory("c", "link")
    root.barrier()
    assert tree(folder) == {"c": None, "c/file": b"x", "link": "c/file"}


def test_a_scan(root: Root, folder: Path, clock: StillClock):
    """The walk finds everything, and follows no link."""
    (folder / "d").mkdir()
    (folder / "d/file").write_bytes(b"x")
    (folder / "link").symlink_to("d")
    found = scan(root, [], Ignore(), clock=clock)
    assert [seen.path for seen in found.changed] == ["d/file", "link"]
    assert found.changed[0].stat == stat_at(root, "d/file")
    assert found.complete


def test_a_junction_is_no_directory(root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """On Windows a directory may be a mount of another one; it is not passed."""
    (folder / "d").mkdir()
    monkeypatch.setattr(portable, "_leads_elsewhere", lambda found: True)
    with pytest.raises(NotInside):
        root.place(temporary_by_hand(folder), "d/file", None)
    assert tree(folder) == {"d": None}


def temporary_by_hand(folder: Path) -> str:
    with Root(str(folder)) as other:
        return temporary(other, b"x")


@pytest.mark.parametrize(
    "path",
    [
        "C:pwn",
        "a/ok:ads",
        "ok::$DATA",
        "..\\pwn",
        "a?b",
        'a"b',
        "a|b",
        "a<b>",
        "a*",
        "tab\there",
        "file.",
        "file ",
        "file...",
        "d./x",
        "CON",
        "con.txt",
        "NUL.tar.gz",
        "COM\u00b9",
        "lpt9.x",
        "CONIN$",
        "aux /x",
    ],
)
def test_names_that_windows_takes_for_something_else(folder: Path, path: str):
    """Streams, drives, devices and what Windows would cut are refused before any action."""
    with pytest.raises(NameImpossible):
        check_windows(path)
    with (
        Root(str(folder), access=Paths(str(folder), windows=True)) as root,
        pytest.raises(NameImpossible),
    ):
        root.stat(path)


@pytest.mark.parametrize(
    "path", ["a", "a b/c.d", "console", "com10", "community/x", "Ünïcode", "a.b.c"]
)
def test_names_that_windows_can_hold(path: str):
    """Names that only look similar are fine."""
    check_windows(path)


def test_no_exchange(folder: Path):
    """There is no such call by paths, and that is said in the way of the others."""
    with pytest.raises(OSError, match="not implemented") as error:
        Paths(str(folder)).exchange("a", "b")
    assert error.value.errno == errno.ENOSYS


def test_without_flags_for_links(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Where `os.link` cannot be told about links (Windows), it is not."""
    (folder / "file").write_bytes(b"x")
    monkeypatch.setattr(os, "supports_follow_symlinks", set())
    Paths(str(folder)).link("file", "other")
    assert (folder / "other").read_bytes() == b"x"


def test_on_windows_a_directory_is_not_synced(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """There a directory cannot be opened for it, and need not be."""
    monkeypatch.setattr(portable, "_WINDOWS", True)
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("asked to sync"))
    directory = Paths(str(folder)).open_directory("")
    directory.sync()
    directory.close()


def as_windows(place: str) -> None:
    if os.path.exists(place) and not os.stat(place).st_mode & 0o200:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)


@pytest.fixture
def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the system neither removes nor replaces."""
    unlink, replace = os.unlink, os.replace

    def refusing_unlink(place: str) -> None:
        as_windows(place)
        unlink(place)

    def refusing_replace(source: str, target: str) -> None:
        as_windows(target)
        replace(source, target)

    monkeypatch.setattr(os, "unlink", refusing_unlink)
    monkeypatch.setattr(os, "replace", refusing_replace)
    path = folder / "file"
    path.write_text("old")
    path.chmod(0o444)
    return path


def test_read_only_files_of_windows(read_only: Path, folder: Path) -> None:
    """The mark is taken away before the file is removed or replaced, and not elsewhere."""
    with pytest.raises(PermissionError):
        Paths(str(folder), windows=False).unlink("file")
    (folder / "new").write_text("new")
    access = Paths(str(folder), windows=True)
    access.rename("new", "file")
    assert read_only.read_text() == "new"
    read_only.chmod(0o444)
    access.unlink("file")
    assert not read_only.exists()


def test_read_only_file_that_stays(
    read_only: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps its mark where it cannot be removed all the same, and what is refused for another
    reason is refused."""

    def refuse(place: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), place)

    monkeypatch.setattr(os, "unlink", refuse)
    access = Paths(str(folder), windows=True)
    for mode in (0o444, 0o644):
        read_only.chmod(mode)
        with pytest.raises(PermissionError):
            access.unlink("file")
        assert read_only.stat().st_mode & 0o777 == mode
