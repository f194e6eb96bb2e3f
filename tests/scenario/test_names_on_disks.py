"""Names and attributes that a disk cannot hold, on real ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.laptops import FOLDER_ID, Laptop
from tests.scenario.name_disks import DISKS, Disk, disk
from tests.scenario.name_stories import (
    CASE,
    STORIES,
    Pair,
    Story,
    attributes,
)

from firnline.folder import marker
from firnline.folder.filesystem import Root


@pytest.mark.parametrize("kind", DISKS)
def test_stories(tmp_path: Path, kind: str) -> None:
    """Logs and trees are equal as far as the disk can hold them, and nobody writes at rest."""
    with disk(tmp_path, kind) as (place, _):
        for story in _stories(DISKS[kind]):
            _tell(tmp_path / story.__name__, place / story.__name__, story, DISKS[kind])


@pytest.mark.parametrize("kind", DISKS)
def test_mounted_again(tmp_path: Path, kind: str) -> None:
    """Another mounting may give other inodes, times and device numbers: nothing is written for
    that, and what is done afterwards is synced as ever."""
    with disk(tmp_path, kind) as (place, again):
        pair = _pair(tmp_path, place, DISKS[kind])
        for name in ("Plan", "plan", "a:b", "d/X", "D/x"):
            pair.a.write(name, name)
        pair.check()
        for name in ("plan", "d/X"):
            again()
            pair.check()
            pair.edit(name, f"{name} edited")
            pair.a.write("a:b", f"a:b and {name}")
            again()
            pair.check()
            assert pair.a.read(name) == f"{name} edited"


def _stories(kind: Disk) -> Iterator[Story]:
    yield from (story for story in STORIES if kind.keeps_case or story not in CASE)
    if not kind.modes:
        yield attributes


def _tell(place: Path, folder: Path, story: Story, kind: Disk) -> None:
    folder.mkdir()
    story(_pair(place, folder, kind))


def _pair(place: Path, folder: Path, kind: Disk) -> Pair:
    with Root(str(folder)) as root:
        marker.create(root, FOLDER_ID)
    a = Laptop(place / "a", "aaaaaaaa", [place / "store"])
    b = Laptop(place / "b", "bbbbbbbb", [place / "store"], folder=folder)
    return Pair(a, b, links=kind.links, modes=kind.modes)
