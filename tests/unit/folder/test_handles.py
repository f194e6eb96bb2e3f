"""Directory handles: few are kept, none leaks, and threads do not take each other's."""

import errno
import os
import threading
from pathlib import Path

import pytest
from tests.unit.folder.placing import stat_at, temporary, tree

from firnline.folder import kernel
from firnline.folder.errors import Blocked, FolderError, NotInside
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_no_more_than_the_limit_are_kept(folder: Path):
    """Many directories are used with few handles, and none is left at the end."""
    before = open_descriptors()
    with Root(str(folder), access=Handles(str(folder), limit=4)) as root:
        for number in range(50):
            root.place(temporary(root, b"%d" % number), f"d{number}/e/file", None)
            assert open_descriptors() <= before + 4 + 4
        for number in range(49):
            old = stat_at(root, f"d{number}/e/file")
            root.move(f"d{number}/e/file", f"d{number + 1}/e/moved", old)
    assert open_descriptors() == before
    assert (folder / "d49/e/moved").read_bytes() == b"48"


def test_the_deepest_path(folder: Path):
    """A path of 256 parts is reached with a handful of kept handles."""
    deep = "/".join(["d"] * 255)
    with Root(str(folder), access=Handles(str(folder), limit=8)) as root:
        root.place(temporary(root, b"x"), f"{deep}/file", None)
        root.move(f"{deep}/file", f"{deep}/moved", stat_at(root, f"{deep}/file"))
        assert stat_at(root, f"{deep}/moved").size == 1


def test_forgetting_lets_go(folder: Path):
    """After `forget` nothing is open, and the next action opens anew."""
    before = open_descriptors()
    root = Root(str(folder))
    root.place(temporary(root, b"x"), "d/file", None)
    assert open_descriptors() > before
    root.forget()
    assert open_descriptors() == before
    assert stat_at(root, "d/file").size == 1
    root.forget()
    root.forget()
    assert open_descriptors() == before


def test_a_directory_made_anew(root: Root, folder: Path):
    """A directory that was removed and made again, with all below it, is the new one."""
    root.place(temporary(root, b"x"), "a/b/c/file", None)
    (folder / "a/b/c/file").unlink()
    for path in ("a/b/c", "a/b", "a"):
        (folder / path).rmdir()
    assert root.stat("a/b/c/file") is None
    root.place(temporary(root, b"y"), "a/b/c/file", None)
    assert (folder / "a/b/c/file").read_bytes() == b"y"


def test_threads(folder: Path):
    """Threads that share a root each find their own directories."""
    wrong: list[object] = []

    def work(worker: int) -> None:
        try:
            for number in range(40):
                content = b"%d/%d" % (worker, number)
                root.place(temporary(root, content), f"w{worker}/d{number % 7}/{number}", None)
                descriptor = root.open_read(f"w{worker}/d{number % 7}/{number}")
                if os.read(descriptor, 100) != content:
                    wrong.append((worker, number))
                os.close(descriptor)
        except FolderError as error:
            wrong.append(error)

    with Root(str(folder), access=Handles(str(folder), limit=2)) as root:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert len([content for content in tree(folder).values() if content is not None]) == 160


def failing(number: int):
    def fail(*arguments: object, **names: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_errors_of_the_system_come_through(
    root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """Only "no such call" is worked around; a real error is told as what it is."""
    (folder / "file").write_bytes(b"x")
    expected = stat_at(root, "file")
    name = temporary(root, b"y")
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "rename_exclusive", failing(errno.EROFS))
        with pytest.raises(Blocked):
            root.place(name, "other", None)
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "exchange", failing(errno.EIO))
        with pytest.raises(FolderError) as error:
            root.place(name, "file", expected, "k")
    assert type(error.value) is FolderError
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(errno.ENOSPC))
        patch.setattr(kernel, "exchange", failing(errno.EINVAL))
        with pytest.raises(FolderError, match="space"):
            root.place(name, "file", expected, "k")
    assert tree(folder) == {"file": b"x"}
    assert root.list_kept() == []


def test_no_flags_and_no_links(root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Without flags for renames and without hard links, a look before replaces nothing either."""
    monkeypatch.setattr(kernel, "rename_exclusive", failing(errno.EINVAL))
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(errno.EPERM))
        (folder / "taken").write_bytes(b"mine")
        name = temporary(root, b"x")
        with pytest.raises(FolderError):
            root.place(name, "taken", None)
        root.place(name, "free", None)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", failing(errno.EIO))
        with pytest.raises(FolderError):
            root.place(temporary(root, b"x"), "another", None)
    assert tree(folder) == {"taken": b"mine", "free": b"x"}


def test_kernel_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A system that has no such call says so, in the way of the functions of `os`."""
    descriptor = os.open(tmp_path, os.O_RDONLY)
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(FileExistsError):
        kernel.rename_exclusive(descriptor, "a", descriptor, "b")
    with pytest.raises(FileNotFoundError):
        kernel.exchange(descriptor, "a", descriptor, "c")
    kernel.exchange(descriptor, "a", descriptor, "b")
    assert (tmp_path / "a").read_bytes() == b"b"
    kernel.sync_file_system(descriptor)
    with pytest.raises(OSError, match="not implemented"):
        kernel._function("no such function in any library")
    monkeypatch.setattr("sys.platform", "plan9")
    with pytest.raises(OSError, match="not implemented"):
        kernel.rename_exclusive(descriptor, "a", descriptor, "c")
    os.close(descriptor)


def test_a_link_where_a_directory_is_opened(root: Root, folder: Path, tmp_path: Path):
    """A listing is no way around either."""
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(NotInside):
        root.names("link")
