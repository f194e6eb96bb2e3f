"""Names that a disk cannot hold, on file systems that are played."""

import os
from collections.abc import Callable
from contextlib import ExitStack
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
from tests.scenario.name_stories import (
    STORIES,
    Pair,
    aliases_of,
    attributes,
    end_of_a_clash,
    second_name,
)

from firnline.core.local_names import alias_of
from firnline.core.steps import Steps, no_steps
from firnline.folder.access import Access
from firnline.folder.area import OwnArea
from firnline.state.folder_state import FolderState
from firnline.sync.folder_pass import PassReport, last_problems, run_pass
from firnline.sync.local_names import LocalNames

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


def test_two_passes_in_one_process(tmp_path: Path) -> None:
    """Settling a conflict is a pass before and one after: aliases are understood in both."""
    pair = pair_on(tmp_path, "fat")
    for name in ("name", "NAME", "a:b"):
        pair.a.write(name, name)
    pair.sync()
    with ExitStack() as stack:
        context = pair.b.context(stack)
        run_pass(context)
        pair.edit("a:b", "edited")
        pair.edit("name", "edited")
        pair.a.write("NAME", "edited")
        pair.a.delete("a:b")
        pair.a.sync()
        assert run_pass(context).written == 1
        pair.a.sync()
        assert pair.a.tree() == {"name": "edited", "NAME": "edited", "a:b": "edited"}
        assert run_pass(context).written == 0
    pair.check()


def test_read_without_a_pass(tmp_path: Path) -> None:
    """Commands that only read know the aliases as well, also when the folder is not there."""
    pair = pair_on(tmp_path, "fat")
    pair.a.write("a:b", "text")
    pair.sync()
    with ExitStack() as stack:
        context = pair.b.context(stack)
        LocalNames(context, look=False)
        os.close(context.root.open_read("a:b"))
        assert sorted(context.root.names("")) == [".firnline", "a:b"]


def test_another_disk(tmp_path: Path) -> None:
    """A folder that is brought to a disk that holds every name has all its names again."""
    pair = pair_on(tmp_path, "casefold")
    for name in ("name", "NAME", "x/a:b", "X/y"):
        pair.a.write(name, name)
    pair.check()
    assert pair.notices()
    pair.b.access = None
    _forget_volume(pair.b)
    pair.check()
    assert pair.b.tree() == pair.a.tree()
    assert pair.notices() == {}
    assert aliases_of(pair.b) == []


def _forget_volume(laptop: Laptop) -> None:
    """As if the folder were on another file system now."""
    state = FolderState(laptop.place / "state.db")
    with state.transaction("test"):
        state.set_fact("names", "another -")
    state.close()


def test_notices(tmp_path: Path) -> None:
    """Each name that is another here is told, once, with what it is called and why; it is no
    trouble, and leaves nothing undone."""
    pair = pair_on(tmp_path, "fat")
    for name in ("name", "NAME", "dir:/x", "dir:/y"):
        pair.a.write(name, name)
    pair.sync()
    report = pair.b.sync()
    assert report.complete
    assert report.problems == []
    told = {notice.path: notice.message for notice in report.notices}
    assert told.keys() == {"name", "dir:"}
    assert told["dir:"] == (
        f"is called {alias_of('dir:')!r} on this disk, since it cannot hold the character ':'"
    )
    assert told["name"].endswith("since it takes this name and 'NAME' for one")
    state = FolderState(pair.b.place / "state.db")
    assert last_problems(state) == report.notices
    state.close()
