"""The directory store beyond the contract: links, modes, left-overs, a base that is not there."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.doubles.cycles import left_in_cycles
from tests.doubles.still_clock import StillClock

from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import (
    BadStorePathError,
    DeniedError,
    NotFoundError,
    StoreError,
    UnavailableError,
)

CONNECTION = "c" * 16
TMP = f"connections/{CONNECTION}/tmp"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, modes and pipes of Unix")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "store"
    DirectoryStore.create_base(path)
    return path


@pytest.fixture(params=[True, False], ids=["by-handle", "by-path"])
def store(request: pytest.FixtureRequest, base: Path) -> DirectoryStore:
    return DirectoryStore(base, connection=CONNECTION, clock=StillClock(), by_handle=request.param)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that nobody may touch through the store."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret").write_bytes(b"secret")
    return path


def files_below(path: Path) -> dict[str, bytes]:
    return {
        found.relative_to(path).as_posix(): found.read_bytes()
        for found in path.rglob("*")
        if found.is_file() and not found.is_symlink()
    }


def test_a_link_is_no_file(store, base, outside):
    """A link to a file outside is not read, sized, moved or copied."""
    (base / "a").symlink_to(outside / "secret")
    assert store.size("a") is None
    for attempt in (
        lambda: store.open("a"),
        lambda: store.read_small("a", 100),
        lambda: store.rename("a", "b"),
        lambda: store.copy("a", "b"),
    ):
        with pytest.raises(NotFoundError):
            attempt()


def test_a_link_is_replaced(store, base, outside):
    """A write puts a file in the place of a link, and never through it."""
    for number, write in enumerate(
        (
            lambda path: store.put_many([(path, b"mine")]),
            lambda path: store.put_many([*((f"o/{n}", b"") for n in range(20)), (path, b"mine")]),
            lambda path: store.rename("source", path),
            lambda path: store.copy("other", path),
        )
    ):
        store.put_many([("source", b"mine"), ("other", b"mine")])
        (base / f"{number}").symlink_to(outside / "secret")
        write(f"{number}")
        assert store.read_small(f"{number}", 10) == b"mine"
    assert files_below(outside) == {"secret": b"secret"}


def test_a_link_is_deleted(store, base, outside):
    """Deleting a link deletes the link."""
    (base / "a").symlink_to(outside / "secret")
    store.delete("a")
    assert not (base / "a").is_symlink()
    assert files_below(outside) == {"secret": b"secret"}


def test_a_linked_directory_is_none(store, base, outside):
    """Nothing is read or written through a link to a directory, first or further down."""
    (base / "d").symlink_to(outside)
    (base / "e").mkdir()
    (base / "e" / "d").symlink_to(outside)
    for directory in ("d", "e/d"):
        assert list(store.list(directory)) == []
        assert store.size(f"{directory}/secret") is None
        with pytest.raises(NotFoundError):
            store.open(f"{directory}/secret")
        store.delete(f"{directory}/secret")
        for attempt in (
            lambda directory=directory: store.put_many([(f"{directory}/new", b"x")]),
            lambda directory=directory: store.put_many([(f"{directory}/sub/new", b"x")]),
            lambda directory=directory: store.create(f"{directory}/new", b"x"),
        ):
            with pytest.raises(DeniedError):
                attempt()
    assert files_below(outside) == {"secret": b"secret"}


def test_a_linked_tmp(base, outside):
    """Somebody's link in the place of the connection's `tmp/` is not swept and not written to."""
    (base / "connections" / CONNECTION).mkdir(parents=True)
    (base / TMP).symlink_to(outside)
    for by_handle in (True, False):
        store = DirectoryStore(base, connection=CONNECTION, clock=StillClock(), by_handle=by_handle)
        with pytest.raises(DeniedError):
            store.put_many([("a", b"x")])
    assert files_below(outside) == {"secret": b"secret"}


def test_listings_leave_out_what_is_not_ours(store, base, outside):
    """Links, pipes and sockets are not listed, nor waited for."""
    store.put_many([("d/a", b"x")])
    (base / "d" / "link").symlink_to(outside / "secret")
    (base / "d" / "linked").symlink_to(outside)
    os.mkfifo(base / "d" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(base / "d" / "socket"))
        assert [entry.name for entry in store.list("d")] == ["a"]
        for name in ("pipe", "socket"):
            assert store.size(f"d/{name}") is None
            with pytest.raises(NotFoundError):
                store.open(f"d/{name}")


def test_names_that_are_no_unicode(store, base):
    """A name that is not valid Unicode is listed in a form that can be shown and stored."""
    try:
        os.close(os.open(os.fsencode(base) + b"/a\xff", os.O_CREAT))
    except OSError:
        pytest.skip("this file system holds no such name")
    names = [entry.name for entry in store.list("")]
    assert "a\ufffd" in names
    "".join(names).encode()


def test_a_link_swapped_in_between(base, outside):
    """However quickly somebody swaps a directory for a link, nothing lands outside."""
    store = DirectoryStore(base, connection=CONNECTION, clock=StillClock())
    store.put_many([("d/first", b"x")])
    done = Event()

    def swap() -> None:
        while not done.is_set():
            # Each may fail: the store makes another `d` when it finds none.
            with suppress(OSError):
                os.rename(base / "d", base / "away")
                os.symlink(outside, base / "d")
            with suppress(OSError):
                os.unlink(base / "d")
            with suppress(OSError):
                os.rename(base / "away", base / "d")
            shutil.rmtree(base / "away", ignore_errors=True)

    thread = Thread(target=swap)
    thread.start()
    stood = 0
    try:
        for number in range(10_000):
            with suppress(StoreError):
                store.create(f"d/{number}", b"x")
                stood += 1
            if stood == 100:
                break
    finally:
        done.set()
        thread.join()
    assert files_below(outside) == {"secret": b"secret"}
    assert stood > 0


def test_base_may_be_a_link(tmp_path, base):
    """The base itself is what the user named, so it may be a link to somewhere else."""
    (tmp_path / "link").symlink_to(base)
    for by_handle in (True, False):
        store = DirectoryStore(
            tmp_path / "link", connection=CONNECTION, clock=StillClock(), by_handle=by_handle
        )
        store.put_many([("a", b"x")])
    assert (base / "a").read_bytes() == b"x"


@pytest.mark.parametrize("by_handle", [True, False])
def test_base_is_missing(tmp_path, by_handle):
    """A store whose base is not there, or is a file, cannot be reached, and is not made."""
    (tmp_path / "file").write_bytes(b"")
    for name in ("missing", "file", "file/below"):
        with pytest.raises(UnavailableError):
            DirectoryStore(
                tmp_path / name, connection=None, clock=StillClock(), by_handle=by_handle
            )
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("mount_point", [False, True])
def test_base_that_goes_away(store, base, mount_point):
    """When the base goes away, every call says that the store cannot be reached, and makes none;
    nothing is written into the directory on which it was mounted."""
    store.put_many([("a", b"x")])
    upload = store.upload()
    upload.write(b"x")
    os.rename(base, base.parent / "away")
    if mount_point:
        base.mkdir()
    for attempt in (
        lambda: list(store.list("")),
        lambda: list(store.list("no/such")),
        lambda: store.size("a"),
        lambda: store.open("a"),
        lambda: store.read_small("a", 10),
        store.upload,
        lambda: upload.commit("b"),
        lambda: store.put_many([("b", b"")]),
        lambda: store.put_many((str(number), b"") for number in range(50)),
        lambda: store.create("b", b""),
        lambda: store.rename("a", "b"),
        lambda: store.copy("a", "b"),
        lambda: store.delete("a"),
        store.server_time,
        store.free_space,
    ):
        with pytest.raises(UnavailableError):
            attempt()
    with upload:
        pass
    assert base.exists() == mount_point
    if mount_point:
        base.rmdir()
    os.rename(base.parent / "away", base)
    assert store.size("a") == 1


def test_create_base(tmp_path):
    """A base is made with what is missing above it; one that is there stays as it is."""
    base = tmp_path / "a" / "b" / "store"
    steps: list[str] = []
    DirectoryStore.create_base(base, steps=steps.append)
    assert steps == ["store.make_base"] * 3
    (base / "kept").write_bytes(b"x")
    DirectoryStore.create_base(base, steps=steps.append)
    assert len(steps) == 3
    assert (base / "kept").exists()


def test_create_base_where_none_can_be(tmp_path):
    """Where no directory can be made, the store cannot be reached."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError):
        DirectoryStore.create_base(tmp_path / "file" / "store")


def modes_below(path: Path) -> set[tuple[bool, int]]:
    """(is a directory, mode) of everything."""
    return {
        (found.is_dir(), stat.S_IMODE(found.stat().st_mode)) for found in [path, *path.rglob("*")]
    }


def write_everything(store: DirectoryStore) -> None:
    store.put_many([("d/a", b"x")])
    store.put_many((f"e/{number}", b"x") for number in range(20))
    store.create("f/a", b"x")
    store.copy("f/a", "g/a")


@pytest.mark.parametrize(
    ("mask", "private", "directory", "file"),
    [
        (0o022, False, 0o755, 0o644),
        (0o002, False, 0o775, 0o664),
        (0o077, False, 0o700, 0o600),
        (0o000, True, 0o700, 0o600),
    ],
)
def test_modes(tmp_path, mask, private, directory, file):
    """A share follows the umask; a private store is its owner's alone, whatever the umask."""
    before = os.umask(mask)
    try:
        base = tmp_path / "modes"
        DirectoryStore.create_base(base, private=private)
        write_everything(
            DirectoryStore(base, connection=CONNECTION, clock=StillClock(), private=private)
        )
    finally:
        os.umask(before)
    assert modes_below(base) == {(True, directory), (False, file)}


def test_left_overs_are_swept(base):
    """Opening removes what a crash left in the connection's own `tmp/`, and nothing else."""
    other = base / "connections" / ("d" * 16) / "tmp"
    for directory in (base / TMP, base / TMP / "inner", other):
        directory.mkdir(parents=True)
        (directory / "left").write_bytes(b"half")
    (base / TMP / "link").symlink_to(other / "left")
    DirectoryStore(base, connection=CONNECTION, clock=StillClock())
    assert os.listdir(base / TMP) == ["inner"]
    assert os.listdir(base / TMP / "inner") == ["left"]
    assert os.listdir(other) == ["left"]


def test_tmp_that_was_swept_by_others(store, base):
    """When others removed the `tmp/` of a connection that they took for dead, it is made again."""
    store.put_many([("a", b"x")])
    os.rmdir(base / TMP)
    store.put_many([("b", b"x")])
    os.rmdir(base / TMP)
    store.create("c", b"x")
    os.rmdir(base / TMP)
    store.put_many((f"d/{number}", b"x") for number in range(20))
    assert len(files_below(base)) == 23


def test_an_upload_whose_temporary_file_is_gone(store, base):
    """An upload that others swept is to be tried again, not taken for a missing file."""
    with store.upload() as upload:
        upload.write(b"x")
        for left in (base / TMP).iterdir():
            left.unlink()
        with pytest.raises(UnavailableError) as caught:
            upload.commit("a")
    assert caught.value.path == "a"


def test_for_reading_only(base, store):
    """Without a connection everything can be read and nothing written."""
    store.put_many([("a", b"x")])
    before = files_below(base)
    reader = DirectoryStore(base, connection=None, clock=StillClock())
    assert reader.read_small("a", 10) == b"x"
    assert reader.server_time() is None
    assert not reader.capabilities.clones
    for attempt in (
        reader.upload,
        lambda: reader.put_many([("b", b"")]),
        lambda: reader.put_many((str(number), b"") for number in range(50)),
        lambda: reader.create("b", b""),
        lambda: reader.rename("a", "b"),
        lambda: reader.copy("a", "b"),
        lambda: reader.delete("a"),
    ):
        with pytest.raises(DeniedError):
            attempt()
    assert files_below(base) == before


def test_no_right_to_read(base, store):
    """What the system forbids is `DeniedError`, for a file and for the whole store."""
    store.put_many([("d/a", b"x")])
    (base / "d" / "a").chmod(0)
    before = os.geteuid()
    if before == 0:
        # Nobody may not even enter the directory of the test.
        os.seteuid(65534)
    try:
        with pytest.raises(DeniedError):
            store.open("d/a")
    finally:
        os.seteuid(before)


def test_names_that_are_too_long_for_the_disk(store, base):
    """A path that the system cannot hold, though stores in general may, is refused as such."""
    deep = "/".join(["d" * 200] * 5)
    try:
        store.put_many([(deep, b"x")])
    except BadStorePathError:
        return
    assert store.size(deep) == 1


RIVAL = """
import sys, time
from pathlib import Path
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import AlreadyExistsError

class Clock:
    sleep = staticmethod(time.sleep)

base, connection = Path(sys.argv[1]), sys.argv[2]
store = DirectoryStore(base, connection=connection, clock=Clock())
print("ready", flush=True)
sys.stdin.readline()
won = []
for number in range(50):
    try:
        store.create(f"claims/{number}", connection.encode())
        won.append(number)
    except AlreadyExistsError:
        pass
print(*won)
"""


def test_two_processes_create(base):
    """Two processes that create the same names at once share them out: each has one winner."""
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", RIVAL, str(base), name * 16],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    won: dict[str, list[str]] = {}
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("\n")
        rival.stdin.flush()
    for rival, name in zip(rivals, "ab", strict=True):
        output, _ = rival.communicate()
        won[name] = output.split()
    assert sorted(won["a"] + won["b"], key=int) == [str(number) for number in range(50)]
    for name, numbers in won.items():
        for number in numbers:
            assert (base / "claims" / number).read_text() == name * 16


def test_what_is_not_there_leaves_nothing_behind(store):
    """To look for it is what every pass does: no call is held by the error that it ended with."""

    def look() -> None:
        assert list(store.list("not/there")) == []
        assert store.size("not/there") is None

    assert left_in_cycles(look) == {}
