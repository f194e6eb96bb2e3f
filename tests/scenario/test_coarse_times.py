"""Disks whose times are coarse: FAT (2 s), HFS+ and exFAT by FUSE (1 s).

Two saves in one tick have one time, and a file of the same size looks unchanged then. Git calls
such a file racy. None is missed, and times that come back rounded make no event.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from tests.doubles.coarse_files import CoarseFiles
from tests.scenario.crashes import Killed
from tests.scenario.laptops import FOLDER_ID, Laptop, LaptopClock, settle
from tests.scenario.name_disks import disk

from firnline.folder import marker
from firnline.folder.filesystem import Root

SECOND = 1_000_000_000
TICKS = {"2 s": 2 * SECOND, "1 s": SECOND}


class Pair:
    """Two laptops with one clock; b's folder is on a coarse disk."""

    def __init__(self, place: Path, folder: Path | None, tick: int | None) -> None:
        self.clock = LaptopClock()
        access = None if tick is None else partial(CoarseFiles, tick_ns=tick)
        store = place / "store"
        self.a = Laptop(place / "a", "aaaaaaaa", [store], clock=self.clock)
        self.b = Laptop(
            place / "b", "bbbbbbbb", [store], clock=self.clock, folder=folder, access=access
        )

    def save_in_the_same_tick(self, text: str) -> None:
        """b's user changes plan.txt in place. Nothing but its content shows it."""
        path = self.b.folder / "plan.txt"
        before = path.stat()
        with path.open("r+b") as file:
            file.write(text.encode())
        os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_ino) == (before.st_size, before.st_ino)

    def check(self, *texts: str) -> None:
        """Both have files with these contents, and nobody writes any more."""
        settle(self.a, self.b)
        for laptop in (self.a, self.b):
            assert sorted(path.read_text() for path in laptop.folder.glob("*.txt")) == [*texts]


@pytest.fixture(params=[*TICKS, "exfat by fuse"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        if request.param in TICKS:
            yield Pair(tmp_path, None, TICKS[request.param])
        else:
            folder, _ = stack.enter_context(disk(tmp_path, request.param))
            with Root(str(folder)) as root:
                marker.create(root, FOLDER_ID)
            yield Pair(tmp_path, folder, None)


def brought(pair: Pair) -> None:
    pair.a.write("plan.txt", "one")
    pair.a.sync()
    pair.b.sync()


def replaced(pair: Pair) -> None:
    pair.a.write("plan.txt", "0ne")
    settle(pair.a, pair.b)
    pair.clock.advance(hours=1)
    brought(pair)


def touched(pair: Pair) -> None:
    """b has the content already, and takes over its newer time."""
    pair.b.write("plan.txt", "one")
    settle(pair.a, pair.b)
    pair.clock.advance(hours=1)
    pair.a.write("plan.txt", "two")
    pair.a.sync()
    pair.a.write("plan.txt", "one")
    pair.a.sync()
    pair.b.sync()


@pytest.mark.parametrize("arrive", [brought, replaced, touched])
def test_save_just_after_a_file_was_brought(pair: Pair, arrive: Callable[[Pair], None]) -> None:
    """A save in the tick in which the file came from elsewhere is found, and not overwritten."""
    arrive(pair)
    pair.save_in_the_same_tick("two")
    pair.check("two")


def test_save_just_after_a_file_was_brought_and_another_elsewhere(pair: Pair) -> None:
    """Where a changed the file as well, the save that does not show stands beside it."""
    brought(pair)
    pair.save_in_the_same_tick("two")
    pair.a.write("plan.txt", "3rd")
    pair.check("3rd", "two")


def test_save_just_after_an_unclean_end_was_settled(pair: Pair) -> None:
    """What was brought and not booked is looked at by the next pass; a save in the same tick, just
    after that look, is found as well."""

    def die(name: str) -> None:
        if name == "commit applied":
            raise Killed(name)

    saves = ["two"]

    def save(name: str) -> None:
        if name == "commit settle intents" and saves:
            pair.save_in_the_same_tick(saves.pop())

    pair.a.write("plan.txt", "one")
    pair.a.sync()
    with pytest.raises(Killed):
        pair.b.sync(steps=die)
    pair.b.sync(steps=save)
    assert not saves
    pair.check("two")


def test_save_while_the_first_one_waits(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was just saved is left alone until its tick is over; what is sent is the last
    save of it."""
    pair.b.write("plan.txt", "one")
    moment = int(pair.clock.moment.timestamp()) // 2 * 2 * SECOND
    os.utime(pair.b.folder / "plan.txt", ns=(moment, moment))
    saves = ["two"]
    sleep = pair.clock.sleep

    def save_meanwhile(seconds: float) -> None:
        sleep(seconds)
        if saves:
            pair.save_in_the_same_tick(saves.pop())

    monkeypatch.setattr(pair.clock, "sleep", save_meanwhile)
    pair.b.sync()
    pair.check("two")
    assert not saves


def test_times_that_come_back_rounded(pair: Pair) -> None:
    """A disk that is mounted anew may show its times rounded, FAT also an hour off in summer:
    files are read again, and nobody is told anything."""
    pair.b.write("plan.txt", "one")
    settle(pair.a, pair.b)
    pair.clock.advance(days=1)
    for shift in (0, 3600, -3600):
        path = pair.b.folder / "plan.txt"
        moment = path.stat().st_mtime_ns // (2 * SECOND) * 2 * SECOND + shift * SECOND
        os.utime(path, ns=(moment, moment))
        report = pair.b.sync()
        assert (report.written, report.applied, report.problems) == (0, 0, [])
    pair.check("one")
