"""Reading, directories, times and modes of one folder."""

import os
import stat
import unicodedata
from pathlib import Path

import pytest
from tests.unit.folder.placing import MTIME_MS, stat_at, temporary, tree

from firnline.core.event import Kind
from firnline.folder.errors import (
    Changed,
    FolderError,
    NameImpossible,
    NotInside,
    Occupied,
    Vanished,
)
from firnline.folder.filesystem import Root
from firnline.folder.metadata import with_executable


def test_stat_of_each_kind(root: Root, folder: Path):
    """A file, a link and a directory have their kind; what cannot be synced has none."""
    (folder / "file").write_bytes(b"12345")
    (folder / "link").symlink_to("nowhere")
    (folder / "directory").mkdir()
    os.mkfifo(folder / "pipe")
    kinds = {name: stat_at(root, name).kind for name in ("file", "link", "directory", "pipe")}
    assert kinds == {
        "file": Kind.FILE,
        "link": Kind.LINK,
        "directory": Kind.DIRECTORY,
        "pipe": None,
    }
    found = stat_at(root, "file")
    raw = (folder / "file").stat()
    assert found.size == 5
    assert (found.mtime_ns, found.inode, found.device) == (
        raw.st_mtime_ns,
        raw.st_ino,
        raw.st_dev,
    )


def test_stat_of_nothing(root: Root, folder: Path):
    """Nothing stands where a part of the path is missing, a file, or a link."""
    (folder / "file").touch()
    (folder / "link").symlink_to(folder)
    for path in ("no", "no/such", "file/below", "link/file"):
        assert root.stat(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../pwn",
        "a/../../pwn",
        "a//b",
        "a/./b",
        "a/",
        ".",
        "a\0b",
        ".firnline/id",
        "sub/.firnline",
        ".FIRNLINE/x",
        ".firnline./x",
        ".firnline-tmp-0",
        ".firn\u200cline/x",
    ],
)
def test_refused_paths(root: Root, folder: Path, path: str):
    """No action takes a path that is not somebody's file inside the folder."""
    (folder / "a").mkdir()
    name = temporary(root, b"x")
    expected = stat_at(root, "a")
    actions = [
        lambda: root.stat(path),
        lambda: root.open_read(path),
        lambda: root.read_link(path),
        lambda: root.make_directory(path),
        lambda: root.remove_directory(path),
        lambda: root.place(name, path, None),
        lambda: root.make_link("x", path),
        lambda: root.take_away(path, expected, "k"),
        lambda: root.put_back("k", path),
        lambda: root.move(path, "b", expected),
        lambda: root.move("a", path, expected),
        lambda: root.move_directory(path, "b"),
        lambda: root.move_directory("a", path),
        lambda: root.touch(path, 0, expected),
        lambda: root.set_executable(path, True, expected),
    ]
    for action in actions:
        with pytest.raises(NameImpossible):
            action()
    assert tree(folder) == {"a": None}


@pytest.mark.parametrize(
    "name",
    [
        "..\\pwn",
        "C:\\pwn",
        "..%2fpwn",
        "%2e%2e",
        "\uff0e\uff0e",
        "-rf",
        "--help",
        "$(touch pwn)",
        "`id`",
        ";id",
        "%s%n",
        "{0.__class__}",
        "<img src=x onerror=1>.txt",
        "photo\u202egpj.exe",
        "a\r\nb",
        "x" * 255,
        "[x]",
        "CON",
        "file.",
    ],
)
def test_odd_names_are_only_names(root: Root, folder: Path, name: str):
    """A name that means something to a shell, a template or another system is a name here."""
    root.place(temporary(root, b"x"), f"d/{name}", None)
    assert tree(folder) == {"d": None, f"d/{name}": b"x"}
    with os.fdopen(root.open_read(f"d/{name}"), "rb") as file:
        assert file.read() == b"x"


def test_too_long_a_name(root: Root, folder: Path):
    """A name that the file system cannot hold is told as such, and nothing is left behind."""
    name = temporary(root, b"x")
    with pytest.raises(NameImpossible):
        root.place(name, "x" * 256, None)
    with pytest.raises(NameImpossible):
        root.make_directory("d/" + "y" * 256)
    assert tree(folder) == {"d": None}


def test_open_read(root: Root, folder: Path):
    """Only regular files are opened, and a pipe that nobody writes is not waited for."""
    (folder / "file").write_bytes(b"content")
    (folder / "link").symlink_to("file")
    (folder / "directory").mkdir()
    os.mkfifo(folder / "pipe")
    with os.fdopen(root.open_read("file"), "rb") as file:
        assert file.read() == b"content"
    for path in ("link", "directory", "pipe"):
        with pytest.raises(Changed):
            root.open_read(path)
    with pytest.raises(Vanished):
        root.open_read("missing")
    with pytest.raises(NotInside):
        root.open_read("link/below")


def test_read_link(root: Root, folder: Path):
    """A link's text is read, wherever it leads; a file has none."""
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "file").touch()
    assert root.read_link("link") == "/etc/passwd"
    with pytest.raises(Changed):
        root.read_link("file")
    with pytest.raises(Vanished):
        root.read_link("missing")


def test_make_directory(root: Root, folder: Path):
    """Missing parents are made, and only what was made is told."""
    assert root.make_directory("a/b/c") == ["a", "a/b", "a/b/c"]
    assert root.make_directory("a/b/c") == []
    assert root.make_directory("a/d") == ["a/d"]
    assert tree(folder) == {"a": None, "a/b": None, "a/b/c": None, "a/d": None}


def test_make_directory_where_something_stands(root: Root, folder: Path):
    """A file or link in the way stays: at the path it occupies it, above it leads elsewhere."""
    (folder / "file").write_bytes(b"x")
    (folder / "link").symlink_to("/tmp")
    for path in ("file", "link"):
        with pytest.raises(Occupied):
            root.make_directory(path)
        with pytest.raises(NotInside):
            root.make_directory(f"{path}/a/b")
    assert tree(folder) == {"file": b"x", "link": "/tmp"}


def test_remove_directory(root: Root, folder: Path):
    """Only an empty directory is removed; one that is gone already counts as removed."""
    (folder / "full/empty").mkdir(parents=True)
    assert not root.remove_directory("full")
    assert root.remove_directory("full/empty")
    assert root.remove_directory("full")
    assert root.remove_directory("full")
    (folder / "file").touch()
    with pytest.raises(Changed):
        root.remove_directory("file")
    assert tree(folder) == {"file": b""}


def test_touch(root: Root, folder: Path):
    """The time is set to the millisecond and nothing else changes; not on a changed file."""
    (folder / "file").write_bytes(b"x")
    before = stat_at(root, "file")
    after = root.touch("file", MTIME_MS, before)
    assert after.mtime_ns == MTIME_MS * 1_000_000
    assert after._replace(mtime_ns=before.mtime_ns) == before
    assert stat_at(root, "file") == after
    with pytest.raises(Changed):
        root.touch("file", 0, before)
    assert stat_at(root, "file") == after


def test_touch_never_follows(root: Root, folder: Path, tmp_path: Path):
    """Setting the time of a link sets the link's own."""
    outside = tmp_path / "outside"
    outside.touch()
    before = outside.stat().st_mtime_ns
    (folder / "link").symlink_to(outside)
    root.touch("link", MTIME_MS, stat_at(root, "link"))
    assert outside.stat().st_mtime_ns == before


def test_set_executable(root: Root, folder: Path):
    """Execute bits come to those who may read, and all go; the time of the file stays."""
    path = folder / "file"
    path.write_bytes(b"x")
    path.chmod(0o640)
    before = stat_at(root, "file")
    after = root.set_executable("file", True, before)
    assert after.executable
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert after.mtime_ns == before.mtime_ns
    again = root.set_executable("file", False, after)
    assert not again.executable
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_set_executable_on_what_changed(root: Root, folder: Path, tmp_path: Path):
    """A file that is another now, or a link, gets no bits."""
    path = folder / "file"
    path.write_bytes(b"x")
    path.chmod(0o600)
    before = stat_at(root, "file")
    path.write_bytes(b"xy")
    with pytest.raises(Changed):
        root.set_executable("file", True, before)
    outside = tmp_path / "outside"
    outside.touch(0o600)
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(Changed):
        root.set_executable("file", True, before)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


def test_modes():
    """The owner's bit decides; a file that has it keeps the others as they are."""
    assert with_executable(0o644, True) == 0o755
    assert with_executable(0o600, True) == 0o700
    assert with_executable(0o744, True) == 0o744
    assert with_executable(0o755, False) == 0o644
    assert with_executable(0o200, True) == 0o300


def test_names(root: Root, folder: Path):
    """The names in a directory, the folder's own included."""
    (folder / "d").mkdir()
    (folder / "d/x").touch()
    (folder / "d/y").touch()
    assert sorted(root.names("d")) == ["x", "y"]
    assert sorted(root.names("")) == [".firnline", "d"]
    with pytest.raises(Vanished):
        root.names("e")


def test_locate(root: Root, folder: Path):
    """A path of the log is found under the spelling that the disk has, part by part."""
    composed = unicodedata.normalize("NFC", "Ünïcode")
    decomposed = unicodedata.normalize("NFD", "Ünïcode")
    (folder / decomposed).mkdir()
    (folder / decomposed / "plain").mkdir()
    assert root.locate("plain/ascii") == "plain/ascii"
    assert root.locate(f"{composed}/plain/x") == f"{decomposed}/plain/x"
    assert root.locate(f"{composed}/{composed}") == f"{decomposed}/{composed}"
    assert root.locate(f"{composed}2/x") == f"{composed}2/x"
    (folder / composed).mkdir()
    assert root.locate(f"{composed}/x") == f"{composed}/x"
    (folder / "link").symlink_to(decomposed)
    assert root.locate(f"link/{composed}") == f"link/{composed}"
    assert root.locate(f"missing/{composed}") == f"missing/{composed}"


def test_a_folder_that_is_not_there(tmp_path: Path):
    """Every action on a missing folder says so, and makes nothing."""
    with Root(str(tmp_path / "missing")) as root:
        for action in (root.top, root.new_temporary, lambda: root.make_directory("a")):
            with pytest.raises(Vanished):
                action()
        assert root.stat("a") is None
        assert root.free_space() is None
    assert os.listdir(tmp_path) == []


def test_a_folder_without_its_marker(tmp_path: Path):
    """A bare mount point gets no file of ours, not even to learn what it can do."""
    with Root(str(tmp_path)) as root:
        with pytest.raises(Vanished):
            root.new_temporary()
        assert root.has_modes
        assert root.list_kept() == []
        assert root.sweep_temporaries() == 0
    assert os.listdir(tmp_path) == []


def test_free_space(root: Root):
    """A folder on a disk knows how much fits."""
    free = root.free_space()
    assert free is not None
    assert free > 0


def test_the_folder_may_be_reached_through_a_link(folder: Path, tmp_path: Path):
    """Links above the folder are the user's own."""
    (tmp_path / "shortcut").symlink_to(folder)
    with Root(str(tmp_path / "shortcut")) as root:
        root.place(temporary(root, b"x"), "a/b", None)
    assert tree(folder) == {"a": None, "a/b": b"x"}


def test_error_text():
    """An error says where and what."""
    assert str(FolderError("a/b", "is odd")) == "a/b: is odd"
    assert str(FolderError("", "is odd")) == "the folder: is odd"
