"""Two laptops with twenty files, and what users and passes do with them."""

from collections.abc import Iterable
from pathlib import Path

from tests.scenario.laptops import Laptop, settle

from firnline.state.questions import Question
from firnline.sync.folder_pass import PassReport

FILES = [f"d{number % 4}/{number:02}" for number in range(20)]
"""In four directories."""
Pair = tuple[Laptop, Laptop]


def make_pair(place: Path) -> Pair:
    """Two laptops with one store and nothing in their folders."""
    stores = [place / "store"]
    return Laptop(place / "a", "aaaaaaaa", stores), Laptop(place / "b", "bbbbbbbb", stores)


def make_filled(place: Path) -> Pair:
    """The files are on both laptops."""
    pair = make_pair(place)
    for name in FILES:
        pair[0].write(name, f"{name} 1")
    settle(*pair)
    return pair


def only(report: PassReport, files: int, side: str) -> Question:
    """The one question of a pass, which is about so many files."""
    (question,) = report.questions
    assert (question.details["files"], question.details["side"]) == (files, side)
    assert not report.complete
    return question


def delete(laptop: Laptop, names: Iterable[str]) -> None:
    for name in names:
        laptop.delete(name)


def sure(laptop: Laptop) -> None:
    """A pass of a user who says `--yes`."""
    laptop.delete_unasked = True
    laptop.sync()
    laptop.delete_unasked = False


def names(laptop: Laptop) -> list[str]:
    """The files of the twenty that are there; fails for any other."""
    return sorted(laptop.tree(), key=FILES.index)
