"""Killed at each step while names get aliases, keep them, and lose them again."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.doubles.limited_files import FAT, LimitedFiles
from tests.scenario.crashes import KillAt, Moment, World, killed
from tests.scenario.invariants import check_done, check_nothing_lost
from tests.scenario.laptops import Laptop
from tests.scenario.name_stories import Pair, operations
from tests.scenario.rehearsal import after

Begin = Callable[[World, Pair], Moment]
STRIDE = 1 if os.environ.get("FIRNLINE_CRASHES") == "all" else 127
EXPECTED = {
    "NAME": "NAME edited",
    "Name": "third",
    "c:d": "new",
    "a:b": "a:b edited on b",
    "moved/x": "d/x",
    "E/k": "e/k",
    "E/K": "e/K edited",
    "f/x": "D/x",
}


def _pair(place: Path) -> tuple[World, Pair]:
    world = World(place)
    a = world.add("a", "store")
    b = Laptop(
        world.base / "b",
        "b" * 8,
        a.stores,
        clock=world.clock,
        access=lambda root: LimitedFiles(root, FAT),
    )
    world.laptops["b"] = b
    return world, Pair(a, b)


def _begin(world: World, pair: Pair) -> Moment:
    """The moment before b's pass in which names come, go and change places."""
    for name in ("name", "NAME", "a:b", "d/x", "D/x", "e/k", "e/K"):
        pair.a.write(name, name)
    pair.check()
    pair.a.delete("name")
    pair.a.write("NAME", "NAME edited")
    pair.a.write("Name", "third")
    pair.a.write("c:d", "new")
    (pair.a.folder / "e").rename(pair.a.folder / "E")
    pair.a.write("E/K", "e/K edited")
    pair.a.move("D/x", "f/x")
    (pair.a.folder / "D").rmdir()
    pair.a.sync()
    pair.edit("a:b", "a:b edited on b")
    pair.local("d").rename(pair.b.folder / "moved")
    world.note_written()
    return world.keep()


def _join(world: World, pair: Pair) -> Moment:
    """The moment before b's first pass, which tries the disk out and meets all names at once."""
    for name, text in EXPECTED.items():
        pair.a.write(name, text)
    pair.a.sync()
    world.note_written()
    return world.keep()


def _check(world: World, pair: Pair, usual: Counter[str]) -> None:
    pair.check()
    assert pair.a.tree() == EXPECTED
    assert operations(pair.a) == usual
    check_nothing_lost(world.laptops.values(), world.written)
    check_done(world.laptops.values())


@pytest.mark.parametrize("begin", [_join, _begin])
def test_killed_at_every_step(memory_disk: Path, tally: Counter[str], begin: Begin) -> None:
    """The next start carries on: the same events as undisturbed, and the same trees."""
    world, pair = _pair(memory_disk)
    moment = begin(world, pair)
    steps = KillAt()
    pair.b.sync(steps=steps)
    assert {"commit alias", "rename alias"} & set(steps.names)
    pair.check()
    usual = operations(pair.a)
    _check(world, pair, usual)
    for number in range(1, len(steps.names) + 1):
        world.go_back(moment)
        died = killed(pair.b, number)
        with after(died):
            _check(world, pair, usual)
        tally["kill points of names"] += 1


@pytest.mark.parametrize("begin", [_join, _begin])
def test_killed_twice(memory_disk: Path, tally: Counter[str], begin: Begin) -> None:
    """The second time while starting again: a sample, or all pairs (FIRNLINE_CRASHES=all)."""
    world, pair = _pair(memory_disk)
    moment = begin(world, pair)
    steps = KillAt()
    pair.b.sync(steps=steps)
    pair.check()
    usual = operations(pair.a)
    tried = 0
    for first in range(1, len(steps.names) + 1):
        for second in range(1, len(steps.names) + 20):
            tried += 1
            if tried % STRIDE:
                continue
            world.go_back(moment)
            died = killed(pair.b, first), killed(pair.b, second)
            with after(*died):
                _check(world, pair, usual)
            tally["pairs of kills of names"] += 1


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again(memory_disk: Path, tally: Counter[str], seed: int) -> None:
    """A start that dies as well, each time a little later."""
    world, pair = _pair(memory_disk)
    moment = _begin(world, pair)
    pair.check()
    usual = operations(pair.a)
    world.go_back(moment)
    died = []
    number = 1 + seed
    while (step := killed(pair.b, number)) is not None:
        died.append(step)
        number += 3
        tally["kill points of names, one after another"] += 1
    with after(*died):
        _check(world, pair, usual)
