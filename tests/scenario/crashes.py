"""Killing laptops: steps that end at a chosen number, and worlds that can be put back.

A killed pass leaves the disk as it was just before the step at which it died. `World` holds some
laptops and their stores below one directory, of which copies are kept, so that the same moment can
be lived through as often as there are steps in it.
"""

import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.scenario.invariants import check_done, check_nothing_lost, sync_until_rest
from tests.scenario.laptops import Laptop, LaptopClock
from tests.scenario.store_contents import folder_contents

from firnline.core.hashing import DataHash
from firnline.sync.folder_pass import PassReport

_MARK = re.compile(r" \(conflict [^()]*\)")


class Killed(BaseException):
    """The process ends here. No Exception, so that nothing tidies up after it."""


class KillAt:
    """Steps that end at the `number`-th (from 1 on), and at all later ones; None: only counts."""

    def __init__(self, number: int | None = None) -> None:
        self.names: list[str] = []
        self._number = number
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        with self._lock:
            if self.dead:
                raise Killed(name)
            self.names.append(name)
            if self.dead:
                raise Killed(name)

    @property
    def dead(self) -> bool:
        return self._number is not None and len(self.names) >= self._number

    def __str__(self) -> str:
        return f"step {len(self.names)} ({self.names[-1]})"


class KilledAfter:
    """The process ends at the first step after that one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._passed = False

    def __call__(self, name: str) -> None:
        if self._passed:
            raise Killed(name)
        self._passed = name == self._name


def killed(laptop: Laptop, number: int) -> KillAt | None:
    """A pass that dies at a step; None when it came to its end before."""
    steps = KillAt(number)
    try:
        laptop.sync(steps=steps)
    except Killed:
        return steps
    return None


@dataclass(frozen=True, slots=True)
class Moment:
    """A copy of a world."""

    copy: Path
    moment: datetime
    elapsed: float
    ticks: Mapping[str, int]
    away: Mapping[str, frozenset[Path]]
    inodes: Mapping[str, Mapping[int, str]]
    """Of each laptop's files: inode → path. Copies have others, and the table must know them."""
    written: frozenset[DataHash]


class World:
    """Laptops by name, and the stores that they share, all below one directory."""

    def __init__(self, base: Path) -> None:
        self.base = base / "world"
        self._copies = base / "copies"
        self.clock = LaptopClock()
        self.laptops: dict[str, Laptop] = {}
        self.written: set[DataHash] = set()

    def store(self, name: str) -> Path:
        return self.base / "stores" / name

    def add(self, name: str, *stores: str, minor: tuple[str, ...] = ()) -> Laptop:
        """A laptop that knows these stores."""
        self.laptops[name] = Laptop(
            self.base / name,
            name * 8,
            [self.store(store) for store in stores],
            minor=[self.store(store) for store in minor],
            clock=self.clock,
        )
        return self.laptops[name]

    def __getitem__(self, name: str) -> Laptop:
        return self.laptops[name]

    def settle(self) -> None:
        """Everybody is at rest, and has nothing to tell."""
        sync_until_rest(self.laptops.values())

    def sync(self, name: str) -> PassReport:
        """An ordinary pass."""
        self.note_written()
        return self[name].sync()

    def note_written(self) -> None:
        """What stands in the folders now was written by users, and may never be lost."""
        for laptop in self.laptops.values():
            self.written.update(folder_contents(laptop))

    # --- copies -----------------------------------------------------------------------------------

    def keep(self) -> Moment:
        """A copy of all that is on disk, and of the time."""
        copy = self._copies / str(len(list(self._copies.iterdir())) if self._copies.exists() else 0)
        shutil.copytree(self.base, copy, symlinks=True)
        return Moment(
            copy,
            self.clock.moment,
            self.clock.elapsed,
            {name: laptop._ticks for name, laptop in self.laptops.items()},
            {name: frozenset(laptop.away) for name, laptop in self.laptops.items()},
            {name: _inodes(laptop) for name, laptop in self.laptops.items()},
            frozenset(self.written),
        )

    def go_back(self, moment: Moment) -> None:
        """Everything as it was when the copy was made."""
        shutil.rmtree(self.base)
        shutil.copytree(moment.copy, self.base, symlinks=True)
        self.clock.moment, self.clock.elapsed = moment.moment, moment.elapsed
        self.written = set(moment.written)
        for name, laptop in self.laptops.items():
            laptop._ticks, laptop.away = moment.ticks[name], set(moment.away[name])
            _renumber(laptop, moment.inodes[name])

    # --- what must hold ---------------------------------------------------------------------------

    def check(self, expected: Mapping[str, list[object]] | None) -> None:
        """After `settle`: all laptops show the expected tree, and nothing is lost or left over.

        `expected` None: whatever they show, as long as it is the same.
        """
        trees = {name: laptop.tree() for name, laptop in self.laptops.items()}
        first, *others = trees.values()
        assert all(tree == first for tree in others), f"the trees differ: {trees}"
        if expected is not None:
            found = canonical(first)
            assert found == expected, _difference(found, expected)
        check_nothing_lost(self.laptops.values(), self.written)
        check_done(self.laptops.values())


def canonical(tree: Mapping[str, object]) -> dict[str, list[object]]:
    """Path → what stands there and in its conflict copies, in no order: which of two wins depends
    on who came first."""
    found: dict[str, list[object]] = {}
    for path, content in tree.items():
        found.setdefault(unmarked(path), []).append(content)
    return {path: sorted(contents, key=str) for path, contents in found.items()}


def unmarked(path: str) -> str:
    """Without the marks of conflict copies; one of a copy stands inside the other."""
    while (shorter := _MARK.sub("", path)) != path:
        path = shorter
    return path


def _difference(found: Mapping[str, object], expected: Mapping[str, object]) -> str:
    paths = sorted(found.keys() | expected.keys())
    return "; ".join(
        f"{path}: {found.get(path)} instead of {expected.get(path)}"
        for path in paths
        if found.get(path) != expected.get(path)
    )


def _inodes(laptop: Laptop) -> dict[int, str]:
    return {
        os.lstat(path).st_ino: str(path.relative_to(laptop.folder))
        for path in laptop.folder.rglob("*")
    }


def _renumber(laptop: Laptop, inodes: Mapping[int, str]) -> None:
    database = laptop.place / "state.db"
    if not database.exists():
        return
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    rows = connection.execute("SELECT path, inode FROM files WHERE inode != 0").fetchall()
    connection.executemany(
        "UPDATE files SET inode=? WHERE path=?",
        [
            (os.lstat(laptop.folder / inodes[inode]).st_ino, path)
            for path, inode in rows
            if inode in inodes
        ],
    )
    connection.execute("COMMIT")
    connection.close()
