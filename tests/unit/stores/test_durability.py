"""The other ways: what the directory store does where a system lacks a call."""

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.doubles.still_clock import StillClock

from firnline.stores import cloning, durability, linux
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import AlreadyExistsError, DeniedError, FullError, UnavailableError

CONNECTION = "c" * 16
TMP = f"connections/{CONNECTION}/tmp"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    DirectoryStore.create_base(path)
    return path


@pytest.fixture
def store(base: Path, clock: StillClock) -> DirectoryStore:
    return DirectoryStore(base, connection=CONNECTION, clock=clock)


def failing(number: int, calls: list[str] | None = None):
    """A function of `os` that fails with an error number."""

    def fail(*arguments: object, **names: object) -> int:
        if calls is not None:
            calls.append("called")
        raise OSError(number, os.strerror(number))

    return fail


def many(store: DirectoryStore) -> None:
    store.put_many((f"d{number}/a", b"%d" % number) for number in range(40))
    for number in range(40):
        assert store.read_small(f"d{number}/a", 10) == b"%d" % number


def test_create_without_links(store, base, monkeypatch):
    """Without hard links (FAT), a rename that refuses an existing name has one winner too."""
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    store.create("a", b"first")
    with pytest.raises(AlreadyExistsError):
        store.create("a", b"second")
    assert store.read_small("a", 10) == b"first"
    assert os.listdir(base / TMP) == []


@pytest.mark.parametrize("reason", ["no C library call", "file system without"])
def test_create_in_place(store, base, monkeypatch, reason):
    """Where nothing else is there, the name itself is made exclusively, and has one winner."""
    monkeypatch.setattr(os, "link", failing(errno.EOPNOTSUPP))
    if reason == "no C library call":
        monkeypatch.setattr(linux, "_function", lambda name: None)
    else:
        monkeypatch.setattr(durability, "rename_exclusively", failing(errno.EINVAL))
    store.create("a", b"first")
    with pytest.raises(AlreadyExistsError):
        store.create("a", b"second")
    assert store.read_small("a", 10) == b"first"
    assert os.listdir(base / TMP) == []


def test_create_in_place_on_a_full_disk(store, monkeypatch):
    """A claim that could not be written in place is not left there as half a file."""
    monkeypatch.setattr("firnline.stores.directory.publish_exclusively", lambda *places: False)
    written = cloning.write_all
    monkeypatch.setattr("firnline.stores.directory.write_all", failing(errno.ENOSPC))
    with pytest.raises(FullError):
        store.create("a", b"body")
    assert store.size("a") is None
    monkeypatch.setattr("firnline.stores.directory.write_all", written)
    store.create("a", b"body")


def test_an_error_is_no_missing_ability(store, monkeypatch):
    """A disk that fails is an error, not a reason to try another way."""
    for patched, name in ((os, "link"), (durability, "rename_exclusively")):
        monkeypatch.setattr(patched, name, failing(errno.EIO))
        with pytest.raises(UnavailableError):
            store.create("a", b"body")
        monkeypatch.undo()
        monkeypatch.setattr(os, "link", failing(errno.EPERM))


def test_a_link_whose_answer_was_lost(store, monkeypatch):
    """A file server that made the link and says that it exists has made it."""
    link = os.link

    def twice(*arguments: Any, **names: Any) -> None:
        link(*arguments, **names)
        link(*arguments, **names)

    monkeypatch.setattr(os, "link", twice)
    store.create("a", b"body")
    assert store.read_small("a", 10) == b"body"


@pytest.mark.skipif(sys.platform != "linux", reason="a system call of Linux")
def test_rename_exclusively(tmp_path):
    """The system's own exclusive rename moves a file once and keeps what stands there."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(FileExistsError):
            linux.rename_exclusively((directory, "a"), (directory, "b"))
        linux.rename_exclusively((directory, "a"), (directory, "c"))
    finally:
        os.close(directory)
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]
    assert (tmp_path / "c").read_bytes() == b"a"


def test_many_files_without_syncfs(store, monkeypatch):
    """Without a barrier for all, each body is made durable before the first gets its name."""
    synced: list[int] = []
    replaced: list[str] = []
    sync, replace = durability.sync_file, durability.replace

    def note_sync(descriptor: int) -> None:
        synced.append(len(replaced))
        sync(descriptor)

    def note_replace(*arguments: Any) -> None:
        replaced.append(arguments[1])
        replace(*arguments)

    monkeypatch.setattr(linux, "_function", lambda name: None)
    monkeypatch.setattr("firnline.stores.bulk.sync_file", note_sync)
    monkeypatch.setattr("firnline.stores.transfer.replace", note_replace)
    many(store)
    assert synced == [0] * 40
    assert len(replaced) == 40


def test_a_barrier_that_fails(store, base, monkeypatch):
    """What could not be made durable is an error, and no name was given."""
    monkeypatch.setattr(durability, "sync_filesystem", failing(errno.EIO))
    with pytest.raises(UnavailableError):
        store.put_many((f"{number}", b"x") for number in range(40))
    assert os.listdir(base) == ["connections"]
    assert os.listdir(base / TMP) == []


@pytest.mark.skipif(sys.platform != "linux", reason="a system call of Linux")
def test_syncfs_reports_errors():
    """An error of the system call is raised, not dropped."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        linux.sync_filesystem(-1)


def test_a_share_without_fsync_of_directories(store, monkeypatch):
    """A file system that has no fsync for directories is believed; one that fails is not."""
    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    store.put_many([("a", b"x")])
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(UnavailableError):
        store.put_many([("b", b"x")])


def test_a_body_that_cannot_be_made_durable(store, base, monkeypatch):
    """A body whose fsync fails gets no name."""
    monkeypatch.setattr(os, "fdatasync", failing(errno.EIO), raising=False)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(UnavailableError):
        store.put_many([("a", b"x")])
    assert os.listdir(base) == ["connections"]


@pytest.mark.parametrize("known", [True, False])
def test_full_fsync_on_macos(store, monkeypatch, known):
    """On macOS a body is forced out of the disk's cache, where the disk knows how."""
    fcntl = pytest.importorskip("fcntl")
    calls: list[str] = []
    full = (lambda *arguments: calls.append("full")) if known else failing(errno.ENOTSUP, calls)
    monkeypatch.setattr(fcntl, "fcntl", full)
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    store.put_many([("a", b"x")])
    assert len(calls) == 1
    assert store.read_small("a", 10) == b"x"
    assert not store.capabilities.clones


def test_a_virus_scanner_holds_the_file(store, clock, monkeypatch):
    """On Windows a rename that is denied for a moment is tried again."""
    monkeypatch.setattr(durability, "REPLACE_ATTEMPTS", 10)
    replace, left = os.replace, [2]

    def held(*arguments: Any, **names: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise PermissionError(errno.EACCES, "held")
        replace(*arguments, **names)

    monkeypatch.setattr(os, "replace", held)
    store.put_many([("a", b"x")])
    assert clock.slept == [0.2, 0.2]
    left[0] = 10
    with pytest.raises(DeniedError):
        store.put_many([("b", b"x")])


def test_rename_as_on_windows(tmp_path, clock, monkeypatch):
    """Where a plain rename refuses an existing name, it is what has one winner."""
    DirectoryStore.create_base(tmp_path / "store")
    store = DirectoryStore(tmp_path / "store", connection=CONNECTION, clock=clock, by_handle=False)

    def rename(source: str, target: str) -> None:
        if os.path.exists(target):
            raise FileExistsError(errno.EEXIST, "exists")
        os.replace(source, target)

    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(durability, "WINDOWS", True)
    store.create("a", b"first")
    with pytest.raises(AlreadyExistsError):
        store.create("a", b"second")
    many(store)
    assert store.read_small("a", 10) == b"first"


@pytest.mark.parametrize("lacking", ["missing", "refused", "short"])
def test_copies_without_the_kernel(store, monkeypatch, lacking):
    """Where the kernel does not copy, or only a part, the rest is read and written."""
    body = os.urandom(3_000_000)
    store.put_many([("a", body)])
    monkeypatch.setattr(cloning, "clone", lambda source, target: False)
    kernel = getattr(os, "copy_file_range", None)
    if lacking == "missing":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    elif lacking == "refused" or kernel is None:
        monkeypatch.setattr(os, "copy_file_range", failing(errno.EXDEV), raising=False)
    else:
        parts = iter([1_000_000, 0])
        monkeypatch.setattr(
            os,
            "copy_file_range",
            lambda source, target, count: (part := next(parts)) and kernel(source, target, part),
        )
    store.copy("a", "b")
    assert store.read_small("b", len(body)) == body


@pytest.mark.parametrize("call", ["clone", "copy_file_range"])
def test_a_copy_that_fails(store, monkeypatch, call):
    """A copy on a full disk fails; it is not tried by another way."""
    fcntl = pytest.importorskip("fcntl")
    store.put_many([("a", b"body")])
    if call == "clone":
        monkeypatch.setattr(fcntl, "ioctl", failing(errno.ENOSPC))
    else:
        monkeypatch.setattr(cloning, "clone", lambda source, target: False)
        monkeypatch.setattr(os, "copy_file_range", failing(errno.ENOSPC), raising=False)
    with pytest.raises(FullError):
        store.copy("a", "b")
    assert store.size("b") is None


def test_short_writes_and_reads(store, monkeypatch):
    """A system that takes or gives less than asked for is asked again."""
    write, read = os.write, os.read
    monkeypatch.setattr(os, "write", lambda fd, body: write(fd, bytes(body)[:7]))
    store.put_many([("a", b"0123456789" * 10)])
    monkeypatch.setattr(os, "read", lambda fd, count: read(fd, min(count, 3)))
    assert store.read_small("a", 100) == b"0123456789" * 10
    with store.open("a", 5, 20) as reader:
        assert reader.read(50) == b"56789012345678901234"


def test_a_file_that_shrinks_while_it_is_read(store, base):
    """A file that somebody cuts while it is read ends there."""
    store.put_many([("a", b"0123456789")])
    with store.open("a") as reader:
        assert reader.read(4) == b"0123"
        (base / "a").write_bytes(b"01234")
        assert reader.read(100) == b"4"
        assert reader.read(100) == b""


def test_a_broken_clock(store, monkeypatch):
    """A time that no calendar holds is no time."""

    fstat = os.fstat

    def far_away(descriptor: int) -> SimpleNamespace:
        real = fstat(descriptor)
        return SimpleNamespace(st_mtime=1e20, st_dev=real.st_dev, st_ino=real.st_ino)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", far_away)
        assert store.server_time() is None
    assert store.server_time() is not None


def test_a_directory_that_breaks_off(store, monkeypatch):
    """A listing that fails on the way raises, and is not taken for a short one."""
    store.put_many((f"d/{number}", b"x") for number in range(5))
    scandir = os.scandir

    class Broken:
        def __init__(self, place: int) -> None:
            self.inner = scandir(place)

        def __enter__(self):
            return self

        def __exit__(self, *exc: object) -> None:
            self.inner.close()

        def __iter__(self):
            yield next(self.inner)
            raise OSError(errno.ENOENT, "stale")

    monkeypatch.setattr(os, "scandir", Broken)
    with pytest.raises(UnavailableError):
        list(store.list("d"))


def test_a_file_that_goes_while_it_is_listed(store, base):
    """A file that is removed between its listing and its size has no size."""
    store.put_many((f"d/{number}", b"x") for number in range(2))
    listing = store.list("d", sizes=True)
    first = next(listing)
    assert first.size == 1
    for left in (base / "d").iterdir():
        left.unlink()
    assert [entry.size for entry in listing] == [None]


def test_free_space_without_statvfs(tmp_path, clock, monkeypatch):
    """Free space is known on systems without statvfs as well."""
    DirectoryStore.create_base(tmp_path / "store")
    store = DirectoryStore(tmp_path / "store", connection=None, clock=clock, by_handle=False)
    known = store.free_space()
    monkeypatch.setattr("firnline.stores.directory.HAS_STATVFS", False)
    there = store.free_space()
    assert known is not None
    assert there is not None
    assert abs(known - there) < known / 2
