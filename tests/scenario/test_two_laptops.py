"""Two laptops and one store: each kind of change, and each against each other kind."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.laptops import Laptop, event_count, settle

Edit = Callable[[Laptop], None]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Laptop, Laptop]:
    store = tmp_path / "store"
    return (
        Laptop(tmp_path / "a", "aaaaaaaa", [store]),
        Laptop(tmp_path / "b", "bbbbbbbb", [store]),
    )


def test_a_file_arrives(pair: tuple[Laptop, Laptop]) -> None:
    """What one laptop has, the other one gets: content, time and executable bit."""
    a, b = pair
    a.write("letters/bank.txt", "dear bank")
    a.write("run.sh", "#!/bin/sh", executable=True)
    a.sync()
    b.sync()
    assert (
        b.tree()
        == a.tree()
        == {
            "letters/bank.txt": "dear bank",
            "run.sh": ("#!/bin/sh", "x"),
        }
    )
    for path in ("letters/bank.txt", "run.sh"):
        ours, theirs = (x.folder / path for x in pair)
        assert ours.stat().st_mtime_ns // 10**6 == theirs.stat().st_mtime_ns // 10**6


def test_rest(pair: tuple[Laptop, Laptop]) -> None:
    """When nobody changes anything, nobody writes anything."""
    a, b = pair
    a.write("a.txt", "1")
    settle(a, b)
    before = event_count(a.stores[0])
    for laptop in (b, a, b):
        report = laptop.sync()
        assert (report.written, report.applied, report.copied) == (0, 0, 0)
    assert event_count(a.stores[0]) == before


def test_our_own_writes_never_come_back(pair: tuple[Laptop, Laptop]) -> None:
    """What was applied is not taken for the user's change."""
    a, b = pair
    for number in range(5):
        a.write(f"d/{number}", str(number))
    a.sync()
    assert b.sync().written == 0
    assert b.sync().written == 0


def _move_and_edit(laptop: Laptop) -> None:
    laptop.move("d/f.txt", "e/g.txt")
    laptop.write("e/g.txt", f"moved and edited by {laptop.device}")


def _to_directory(laptop: Laptop) -> None:
    laptop.delete("d/f.txt")
    laptop.write("d/f.txt/inner", f"inner of {laptop.device}")


def _to_link(laptop: Laptop) -> None:
    laptop.delete("d/f.txt")
    (laptop.folder / "d/f.txt").symlink_to("other.txt")


def _delete_directory(laptop: Laptop) -> None:
    laptop.delete("d/f.txt")
    (laptop.folder / "d").rmdir()


CHANGES: dict[str, Edit] = {
    "edit": lambda laptop: laptop.write("d/f.txt", f"edited by {laptop.device}"),
    "same edit": lambda laptop: laptop.write("d/f.txt", "edited alike"),
    "delete": lambda laptop: laptop.delete("d/f.txt"),
    "move": lambda laptop: laptop.move("d/f.txt", "e/g.txt"),
    "move elsewhere": lambda laptop: laptop.move("d/f.txt", f"{laptop.device}.txt"),
    "move and edit": _move_and_edit,
    "chmod": lambda laptop: (laptop.folder / "d/f.txt").chmod(0o755),
    "to directory": _to_directory,
    "to link": _to_link,
    "delete directory": _delete_directory,
    "rename directory": lambda laptop: laptop.move("d", "renamed"),
    "nothing": lambda laptop: None,
}


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.product(CHANGES, CHANGES)), ids=lambda name: name
)
def test_each_change_against_each(pair: tuple[Laptop, Laptop], first: str, second: str) -> None:
    """Both change the same file without having seen the other's change: both end up with the same
    tree, and every content that was written is still somewhere."""
    a, b = pair
    a.write("d/f.txt", "original")
    settle(a, b)
    b.clock.advance(seconds=5)
    CHANGES[first](a)
    CHANGES[second](b)
    written = {_text(found) for laptop in pair for found in laptop.tree().values()}
    a.sync()
    b.sync()
    settle(a, b)
    assert a.tree() == b.tree()
    for laptop in pair:
        report = laptop.sync()
        assert (report.problems, report.complete) == ([], True)
    contents = _everything(a.stores[0]) + str(a.tree())
    assert all(text in contents for text in written)


def _text(found: object) -> str:
    """What was written, of an item of a tree; nothing of a directory."""
    if isinstance(found, tuple):
        return str(found[1] if found[0] == "link" else found[0])
    return "" if found == "directory" else str(found)


def _everything(store: Path) -> str:
    return "".join(
        path.read_bytes().decode("utf-8", "replace")
        for path in sorted(store.rglob("*"))
        if path.is_file()
    )
