"""A directory that another device moved, applied as a whole: the same as path by path.

Anna moves it and Bert applies it, whatever Bert did in his folder meanwhile: once as the program
does, and once with the short way closed. Both worlds end with the same trees and tables.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.invariants import check_done
from tests.scenario.laptops import Laptop, settle

from firnline.core.hashing import Ref
from firnline.state.directory_moves import DirectoryMoves
from firnline.state.folder_state import FolderState

Act = Callable[[Laptop], object]


def nothing(laptop: Laptop) -> None:
    """No twist."""


def link(laptop: Laptop) -> None:
    os.symlink("a.txt", laptop.folder / "photos/link")


def rename(laptop: Laptop) -> None:
    laptop.move("photos", "pictures")


def rename_deep(laptop: Laptop) -> None:
    laptop.move("photos", "all/of/them/photos")
    (laptop.folder / "all/of/them/photos").rename(laptop.folder / "all/of/them/pictures")


def rename_out(laptop: Laptop) -> None:
    laptop.move("photos/summer", "summer")


def rename_and_edit(laptop: Laptop) -> None:
    rename(laptop)
    laptop.write("pictures/a.txt", "edited in the same pass")


def rename_and_delete(laptop: Laptop) -> None:
    rename(laptop)
    laptop.delete("pictures/a.txt")


def rename_twice(laptop: Laptop) -> None:
    rename(laptop)
    laptop.sync()
    laptop.move("pictures", "images")


def rename_back(laptop: Laptop) -> None:
    rename(laptop)
    laptop.sync()
    laptop.move("pictures", "photos")


def swap_with_other(laptop: Laptop) -> None:
    laptop.move("photos", "t")
    laptop.move("other", "photos")
    laptop.move("t", "other")


def over_deleted(laptop: Laptop) -> None:
    """To where something stood that is deleted in the log."""
    laptop.delete("other/o.txt")
    laptop.sync()
    laptop.move("photos", "other")


def rename_two(laptop: Laptop) -> None:
    """Two events in one pass, one on top of what the other left."""
    laptop.move("photos/summer", "summer")
    laptop.move("photos", "summer/photos")


def rename_with_copy(laptop: Laptop) -> None:
    """What looks like a conflict copy is remembered as one."""
    laptop.write("photos/a (conflict 2026-11-22 08.00.00 aaaaaaaa).txt", "a copy")
    laptop.sync()
    rename(laptop)


MOVES: list[Act] = [
    rename, rename_two, rename_with_copy, rename_deep, rename_out, rename_and_edit,
    rename_and_delete, rename_twice, rename_back, swap_with_other, over_deleted,
]  # fmt: skip

TWISTS: dict[str, Act] = {
    "nothing": nothing,
    "edit": lambda laptop: laptop.write("photos/a.txt", "edited meanwhile"),
    "new file": lambda laptop: laptop.write("photos/new.txt", "new"),
    "new beside": lambda laptop: laptop.write("elsewhere.txt", "new"),
    "deleted": lambda laptop: laptop.delete("photos/a.txt"),
    "moved out": lambda laptop: laptop.move("photos/a.txt", "a.txt"),
    "target taken": lambda laptop: laptop.write("pictures/a.txt", "was here first"),
    "target a file": lambda laptop: laptop.write("pictures", "a file"),
    "ignored below": lambda laptop: laptop.write("photos/~$a.docx", "a lock"),
    "made executable": lambda laptop: (laptop.folder / "photos/a.txt").chmod(0o755),
    "patterns": lambda laptop: laptop.write(".firnlineignore", "*.nothing\n"),
}


def pair(place: Path) -> tuple[Laptop, Laptop]:
    """Two laptops that have the same folder."""
    store = place / "store"
    anna, bert = (Laptop(place / name, name[0] * 8, [store]) for name in ("anna", "bert"))
    for path in ("a.txt", "b.txt", "summer/c.txt", "summer/sea/d.txt"):
        anna.write(f"photos/{path}", f"content of {path}", executable=path == "b.txt")
    anna.write("other/o.txt", "other")
    link(anna)
    settle(anna, bert)
    return anna, bert


def rows(laptop: Laptop) -> list[tuple[object, ...]]:
    """The file index without what is different on each disk."""
    state = FolderState(laptop.place / "state.db")
    try:
        query = "SELECT path, kind, size, hash, flags, base, straight FROM files ORDER BY path"
        return state.database.connection.execute(query).fetchall()
    finally:
        state.close()


def test_short_way_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing else happened the rename is booked by the database, and nothing is brought."""
    anna, bert = pair(tmp_path)
    booked: list[tuple[str, str]] = []
    entered: list[tuple[str, str]] = []
    book, enter = DirectoryMoves.book, DirectoryMoves.enter
    inode = (bert.folder / "photos/a.txt").stat().st_ino

    def noting(moves: DirectoryMoves, source: str, target: str, base: Ref) -> None:
        booked.append((source, target))
        book(moves, source, target, base)

    def noting_too(moves: DirectoryMoves, event: int, source: str, target: str) -> None:
        entered.append((source, target))
        enter(moves, event, source, target)

    monkeypatch.setattr(DirectoryMoves, "book", noting)
    monkeypatch.setattr(DirectoryMoves, "enter", noting_too)
    monkeypatch.setattr(DirectoryMoves, "sample", lambda *_: None)
    rename(anna)
    anna.sync()
    report = bert.sync()
    assert booked == entered == [("photos", "pictures")] * 2
    assert report.applied == 10
    assert (bert.folder / "pictures/a.txt").stat().st_ino == inode
    assert not (bert.folder / "photos").exists()
    check_done([anna, bert])


@pytest.mark.parametrize("twist", TWISTS)
@pytest.mark.parametrize("act", MOVES, ids=lambda act: act.__name__)
def test_same_as_path_by_path(
    act: Act, twist: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two worlds with the same history, one without the short way, end alike."""
    ends = []
    for world in ("short", "long"):
        if world == "long":
            for way in ("sample", "entered", "leaving"):
                monkeypatch.setattr(DirectoryMoves, way, lambda *_: None)
        anna, bert = pair(tmp_path / world)
        act(anna)
        anna.sync()
        TWISTS[twist](bert)
        settle(bert, anna)
        check_done([anna, bert])
        assert _synced(anna) == _synced(bert)
        ends.append((bert.tree(), *(_without_refs(rows(laptop)) for laptop in (anna, bert))))
    assert ends[0] == ends[1]


def _synced(laptop: Laptop) -> dict[str, object]:
    """Without what is ignored, and the directories that stand for nothing else."""
    tree = laptop.tree().items()
    return {path: found for path, found in tree if "~$" not in path and found != "directory"}


def _without_refs(found: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Event names tell the time, which runs differently where more is asked for."""
    return [(*row[:5], row[6] if row[1] != "-" else None) for row in found]


def test_directory_that_was_emptied_before_the_move_stays_gone(tmp_path: Path) -> None:
    """What applying emptied is removed before its parent is renamed: carried along it would look
    like a directory that the user here made."""
    anna, bert = pair(tmp_path)
    for path in ("photos/summer/sea/d.txt", "photos/summer/c.txt"):
        anna.delete(path)
    (anna.folder / "photos/summer/sea").rmdir()
    (anna.folder / "photos/summer").rmdir()
    anna.sync()
    rename(anna)
    anna.sync()
    report = bert.sync()
    assert report.written == 0
    assert anna.tree() == bert.tree()
    settle(anna, bert)
    assert "pictures/summer" not in anna.tree()
    check_done([anna, bert])


def test_neighbours_with_longer_names_are_not_taken_along(tmp_path: Path) -> None:
    """`flat2/b` goes to `even2` as if it were below `flat`, where one file stays: that file is
    where it was, on both laptops, and nobody writes anything more."""
    anna, bert = pair(tmp_path)
    anna.write("flat/a", "goes")
    anna.write("flat/c", "stays")
    anna.write("flat2/b", "goes too")
    anna.write("flat2/d", "stays too")
    settle(anna, bert)
    anna.move("flat/a", "even/a")
    anna.move("flat2/b", "even2/b")
    assert anna.sync().written == 1
    assert anna.sync().written == 0
    settle(anna, bert)
    assert anna.tree() == bert.tree()
    assert anna.read("flat/c") == "stays"
    check_done([anna, bert])
