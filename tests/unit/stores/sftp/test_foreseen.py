"""Questions that are asked in advance."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock
from tests.servers.openssh import OpenSsh
from tests.servers.relay import Relay, relay
from tests.servers.sftp_stores import on_openssh

from firnline.stores.deletion import delete_many
from firnline.stores.errors import BadStorePathError, NotFoundError, UnavailableError
from firnline.stores.foreseen import FRESH
from firnline.stores.foresight import Questions, expect, foresees
from firnline.stores.sftp.store import SftpStore

ALL = Questions(
    lists=["d", "missing"], trees=["t"], reads=["d/a", "missing"], sizes=["d/a", "missing"]
)


@pytest.fixture
def line(openssh: OpenSsh) -> Iterator[Relay]:
    with relay(openssh.port) as made:
        yield made


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    place = tmp_path / "store"
    for directory in ("d", "t/one", "t/two"):
        (place / directory).mkdir(parents=True)
    (place / "d" / "a").write_bytes(b"first")
    (place / "t" / "one" / "x").write_bytes(b"x")
    return place


@pytest.fixture
def store(openssh: OpenSsh, base: Path, line: Relay, clock: StillClock) -> Iterator[SftpStore]:
    opened = on_openssh(openssh, base, "0" * 16, port=line.port, clock=clock)
    yield opened
    opened.close()


def answers(store: SftpStore) -> list[object]:
    found: list[object] = [
        sorted(store.list(each)) for each in ("d", "missing", "t", "t/one", "t/two")
    ]
    found += [store.size("d/a"), store.size("missing"), store.read_small("d/a", 10)]
    with pytest.raises(NotFoundError):
        store.read_small("missing", 10)
    return found


def test_the_same_answers(store: SftpStore):
    """What was foreseen is answered as it would have been, and the next time anew."""
    plain = answers(store)
    assert foresees(store)
    expect(store, ALL)
    assert answers(store) == plain
    assert answers(store) == plain


def test_names_and_sizes_are_those_that_were_asked_for(store: SftpStore):
    """A foreseen listing obeys `after` and `sizes`."""
    for sizes, after in ((True, ""), (False, ""), (True, "a"), (False, "9")):
        plain = list(store.list("d", after, sizes=sizes))
        expect(store, ALL)
        assert list(store.list("d", after, sizes=sizes)) == plain


def test_own_changes_are_seen(store: SftpStore):
    """Whatever this store writes makes foreseen answers void."""
    expect(store, ALL)
    store.put_many([("d/a", b"second"), ("d/b", b"new")])
    assert store.read_small("d/a", 10) == b"second"
    assert sorted(entry.name for entry in store.list("d")) == ["a", "b"]
    expect(store, ALL)
    store.delete("d/a")
    assert store.size("d/a") is None
    expect(store, ALL)
    with store.upload() as upload:
        upload.write(b"third")
        upload.commit("d/a")
    assert store.read_small("d/a", 10) == b"third"


def test_changes_of_others_are_seen_the_next_time(store: SftpStore, base: Path):
    """A foreseen answer is given once."""
    expect(store, ALL)
    assert store.read_small("d/a", 10) == b"first"
    (base / "d" / "a").write_bytes(b"other")
    assert store.read_small("d/a", 10) == b"other"


def test_old_answers_are_none(store: SftpStore, base: Path, clock: StillClock):
    """After some seconds nobody goes by what was foreseen."""
    expect(store, ALL)
    assert store.size("d/a") == 5
    (base / "d" / "a").write_bytes(b"something else")
    clock.sleep(FRESH)
    assert store.read_small("d/a", 100) == b"something else"


def test_a_line_that_was_cut(store: SftpStore, line: Relay):
    """What could not be foreseen is asked for again."""
    line.cut()
    expect(store, ALL)
    while True:
        try:
            assert store.read_small("d/a", 10) == b"first"
            break
        except UnavailableError:
            continue


def test_clock(store: SftpStore):
    """The store's time can be foreseen, too, and leaves nothing."""
    expect(store, Questions(clock=True))
    first = store.server_time()
    assert first is not None
    assert store.server_time() == first


def test_many_deletions(store: SftpStore, base: Path):
    """Many are deleted at once; what is gone already is no error, a directory stays."""
    paths = [f"d/{number}" for number in range(300)]
    store.put_many((path, b"") for path in paths[::2])
    delete_many(store, [*paths, "t/one"])
    assert [entry.name for entry in store.list("d")] == ["a"]
    assert (base / "t" / "one" / "x").exists()
    with pytest.raises(BadStorePathError):
        delete_many(store, ["d/a", "../x"])
    assert store.size("d/a") == 5


def test_stores_that_cannot():
    """Other stores are asked as ever."""
    store = MemoryStore(MemoryDisk(), StillClock())
    assert not foresees(store)
    expect(store, ALL)
    assert list(store.list("d")) == []
