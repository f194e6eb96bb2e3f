"""Names that a disk cannot hold, on file systems that are played."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from tests.doubles.limited_files import (
    CASEFOLD,
    ENCRYPTED,
    FAT,
    NFD,
    LimitedFiles,
    SimpleFiles,
)
from tests.scenario.laptops import Laptop
from tests.scenario.name_stories import STORIES, Pair, attributes, end_of_a_clash, second_name

from firnline.core.steps import Steps, no_steps
from firnline.folder.access import Access
from firnline.folder.area import OwnArea
from firnline.sync.folder_pass import PassReport

DISKS: dict[str, Callable[[str], Access]] = {
    "fat": lambda root: SimpleFiles(root, FAT),
    "casefold": lambda root: LimitedFiles(root, CASEFOLD),
    "nfd": lambda root: LimitedFiles(root, NFD, writes_nfd=True),
    "encrypted": lambda root: LimitedFiles(root, ENCRYPTED),
}
_NEED_CASE = {end_of_a_clash, second_name}


class PlainLaptop(Laptop):
    """Its disk has no execute bits, and so no inodes to rely on."""

    def sync(self, *, steps: Steps = no_steps) -> PassReport:
        with mock.patch.object(OwnArea, "has_modes", property(lambda area: False)):
            return super().sync(steps=steps)


def pair_on(tmp_path: Path, disk: str) -> Pair:
    a = Laptop(tmp_path / "a", "aaaaaaaa", [tmp_path / "store"])
    laptop = PlainLaptop if disk == "fat" else Laptop
    b = laptop(tmp_path / "b", "bbbbbbbb", [tmp_path / "store"], access=DISKS[disk])
    return Pair(a, b, links=disk != "fat", modes=disk != "fat")


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story(tmp_path: Path, disk: str, story: Callable[[Pair], None]) -> None:
    """Logs and trees are equal as far as the disk can hold them, and nobody writes at rest."""
    if disk == "encrypted" and story in _NEED_CASE:
        return
    story(pair_on(tmp_path, disk))


def test_attributes(tmp_path: Path) -> None:
    """What FAT has no place for stays in the log as it was."""
    attributes(pair_on(tmp_path, "fat"))
