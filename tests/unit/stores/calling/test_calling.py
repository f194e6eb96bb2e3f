"""A store on a server that fails now and then, as the engine calls it."""

import logging
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from tests.doubles.faulty_store import ANY, Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore, MemoryUpload
from tests.doubles.still_clock import StillClock

from firnline.core.circuit import ATTEMPTS, AWAY, PATIENCE
from firnline.stores.base import Store
from firnline.stores.calling.bodies import KEPT
from firnline.stores.calling.caller import Caller
from firnline.stores.calling.logins import Forgetful, Logins
from firnline.stores.calling.shared import Shared, shared_of
from firnline.stores.calling.slots import AT_ONCE, LARGE, Slots
from firnline.stores.calling.store import CallingStore
from firnline.stores.deletion import delete_many
from firnline.stores.errors import (
    AlreadyExistsError,
    BusyError,
    CredentialsError,
    DeniedError,
    FullError,
    HangingError,
    NotFoundError,
    ServerError,
    SpentError,
    StoreError,
    UnavailableError,
)
from firnline.stores.foresight import Questions, expect, foresees
from firnline.stores.hurried import HurriedStore, Hurry
from firnline.stores.line import Lines, ended_by
from firnline.stores.remarks import Remark, remarks_of
from firnline.stores.throttled import ThrottledStore

BROKEN = UnavailableError("", "the line broke")
FOR_EVER = 10**9


class EndedError(Exception):
    """Whoever waits is to end."""


class Played:
    """A memory store that fails as it is told, called through one wrapper or several."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.start = self.clock.monotonic()
        self.disk = MemoryDisk()
        self.faulty = FaultyStore(MemoryStore(self.disk, self.clock), self.clock)
        self.shared = Shared(
            self.clock,
            lambda count: b"\xff" * count,
            lambda condition, seconds: self.clock.sleep(seconds),
        )
        self.secret = "right"
        self.memory = Forgetful()
        self.store = self.connect()

    def connect(self, inner: Store | None = None) -> CallingStore:
        logins = Logins(self.memory, lambda: self.secret)
        caller = Caller(self.shared, logins, self.go_on)
        return CallingStore.connect(lambda: inner or self.faulty, caller)

    def go_on(self) -> None:
        """Never raises."""

    @property
    def seconds(self) -> float:
        return self.clock.monotonic() - self.start

    def fail(self, method: str, error: StoreError = BROKEN, repeat: int = 1) -> Fault:
        return self.faulty.add(Fault(method, error=error, repeat=repeat))

    def made(self, method: str) -> int:
        return [name for name, _ in self.faulty.calls].count(method)


@pytest.fixture
def played() -> Played:
    return Played()


def put(store: Store, path: str, body: bytes) -> None:
    with store.upload() as upload:
        upload.write(body)
        upload.commit(path)


CALLS = {
    "list": lambda store: list(store.list("d")),
    "size": lambda store: store.size("d/a"),
    "open": lambda store: store.open("d/a"),
    "read_small": lambda store: store.read_small("d/a", 10),
    "put_many": lambda store: store.put_many([("d/b", b"b")]),
    "create": lambda store: store.create("d/c", b"c"),
    "rename": lambda store: store.rename("d/a", "d/b"),
    "copy": lambda store: store.copy("d/a", "d/b"),
    "delete": lambda store: store.delete("d/a"),
    "server_time": lambda store: store.server_time(),
    "free_space": lambda store: store.free_space(),
    "commit": lambda store: put(store, "d/a", b"x"),
}


@pytest.mark.parametrize("method", CALLS)
def test_what_broke_is_called_again(played, method):
    """Every call is made again after the line broke, later each time, and its end is the same."""
    played.disk.put("d/a", b"a")
    played.fail(method, repeat=3)
    CALLS[method](played.store)
    played.faulty.verify()
    assert played.seconds == pytest.approx(0.5 + 1 + 2)


@pytest.mark.parametrize("method", CALLS)
def test_what_stays_broken_is_an_error(played, method):
    """After so many attempts the error is the store's own, and nobody waited for a minute."""
    played.disk.put("d/a", b"a")
    played.fail(method, repeat=FOR_EVER)
    with pytest.raises(UnavailableError, match="the line broke"):
        CALLS[method](played.store)
    assert played.made(method) == ATTEMPTS
    assert played.seconds < 20


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("d/a", "gone"),
        DeniedError("d/a", "no rights"),
        FullError("d/a", "no room"),
        CredentialsError("d/a", "no"),
        HangingError("d/a", "dead"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_answer_is_an_answer(played, error):
    """What the store refuses is not asked again."""
    played.fail("read_small", error, repeat=FOR_EVER)
    with pytest.raises(type(error)):
        played.store.read_small("d/a", 10)
    assert played.made("read_small") == 1
    assert played.seconds == 0


def test_a_listing_that_breaks_off_begins_anew(played):
    """Each name is given once, though the second half came with another listing."""
    for number in range(1000):
        played.disk.put(f"d/{number}", b"")
    names = played.store.list("d")
    first = [next(names) for _ in range(300)]
    played.faulty.add(Fault("list", error_midway=BROKEN))
    rest = [entry.name for entry in names]
    assert len({entry.name for entry in first}.union(rest)) == 1000
    assert len(first) + len(rest) == 1000


def test_a_listing_that_never_comes_to_its_end(played):
    """It raises; it is never silently short."""
    played.disk.put("d/a", b"")
    played.faulty.add(Fault("list", error_midway=BROKEN, repeat=FOR_EVER))
    with pytest.raises(UnavailableError):
        list(played.store.list("d"))


# --- answers that were lost ---------------------------------------------------------------------


def lose_answer(played: Played, method: str) -> None:
    played.faulty.add(Fault(method, error_after=BROKEN))


def test_a_create_whose_answer_was_lost(played):
    """What stands there is ours when it has our content."""
    lose_answer(played, "create")
    played.store.create("claim", b"mine")
    assert played.disk.files["claim"] == b"mine"
    assert played.made("create") == 2


@pytest.mark.parametrize("theirs", [b"else", b"a longer one"])
def test_a_create_that_went_nowhere(played, theirs):
    """Somebody else was first: their content stands, and we are told."""
    played.fail("create").callback = lambda: played.disk.put("claim", theirs)
    with pytest.raises(AlreadyExistsError):
        played.store.create("claim", b"mine")
    assert played.disk.files["claim"] == theirs


def test_a_create_that_was_deleted_meanwhile(played):
    """A name that is taken, and free again when it is looked at, is left to its owner."""
    played.fail("create")
    taken = Fault("create", error=AlreadyExistsError("claim", "taken"))
    played.faulty.add(taken)
    with pytest.raises(AlreadyExistsError):
        played.store.create("claim", b"mine")


def test_a_first_create_compares_nothing(played):
    """Without a fault a taken name is taken, whatever stands there."""
    played.disk.put("claim", b"mine")
    with pytest.raises(AlreadyExistsError):
        played.store.create("claim", b"mine")


def test_a_rename_whose_answer_was_lost(played):
    """The source is gone and the target stands: it was done."""
    played.disk.put("a", b"body")
    lose_answer(played, "rename")
    played.store.rename("a", "b")
    assert played.disk.files == {"b": b"body"}


def test_a_rename_of_what_is_not_there(played):
    """Neither stands: it is missing, as at the first time."""
    for _ in range(2):
        with pytest.raises(NotFoundError):
            played.store.rename("a", "b")
        played.fail("rename")


@pytest.mark.parametrize("method", ["copy", "delete", "put_many", "commit"])
def test_done_twice_is_done(played, method):
    """What is written whole, copied or deleted may be so again."""
    played.disk.put("d/a", b"a")
    lose_answer(played, method)
    CALLS[method](played.store)
    again = Played()
    again.disk.put("d/a", b"a")
    CALLS[method](again.store)
    assert played.disk.files == again.disk.files


def test_half_of_many_files(played):
    """Files that were written in part are written whole by the next attempt, in their order."""
    played.faulty.add(Fault("put_many", error_midway=BROKEN))
    files = [*((f"d/{number}", b"%d" % number) for number in range(9)), ("d/0", b"last")]
    played.store.put_many(iter(files))
    assert played.disk.files == dict(files)


def test_many_files_go_in_portions(played):
    """No more is kept in memory than a portion, whatever comes."""
    count = 1200
    played.store.put_many((f"{number}", b"") for number in range(count))
    assert played.made("put_many") == 3
    played.store.put_many((f"{number}", bytes(5 << 20)) for number in range(3))
    assert played.made("put_many") == 5
    assert len(played.disk.files) == count


# --- bodies -------------------------------------------------------------------------------------


def test_a_body_that_breaks_off_is_read_on(played):
    """It is read again from its start, and given on from where it was."""
    body = bytes(range(256)) * 100
    played.disk.put("a", body)
    with played.store.open("a", 100, 20_000) as reader:
        begin = reader.read(7000)
        played.fail("read", repeat=2)
        rest = b"".join(iter(lambda: reader.read(7000), b""))
    assert begin + rest == body[100:20_100]
    assert played.made("open") > 1


@pytest.mark.parametrize("other", [b"y" * 100, b"x" * 99, b"x" * 101, b"x"])
def test_a_body_that_is_another_one_by_then(played, other):
    """No body is put together of two."""
    played.disk.put("a", b"x" * 100)
    with played.store.open("a") as reader:
        assert reader.read(50) == b"x" * 50
        played.disk.put("a", other)
        played.fail("read")
        with pytest.raises(StoreError, match="replaced"):
            reader.read(50)
        with pytest.raises(StoreError, match="replaced"):
            reader.read(50)


def test_a_body_that_stays_away(played):
    """The reader can be closed after it failed."""
    played.disk.put("a", b"x" * 100)
    with played.store.open("a") as reader:
        reader.read(1)
        played.fail("open", repeat=FOR_EVER)
        played.fail("read", repeat=FOR_EVER)
        with pytest.raises(UnavailableError):
            reader.read(50)


def test_a_body_breaks_off_again_before_it_is_where_it_was(played):
    """That is one more attempt."""
    played.disk.put("a", b"x" * 100)
    with played.store.open("a") as reader:
        reader.read(50)
        played.fail("read", repeat=3)
        assert reader.read(50) == b"x" * 50


class OneWay(MemoryStore):
    """Keeps no body that it has sent."""

    def upload(self):
        upload = super().upload()
        upload.is_repeatable = False
        return upload


@pytest.mark.parametrize("method", ["write", "flush", "commit"])
@pytest.mark.parametrize("after", [False, True])
def test_a_body_that_broke_on_its_way_in(played, method, after):
    """It is sent again from its start, and stands whole."""
    played.faulty.inner = OneWay(played.disk, played.clock)
    fault = Fault(method, skip=1 if method == "write" else 0, repeat=2)
    setattr(fault, "error_after" if after else "error", BROKEN)
    played.faulty.add(fault)
    with played.store.upload() as upload:
        for piece in (b"one ", b"two ", b"three"):
            upload.write(piece)
        upload.flush()
        upload.commit("a")
    played.faulty.verify()
    assert played.disk.files == {"a": b"one two three"}


def test_a_large_body_that_broke_on_its_way_in(played):
    """Too large to be kept, and the store has it no more: the error comes out, it stands nowhere,
    and others hear of it."""
    played.faulty.inner = OneWay(played.disk, played.clock)
    played.fail("commit")
    with pytest.raises(UnavailableError):
        put(played.store, "a", bytes(KEPT + 1))
    assert played.made("commit") == 1
    assert played.disk.files == {}
    played.store.size("a")
    assert played.seconds > 0


def test_a_large_body_that_the_store_still_has(played):
    """It is committed once more."""
    lose_answer(played, "commit")
    put(played.store, "a", bytes(KEPT + 1))
    assert played.made("commit") == 2
    assert played.made("upload") == 1
    assert len(played.disk.files["a"]) == KEPT + 1


class Cloning(MemoryStore):
    """Takes a local file as if it shared its blocks."""

    def upload(self):
        return CloningUpload(self)


class CloningUpload(MemoryUpload):
    is_repeatable = False

    def clone(self, descriptor: int) -> bool:
        self.write(b"cloned")
        return True


def test_a_body_that_was_cloned(played):
    """What was never here cannot be sent again; reading it back is not disturbed."""
    played.faulty.inner = Cloning(played.disk, played.clock)
    played.fail("commit")

    def take() -> None:
        with played.store.upload() as upload:
            assert upload.clone(0)
            assert b"".join(upload.read_back()) == b"cloned"
            upload.commit("a")

    with pytest.raises(UnavailableError):
        take()
    take()
    assert played.disk.files == {"a": b"cloned"}


# --- all callers together -----------------------------------------------------------------------


def test_others_fail_at_once_when_one_has_given_up(played):
    """What one of them learned costs the others nothing, until it is looked at again."""
    other = played.connect()
    played.fail(ANY, repeat=FOR_EVER)
    with pytest.raises(UnavailableError):
        played.store.size("a")
    before, moment = len(played.faulty.calls), played.seconds
    with pytest.raises(UnavailableError, match="the line broke"):
        other.read_small("a", 10)
    assert (len(played.faulty.calls), played.seconds) == (before, moment)
    played.clock.sleep(AWAY)
    with pytest.raises(UnavailableError):
        other.size("a")
    assert len(played.faulty.calls) == before + 1
    played.clock.sleep(AWAY)
    played.faulty.faults.clear()
    assert other.size("a") is None
    assert played.store.size("a") is None


def test_a_server_that_fails_at_one_thing(played):
    """It is there for all else."""
    played.fail("read_small", ServerError("a", "failed (500)"), repeat=FOR_EVER)
    for _ in range(2):
        with pytest.raises(ServerError):
            played.store.read_small("a", 10)
        assert played.store.size("a") is None
    assert played.made("read_small") == 2 * ATTEMPTS


def test_a_server_that_asks_for_time(played):
    """It gets it, from everybody."""
    other = played.connect()
    played.fail("size", BusyError("a", "too many requests", 17.0))
    played.store.size("a")
    assert 17 <= played.seconds < 18
    played.fail("upload", BusyError("", "too many requests", 30.0))
    with pytest.raises(BusyError):
        put(other, "a", b"")
    assert played.store.size("a") is None
    assert played.seconds >= 17 + 30


def test_a_server_that_asks_for_much_time(played):
    """Nobody waits for that, and nobody asks before; whoever comes hears how long it is."""
    played.fail("size", BusyError("a", "maintenance", 120.0))
    with pytest.raises(BusyError):
        played.store.size("a")
    for call in (lambda: played.store.size("a"), played.connect):
        with pytest.raises(BusyError, match="maintenance") as caught:
            call()
        assert caught.value.seconds is not None
        assert 100 < caught.value.seconds <= 120.5
    assert played.made("size") == 1
    played.clock.sleep(121 - PATIENCE)
    assert played.store.size("a") is None


def test_who_connects_is_told_at_once(played):
    """A store that is away does not hold up what can be done without it."""
    attempts: list[None] = []

    def opening() -> Store:
        attempts.append(None)
        raise BROKEN

    for _ in range(2 * ATTEMPTS):
        with pytest.raises(UnavailableError):
            CallingStore.connect(
                opening, Caller(played.shared, Logins(played.memory, str), lambda: None)
            )
    assert len(attempts) == 2 * ATTEMPTS
    assert played.seconds == 0


def test_what_waits_can_be_ended(played):
    """Whoever stops is not held up by a server that is busy."""
    played.fail("size", BusyError("a", "later", 50.0), repeat=FOR_EVER)

    def end() -> None:
        if played.seconds > 1:
            raise EndedError

    with pytest.raises(EndedError):
        ended_by(played.store, end).size("a")
    assert played.seconds < 2
    assert ended_by(played.faulty, end) is played.faulty


def test_a_store_that_was_closed(played):
    """Nothing is tried again with a connection that was closed here."""
    played.store.close()
    played.fail("size", repeat=FOR_EVER)
    with pytest.raises(UnavailableError):
        played.store.size("a")
    assert played.made("size") == 1


def test_attempts_stand_in_the_log(played, caplog):
    """What was tried again is told to who reads the log."""
    with caplog.at_level(logging.INFO):
        played.fail("size")
        played.store.size("a")
    assert "the line broke" in caplog.text


def test_one_for_each_location(played):
    """All connections of a process to one store know the same."""
    here = shared_of("webdavs://test.invalid/calling", played.clock, bytes)
    assert shared_of("webdavs://test.invalid/calling", StillClock(), bytes) is here
    assert shared_of("webdavs://test.invalid/other", played.clock, bytes) is not here


# --- transfers at a time ------------------------------------------------------------------------


def waiting(slots: Slots, size: int, ended: Event, inside: list[int]) -> Thread:
    def work() -> None:
        with slots.taken(size, lambda: None):
            inside.append(size)
            ended.wait(30)

    thread = Thread(target=work)
    thread.start()
    return thread


def test_so_many_transfers_at_a_time():
    """No more than that, and one less of large ones: a small one always finds its way."""
    turns = []

    def wait(condition, seconds):
        turns.append(len(inside))
        condition.wait(30)

    slots, ended, inside = Slots(wait), Event(), list[int]()
    threads = [waiting(slots, LARGE + 1, ended, inside) for _ in range(AT_ONCE + 2)]
    while len(inside) < AT_ONCE - 1 or len(turns) < 3:
        threads[0].join(0.001)
    with slots.taken(1, lambda: None):
        assert len(inside) == AT_ONCE - 1
    ended.set()
    for thread in threads:
        thread.join()
    assert len(inside) == AT_ONCE + 2


def test_waiting_for_a_transfer_can_be_ended():
    """Whoever stops does not wait for other transfers."""
    slots = Slots(lambda condition, seconds: None)

    def end() -> None:
        raise EndedError

    def nest(depth: int) -> None:
        with slots.taken(1, end):
            if depth:
                nest(depth - 1)

    nest(AT_ONCE - 1)
    with pytest.raises(EndedError):
        nest(AT_ONCE)
    nest(AT_ONCE - 1)


# --- logins -------------------------------------------------------------------------------------


def refuse(played: Played, **how: bool) -> None:
    def opening() -> Store:
        played.faulty.calls.append(("login", played.secret))
        raise CredentialsError("", "wrong password", **how)

    caller = Caller(played.shared, Logins(played.memory, lambda: played.secret), lambda: None)
    with pytest.raises(CredentialsError):
        CallingStore.connect(opening, caller)


def test_a_wrong_password_is_tried_three_times(played):
    """After that the server is not asked, whoever connects, before the password is another one."""
    for _ in range(6):
        refuse(played)
    assert played.made("login") == 3
    with pytest.raises(SpentError, match="wrong password"):
        played.connect()
    played.secret = "new"
    refuse(played)
    assert played.made("login") == 4
    played.connect()
    assert played.memory.load() is None


def test_a_definite_refusal_is_enough(played):
    """A server that says so is asked once."""
    for _ in range(3):
        refuse(played, definite=True)
    assert played.made("login") == 1


def test_what_was_not_sent_costs_nothing(played):
    """A password that nobody knows, or a key that cannot be read here, locks no account."""
    for _ in range(6):
        refuse(played, sent=False)
    assert played.made("login") == 6
    assert played.memory.load() is None


def test_a_login_that_is_refused_in_the_middle(played):
    """A server that changes its mind is asked as often by calls as by connections."""
    played.fail("size", CredentialsError("a", "no more"), repeat=FOR_EVER)
    for _ in range(5):
        with pytest.raises(CredentialsError):
            played.store.size("a")
    assert played.made("size") == 3
    with pytest.raises(SpentError):
        played.store.read_small("a", 10)


def test_the_secret_is_not_kept(played):
    """What is remembered does not tell it: too little of a hash that is slow and has a salt."""
    refuse(played)
    known = played.memory.load()
    assert known is not None
    assert played.secret not in str(known)
    assert len(bytes.fromhex(known.mark)) == 2
    other = Played()
    refuse(other)
    assert other.memory.load() != known


# --- what passes through ------------------------------------------------------------------------


class Able(MemoryStore):
    """Can all that a store may be able to do beyond what it must."""

    foresees = True

    def __init__(self, disk: MemoryDisk, clock: StillClock) -> None:
        super().__init__(disk, clock)
        self.expected: list[Questions] = []
        self.deleted: list[list[str]] = []

    def remarks(self) -> Iterator[Remark]:
        yield "sing", "it is silent", lambda: None

    def expect(self, questions: Questions) -> None:
        self.expected.append(questions)

    def delete_many(self, paths: list[str]) -> None:
        self.deleted.append(list(paths))
        if len(self.deleted) == 1:
            raise BROKEN


def test_what_a_store_can_do_beyond(played):
    """What will be asked, and many deletions at once, get through all wrappers; a store that can
    do neither is no other than it was."""
    inner = Able(played.disk, played.clock)
    store = ThrottledStore(played.connect(inner), Lines.new(played.clock), lambda: None)
    hurried = HurriedStore(store, Hurry(played.clock, lambda: None, lambda: True))
    assert foresees(store)
    assert foresees(hurried)
    expect(store, Questions(sizes=["a"]))
    assert inner.expected == [Questions(sizes=["a"])]
    assert [ability for ability, _, _ in remarks_of(store)] == ["sing"]
    delete_many(hurried, ["a", "b"])
    assert inner.deleted == [["a", "b"]] * 2
    expect(hurried, Questions(sizes=["b"]))
    assert len(inner.expected) == 2
    plain = ThrottledStore(played.store, Lines.new(played.clock), lambda: None)
    assert not foresees(plain)
    assert list(remarks_of(plain)) == []
    expect(plain, Questions(sizes=["a"]))
    played.disk.put("a", b"")
    delete_many(plain, ["a", "b"])
    assert played.disk.files == {}
    assert plain.kind == "memory"
    assert plain.capabilities == played.faulty.capabilities
