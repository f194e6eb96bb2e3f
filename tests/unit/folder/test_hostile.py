"""Links, swaps and odd things that somebody lays in the way: nothing outside is ever touched."""

import os
import socket
import stat
import threading
from pathlib import Path

import pytest
from tests.unit.folder.placing import make_device, stat_at, temporary, tree
from tests.unit.folder.steps_double import StepsDouble

from firnline.folder import kernel
from firnline.folder.errors import Changed, FolderError, NotInside
from firnline.folder.filesystem import Root

ROUNDS = 300


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that is none of the folder's business, with a file in it."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "victim").write_bytes(b"victim")
    return path


def untouched(outside: Path) -> bool:
    return os.listdir(outside) == ["victim"] and (outside / "victim").read_bytes() == b"victim"


def test_a_directory_swapped_for_a_link_by_a_second_thread(root: Root, folder: Path, outside: Path):
    """Whatever we do while somebody swaps a parent for a link to the outside, it stays inside."""
    (folder / "d").mkdir()
    (folder / "d/victim").write_bytes(b"victim")
    (folder / "link").symlink_to(outside)
    stop = threading.Event()

    def swap() -> None:
        here = os.open(folder, os.O_RDONLY)
        while not stop.is_set():
            kernel.exchange(here, "d", here, "link")
        os.close(here)

    thread = threading.Thread(target=swap)
    thread.start()
    done = refused = 0
    try:
        for number in range(ROUNDS):
            for action in (
                lambda number=number: root.place(temporary(root, b"x"), f"d/new{number}", None),
                lambda: root.take_away("d/victim", stat_at(root, "d/victim"), new_keep()),
                lambda: root.place(
                    temporary(root, b"x"), "d/victim", stat_at(root, "d/victim"), new_keep()
                ),
                lambda number=number: root.make_directory(f"d/sub{number}"),
                lambda: root.set_executable("d/victim", True, stat_at(root, "d/victim")),
                lambda: root.touch("d/victim", 0, stat_at(root, "d/victim")),
                lambda: root.move("d/victim", "d/other", stat_at(root, "d/victim")),
                lambda: root.make_link("x", "d/link", None),
            ):
                try:
                    action()
                    done += 1
                except (FolderError, AssertionError):
                    refused += 1
    finally:
        stop.set()
        thread.join()
    assert untouched(outside)
    assert not stat.S_IMODE((outside / "victim").stat().st_mode) & 0o111
    assert (outside / "victim").stat().st_mtime_ns != 0
    assert done
    assert refused


def new_keep() -> str:
    return os.urandom(8).hex()


def test_a_directory_swapped_between_two_actions(root: Root, folder: Path, outside: Path):
    """A directory that was used before is not taken on trust: a link in its place is seen."""
    (folder / "d").mkdir()
    (folder / "d/victim").write_bytes(b"victim")
    expected = stat_at(root, "d/victim")
    (folder / "d").rename(folder / "away")
    (folder / "d").symlink_to(outside)
    with pytest.raises(NotInside):
        root.place(temporary(root, b"x"), "d/new", None)
    with pytest.raises(Changed):
        root.take_away("d/victim", expected, "k")
    with pytest.raises(NotInside):
        root.open_read("d/victim")
    assert root.stat("d/victim") is None
    assert untouched(outside)


def test_a_directory_swapped_just_before_the_rename(
    root: Root, folder: Path, outside: Path, steps: StepsDouble
):
    """A parent that becomes a link between the look and the rename is not passed."""
    (folder / "d").mkdir()
    (folder / "d/victim").write_bytes(b"victim")
    expected = stat_at(root, "d/victim")
    name = temporary(root, b"x")
    root.area.prepare(".firnline/kept")

    def swap() -> None:
        (folder / "d").rename(folder / "away")
        (folder / "d").symlink_to(outside)

    steps.before(1, swap)
    with pytest.raises(NotInside):
        root.place(name, "d/victim", expected, "k")
    assert untouched(outside)
    assert (folder / "away/victim").read_bytes() == b"victim"
    assert root.list_kept() == []
    assert os.listdir(folder / ".firnline/tmp") == [name]


def test_a_directory_that_the_user_moved_away(root: Root, folder: Path, tmp_path: Path):
    """A directory in the trash is not written through a handle from before."""
    (folder / "d").mkdir()
    (folder / "d/file").write_bytes(b"mine")
    expected = stat_at(root, "d/file")
    (folder / "d").rename(tmp_path / "trash")
    with pytest.raises(Changed):
        root.take_away("d/file", expected, "k")
    root.place(temporary(root, b"new"), "d/new", None)
    assert os.listdir(tmp_path / "trash") == ["file"]
    assert tree(folder) == {"d": None, "d/new": b"new"}


def test_links_in_all_shapes(root: Root, folder: Path, outside: Path):
    """Loops, chains and links upwards are refused as parents, and never followed at the end."""
    (folder / "up").symlink_to("..")
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    for number in range(70):
        (folder / f"chain{number}").symlink_to(f"chain{number + 1}")
    (folder / "chain70").symlink_to(outside)
    (folder / "victim").symlink_to(outside / "victim")
    for path in ("up", "a", "chain0", "victim"):
        with pytest.raises(NotInside):
            root.place(temporary(root, b"x"), f"{path}/victim", None)
        with pytest.raises(Changed):
            root.open_read(path)
        root.place(temporary(root, b"new"), path, stat_at(root, path), new_keep())
        assert (folder / path).read_bytes() == b"new"
    assert untouched(outside)


def test_a_hard_link_gets_no_mode_from_a_replacement(root: Root, folder: Path, outside: Path):
    """A replaced file that has another name outside keeps mode and content there."""
    (folder / "file").hardlink_to(outside / "victim")
    before = (outside / "victim").stat()
    with root.new_temporary() as file:
        file.write(b"new")
        file.finish(0, True, 0o777)
    root.place(file.name, "file", stat_at(root, "file"), "k")
    after = (outside / "victim").stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert untouched(outside)


def test_special_files_do_not_stop_us(root: Root, folder: Path):
    """A pipe, a socket and a device are seen as what cannot be synced, and opened by nobody."""
    os.mkfifo(folder / "pipe")
    make_device(folder / "device")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        for path in ("pipe", "device", "socket"):
            assert stat_at(root, path).kind is None
            with pytest.raises(FolderError):
                root.open_read(path)


def test_modes_from_elsewhere(root: Root, folder: Path):
    """Files with odd permission bits can be replaced; the odd bits are not carried over."""
    for mode in (0o6777, 0o000):
        path = folder / f"file{mode:o}"
        path.write_bytes(b"old")
        path.chmod(mode)
        expected = stat_at(root, path.name)
        with root.new_temporary() as file:
            file.write(b"new")
            file.finish(0, expected.executable, expected.mode)
        root.place(file.name, path.name, expected, new_keep())
        assert stat.S_IMODE(path.stat().st_mode) == mode & 0o777
        path.chmod(0o600)
        assert path.read_bytes() == b"new"
