"""Local names that are written otherwise than the log writes them."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.scenario.laptops import Laptop, settle

DIRECTORY = "caf\u00e9"
LOCAL = unicodedata.normalize("NFD", DIRECTORY)

Edit = Callable[[Laptop], None]
EDITS: dict[str, Edit] = {
    "edit": lambda laptop: laptop.write(f"{DIRECTORY}/new.txt", "edited"),
    "delete": lambda laptop: laptop.delete(f"{DIRECTORY}/new.txt"),
    "move": lambda laptop: laptop.move(f"{DIRECTORY}/new.txt", "moved.txt"),
    "flags": lambda laptop: (laptop.folder / DIRECTORY / "new.txt").chmod(0o755),
    "to link": lambda laptop: _to_link(laptop),
}


def _to_link(laptop: Laptop) -> None:
    laptop.delete(f"{DIRECTORY}/new.txt")
    (laptop.folder / DIRECTORY / "new.txt").symlink_to("old.txt")


def _normal(laptop: Laptop) -> dict[str, object]:
    return {unicodedata.normalize("NFC", path): found for path, found in laptop.tree().items()}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Laptop, Laptop]:
    """A directory that b writes in its own way; a puts something into it."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [tmp_path / "store"])
    b = Laptop(tmp_path / "b", "bbbbbbbb", [tmp_path / "store"])
    b.write(f"{LOCAL}/old.txt", "old")
    settle(b, a)
    return a, b


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("how", ["new", "moved there", "link"])
def test_what_was_placed_below_such_a_directory_can_be_changed(
    pair: tuple[Laptop, Laptop], name: str, how: str
) -> None:
    """What applying put under a local name is found again under it."""
    a, b = pair
    if how == "link":
        (a.folder / DIRECTORY / "new.txt").symlink_to("old.txt")
        if name == "flags":
            return
    elif how == "new":
        a.write(f"{DIRECTORY}/new.txt", "new")
    else:
        a.write("elsewhere.txt", "new")
        settle(a, b)
        a.move("elsewhere.txt", f"{DIRECTORY}/new.txt")
    settle(a, b)
    if how == "link" and name == "edit":
        a.delete(f"{DIRECTORY}/new.txt")
    EDITS[name](a)
    settle(a, b)
    assert b.sync().complete
    assert _normal(b) == _normal(a)
    assert not (b.folder / DIRECTORY).exists()


def test_moved_directory_with_such_names_inside(pair: tuple[Laptop, Laptop]) -> None:
    """One rename carries the local names along, and what is below stays within reach."""
    a, b = pair
    for name in ("n\u00e9.txt", "o\u00e9.txt"):
        b.write(f"d/{unicodedata.normalize('NFD', name)}", name)
    settle(b, a)
    a.move("d", "e")
    settle(a, b)
    a.write("e/n\u00e9.txt", "edited")
    a.delete("e/o\u00e9.txt")
    settle(a, b)
    assert b.sync().complete
    assert _normal(b) == _normal(a)
