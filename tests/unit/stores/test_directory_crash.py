"""The directory store stopped at every durable step: the old body or the new one, never half."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock

from firnline.stores.directory import DirectoryStore

CONNECTION = "c" * 16
OLD, NEW = b"old " * 1_000, b"new body " * 1_000
MANY = [f"m{number % 3}/{number}" for number in range(20)]


class StoppedError(BaseException):
    """The power went."""


class FailedError(Exception):
    """Something went wrong, and the program goes on."""


class StopAt:
    """Steps that end at the n-th; counts and records them all."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.names: list[str] = []
        self.stopped = False

    def __call__(self, name: str) -> None:
        assert not self.stopped, f"{name} after the power went"
        if len(self.names) == self.number:
            self.stopped = True
            raise StoppedError(name)
        self.names.append(name)


def commit(store: DirectoryStore) -> None:
    with store.upload() as upload:
        upload.write(NEW[:500])
        upload.write(NEW[500:])
        upload.commit("a")


def rename(store: DirectoryStore) -> None:
    store.rename("source", "a")


def copy(store: DirectoryStore) -> None:
    store.copy("source", "a")


def create(store: DirectoryStore) -> None:
    store.create("d/e/new", NEW)


def put_few(store: DirectoryStore) -> None:
    store.put_many([("a", NEW), ("d/b", NEW), ("d/e/c", NEW)])


def put_lots(store: DirectoryStore) -> None:
    store.put_many([("a", NEW), *((path, NEW) for path in MANY)])


def delete(store: DirectoryStore) -> None:
    store.delete("a")


Work = Callable[[DirectoryStore], None]
WORKS: list[Work] = [commit, rename, copy, create, put_few, put_lots, delete]


def prepared(base: Path) -> None:
    """A store with two files, `a` (old) and `source` (new)."""
    DirectoryStore.create_base(base)
    DirectoryStore(base, connection=CONNECTION, clock=StillClock()).put_many(
        [("a", OLD), ("source", NEW)]
    )


def opened(base: Path, steps: StopAt) -> DirectoryStore:
    return DirectoryStore(base, connection=CONNECTION, clock=StillClock(), steps=steps)


def bodies(base: Path) -> dict[str, bytes]:
    """Everything in the store but the connection's own files."""
    found = {path.relative_to(base).as_posix(): path for path in base.rglob("*")}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if path.is_file() and not name.startswith("connections/")
    }


def count_steps(base: Path, work: Work) -> StopAt:
    prepared(base)
    steps = StopAt(None)
    work(opened(base, steps))
    return steps


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_stopped_anywhere(tmp_path, work):
    """Stopped at any step, each name holds a whole body; the next start sweeps and does it all."""
    whole = count_steps(tmp_path / "whole", work)
    expected = bodies(tmp_path / "whole")
    assert whole.names
    for number in range(len(whole.names)):
        base = tmp_path / f"{number}"
        prepared(base)
        with pytest.raises(StoppedError):
            work(opened(base, StopAt(number)))
        after = bodies(base)
        assert after.get("a") in ((OLD, None) if work is delete else (OLD, NEW))
        assert {body for name, body in after.items() if name != "a"} <= {NEW}
        store = opened(base, StopAt(None))
        assert os.listdir(base / "connections" / CONNECTION / "tmp") == []
        if work is rename and store.size("source") is None:
            continue
        if work is create and store.size("d/e/new") is not None:
            continue
        work(store)
        assert bodies(base) == expected


def test_body_before_name(tmp_path):
    """A body is made durable before it gets its name, and the name before the call returns."""
    names = count_steps(tmp_path / "one", commit).names
    assert names[-3:] == ["store.sync", "store.rename", "store.sync_directory"]


@pytest.mark.parametrize("work", [put_few, put_lots], ids=lambda work: work.__name__)
def test_bodies_before_names(tmp_path, work):
    """Of many files, all bodies are durable before the first gets its name, then all names."""
    names = count_steps(tmp_path / "many", work).names
    last_write = max(index for index, name in enumerate(names) if name == "store.write")
    syncs = [index for index, name in enumerate(names) if name == "store.sync"]
    renames = [index for index, name in enumerate(names) if name == "store.rename"]
    assert last_write < min(syncs)
    assert max(syncs) < min(renames)
    assert max(renames) < names.index("store.sync_directory")
    assert len(syncs) == (3 if work is put_few else 1)


@pytest.mark.parametrize("stop", ["store.write", "store.sync", "store.rename"])
def test_an_error_leaves_no_temporary_files(tmp_path, stop):
    """An error, unlike a stop, leaves nothing in `tmp/`, of few files or many."""
    for number, work in enumerate((commit, copy, create, put_few, put_lots)):
        if work is create and stop == "store.rename":
            continue
        base = tmp_path / f"{number}"
        prepared(base)

        def fail(name: str) -> None:
            if name == stop:
                raise FailedError

        store = DirectoryStore(base, connection=CONNECTION, clock=StillClock(), steps=fail)
        with pytest.raises(FailedError):
            work(store)
        assert os.listdir(base / "connections" / CONNECTION / "tmp") == []
        assert bodies(base) == {"a": OLD, "source": NEW}
