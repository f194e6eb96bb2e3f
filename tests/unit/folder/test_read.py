"""Reading what nobody is writing."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doubles.still_clock import StillClock
from tests.unit.folder.placing import stat_at

from firnline.core.hashing import PLAIN
from firnline.engine.system import SystemClock
from firnline.folder import read
from firnline.folder.errors import Changed, Vanished
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles
from firnline.folder.read import hash_while, read_link, read_small, stream

LIMIT = 1000


class Writer:
    """A program that writes while we wait: at each sleep, as often as it was told to."""

    def __init__(self, path: Path, clock: StillClock) -> None:
        self._path = path
        self._clock = clock
        self._sleep = clock.sleep
        self.times = 0

    def sleep(self, seconds: float) -> None:
        self._sleep(seconds)
        if self.times:
            self.times -= 1
            self._path.write_bytes(b"written %d" % self.times)
            stamp(self._path, self._clock, timedelta())


def stamp(path: Path, clock: StillClock, ago: timedelta) -> None:
    """The file was last written that long ago, at a fraction of a second."""
    moment = int((clock.now() - ago).timestamp() * 1_000_000) * 1000 + 7
    os.utime(path, ns=(moment, moment))


@pytest.fixture
def file(folder: Path, clock: StillClock) -> Path:
    path = folder / "file"
    path.write_bytes(b"content")
    stamp(path, clock, timedelta(hours=1))
    return path


@pytest.fixture
def writer(file: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> Writer:
    found = Writer(file, clock)
    monkeypatch.setattr(clock, "sleep", found.sleep)
    return found


def take_small(root: Root, path: str, clock: StillClock) -> bytes:
    return read_small(root, path, clock, LIMIT)[0]


def take_stream(root: Root, path: str, clock: StillClock) -> bytes:
    with stream(root, path, clock) as body:
        return b"".join(bytes(chunk) for chunk in body)


Take = Callable[[Root, str, StillClock], bytes]
both = pytest.mark.parametrize("take", [take_small, take_stream])


@both
def test_a_file_at_rest(root: Root, file: Path, clock: StillClock, take: Take):
    """It is read at once."""
    assert take(root, "file", clock) == b"content"
    assert clock.slept == []


def test_the_stat_belongs_to_the_content(root: Root, file: Path, clock: StillClock):
    """What is returned with the content is what the table will know of it."""
    file.chmod(0o755)
    assert read_small(root, "file", clock, LIMIT) == (b"content", stat_at(root, "file"))
    with stream(root, "file", clock) as body:
        assert body.stat == stat_at(root, "file")
        assert os.fstat(body.descriptor).st_ino == body.stat.inode


@both
def test_a_file_just_written(root: Root, file: Path, clock: StillClock, take: Take):
    """It is left alone for 50 ms."""
    stamp(file, clock, timedelta(milliseconds=20))
    assert take(root, "file", clock) == b"content"
    assert clock.slept == [0.05]
    stamp(file, clock, timedelta(milliseconds=51))
    assert take(root, "file", clock) == b"content"
    assert clock.slept == [0.05]


@both
def test_a_file_that_is_being_written(
    root: Root, file: Path, clock: StillClock, writer: Writer, take: Take
):
    """It is waited for, 50 ms and doubling to 2 s, and read when it is still."""
    stamp(file, clock, timedelta())
    writer.times = 8
    assert take(root, "file", clock) == b"written 0"
    assert clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


@both
def test_a_file_that_never_rests(
    root: Root, file: Path, clock: StillClock, writer: Writer, take: Take
):
    """After 60 s it is left to another pass."""
    stamp(file, clock, timedelta())
    writer.times = 1000
    with pytest.raises(Changed, match="keeps changing"):
        take(root, "file", clock)
    assert 60 <= sum(clock.slept) <= 62


@both
def test_a_time_in_the_future(root: Root, file: Path, clock: StillClock, take: Take):
    """A time ahead of the clock says nothing; a file that stood still for 50 ms is read."""
    stamp(file, clock, timedelta(days=-3))
    assert take(root, "file", clock) == b"content"
    assert clock.slept == [0.05]


@both
def test_written_in_the_future(
    root: Root, file: Path, clock: StillClock, writer: Writer, take: Take
):
    """What is being written with a clock ahead of ours is waited for as well."""
    stamp(file, clock, timedelta(days=-3))
    writer.times = 2
    assert take(root, "file", clock) == b"written 0"
    assert len(clock.slept) == 3


@both
def test_a_coarse_time(root: Root, file: Path, clock: StillClock, take: Take):
    """A time without a fraction of a second may stand for two seconds: so long is waited."""
    assert clock.now().microsecond == 0
    moment = int(clock.now().timestamp()) * 1_000_000_000
    os.utime(file, ns=(moment, moment))
    assert take(root, "file", clock) == b"content"
    assert sum(clock.slept) >= 2


@both
def test_what_is_no_file(root: Root, folder: Path, clock: StillClock, take: Take):
    """Nothing, a link, a directory and a pipe are not read, and not waited for."""
    (folder / "link").symlink_to("file")
    (folder / "directory").mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(Vanished):
        take(root, "missing", clock)
    for path in ("link", "directory", "pipe"):
        with pytest.raises(Changed):
            take(root, path, clock)


def test_too_large_to_be_small(root: Root, file: Path, clock: StillClock):
    """A file that grew beyond the limit is another file than the caller thinks."""
    file.write_bytes(b"x" * (LIMIT + 1))
    stamp(file, clock, timedelta(hours=1))
    with pytest.raises(Changed):
        read_small(root, "file", clock, LIMIT)
    file.write_bytes(b"x" * LIMIT)
    stamp(file, clock, timedelta(hours=1))
    assert len(take_small(root, "file", clock)) == LIMIT


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b" and more")


def shrink(path: Path) -> None:
    os.truncate(path, 3)


def rewrite(path: Path) -> None:
    """Other content of the same size, and the same time."""
    before = path.stat()
    path.write_bytes(b"CONTENT")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
def test_changed_while_it_is_read(
    root: Root,
    file: Path,
    clock: StillClock,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
):
    """A small file is read again until nothing changed meanwhile."""
    real = os.read
    pending = [change]

    def slow(descriptor: int, count: int) -> bytes:
        found = real(descriptor, count)
        if pending:
            pending.pop()(file)
            stamp(file, clock, timedelta(hours=1))
        return found

    monkeypatch.setattr(os, "read", slow)
    body = take_small(root, "file", clock)
    monkeypatch.undo()
    assert body == file.read_bytes() != b"content"
    assert clock.slept == [0.05]


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_stream_that_changed(
    root: Root, file: Path, clock: StillClock, change: Callable[[Path], None], moment: str
):
    """Nothing of a stream may be taken that changed before its end."""
    entered = stream(root, "file", clock)
    taken = []

    def use() -> None:
        with entered as body:
            if moment == "before":
                change(file)
            for chunk in body:
                taken.append(bytes(chunk))
            if moment == "after":
                change(file)

    with pytest.raises(Changed):
        use()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(entered.descriptor)
    assert sum(map(len, taken)) <= 7


def test_a_stream_keeps_its_user_s_error(root: Root, file: Path, clock: StillClock):
    """What went wrong in the block is what is told, though the file changed as well."""

    def use() -> None:
        with stream(root, "file", clock):
            grow(file)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        use()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(read, "CHUNK", 4)
    return 4


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 8, 9, 12, 13, 100])
def test_chunks(root: Root, file: Path, clock: StillClock, small_chunks: int, size: int):
    """All sizes come whole, in chunks that are not larger than asked for."""
    content = bytes(range(size))
    file.write_bytes(content)
    stamp(file, clock, timedelta(hours=1))
    with stream(root, "file", clock) as body:
        for _ in range(2):
            chunks = [bytes(chunk) for chunk in body]
            assert b"".join(chunks) == content
            assert all(0 < len(chunk) <= small_chunks for chunk in chunks)


@pytest.mark.parametrize("size", [0, 1, 4, 9, 50, 1000])
def test_hashing_beside(root: Root, file: Path, clock: StillClock, small_chunks: int, size: int):
    """Chunks are handed on in order, and the hash is of all of them, though memory is reused."""
    content = os.urandom(size)
    file.write_bytes(content)
    stamp(file, clock, timedelta(hours=1))
    digest = PLAIN.running()
    with stream(root, "file", clock) as body:
        taken = b"".join(bytes(chunk) for chunk in hash_while(body, digest))
    assert taken == content
    assert digest.data_hash() == PLAIN.data(content)


@given(st.lists(st.binary(max_size=5000), max_size=20))
def test_hashing_bytes_beside(chunks: list[bytes]):
    """Whatever the pieces are, the hash is of the whole."""
    digest = PLAIN.running()
    assert list(hash_while(chunks, digest)) == chunks
    assert digest.data_hash() == PLAIN.data(b"".join(chunks))


def test_an_error_of_the_hasher_is_told():
    """What goes wrong in the second thread is not lost."""

    class Broken:
        def update(self, chunk: object) -> None:
            raise KeyError("broken")

        def data_hash(self):
            raise AssertionError

    def pieces() -> Iterator[bytes]:
        yield b"only one"

    with pytest.raises(KeyError, match="broken"):
        list(hash_while(pieces(), Broken()))
    with pytest.raises(KeyError, match="broken"):
        list(hash_while([b"one", b"two"], Broken()))


def test_links(root: Root, folder: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch):
    """A link is read with the stat that belongs to it; one that changed meanwhile is not."""
    (folder / "link").symlink_to("target")
    assert read_link(root, "link", clock) == ("target", stat_at(root, "link"))
    (folder / "file").touch()
    with pytest.raises(Changed):
        read_link(root, "file", clock)
    with pytest.raises(Vanished):
        read_link(root, "missing", clock)
    text = root.read_link("link")

    def swapped(path: str) -> str:
        (folder / "other").symlink_to("elsewhere")
        (folder / "other").rename(folder / "link")
        return text

    monkeypatch.setattr(root, "read_link", swapped)
    with pytest.raises(Changed):
        read_link(root, "link", clock)


def test_the_real_time(root: Root, folder: Path):
    """With the computer's own clock a file that was just written is read after a moment."""
    now = datetime.fromtimestamp((folder / ".firnline/id").stat().st_mtime, UTC)
    clock = StillClock(now)
    (folder / "file").write_bytes(b"content")
    assert take_small(root, "file", clock) == b"content"
    assert clock.slept


@both
def test_a_server_s_clock(root: Root, file: Path, clock: StillClock, take: Take):
    """How old a file is says the clock that stamped it: a file that seems an hour old may have been
    saved just now, and one that seems to come from the future an hour ago."""
    root.ahead_ns = -3_600_000_000_000
    moment = int((clock.now() - timedelta(hours=1)).timestamp()) * 1_000_000_000
    os.utime(file, ns=(moment, moment))
    take(root, "file", clock)
    assert sum(clock.slept) >= 2
    clock.slept.clear()
    root.ahead_ns = 3_600_000_000_000
    stamp(file, clock, timedelta(minutes=-59))
    take(root, "file", clock)
    assert clock.slept == []


class ServerFiles(Handles):
    """New files are stamped by a clock that is an hour behind."""

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        descriptor = super().open(path, flags, mode)
        if flags & os.O_CREAT:
            moment = os.fstat(descriptor).st_mtime_ns - 3_600_000_000_000
            os.utime(descriptor, ns=(moment, moment))
        return descriptor


def test_the_server_s_clock_is_asked(folder: Path):
    """A file that is made for it tells how far that clock is off; it does not stay."""
    with Root(str(folder), access=ServerFiles(str(folder))) as root:
        for _ in range(2):
            root.ask_clock(SystemClock())
            assert -3_700 < root.ahead_ns / 1e9 < -3_500
        assert (
            abs(root.now_ns(SystemClock()) / 1e9 - (SystemClock().now().timestamp() - 3_600)) < 100
        )
    assert os.listdir(folder / ".firnline/tmp") == []


def test_a_clock_that_cannot_be_asked(tmp_path: Path):
    """Where nothing can be written it is taken for ours."""
    with Root(str(tmp_path / "missing")) as root:
        root.ask_clock(SystemClock())
        assert root.ahead_ns == 0


def test_a_link_in_a_coarse_tick(root: Root, folder: Path, clock: StillClock):
    """Another link may get the same inode in the same tick: it is read when that is over. One with
    a finer time, an old one and one from the future are read at once."""
    (folder / "link").symlink_to("target")
    now = int(clock.now().timestamp()) * 1_000_000_000
    for age, waits in ((0, True), (1, True), (3, False), (0.5, False), (-3, False)):
        moment = now - int(age * 1_000_000_000)
        os.utime(folder / "link", ns=(moment, moment), follow_symlinks=False)
        clock.moment = StillClock().moment
        clock.slept.clear()
        assert read_link(root, "link", clock)[0] == "target"
        assert (sum(clock.slept) > 0) is waits
