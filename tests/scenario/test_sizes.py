"""Large files, many files, and batches that fill up."""

from pathlib import Path

import pytest
from tests.scenario.invariants import check_rest
from tests.scenario.laptops import Laptop, settle
from tests.scenario.store_contents import contents_in, event_files, missing_contents

from firnline.core.event import Op, parse_name
from firnline.core.hashing import PLAIN
from firnline.sync import apply_plan, differences, filling, publisher

LIMIT = 1000
"""What a batch holds here, in bytes: files above it are events of their own, and streamed."""
LARGE = "large " * 400
SMALL = "small " * 50


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches fill up, groups are written and streams begin at some hundred bytes."""
    for module in (publisher, differences, filling):
        monkeypatch.setattr(module, "MAX_BODIES", LIMIT)
    monkeypatch.setattr(publisher, "MAX_MEMBERS", 40)
    monkeypatch.setattr(publisher, "_INLINE", 100)
    monkeypatch.setattr(filling, "_SMALL", 500)
    monkeypatch.setattr(filling, "_GROUP_BYTES", 700)
    monkeypatch.setattr(filling, "_GROUP_EVENTS", 3)
    monkeypatch.setattr(apply_plan, "_GROUP_FILES", 7)
    monkeypatch.setattr(apply_plan, "_GROUP_BYTES", 900)


@pytest.fixture
def stores(tmp_path: Path) -> list[Path]:
    return [tmp_path / "s1", tmp_path / "s2"]


@pytest.fixture
def trio(tmp_path: Path, stores: list[Path]) -> tuple[Laptop, ...]:
    """A knows the first store, C the second, B both."""
    s1, s2 = stores
    sets = {"a": [s1], "b": [s1, s2], "c": [s2]}
    return tuple(Laptop(tmp_path / name, name * 8, known) for name, known in sets.items())


def operations(store: Path) -> list[Op]:
    """What the events of a store are, by name."""
    return [parse_name(name).op for name in event_files(store)]


@pytest.mark.usefixtures("small_limits")
def test_many_files_in_several_batches(trio: tuple[Laptop, ...], stores: list[Path]) -> None:
    """More files than a batch holds go out in several, in the order of their paths, and arrive."""
    a = trio[0]
    for number in range(120):
        a.write(f"d{number % 7}/{number:03}", f"{SMALL} {number}")
    report = a.sync()
    assert report.written == len(event_files(stores[0])) > 30
    assert set(operations(stores[0])) == {Op.BAT}
    settle(*trio)
    assert all(laptop.tree() == a.tree() for laptop in trio)
    assert not missing_contents(stores[1])
    check_rest(trio)


@pytest.mark.usefixtures("small_limits")
def test_more_changes_than_a_batch_has_members(
    trio: tuple[Laptop, ...], stores: list[Path]
) -> None:
    """Changes without bodies fill batches as well: a hundred files that are moved and deleted."""
    a = trio[0]
    for number in range(100):
        a.write(f"d/{number:03}", str(number))
    settle(*trio)
    for laptop in trio:
        laptop.delete_unasked = True
    a.move("d", "e")
    for number in range(0, 100, 2):
        a.delete(f"e/{number:03}")
    settle(*trio)
    assert all(laptop.tree() == a.tree() for laptop in trio)
    assert len(a.tree()) == 50
    check_rest(trio)


@pytest.mark.usefixtures("small_limits")
def test_large_and_small_files_together(trio: tuple[Laptop, ...], stores: list[Path]) -> None:
    """A large file is an event of its own between batches of small ones; edits, moves, copies and
    deletions of it work as they do with small ones."""
    a, b, c = trio
    for name in ("a", "large b", "m", "large n", "z"):
        a.write(name, f"{LARGE if 'large' in name else SMALL} {name}", executable=name == "large b")
    a.sync()
    assert sorted(operations(stores[0])).count(Op.PUT) == 2 + 1, "two large ones, and the last one"
    settle(*trio)
    assert b.tree() == c.tree() == a.tree()
    b.write("large b", f"{LARGE} edited", executable=True)
    b.move("large n", "moved/large n")
    b.write("copy", f"{LARGE} large n")
    settle(*trio)
    assert a.tree() == c.tree() == b.tree()
    c.delete("large b")
    (c.folder / "moved/large n").chmod(0o755)
    settle(*trio)
    assert a.tree() == b.tree() == c.tree()
    assert "large b" not in a.tree()
    for store in stores:
        assert not missing_contents(store)
        wanted = {PLAIN.data(f"{LARGE} {end}".encode()) for end in ("large b", "edited", "large n")}
        assert wanted <= contents_in(store).keys()
    check_rest(trio)


@pytest.mark.usefixtures("small_limits")
def test_large_file_edited_by_all(trio: tuple[Laptop, ...]) -> None:
    """Rival contents of a large file become conflict copies like others."""
    a, b, c = trio
    a.write("f", LARGE)
    settle(*trio)
    for laptop in trio:
        laptop.write("f", f"{LARGE} by {laptop.device}")
    for laptop in trio:
        laptop.sync()
    settle(*trio, rounds=8)
    assert a.tree() == b.tree() == c.tree()
    assert len(a.tree()) == 3
    check_rest(trio)


@pytest.mark.usefixtures("small_limits")
def test_large_file_offline(trio: tuple[Laptop, ...], stores: list[Path]) -> None:
    """Versions of a large file wait in the home store while no store is in reach, and leave it."""
    _, b, _ = trio
    b.away = set(stores)
    for text in ("first", "second"):
        b.write("f", f"{LARGE} {text}")
        b.sync()
    assert len(event_files(b.place / "home")) == 2
    b.away = set()
    settle(*trio)
    assert not event_files(b.place / "home")
    for store in stores:
        assert PLAIN.data(f"{LARGE} first".encode()) in contents_in(store)
    check_rest(trio)


@pytest.mark.usefixtures("small_limits")
def test_joining_with_large_files(tmp_path: Path, stores: list[Path]) -> None:
    """A large file that is there already is neither sent nor fetched."""
    a, b = (Laptop(tmp_path / name, name * 8, stores[:1]) for name in "ab")
    for laptop in (a, b):
        laptop.write("f", LARGE)
    a.sync()
    inode = (b.folder / "f").stat().st_ino
    assert b.sync().written == 0
    assert (b.folder / "f").stat().st_ino == inode
    settle(a, b)
    assert operations(stores[0]) == [Op.PUT]


def test_forty_megabytes(tmp_path: Path, stores: list[Path]) -> None:
    """A file that is really larger than a batch arrives whole through two stores, beside others."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", stores[:1])
    b = Laptop(tmp_path / "b", "bbbbbbbb", stores)
    body = b"".join(number.to_bytes(8, "big") for number in range(5 * 2**20))
    a.write("video", body)
    for number in range(100):
        a.write(f"small/{number}", str(number))
    a.sync()
    assert sorted(operations(stores[0])) == [Op.BAT, Op.PUT]
    b.sync()
    assert (b.folder / "video").read_bytes() == body
    assert len(b.tree()) == 101
    assert event_files(stores[1]).keys() == event_files(stores[0]).keys()
    a.write("video", body[:-1] + b"!")
    a.move("small", "renamed")
    a.sync()
    b.sync()
    assert b.tree() == a.tree()
    check_rest([a, b])
