"""`verify`: what is damaged or missing in a store is found, and repaired from where it is right."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.scenario.owners import check_invariants, files, live, owners, settle, sync
from tests.scenario.store_contents import event_files

from firnline.config import edits
from firnline.core.hashing import PLAIN
from firnline.engine.verify_command import Verdict, verify
from firnline.sync.context import CancelledError

Damage = Callable[[Path], None]


def flip(path: Path) -> None:
    """Bit rot: the last byte is another one."""
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)


def flip_first(path: Path) -> None:
    """The first."""
    body = bytearray(path.read_bytes())
    body[0] ^= 128
    path.write_bytes(body)


def cut(path: Path) -> None:
    """A copy that broke off."""
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    """What some systems leave after a power cut."""
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    """Something was appended."""
    path.write_bytes(path.read_bytes() + b"more")


DAMAGES = [flip, flip_first, cut, empty, lengthen, Path.unlink]


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    return [tmp_path / "s1", tmp_path / "s2"]


@pytest.fixture
def both(tmp_path: Path, stores: list[Path]) -> tuple[Profile, Profile, set[str]]:
    """Two devices, and all texts that they have written."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    for store in stores:
        # As a copier brings what an event names and does not carry.
        content = PLAIN.data(b"one")
        path = next(store.glob("docs-*")) / "history" / "data" / content[:2] / content
        path.parent.mkdir(parents=True)
        path.write_bytes(b"one")
    return a, b, texts


def look(device: Profile, store: str | None = None, *, repair: bool = False) -> list[Verdict]:
    with device.engine(lock=repair) as engine:
        return verify(engine, [], store, repair=repair)


def body_files(store: Path) -> list[Path]:
    """Event files with something in them, paths, and contents of the history."""
    found = [*store.glob("*/events/*/*"), *store.glob("*/eventsindex/*/*")]
    found += store.glob("*/history/data/*/*")
    return sorted(path for path in found if path.stat().st_size)


def test_sound_stores(both: tuple[Profile, Profile, set[str]], stores: list[Path]) -> None:
    """Everything is read, nothing is bad, nothing is written."""
    a, *_ = both
    before = files([*stores, a.places.home_store])
    verdicts = look(a)
    assert [verdict.store for verdict in verdicts] == ["s1", "s2", "home"]
    for verdict, store in zip(verdicts, stores, strict=False):
        assert verdict.good
        assert verdict.bad == []
        assert verdict.bytes == sum(path.stat().st_size for path in body_files(store))
    assert look(a, repair=True) == verdicts
    assert files([*stores, a.places.home_store]) == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damaged_file_is_found_and_repaired(
    both: tuple[Profile, Profile, set[str]], stores: list[Path], damage: Damage
) -> None:
    """One at a time, every file of a store: found by name, untouched by a mere look, repaired from
    the other store to what it was, byte for byte."""
    a, b, texts = both
    found = body_files(stores[0])
    assert len(found) > 7
    for path in found:
        if damage is Path.unlink and "history" in path.parts:
            continue  # An event has this content as well: nobody misses it.
        right = path.read_bytes()
        damage(path)
        wrong = files(stores)
        (verdict,) = look(a, "s1")
        assert [(bad.name.rpartition("/")[2], bad.repaired) for bad in verdict.bad] == [
            (path.name, False)
        ]
        assert verdict.bad[0].why
        assert not verdict.good
        assert files(stores) == wrong
        (verdict,) = look(a, "s1", repair=True)
        assert [bad.repaired for bad in verdict.bad] == [True]
        assert verdict.good
        assert path.read_bytes() == right
    assert all(verdict.good and not verdict.bad for verdict in look(a))
    check_invariants([a, b], stores, texts)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_half_of_each_store_is_bad(
    both: tuple[Profile, Profile, set[str]], stores: list[Path], damage: Damage
) -> None:
    """What one store has wrong the other one has right: a look at both repairs both."""
    a, b, texts = both
    for path in body_files(stores[0])[::2]:
        damage(path)
    for path in body_files(stores[1])[1::2]:
        damage(path)
    verdicts = look(a, repair=True)
    assert all(verdict.good for verdict in verdicts)
    assert all(verdict.bad for verdict in verdicts[:2])
    assert all(not verdict.bad for verdict in look(a))
    check_invariants([a, b], stores, texts)


def test_one_store_is_repaired_from_the_folder(tmp_path: Path) -> None:
    """What the folder still has goes again from there, into a batch too; what nobody has stays as
    damaged as it is, and is told."""
    store = tmp_path / "s1"
    (a,) = owners(tmp_path, [store], "a")
    a.write("1.txt", "one")
    a.write("2.txt", "two")
    settle(a)
    a.write("3.txt", "old")
    settle(a)
    a.write("3.txt", "new")
    settle(a)
    batch, old, new = (path for _, path in sorted(event_files(store).items()))
    right = batch.read_bytes()
    for path in (batch, old, new):
        flip(path)
    wrong = old.read_bytes()
    (verdict,) = look(a, "s1", repair=True)
    assert {bad.name: bad.repaired for bad in verdict.bad} == {
        batch.name: True,
        old.name: False,
        new.name: True,
    }
    assert not verdict.good
    assert (batch.read_bytes(), new.read_bytes()) == (right, b"new")
    assert old.read_bytes() == wrong, "it may be the only copy"


def test_whole_parts_of_a_damaged_batch_are_used(tmp_path: Path) -> None:
    """One file of it is here still, the other stands whole in the damaged batch only."""
    store = tmp_path / "s1"
    (a,) = owners(tmp_path, [store], "a")
    a.write("1.txt", "first")
    a.write("2.txt", "second")
    settle(a)
    ((_, batch),) = event_files(store).items()
    right = batch.read_bytes()
    (a.folder / "1.txt").unlink()
    settle(a)
    batch.write_bytes(right.replace(b"second", b"sEcond"))
    (verdict,) = look(a, "s1", repair=True)
    assert [bad.repaired for bad in verdict.bad] == [True]
    assert batch.read_bytes() == right


def test_home_store_is_looked_at_and_is_a_source(tmp_path: Path, stores: list[Path]) -> None:
    """With all history at home, the home store repairs a store, and a store the home store."""
    (a,) = owners(tmp_path, stores[:1], "a")
    with a.engine() as engine:
        edits.set_option(engine.places.config_file, "home.keep", "all")
    for text in ("first", "second", "third"):
        a.write("f.txt", text)
        settle(a)
    home = a.places.home_store
    at_home, in_store = (sorted(event_files(s).items()) for s in (home, stores[0]))
    assert len(at_home) == len(in_store) == 3
    flip(in_store[0][1])
    flip(at_home[1][1])
    in_store[2][1].unlink()
    (a.folder / "f.txt").unlink()
    verdicts = look(a, repair=True)
    assert [len(verdict.bad) for verdict in verdicts] == [2, 1]
    assert all(verdict.good for verdict in verdicts)
    assert {path.read_bytes() for _, path in at_home} == {b"first", b"second", b"third"}
    assert {path.read_bytes() for _, path in in_store} == {b"first", b"second", b"third"}
    settle(a)


def test_event_that_this_device_never_read(
    both: tuple[Profile, Profile, set[str]], stores: list[Path]
) -> None:
    """Somebody else's event, damaged before it was seen here: its name alone says what is right,
    and the other store has it."""
    a, b, texts = both
    b.write("new.txt", "new")
    sync(b)
    name, path = max(event_files(stores[0]).items())
    flip(path)
    (verdict,) = look(a, "s1", repair=True)
    assert [(bad.name, bad.repaired) for bad in verdict.bad] == [(name, True)]
    assert path.read_bytes() == b"new"
    check_invariants([a, b], stores, texts | {"new"})


def test_names_that_are_none_are_left_alone(
    both: tuple[Profile, Profile, set[str]], stores: list[Path]
) -> None:
    """What somebody put there is not Firnline's."""
    a, *_ = both
    for pattern in ("*/events/*", "*/eventsindex/*", "*/history/data/*"):
        directory = next(stores[0].glob(pattern), None)
        if directory is not None:
            (directory / "Notes.txt").write_text("mine")
    (stores[0] / "docs").mkdir()
    assert all(verdict.good and not verdict.bad for verdict in look(a, repair=True))


def test_store_that_cannot_be_written_is_not_called_repaired(tmp_path: Path) -> None:
    """The word is what reading it again says."""
    store = tmp_path / "s1"
    (a,) = owners(tmp_path, [store], "a")
    a.write("f.txt", "text")
    settle(a)
    ((_, path),) = event_files(store).items()
    flip(path)

    def full(step: str) -> None:
        if step.startswith("store."):
            raise OSError(28, "No space left on device")

    with a.engine(steps=full) as engine:
        (verdict,) = verify(engine, [], "s1", repair=True)
    assert [bad.repaired for bad in verdict.bad] == [False]


def test_store_that_is_away_is_no_good_news(
    both: tuple[Profile, Profile, set[str]], stores: list[Path]
) -> None:
    """It could not be looked at, and the others are."""
    a, *_ = both
    stores[0].rename(stores[0].with_name("away"))
    first, second, _ = look(a)
    assert not first.good
    assert first.checked == 0
    assert second.good


def test_look_can_be_stopped(both: tuple[Profile, Profile, set[str]]) -> None:
    """At the next file."""
    a, *_ = both
    with a.engine(lock=False, cancelled=lambda: True) as engine, pytest.raises(CancelledError):
        verify(engine, [], None, repair=False)


def test_content_that_a_copy_names_is_missed(tmp_path: Path, stores: list[Path]) -> None:
    """A store that has a copy's event has to have its content, and gets it again."""
    a, b = owners(tmp_path, stores)
    texts = live(a, b)
    content = PLAIN.data(b"two")
    carriers = [p for p in event_files(stores[0]).values() if b"two" in p.read_bytes()]
    for path in [*carriers, *stores[0].glob(f"*/history/data/*/{content}")]:
        path.unlink()
    (verdict,) = look(a, "s1")
    assert content in {bad.name for bad in verdict.bad}
    (verdict,) = look(a, "s1", repair=True)
    assert verdict.good
    check_invariants([a, b], stores, texts)


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    """What is held in memory does not grow with a file, neither for looking nor for repairing."""
    store = tmp_path / "s1"
    (a,) = owners(tmp_path, [store], "a")
    with open(a.folder / "large.bin", "wb") as file:
        file.truncate(64 * 2**20)
    settle(a)
    ((_, path),) = event_files(store).items()
    flip(path)
    tracemalloc.start()
    try:
        (verdict,) = look(a, "s1", repair=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [bad.repaired for bad in verdict.bad] == [True]
    assert peak < 32 * 2**20
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        assert file.read() == b"\0"
