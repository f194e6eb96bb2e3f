"""Sizes, times and rings that lie: more of items 45, 49 and 51, on the disk and in memory."""

import os
import tracemalloc
from pathlib import Path

import pytest
from tests.scenario.forging import (
    batch,
    change,
    plant,
    plant_manifest,
    single,
    write,
)
from tests.scenario.laptops import LAYOUT, Laptop, settle

from firnline.core.clock import DateTime
from firnline.core.event import DeviceId, EventName, Op
from firnline.core.hashing import EMPTY_HASH, NO_PARENT, PLAIN, Ref

MIB = 2**20


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def laptop(tmp_path: Path, store: Path) -> Laptop:
    """A device with a file of its own, that is in step with the store."""
    laptop = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    laptop.write("mine.txt", "mine")
    settle(laptop)
    return laptop


def _memory_of_a_pass(laptop: Laptop) -> int:
    tracemalloc.start()
    laptop.sync()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_manifest_of_empty_lines(laptop: Laptop, store: Path) -> None:
    """A manifest with more lines than a batch can have members is refused before it is split."""
    plant_manifest(store, b"\n" * (16 * MIB))
    assert _memory_of_a_pass(laptop) < 100 * MIB
    assert laptop.sync().problems[0].kind == "refused event"


def test_link_with_an_endless_text(laptop: Laptop, store: Path) -> None:
    """A text that no link can have is never held in memory."""
    body = bytes(64 * MIB)
    plant(store, single(change(Op.LNK, "l", body), body))
    plant(store, single(change(Op.PUT, "theirs.txt", b"theirs"), b"theirs"))
    assert _memory_of_a_pass(laptop) < 32 * MIB
    assert laptop.tree() == {"mine.txt": "mine", "theirs.txt": "theirs"}
    assert [problem.path for problem in laptop.sync().problems] == ["l"]


def test_body_larger_than_the_disk(laptop: Laptop, store: Path) -> None:
    """A file that cannot fit is not begun, is shown, and stops no other."""
    draft = single(change(Op.PUT, "huge.bin", b"x"), b"x")
    plant(store, draft)
    os.truncate(store / LAYOUT.event(draft.name), 2**42)
    plant(store, single(change(Op.PUT, "theirs.txt", b"theirs"), b"theirs"))
    steps: list[str] = []
    report = laptop.sync(steps=steps.append)
    assert laptop.tree() == {"mine.txt": "mine", "theirs.txt": "theirs"}
    assert [(problem.path, problem.kind) for problem in report.problems] == [
        ("huge.bin", "no space")
    ]
    assert steps.count("write temporary") < 10


def test_file_where_something_else_stands_is_told(laptop: Laptop, store: Path) -> None:
    """What cannot be applied has a line with its reason, and the pass does not go round for it."""
    os.mkfifo(laptop.folder / "pipe")
    plant(store, single(change(Op.PUT, "pipe", b"text"), b"text"))
    steps: list[str] = []
    report = laptop.sync(steps=steps.append)
    assert ("pipe", "not applied") in [(p.path, p.kind) for p in report.problems]
    assert steps.count("place") <= 3
    assert not report.complete


def test_ring_of_parents(laptop: Laptop, store: Path) -> None:
    """Events that name each other have a head all the same, and no pass hangs over them."""
    # No hash can be made to fit, so a ring is made of what both name: something unknown.
    plant(store, single(change(Op.PUT, "r", b"one", Ref("0123456789")), b"one"))
    plant(
        store,
        single(
            change(Op.PUT, "r", b"two", Ref("9876543210")),
            b"two",
            time=DateTime("20261122070000000001"),
        ),
    )
    laptop.clock.advance(days=8)
    laptop.sync()
    laptop.clock.advance(days=8)
    settle(laptop)
    assert laptop.tree()["r"] == "two"


def test_deletion_of_the_root_and_of_what_never_was(laptop: Laptop, store: Path) -> None:
    """Nobody may delete the folder, and a deletion of nothing changes nothing."""
    name = EventName(
        DateTime("20261122070000000000"),
        EMPTY_HASH,
        Op.DEL,
        PLAIN.path(""),
        None,
        NO_PARENT,
        DeviceId("ssssssss"),
        0,
        "-",
    ).text
    write(store / LAYOUT.index(PLAIN.path("")), b"")
    write(store / LAYOUT.event(name), b"")
    plant(store, single(change(Op.DEL, "never was")))
    report = laptop.sync()
    assert [problem.kind for problem in report.problems] == ["refused event"]
    assert laptop.tree() == {"mine.txt": "mine"}


def test_member_that_claims_a_huge_size(laptop: Laptop, store: Path) -> None:
    """A size in a manifest is only a claim; what is there is read, and nothing more."""
    wanted = change(Op.PUT, "theirs.txt", b"theirs")._replace(size=2**60)
    plant(store, batch((change(Op.PUT, "good.txt", b"good"), b"good"), (wanted, b"theirs")))
    laptop.sync()
    assert laptop.tree()["mine.txt"] == "mine"
    assert "theirs.txt" not in laptop.tree()


@pytest.mark.parametrize("milliseconds", [0, 2**45 - 1])
def test_time_that_no_clock_shows(laptop: Laptop, store: Path, milliseconds: int) -> None:
    """A modification time of any year that a name can hold is applied as far as the file system
    can, and is no change of the user's afterwards."""
    wanted = change(Op.PUT, "theirs.txt", b"theirs")._replace(mtime=milliseconds)
    plant(store, single(wanted, b"theirs"))
    settle(laptop)
    assert laptop.tree() == {"mine.txt": "mine", "theirs.txt": "theirs"}
    assert laptop.sync().written == 0


def test_local_file_from_the_far_future(laptop: Laptop) -> None:
    """A file whose time does not fit into the tables is synced like any other."""
    laptop.write("future.txt", "future")
    os.utime(laptop.folder / "future.txt", ns=(10**19, 10**19))
    settle(laptop)
    other = Laptop(laptop.place.parent / "b", "bbbbbbbb", laptop.stores)
    settle(other)
    assert other.tree() == laptop.tree()
    laptop.delete("future.txt")
    settle(laptop, other)
    assert other.tree() == {"mine.txt": "mine"}
