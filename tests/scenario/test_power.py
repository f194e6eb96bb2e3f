"""The power goes at every durable step, and what was not synced is lost, cut or garbled.

As in `test_crash`, each pass of each story is interrupted at its steps; but what stands on the
disks afterwards is what `disk_model` says that may be left, drawn from a seed. The story must come
to the same end. By default every fourth step is tried with one outcome; FIRNLINE_CRASHES=all tries
each step with eight.
"""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from tests.chance import fresh_seed
from tests.scenario.crashes import World, killed
from tests.scenario.disk_model import Disk, Remains
from tests.scenario.laptops import Laptop
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.stories import LARGE, STORIES
from tests.scenario.story import Act, Story

ALL = os.environ.get("FIRNLINE_CRASHES") == "all"
SEED = os.environ.get("FIRNLINE_POWER", "")
"""The first word of the seed that a failure tells: the same is tried again."""
OUTCOMES = 8 if ALL else 1
STRIDE = 1 if ALL else 4
MOST_STEPS = 60
"""A kill of the start after a loss of power comes within so many steps, or not at all."""

pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(36_000 if ALL else 120),
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="asks Linux for open files"),
]
PASSES = [(story, number) for story in STORIES for number in range(len(story.acts))]
every_pass = pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)


class Cut(NamedTuple):
    """The power goes just before a step."""

    step: str
    seed: str
    remains: Remains
    tables: dict[str, bytes]
    moment: datetime


class Recorder:
    """Steps that note what would be left if the power went at each `stride`-th of them."""

    def __init__(self, world: World, laptop: Laptop, seed: str, first: int) -> None:
        self.cuts: list[Cut] = []
        areas = [laptop.folder, laptop.place / "home", *laptop.stores]
        self.disk = Disk(areas)
        self._world = world
        self._laptop = laptop
        self._seed = seed
        self._count = -first

    def __call__(self, name: str) -> None:
        self.disk.observe()
        self._count += 1
        if self._count % STRIDE:
            return
        tables = {file.name: file.read_bytes() for file in _tables(self._laptop)}
        for outcome in range(OUTCOMES):
            seed = f"{self._seed} {self._count} {outcome}"
            remains = self.disk.remains(Random(seed))
            self.cuts.append(Cut(name, seed, remains, tables, self._world.clock.moment))


def _tables(laptop: Laptop) -> list[Path]:
    return [file for file in laptop.place.glob("state.db*") if not file.name.endswith("-shm")]


def record(rehearsal: Rehearsal, where: Pass, seed: str, first: int) -> list[Cut]:
    """The pass, undisturbed, and what a cut would leave at its steps."""
    rehearsal.world.go_back(where.moment)
    recorder = Recorder(rehearsal.world, rehearsal.laptop(where), seed, first)
    with recorder.disk.watched():
        rehearsal.laptop(where).sync(steps=recorder)
    return recorder.cuts


def cut(rehearsal: Rehearsal, where: Pass, power: Cut) -> None:
    """Everything as it is found when the power is back."""
    world, laptop = rehearsal.world, rehearsal.laptop(where)
    world.go_back(where.moment)
    world.clock.moment = power.moment
    for area in power.remains.roots:
        shutil.rmtree(area, ignore_errors=True)
    inodes = power.remains.restore()
    for file in laptop.place.glob("state.db*"):
        file.unlink()
    for name, body in power.tables.items():
        (laptop.place / name).write_bytes(body)
    _renumber(laptop.place / "state.db", inodes)


def _renumber(table: Path, inodes: dict[int, int]) -> None:
    """A disk keeps its inodes; a copy of it has others."""
    connection = sqlite3.connect(table, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name='files'").fetchone():
        rows = connection.execute("SELECT path, inode FROM files WHERE inode != 0").fetchall()
        pairs = [(inodes.get(inode, 1), path) for path, inode in rows]
        connection.executemany("UPDATE files SET inode=? WHERE path=?", pairs)
    connection.close()


@every_pass
def test_the_power_goes(memory_disk: Path, tally: Counter[str], story: Story, number: int) -> None:
    """Whatever of the unsynced is left, the story comes to the end that it has without; also where
    the next start is killed."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    seed = SEED or str(fresh_seed())
    for power in record(rehearsal, where, seed, Random(seed).randrange(STRIDE)):
        tally["losses of power"] += 1
        with after(power.step, f"seed {power.seed}"):
            cut(rehearsal, where, power)
            chance = Random(power.seed)
            if chance.random() < 0.5:
                second = killed(rehearsal.laptop(where), 1 + chance.randrange(MOST_STEPS))
                tally["kills after a loss of power"] += second is not None
            rehearsal.carry_on(where)
            rehearsal.check()


def _save(laptop: Laptop) -> None:
    """As most editors do."""
    laptop.write("x", "saved 2")
    laptop.move("x", "saved")


EDITS: dict[str, Callable[[Laptop], object]] = {
    "write over": lambda a: a.write("old", "old 2"),
    "save by rename": _save,
    "create": lambda a: a.write("new/deep", "new"),
    "delete": lambda a: a.delete("dir/deleted"),
    "move": lambda a: a.move("moved", "elsewhere/moved"),
    "delete a directory": lambda a: shutil.rmtree(a.folder / "gone"),
    "large": lambda a: a.write("large", LARGE),
    "link": lambda a: (a.folder / "link").symlink_to("old"),
}


PEOPLE: dict[str, list[object]] = {
    path: [f"{path} 1"]
    for path in ("old", "saved", "dir/deleted", "dir/stays", "moved", "gone/one", "gone/two")
}


def _people(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for path in PEOPLE:
        a.write(path, f"{path} 1")


@pytest.mark.parametrize("chosen", [*([name] for name in EDITS), list(EDITS)], ids=str)
def test_what_was_told_stays(
    memory_disk: Path, tally: Counter[str], monkeypatch: pytest.MonkeyPatch, chosen: list[str]
) -> None:
    """What people did just before may be lost with the power, but not after others were told: no
    deletion is taken back then, and no older or empty file goes out as a new version."""
    monkeypatch.setattr(f"{__name__}.STRIDE", 1 if ALL else 2)
    rehearsal = Rehearsal(memory_disk, Story("people", _people, (Act("a"),), PEOPLE, frozenset()))
    world, where, seed = rehearsal.world, rehearsal.passes[0], SEED or str(fresh_seed())
    world.go_back(where.moment)
    recorder = Recorder(world, world["a"], seed, Random(seed).randrange(2))
    for name in chosen:
        EDITS[name](world["a"])
        recorder.disk.observe()
    with recorder.disk.watched():
        world["a"].sync(steps=recorder)
    before = world["b"].tree()
    for power in recorder.cuts:
        tally["losses of power"] += 1
        with after(power.step, f"seed {power.seed}"):
            cut(rehearsal, where, power)
            world["b"].sync()
            told = world["b"].tree()
            world["a"].sync()
            world.settle()
            world.check(None)
            found = world["a"].tree()
            for path in before.keys() | told.keys():
                if told.get(path) != before.get(path):
                    assert found.get(path) == told.get(path), path
