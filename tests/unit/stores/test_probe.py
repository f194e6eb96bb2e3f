"""Trying a store: strong ones, weak ones, liars."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.memory_store import ABLE, MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.stores.base import Listed
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import AlreadyExistsError, DeniedError, FullError, UnavailableError
from firnline.stores.probe import MANY, Report, probe

CONNECTION = "c" * 16
ABILITIES = [
    "write and read",
    "read a range",
    "create exclusively",
    "rename over a name",
    "copy inside the store",
    "list after write",
    "1,200 names in one directory",
    "clock",
    "free space",
    "share blocks (reflink)",
]


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk(room=1 << 30)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def store(disk: MemoryDisk, clock: StillClock) -> FaultyStore:
    return FaultyStore(MemoryStore(disk, clock, able=ABLE._replace(clones=True)), clock)


def tried(store, clock) -> Report:
    return probe(store, CONNECTION, clock, os.urandom)


def failed(report: Report) -> list[str]:
    for finding in report.findings:
        assert bool(finding.meaning) is not finding.ok
    return [finding.ability for finding in report.findings if not finding.ok]


def test_a_good_store(store, disk, clock):
    """A store that can do all has a good line for each ability, and nothing is left there."""
    report = tried(store, clock)
    assert [finding.ability for finding in report.findings] == ABILITIES
    assert failed(report) == []
    assert report.usable
    assert report.capabilities == ABLE._replace(clones=True)
    assert disk.files == {}


def test_a_directory(tmp_path):
    """A real directory can do all but share blocks perhaps, and is left as it was."""
    base: Path = tmp_path / "store"
    DirectoryStore.create_base(base)
    directory = DirectoryStore(base, connection=CONNECTION, clock=StillClock())
    now = directory.server_time()
    assert now is not None
    directory.put_many([("a", b"kept")])
    report = tried(directory, StillClock(now))
    assert set(failed(report)) <= {"share blocks (reflink)"}
    assert report.capabilities == directory.capabilities
    assert [path for path in base.rglob("*") if path.is_file()] == [base / "a"]


def test_everything_stays_in_tmp(store, clock):
    """Whatever is tried is tried in the connection's own `tmp/`."""
    tried(store, clock)
    for method, path in store.calls:
        assert not path or f"{path}/".startswith(f"connections/{CONNECTION}/tmp/"), method


@pytest.mark.parametrize("error", [DeniedError("", "read-only"), FullError("", "quota")])
def test_a_store_that_keeps_nothing(store, disk, clock, error):
    """Where nothing can be written, that is the one finding, and the store is not usable."""
    store.add(Fault("commit", error=error))
    report = tried(store, clock)
    assert failed(report) == ["write and read"]
    assert error.detail in report.findings[0].meaning
    assert len(report.findings) == 1
    assert not report.usable
    store.verify()
    assert disk.files == {}


def test_a_store_out_of_reach(store, disk, clock):
    """A store that cannot be reached is no store with few abilities."""
    disk.available = False
    with pytest.raises(UnavailableError):
        tried(store, clock)


def test_a_store_that_goes_away(store, disk, clock):
    """A store that breaks off in the middle is not judged."""
    store.add(Fault("rename", callback=lambda: setattr(disk, "available", False)))
    with pytest.raises(UnavailableError):
        tried(store, clock)


@pytest.mark.parametrize(
    ("fault", "ability"),
    [
        (Fault("read", garble=True), "read a range"),
        (Fault("create", error=DeniedError("", "no")), "create exclusively"),
        (Fault("create", path="created", skip=1, garble=True), "create exclusively"),
        (Fault("rename", error=DeniedError("", "exists")), "rename over a name"),
        (Fault("read_small", path="-new", garble=True), "rename over a name"),
        (Fault("copy", error=DeniedError("", "no")), "copy inside the store"),
        (Fault("read_small", path="-copy", garble=True), "copy inside the store"),
        (Fault("list", short=0), "list after write"),
        (Fault("list", skip=1, short=750), "1,200 names in one directory"),
        (Fault("put_many", error=FullError("", "no")), "1,200 names in one directory"),
    ],
    ids=lambda value: getattr(value, "method", value),
)
def test_faults_are_found(store, disk, clock, fault, ability):
    """A store that cannot do a thing, or does it wrong, has a line that says so."""
    if fault.path == "created":
        store.inner.capabilities = ABLE._replace(clones=True, exclusive_create=False)
    store.add(fault)
    report = tried(store, clock)
    assert failed(report) == [ability]
    assert report.usable
    store.verify()
    assert disk.files == {}


class Weak(MemoryStore):
    """A server on which nothing is exclusive, and a rename copies."""

    def create(self, path: str, body: bytes) -> None:
        self.put(path, body)

    def rename(self, source: str, target: str) -> None:
        self.copy(source, target)


def test_a_weak_store(disk, clock):
    """What a store claims and cannot do is not among its capabilities."""
    report = tried(Weak(disk, clock, able=ABLE._replace(server_copy=False)), clock)
    assert failed(report) == [
        "create exclusively",
        "rename over a name",
        "copy inside the store",
        "share blocks (reflink)",
    ]
    assert report.capabilities == ABLE._replace(
        exclusive_create=False, atomic_rename=False, server_copy=False
    )


class Loser(MemoryStore):
    """Two in a row are told apart, but not two at once."""

    def create(self, path: str, body: bytes) -> None:
        if "race" in path:
            self.put(path, body)
        else:
            super().create(path, body)


class Stubborn(MemoryStore):
    """A second create is refused, after it was carried out."""

    def create(self, path: str, body: bytes) -> None:
        there = self.size(path) is not None
        self.put(path, body)
        if there:
            raise AlreadyExistsError(path, "exists")


class Kept(MemoryStore):
    """A rename onto a name that exists leaves that name as it was."""

    def rename(self, source: str, target: str) -> None:
        self.delete(source)


class Short(MemoryStore):
    """Lists 750 names and says nothing of the rest."""

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        return iter(list(super().list(directory, after, sizes))[:750])


@pytest.mark.parametrize(
    ("kind", "ability", "detail"),
    [
        (Loser, "create exclusively", "8 of 8 at once"),
        (Stubborn, "create exclusively", "changed the first"),
        (Kept, "rename over a name", "not replaced"),
        (Short, "1,200 names in one directory", "of 1200 names"),
    ],
)
def test_liars(disk, clock, kind, ability, detail):
    """What looks right at first sight is looked at twice."""
    report = tried(kind(disk, clock, able=ABLE._replace(clones=True)), clock)
    assert failed(report) == [ability]
    assert any(detail in finding.meaning for finding in report.findings)


@pytest.mark.parametrize(
    ("off", "ok", "detail"),
    [
        (timedelta(minutes=4), True, ""),
        (timedelta(minutes=6), False, "360 s off"),
        (-timedelta(days=400), False, "more than a day"),
    ],
)
def test_clock(disk, clock, off, ok, detail):
    """A clock that is off by more than 5 minutes is told, with by how much."""
    there = StillClock(clock.moment + off)
    report = tried(MemoryStore(disk, there, able=ABLE._replace(clones=True)), clock)
    assert failed(report) == ([] if ok else ["clock"])
    assert any(detail in finding.meaning for finding in report.findings)


def test_no_clock_and_no_space(disk, clock):
    """A store that tells neither time nor room has a line for each."""

    class Silent(MemoryStore):
        def server_time(self) -> None:
            return None

    disk.room = None
    report = tried(Silent(disk, clock, able=ABLE._replace(clones=True)), clock)
    assert failed(report) == ["clock", "free space"]


def test_what_cannot_be_removed_stays(store, disk, clock):
    """When cleaning up fails, what was found still stands, and the next start sweeps."""
    store.add(Fault("delete", error=DeniedError("", "no"), repeat=10 * MANY))
    report = tried(store, clock)
    assert failed(report) == []
    assert disk.files
