"""Files on their way into the folder."""

import errno
import os
import stat
from pathlib import Path

import pytest
from tests.unit.folder.conftest import FOLDER_ID
from tests.unit.folder.placing import MTIME_MS, stat_at, temporary
from tests.unit.folder.steps_double import PowerCut, StepsDouble
from tests.unit.stores.disks import disk

from firnline.folder import marker
from firnline.folder.errors import Blocked, NoSpace, NotInside
from firnline.folder.filesystem import Root


@pytest.fixture
def area(folder: Path) -> Path:
    return folder / ".firnline/tmp"


def test_private_until_finished(root: Root, area: Path):
    """Nobody else reads a temporary; `finish` gives it the mode and time that it will have."""
    with root.new_temporary() as file:
        file.write(b"secret")
        place = area / file.name
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        file.finish(MTIME_MS, True)
    found = place.stat()
    assert found.st_mode & stat.S_IXUSR
    assert found.st_size == 6
    assert found.st_mtime_ns == MTIME_MS * 1_000_000
    assert stat.S_IMODE(area.stat().st_mode) == 0o700
    assert stat.S_IMODE(area.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("umask", "plain", "executable"),
    [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o000, 0o666, 0o777), (0o027, 0o640, 0o750)],
)
def test_umask_decides(folder: Path, area: Path, umask: int, plain: int, executable: int):
    """A new file gets what the umask leaves, and execute bits where there are read bits."""
    before = os.umask(umask)
    try:
        with Root(str(folder)) as root:
            modes = [
                stat.S_IMODE((area / temporary(root, b"", executable=flag)).stat().st_mode)
                for flag in (False, True)
            ]
            private = stat.S_IMODE(area.stat().st_mode)
    finally:
        os.umask(before)
    assert modes == [plain, executable]
    assert private == 0o700


@pytest.mark.parametrize(
    ("like", "executable", "mode"),
    [
        (0o600, False, 0o600),
        (0o604, True, 0o705),
        (0o755, False, 0o644),
        (0o711, True, 0o711),
        (0o6777, False, 0o666),
        (0o6777, True, 0o777),
        (0o000, False, 0o000),
    ],
)
def test_a_replaced_file_lends_its_mode(
    root: Root, area: Path, like: int, executable: bool, mode: int
):
    """Other permission bits are a matter of this device, but never setuid, setgid or sticky."""
    with root.new_temporary() as file:
        file.finish(MTIME_MS, executable, like)
    assert stat.S_IMODE((area / file.name).stat().st_mode) == mode


def test_discarded_when_not_finished(root: Root, area: Path):
    """Leaving the block without `finish`, or by an error, leaves no file."""
    with root.new_temporary() as file:
        file.write(b"x")

    def failing() -> None:
        with root.new_temporary() as second:
            second.finish(MTIME_MS, False)
            raise Blocked("x", "y")

    with pytest.raises(Blocked):
        failing()
    assert os.listdir(area) == []


def test_swept_after_a_power_cut(root: Root, area: Path, steps: StepsDouble):
    """What a process that died has left is thrown away at the next start."""
    root.new_temporary().discard()
    steps.cut_before(2)
    with pytest.raises(PowerCut):
        temporary(root, b"x")
    assert len(os.listdir(area)) == 1
    with Root(root.path) as again:
        assert again.sweep_temporaries() == 1
        assert again.sweep_temporaries() == 0
    assert os.listdir(area) == []


def test_discarding_what_is_gone(root: Root, area: Path):
    """A temporary that somebody else removed is no error."""
    with root.new_temporary() as file:
        (area / file.name).unlink()
    assert os.listdir(area) == []


def test_copies_of_an_open_file(root: Root, folder: Path, area: Path):
    """All of a file from its position on is taken."""
    (folder / "source").write_bytes(b"0123456789" * 500_000)
    descriptor = root.open_read("source")
    os.lseek(descriptor, 5, os.SEEK_SET)
    with root.new_temporary() as file:
        assert file.copy_from(descriptor) == 5_000_000 - 5
        assert b"".join(file.read_back()) == (b"0123456789" * 500_000)[5:]
        file.finish(MTIME_MS, False)
    os.close(descriptor)
    assert (area / file.name).stat().st_size == 5_000_000 - 5


@pytest.mark.parametrize("way", ["missing", "failing"])
def test_copies_without_the_system_call(
    root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch, way: str
):
    """Where the kernel cannot copy between two files, the bytes are read and written."""

    def fail(*arguments: object) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    if way == "missing":
        monkeypatch.delattr(os, "copy_file_range")
    else:
        monkeypatch.setattr(os, "copy_file_range", fail)
    (folder / "source").write_bytes(b"content")
    descriptor = root.open_read("source")
    with root.new_temporary() as file:
        assert file.copy_from(descriptor) == 7
        assert b"".join(file.read_back()) == b"content"
    os.close(descriptor)


def test_short_writes_go_on(root: Root, monkeypatch: pytest.MonkeyPatch):
    """A system that takes less than it was given is given the rest."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    with root.new_temporary() as file:
        file.write(b"0123456789")
        assert b"".join(file.read_back()) == b"0123456789"


def test_clone_where_blocks_cannot_be_shared(root: Root, folder: Path, tmp_path: Path):
    """A file system without reflinks says so, and the temporary is as it was."""
    with disk(tmp_path, "tmpfs", "size=1m") as place:
        (place / "source").write_bytes(b"content")
        descriptor = os.open(place / "source", os.O_RDONLY)
        with root.new_temporary() as file:
            assert not file.clone(descriptor)
            assert b"".join(file.read_back()) == b""
        os.close(descriptor)


@pytest.mark.parametrize("kind", ["btrfs", "xfs"])
def test_clone(tmp_path: Path, kind: str):
    """Where the file system can, a file is taken whole by sharing its blocks."""
    with disk(tmp_path, kind) as place, Root(str(place)) as root:
        marker.create(root, FOLDER_ID)
        (place / "source").write_bytes(b"content" * 10_000)
        descriptor = root.open_read("source")
        with root.new_temporary() as file:
            assert file.clone(descriptor)
            assert b"".join(file.read_back()) == b"content" * 10_000
        os.close(descriptor)


def test_without_fcntl(root: Root, monkeypatch: pytest.MonkeyPatch):
    """Where there is no such module (Windows), nothing is cloned."""
    monkeypatch.setitem(__import__("sys").modules, "fcntl", None)
    with root.new_temporary() as file:
        assert not file.clone(file.fileno)


def test_times_set_by_path(root: Root, area: Path, monkeypatch: pytest.MonkeyPatch):
    """Where an open file cannot be given a time (Windows), its name can."""
    monkeypatch.setattr(os, "supports_fd", os.supports_fd - {os.utime})
    name = temporary(root, b"x")
    assert (area / name).stat().st_mtime_ns == MTIME_MS * 1_000_000


def test_no_space(tmp_path: Path):
    """A full disk is told as such, in whichever way the content comes, and nothing stays."""
    with disk(tmp_path, "tmpfs", "size=256k") as place, Root(str(place)) as root:
        marker.create(root, FOLDER_ID)
        with pytest.raises(NoSpace):
            temporary(root, b"x" * 1_000_000)
        big = tmp_path / "big"
        big.write_bytes(b"x" * 1_000_000)
        descriptor = os.open(big, os.O_RDONLY)
        with pytest.raises(NoSpace), root.new_temporary() as file:
            file.copy_from(descriptor)
        os.close(descriptor)
        assert os.listdir(place / ".firnline/tmp") == []
        root.place(temporary(root, b"small"), "small", None)
        assert (place / "small").read_bytes() == b"small"


def test_sync(root: Root, steps: StepsDouble):
    """A large file can be made durable on its own."""
    with root.new_temporary() as file:
        file.write(b"x")
        file.sync()
        root.barrier_file(file.fileno)
        file.finish(MTIME_MS, False)
    assert steps.taken.count("sync temporary") == 1
    assert steps.taken.count("sync file") == 1


def test_the_area_is_no_link(folder: Path, tmp_path: Path):
    """A link in place of the area for temporaries leads nothing astray."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / ".firnline/tmp").rmdir()
    (folder / ".firnline/tmp").symlink_to(outside)
    with Root(str(folder)) as root, pytest.raises(NotInside):
        root.new_temporary()
    assert os.listdir(outside) == []


def test_a_file_system_without_modes(folder: Path, area: Path, monkeypatch: pytest.MonkeyPatch):
    """Where modes cannot be set (FAT), none is tried, and no file counts as executable."""
    set_mode = os.fchmod
    monkeypatch.setattr(os, "fchmod", lambda *arguments: None)
    (folder / "file").touch(0o755)
    with Root(str(folder)) as root:
        assert not root.has_modes
        monkeypatch.setattr(os, "fchmod", set_mode)
        found = stat_at(root, "file")
        assert not found.executable
        assert root.set_executable("file", True, found) == found
        name = temporary(root, b"x", executable=True)
        assert stat.S_IMODE((area / name).stat().st_mode) == 0o600
    with Root(str(folder)) as root:
        assert root.has_modes


def test_a_system_without_modes(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Where there is no such call (Windows), nothing is tried at all."""
    monkeypatch.delattr(os, "fchmod")
    with Root(str(folder)) as root:
        assert not root.has_modes
        placed = root.place(temporary(root, b"x", executable=True), "file", None)
    assert not placed.stat.executable
