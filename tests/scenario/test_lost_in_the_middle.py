"""A store that goes in the middle of a pass, at every durable step of it.

Two devices and two stores; a pass that sends, brings and copies. At one step the first store is
unmounted, wiped, removed, or another one stands in its place. FIRNLINE_STORE_LOSSES=all tries every
step, otherwise a part of them.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.scenario.laptops import Laptop
from tests.scenario.owners import (
    check_invariants,
    empty,
    files,
    live,
    mount,
    owners,
    remove,
    sync,
    unmount,
)
from tests.scenario.store_contents import event_files

from firnline.core.batch import MAX_BODIES
from firnline.engine import habitat
from firnline.engine.folder_root import mark, remember
from firnline.engine.open_folder import state_file
from firnline.engine.replaced_stores import refill_store
from firnline.engine.sync_command import sync_folders
from firnline.folder.filesystem import Root
from firnline.state.folder_state import FolderState
from firnline.sync.connection import ReplacedError
from firnline.sync.folder_pass import run_pass

ALL = os.environ.get("FIRNLINE_STORE_LOSSES") == "all"
_STRIDE = 1 if ALL else 9


class AtStep:
    """Something happens just before a step of that number, counted from 1, or never."""

    def __init__(self, number: int, action: Callable[[], object]) -> None:
        self.names: list[str] = []
        self._number = number
        self._action = action

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._number:
            self._action()


class Rehearsed:
    """Two devices before the pass in which a store is going to be lost, as often as wished."""

    def __init__(self, place: Path) -> None:
        self.place = place / "world"
        self.stores = [self.place / "s1", self.place / "s2"]
        self.place.mkdir()
        self.a, self.b = owners(self.place, self.stores)
        self.texts = live(self.a, self.b) | {"by b", "by a", "copied"}
        self.b.write("by b.txt", "by b")
        with self.b.engine() as engine:
            # Only the second store gets it from b: a has to copy it into the first one.
            self.stores[0].rename(self.place / "away")
            list(sync_folders(engine, []))
            (self.place / "away").rename(self.stores[0])
        self.a.write("by a.txt", "by a")
        self.a.write("large.txt", "l" * 400_000)
        self.texts.add("l" * 400_000)
        (self.a.folder / "copy again.txt").write_text("copied")
        (self.a.folder / "d/1.txt").rename(self.a.folder / "renamed.txt")
        self._kept = place / "kept"
        shutil.copytree(self.place, self._kept, symlinks=True)
        self.steps = len(self.lose(0, lambda: None))

        assert self.steps > 40, "the pass sends, brings and copies"

    def lose(self, number: int, action: Callable[[], object]) -> list[str]:
        """The pass of a, with the loss at that step; returns the names of its steps."""
        shutil.rmtree(self.place)
        shutil.copytree(self._kept, self.place, symlinks=True)
        for device in (self.a, self.b):
            _forget_inodes(device)
        at = AtStep(number, action)
        with self.a.engine(steps=at) as engine:
            list(sync_folders(engine, []))
        return at.names


def _forget_inodes(device: Profile) -> None:
    """A copied folder has another root, a copied profile too; they are taken as what they were."""
    (device.places.state / habitat.FILE).unlink()
    with device.engine() as engine:
        (folder,) = engine.settings.folders
        state = FolderState(state_file(engine, folder.folder_id))
        with Root(str(folder.path)) as root, state.transaction("test"):
            remember(state, mark(root, folder.folder_id))
        state.close()


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    return Rehearsed(tmp_path_factory.mktemp("lost"))


def test_unmounted(rehearsed: Rehearsed, tally: Counter[str]) -> None:
    """Nothing is written into its mount point from then on, and when it is back all is well."""
    store = rehearsed.stores[0]
    for number in range(1, rehearsed.steps + 1, _STRIDE):
        rehearsed.lose(number, lambda: unmount(store))
        assert files([store]) == {}, f"step {number}"
        mount(store, store.with_name("s1 aside"))
        check_invariants([rehearsed.a, rehearsed.b], rehearsed.stores, rehearsed.texts)
        tally["stores lost in a pass"] += 1


@pytest.mark.parametrize("loss", [empty, remove])
def test_wiped(rehearsed: Rehearsed, tally: Counter[str], loss: Callable[[Path], None]) -> None:
    """After the answer it has everything again: nothing was in it alone."""
    store = rehearsed.stores[0]
    for number in range(1, rehearsed.steps + 1, _STRIDE):
        rehearsed.lose(number, lambda: loss(store))
        assert list(store.glob("stores/*/is_current")) == [], f"step {number}"
        for device in (rehearsed.a, rehearsed.b):
            with device.engine() as engine:
                refill_store(engine, "s1")
            sync(device)
        check_invariants([rehearsed.a, rehearsed.b], rehearsed.stores, rehearsed.texts)
        tally["stores lost in a pass"] += 1


@pytest.mark.parametrize("size", [10, 300_000, MAX_BODIES + 1])
def test_nothing_is_written_once_the_store_is_another(tmp_path: Path, size: int) -> None:
    """Whatever kind of store it is: it is asked who it is before each write, of what is sent, small
    or large, and of what is copied from another store."""

    def gone() -> None:
        raise ReplacedError("s" * 16, None)

    a = Laptop(tmp_path / "a", "aaaaaaaa", [tmp_path / "s1"])
    a.write("f.bin", b"x" * size)
    with ExitStack() as stack:
        context = a.context(stack)
        context.stores[0] = context.stores[0]._replace(require_current=gone)
        run_pass(context)
        assert [unreached.name for unreached in context.unreached] == ["s1"]
    assert event_files(tmp_path / "s1") == {}
    assert len(event_files(tmp_path / "a" / "home")) == 1
    a.sync()
    a.stores.append(tmp_path / "s2")
    with ExitStack() as stack:
        context = a.context(stack)
        context.stores[1] = context.stores[1]._replace(require_current=gone)
        run_pass(context)
    assert event_files(tmp_path / "s2") == {}
    a.sync()
    assert event_files(tmp_path / "s2").keys() == event_files(tmp_path / "s1").keys()
