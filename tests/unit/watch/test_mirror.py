"""Whoever looks only where a watcher says has the whole picture in the end.

Somebody makes, moves and removes files and directories as fast as the disk allows, while a mirror
keeps up by looking at what is told, and at what is below it. FIRNLINE_MIRRORS is the number of
seeds.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.watch.listening import QUICK, Listener

from firnline.watch.hints import Hints

if sys.platform != "linux":
    pytest.skip("the others may lose what a rush has hidden", allow_module_level=True)

SEEDS = int(os.environ.get("FIRNLINE_MIRRORS", "12"))
STEPS = 250
NAMES = "abcd"


class Mirror(Listener):
    """What a tree holds, by looking at what is told."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root
        self.seen: dict[str, str] = {}

    def tell(self, hints: Hints) -> None:
        for path in [""] if hints.everything else hints.paths:
            self._look(path)
        super().tell(hints)

    def _look(self, path: str) -> None:
        gone = [each for each in self.seen if not path or f"{each}/".startswith(f"{path}/")]
        for each in gone:
            del self.seen[each]
        self.seen.update(contents(self._root, path))


def contents(root: Path, path: str = "") -> dict[str, str]:
    """What stands at a path and below it; '' for directories."""
    found = {}
    waiting = [path]
    while waiting:
        each = waiting.pop()
        try:
            if (root / each).is_dir():
                waiting += [f"{each}/{name}" if each else name for name in os.listdir(root / each)]
                found[each] = ""
            elif (root / each).exists():
                found[each] = (root / each).read_text()
        except OSError:
            # It went or changed its kind while it was looked at, which is told.
            found.pop(each, None)
    found.pop("", None)
    return found


class Vandal:
    """Does something somewhere."""

    def __init__(self, root: Path, outside: Path, chance: random.Random) -> None:
        self._root = root
        self._outside = outside
        self._chance = chance
        self._count = 0

    def step(self) -> None:
        deeds = [self._write, self._write, self._make, self._make, self._move, self._move]
        deed: Callable[[], None] = self._chance.choice([*deeds, self._remove, self._leave])
        try:
            deed()
        except OSError:
            # Nothing stands there, or something else; into itself; not empty.
            return

    def _place(self) -> Path:
        return self._root.joinpath(*self._chance.choices(NAMES, k=self._chance.randint(1, 4)))

    def _write(self) -> None:
        self._count += 1
        self._place().write_text(str(self._count))

    def _make(self) -> None:
        self._place().mkdir(parents=True)

    def _move(self) -> None:
        self._place().rename(self._place())

    def _remove(self) -> None:
        place = self._place()
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()

    def _leave(self) -> None:
        """Out of the tree, changed there, and perhaps back."""
        away = self._outside / str(self._count)
        self._place().rename(away)
        if away.is_dir():
            (away / "while away").write_text("x")
        if self._chance.random() < 0.7:
            away.rename(self._place())


@pytest.mark.parametrize("settle", [QUICK, None], ids=["settled", "at once"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_mirror_is_right_in_the_end(root, tmp_path, watch, seed, settle, listener, tally):
    """Whatever was done, and however fast."""
    chance = random.Random(seed)
    outside = tmp_path / "outside"
    outside.mkdir()
    mirror = Mirror(root)
    listener.tell = mirror.tell
    vandal = Vandal(root, outside, chance)
    for _ in range(20):
        vandal.step()
    watch(settle=settle)
    mirror.seen = contents(root)
    for _ in range(STEPS):
        vandal.step()
    (root / "end").write_text("")
    mirror.wait(lambda: mirror.seen == contents(root))
    tally["steps beside a watcher"] += STEPS
