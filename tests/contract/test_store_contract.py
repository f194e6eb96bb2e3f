"""What every store has to do, whatever it is: docs/design.md section 2 rests on nothing else."""

import tempfile
from threading import Barrier, Thread

import pytest
from tests.contract.subjects import Connect

from firnline.stores.base import Listed, Store
from firnline.stores.errors import (
    AlreadyExistsError,
    BadStorePathError,
    CorruptError,
    NotFoundError,
    StoreError,
)

EVENT = (
    "20261122082600123456_cgrr7b1o8p8j7vtm7dqieekdml4cam26_mov_1gdhnic9c99s349hlep6seoj88"
    "_39h2dll0d0qavi0p6vm1ge3mtk.ut74eerkas-a1b2c3d4-1k815pdhr--"
)
LONGEST = "x" * 143
FLAT = {"s3"}
"""Kinds of stores without directories: a name may be a file and the beginning of others."""
BAD_PATHS = [
    "../out",
    "a/../../out",
    "/etc/out",
    "//server/share",
    "..\\out",
    "a\\b",
    "C:\\out",
    "C:out",
    "a//b",
    "a/./b",
    "a/",
    "",
    ".",
    "..",
    "nul\0",
    "line\nbreak",
    "trailing.",
    "trailing ",
    "star*",
    "stream:zone",
    "\ud800",
    "x" * 256,
    "é" * 130,
    "d/" * 600 + "x",
]


def write(store: Store, path: str, body: bytes) -> None:
    with store.upload() as upload:
        upload.write(body)
        upload.commit(path)


def read(
    store: Store, path: str, offset: int = 0, length: int | None = None, chunk: int = 10_007
) -> bytes:
    with store.open(path, offset, length) as reader:
        chunks = iter(lambda: reader.read(chunk), b"")
        return b"".join(chunks)


def names(store: Store, directory: str) -> list[str]:
    return sorted(entry.name for entry in store.list(directory))


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 5_000])
def test_what_was_written_is_read(store, body):
    """A committed body is read back byte for byte, and its size is known."""
    write(store, "d/a", body)
    with store.open("d/a") as reader:
        assert reader.size == len(body)
        assert reader.read(len(body) + 1) == body
        assert reader.read(1) == b""
    assert store.size("d/a") == len(body)


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (0, 4, b"0123"),
        (3, 4, b"3456"),
        (8, None, b"89"),
        (8, 100, b"89"),
        (10, 5, b""),
        (11, None, b""),
        (5, 0, b""),
    ],
)
def test_ranges(store, offset, length, expected):
    """A range is what lies in it, cut at the end of the file; the size is that of the file."""
    write(store, "a", b"0123456789")
    assert read(store, "a", offset, length, chunk=3) == expected
    with store.open("a", offset, length) as reader:
        assert reader.size == 10


def test_pieces_of_every_kind(store):
    """An upload takes bytes, bytearrays and memory views, one after the other."""
    with store.upload() as upload:
        upload.write(b"one ")
        upload.write(bytearray(b"two "))
        upload.write(memoryview(b"...three...")[3:8])
        upload.flush()
        upload.write(b" four")
        upload.commit("a")
    assert read(store, "a") == b"one two three four"


def test_read_back(store):
    """What was taken so far can be read before it is committed, and does not disturb the rest."""
    with store.upload() as upload:
        upload.write(b"begun")
        first = next(iter(upload.read_back()))
        assert first == b"begun"[: len(first)]
        upload.write(b" and ended")
        assert b"".join(upload.read_back()) == b"begun and ended"
        upload.commit("a")
    assert read(store, "a") == b"begun and ended"


def test_an_upload_without_commit_leaves_nothing(store):
    """A body that is not committed stands nowhere."""
    with store.upload() as upload:
        upload.write(b"never")
        upload.flush()
    assert store.size("a") is None
    assert [entry for entry in store.list("") if not entry.is_directory] == []


def test_an_upload_that_failed_leaves_nothing(store):
    """An error inside the context discards the body and is the error that comes out."""

    class MindChangedError(Exception):
        pass

    def begin() -> None:
        with store.upload() as upload:
            upload.write(b"never")
            raise MindChangedError

    write(store, "a", b"old")
    with pytest.raises(MindChangedError):
        begin()
    assert read(store, "a") == b"old"


def test_commit_replaces(store):
    """A commit replaces what stands at its path, longer or shorter."""
    for body in (b"first", b"2", b"the third"):
        write(store, "d/a", body)
        assert read(store, "d/a") == body
    assert names(store, "d") == ["a"]


def test_clone_takes_all_or_nothing(store, tmp_path):
    """`clone` takes the whole file, or says no and leaves an upload that is still empty."""
    with tempfile.TemporaryFile(dir=tmp_path) as source:
        source.write(b"content" * 1_000)
        source.flush()
        with store.upload() as upload:
            if not upload.clone(source.fileno()):
                assert b"".join(upload.read_back()) == b""
                upload.write(b"content" * 1_000)
            assert b"".join(upload.read_back()) == b"content" * 1_000
            upload.commit("a")
    assert read(store, "a") == b"content" * 1_000


@pytest.mark.parametrize("count", [0, 1, 5, 60])
def test_put_many(store, count):
    """Few and many files alike stand where they should, in old and new directories."""
    write(store, "d1/0", b"old")
    files = {f"d{number % 7}/{number}": b"%d" % number for number in range(count)}
    store.put_many((path, body) for path, body in files.items())
    assert {path: read(store, path) for path in files} == files


def test_put_many_in_order(store):
    """Of two bodies for one path the later one stays, among few and among many."""
    for others in (0, 30):
        more = [(f"other/{number}", b"") for number in range(others)]
        store.put_many([("a", b"first"), *more, ("a", b"last")])
        assert read(store, "a") == b"last"


def test_create_has_one_winner(store):
    """The second `create` of a name raises, and changes nothing."""
    store.create("d/claim", b"first")
    with pytest.raises(AlreadyExistsError) as caught:
        store.create("d/claim", b"second")
    assert caught.value.path == "d/claim"
    assert read(store, "d/claim") == b"first"
    assert names(store, "d") == ["claim"]


def test_create_again_after_delete(store):
    """A name that was deleted is free again."""
    store.create("claim", b"first")
    store.delete("claim")
    store.create("claim", b"second")
    assert read(store, "claim") == b"second"


def test_create_at_once(connect: Connect):
    """Of many connections that create a name at once, one is told that it did, and it did.

    A store that cannot keep them apart says so, and holds what one of them wrote.
    """
    stores = [connect(f"{number:016}") for number in range(6)]
    start, winners = Barrier(len(stores)), list[bytes]()

    def rival(store: Store, body: bytes) -> None:
        start.wait()
        try:
            store.create("d/claim", body)
        except AlreadyExistsError:
            return
        winners.append(body)

    threads = [Thread(target=rival, args=(s, b"%d" % n)) for n, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if stores[0].capabilities.exclusive_create:
        assert len(winners) == 1
    assert read(stores[0], "d/claim") in winners


def test_rename(store):
    """A renamed file is only at its new name, whose directory is made."""
    write(store, "old/a", b"body")
    store.rename("old/a", "new/deep/b")
    assert read(store, "new/deep/b") == b"body"
    assert store.size("old/a") is None


def test_rename_replaces(store):
    """A rename replaces what stands at the target."""
    write(store, "a", b"from a")
    write(store, "b", b"from b, longer")
    store.rename("a", "b")
    assert read(store, "b") == b"from a"
    assert store.size("a") is None


def test_rename_onto_itself(store):
    """A rename onto its own name keeps the file."""
    write(store, "a", b"body")
    store.rename("a", "a")
    assert read(store, "a") == b"body"


def test_copy(store):
    """A copy is a file of its own: neither changes with the other."""
    write(store, "a", b"body" * 100_000)
    write(store, "d/b", b"replaced")
    store.copy("a", "d/b")
    write(store, "a", b"changed")
    assert read(store, "d/b") == b"body" * 100_000
    assert read(store, "a") == b"changed"


def test_delete(store):
    """A deleted file is gone; deleting what is gone, or was never there, is no error."""
    write(store, "d/a", b"body")
    write(store, "d/b", b"stays")
    for _ in range(2):
        store.delete("d/a")
    store.delete("no/such/file")
    assert names(store, "d") == ["b"]


def test_a_directory_is_no_file(store):
    """A directory has no size and cannot be read, moved, copied or deleted as a file."""
    write(store, "d/e/a", b"body")
    assert store.size("d/e") is None
    store.delete("d/e")
    with pytest.raises(NotFoundError):
        store.open("d/e")
    with pytest.raises(NotFoundError):
        store.rename("d/e", "x")
    with pytest.raises(NotFoundError):
        store.copy("d/e", "x")
    assert read(store, "d/e/a") == b"body"


def test_a_file_is_no_directory(store):
    """Below a file there is nothing, and nothing can be put there."""
    write(store, "d/a", b"body")
    assert list(store.list("d/a")) == []
    assert store.size("d/a/b") is None
    with pytest.raises(NotFoundError):
        store.open("d/a/b")
    if store.kind in FLAT:
        pytest.skip("it has no directories: both can stand there, and the layout never asks for it")
    with pytest.raises(StoreError):
        write(store, "d/a/b", b"never")
    with pytest.raises(StoreError):
        store.create("d/a/b", b"never")
    with pytest.raises(StoreError):
        store.put_many([("d/a/b", b"never")])
    with pytest.raises(StoreError):
        write(store, "d", b"never")
    assert read(store, "d/a") == b"body"


def test_missing(store):
    """What is not there is `NotFoundError`, with its path, or has no size."""
    assert store.size("d/a") is None
    for call in (
        lambda: store.open("d/a"),
        lambda: store.read_small("d/a", 10),
        lambda: store.rename("d/a", "b"),
        lambda: store.copy("d/a", "b"),
    ):
        with pytest.raises(NotFoundError) as caught:
            call()
        assert caught.value.path == "d/a"
    assert store.size("b") is None


def test_read_small(store):
    """A small file is read whole; one over the limit is refused, not cut."""
    write(store, "a", b"0123456789")
    write(store, "empty", b"")
    assert store.read_small("a", 10) == b"0123456789"
    assert store.read_small("empty", 0) == b""
    with pytest.raises(CorruptError):
        store.read_small("a", 9)


def test_list(store):
    """A listing has the names of its own level, files and directories, each once."""
    for path in ("f/a", "f/d/inner", "f/d/deep/er", "fother", "f/c"):
        write(store, path, b"1234")
    assert sorted(store.list("f")) == [
        Listed("a", None, False),
        Listed("c", None, False),
        Listed("d", None, True),
    ]
    assert set(names(store, "")) >= {"f", "fother"}


def test_list_with_sizes(store):
    """Sizes are told where they are asked for; a directory has none."""
    write(store, "f/a", b"1234")
    write(store, "f/b", b"")
    write(store, "f/d/inner", b"1")
    found = sorted(store.list("f", sizes=True))
    assert found == [Listed("a", 4, False), Listed("b", 0, False), Listed("d", None, True)]


def test_list_after(store):
    """With `after`, only names that sort behind it are listed."""
    store.put_many((f"f/{number}", b"") for number in range(10))
    assert sorted(entry.name for entry in store.list("f", "6")) == ["7", "8", "9"]
    assert sorted(entry.name for entry in store.list("f", after="99")) == []
    assert len(list(store.list("f", after="/"))) == 10


def test_a_directory_that_is_not_there(store):
    """A directory that does not exist lists as empty."""
    assert list(store.list("no/such")) == []


def test_names_of_the_layout(store):
    """The longest names that the layout makes, and people's own, are held and listed."""
    paths = [
        f"folder-0a1b2c3d/events/20261122/{EVENT}",
        f"folder-0a1b2c3d/events/20261122/{LONGEST}",
        "READ-ME.txt",
        "folder-0a1b2c3d/snapshot/data/0a1b2c3d_Größe %25/00000001abcdef_0a1b2c3d_ünïcödé 雪.txt",
    ]
    store.put_many((path, path.encode()) for path in paths)
    assert {path: read(store, path) for path in paths} == {path: path.encode() for path in paths}
    for path in paths:
        directory, _, name = path.rpartition("/")
        assert name in names(store, directory)


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
def test_bad_paths(store, path):
    """A path that could leave the store, or that some store cannot hold, is refused everywhere."""
    write(store, "good", b"body")
    calls = [
        lambda: store.size(path),
        lambda: store.open(path),
        lambda: store.read_small(path, 10),
        lambda: write(store, path, b"never"),
        lambda: store.put_many([("other", b""), (path, b"never")]),
        lambda: store.put_many([*((f"o{n}", b"") for n in range(20)), (path, b"never")]),
        lambda: store.create(path, b"never"),
        lambda: store.rename(path, "x"),
        lambda: store.rename("good", path),
        lambda: store.copy(path, "x"),
        lambda: store.copy("good", path),
        lambda: store.delete(path),
    ]
    if path:
        calls.append(lambda: list(store.list(path)))
    for call in calls:
        with pytest.raises(BadStorePathError):
            call()
    assert read(store, "good") == b"body"


def test_connections_see_each_other(connect: Connect):
    """What one connection has written, every other sees at once."""
    one, two = connect("1" * 16), connect("2" * 16)
    write(one, "d/a", b"one")
    assert read(two, "d/a") == b"one"
    assert names(two, "d") == ["a"]
    two.rename("d/a", "d/b")
    assert names(one, "d") == ["b"]


def test_a_second_connection_leaves_uploads_of_the_first(connect: Connect):
    """Opening a connection does not disturb what another one is writing."""
    one = connect("1" * 16)
    with one.upload() as upload:
        upload.write(b"be")
        two = connect("2" * 16)
        write(two, "b", b"two")
        upload.write(b"gun")
        upload.commit("a")
    assert read(two, "a") == b"begun"


def test_threads(store):
    """One connection may be used from several threads at once."""
    problems = list[BaseException]()

    def work(number: int) -> None:
        try:
            for round_ in range(5):
                body = b"%d %d" % (number, round_)
                write(store, f"t/{number}-{round_}", body)
                store.put_many([(f"m{round_}/{number}", body), ("shared", body)])
                assert read(store, f"t/{number}-{round_}") == body
        except (AssertionError, StoreError) as problem:
            problems.append(problem)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(names(store, "t")) == 20
    assert read(store, "shared").endswith(b" 4")


def test_server_time(store):
    """The store's time is UTC, does not go back, and asking for it leaves nothing."""
    first, second = store.server_time(), store.server_time()
    assert first is not None
    assert second is not None
    assert first.utcoffset() is not None
    assert first <= second
    assert [entry for entry in store.list("") if not entry.is_directory] == []


def test_free_space(store):
    """Free space is bytes, or unknown."""
    room = store.free_space()
    assert room is None or room >= 0


def test_what_it_is(store):
    """A store has a kind, says what it can do, and may be closed more than once."""
    assert store.kind
    assert isinstance(store.capabilities.exclusive_create, bool)
    store.close()
    store.close()
