"""Programs that save while a pass replaces, removes or moves the very same files."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.forging import At, PowerCut, cut
from tests.scenario.laptops import Laptop, event_count, settle

from firnline.core.hashing import DataHash
from firnline.folder.scan import scan
from firnline.sync import rescue, scanning


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Laptop, Laptop]:
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    a.write("f.txt", "original")
    settle(a, b)
    return a, b


def _contents(laptop: Laptop) -> set[object]:
    return set(laptop.tree().values())


def _save_through(descriptor: int, text: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.truncate(descriptor, 0)
    os.write(descriptor, text)


@pytest.mark.parametrize(("step", "skip"), [("barrier", 1), ("commit applied", 0)])
def test_program_that_has_a_replaced_file_open_loses_no_save(
    pair: tuple[Laptop, Laptop], step: str, skip: int
) -> None:
    """What is written through a descriptor after the file was replaced is in the tree at last."""
    a, b = pair
    a.write("f.txt", "edited by a")
    a.sync()
    descriptor = os.open(b.folder / "f.txt", os.O_RDWR)
    # The first barrier is for the temporaries, the second one comes after the replacement.
    late = At(step, lambda: _save_through(descriptor, b"saved late"), skip=skip)
    b.sync(steps=late)
    os.close(descriptor)
    assert late.happened
    settle(b, a)
    assert _contents(b) == _contents(a) == {"edited by a", "saved late"}


def test_program_that_has_a_removed_file_open_loses_no_save(pair: tuple[Laptop, Laptop]) -> None:
    """An edit beside a deletion survives, also when it comes through a descriptor."""
    a, b = pair
    a.delete("f.txt")
    a.sync()
    descriptor = os.open(b.folder / "f.txt", os.O_RDWR)
    late = At("commit applied", lambda: _save_through(descriptor, b"saved late"))
    b.sync(steps=late)
    os.close(descriptor)
    assert late.happened
    settle(b, a)
    assert _contents(b) == _contents(a) == {"saved late"}


def test_save_that_cannot_be_put_back_is_not_lost(pair: tuple[Laptop, Laptop]) -> None:
    """Two saves within the moment in which a file is taken away: both are kept."""
    a, b = pair
    a.delete("f.txt")
    a.sync()
    second = At("put back", lambda: b.write("f.txt", "second save"))

    def steps(name: str) -> None:
        first(name)
        second(name)

    first = At("take away", lambda: b.write("f.txt", "first save"))
    b.sync(steps=steps)
    assert first.happened
    assert second.happened
    settle(b, a)
    assert _contents(b) == _contents(a) == {"first save", "second save"}


def test_link_saved_while_it_was_replaced_is_kept(tmp_path: Path) -> None:
    """A link that slipped in is an event like a file that did, and no pass fails over it."""
    store = tmp_path / "store"
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
    (a.folder / "l").symlink_to("first")
    settle(a, b)
    (a.folder / "l").unlink()
    (a.folder / "l").symlink_to("by a")
    a.sync()

    def save() -> None:
        (b.folder / "l").unlink()
        (b.folder / "l").symlink_to("by b")

    late = At("replace", save)
    b.sync(steps=late)
    assert late.happened
    settle(b, a)
    assert _contents(b) == _contents(a) == {("link", "by a"), ("link", "by b")}


@pytest.mark.parametrize("step", ["keep", "replace", "barrier", "commit applied", "drop kept"])
@pytest.mark.parametrize("edits", [1, 2])
def test_death_while_replacing_writes_no_event(
    pair: tuple[Laptop, Laptop], step: str, edits: int
) -> None:
    """What stands in the kept area after a crash is taken for a save only when it is one."""
    a, b = pair
    for number in range(edits):
        a.write("f.txt", f"edit {number}")
        a.sync()
    with pytest.raises(PowerCut):
        b.sync(steps=At(step, cut, skip=step == "barrier"))
    before = event_count(a.stores[0])
    settle(b, a)
    assert event_count(a.stores[0]) == before
    assert b.tree() == {"f.txt": f"edit {edits - 1}"}


def test_large_save_that_slipped_in_is_streamed(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too large for a batch becomes an event of its own, into the next store that works
    when the first one fails."""
    monkeypatch.setattr("firnline.sync.rescue.IN_MEMORY", 10)
    a, b = pair
    a.write("f.txt", "edited by a")
    a.sync()
    b.sync(steps=At("replace", lambda: b.write("f.txt", "saved late, and long")))
    settle(b, a)
    assert _contents(b) == _contents(a) == {"edited by a", "saved late, and long"}


@pytest.mark.parametrize("limit", [10, 100])
def test_save_that_goes_on_while_it_is_rescued(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """A program that writes to the replaced file in several steps has all of it in the end, and
    what was taken in the middle is in the history."""
    monkeypatch.setattr("firnline.sync.rescue.IN_MEMORY", limit)
    a, b = pair
    a.write("f.txt", "edited by a")
    a.sync()
    descriptor = os.open(b.folder / "f.txt", os.O_RDWR)
    first = At("commit applied", lambda: _save_through(descriptor, b"first part"))
    second = At("commit open event", lambda: _save_through(descriptor, b"first and second part"))

    def steps(name: str) -> None:
        first(name)
        if first.happened:
            second(name)

    b.sync(steps=steps)
    os.close(descriptor)
    assert second.happened
    settle(b, a)
    assert _contents(b) == _contents(a) == {"edited by a", "first and second part"}


def test_save_that_changes_while_it_is_read_waits(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rescued file that is not what it was when it was hashed is taken in a later round."""
    a, b = pair
    a.write("f.txt", "edited by a")
    a.sync()
    descriptor = os.open(b.folder / "f.txt", os.O_RDWR)
    hashed = rescue.hash_of_kept
    writes = iter([b"second save"])

    def hash_of_kept(*arguments: Any) -> DataHash:
        found = hashed(*arguments)
        for text in writes:
            _save_through(descriptor, text)
        return found

    monkeypatch.setattr(rescue, "hash_of_kept", hash_of_kept)
    b.sync(steps=At("commit applied", lambda: _save_through(descriptor, b"first save")))
    os.close(descriptor)
    settle(b, a)
    assert _contents(b) == _contents(a) == {"edited by a", "second save"}


def test_deletion_waits_for_a_complete_scan(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan that could not read everything tells nobody that something is gone."""
    a, b = pair
    (a.folder / "empty").mkdir()
    settle(a, b)
    a.delete("f.txt")
    (a.folder / "empty").rmdir()
    before = event_count(a.stores[0])
    with monkeypatch.context() as patch:
        patch.setattr(scanning, "scan", lambda *a, **k: scan(*a, **k)._replace(complete=False))
        report = a.sync()
    assert event_count(a.stores[0]) == before
    assert not report.complete
    assert [problem.kind for problem in report.problems] == ["incomplete scan"]
    settle(a, b)
    assert a.tree() == b.tree() == {}


def test_move_waits_for_a_complete_scan(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was moved while something could not be read is told as a move later, and not as a new
    file now: an edit that somebody else makes meanwhile follows it."""
    a, b = pair
    settle(a, b)
    a.move("f.txt", "moved.txt")
    before = event_count(a.stores[0])
    with monkeypatch.context() as patch:
        patch.setattr(scanning, "scan", lambda *a, **k: scan(*a, **k)._replace(complete=False))
        a.sync()
    assert event_count(a.stores[0]) == before
    b.write("f.txt", "edited by b")
    b.sync()
    settle(a, b)
    assert a.tree() == b.tree() == {"moved.txt": "edited by b"}
