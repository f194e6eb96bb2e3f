"""Countless names and events: item 50.

No clock is looked at: the calls of functions are counted, for a number of inputs and for twice as
many. FIRNLINE_HOSTILE_SCALE multiplies the numbers; 300 makes them 10^5 and more.
"""

import os
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType

import pytest
from tests.scenario.forging import TODAY, change, plant, single, write
from tests.scenario.laptops import LAYOUT, Laptop, settle

from firnline.core.clock import format_time
from firnline.core.event import Op, ref_of
from firnline.core.hashing import NO_PARENT

SCALE = int(os.environ.get("FIRNLINE_HOSTILE_SCALE", "1"))
COUNT = 300 * SCALE
MOST_PER_INPUT = 30_000
"""Bytes of memory; a pass over 300 events needs some megabytes anyway."""


def junk(store: Path, count: int) -> None:
    """Names that are no events."""
    for number in range(count):
        write(store / LAYOUT.events / "20261122" / f"junk{number}", b"")


def _events(store: Path, count: int, *, chain: bool, contents: int, flags: str = "-") -> None:
    parent = NO_PARENT
    for number in range(count):
        body = b"%d" % (number % contents)
        wanted = change(Op.PUT, "one.txt", body, parent, flags=flags)
        time = format_time(TODAY + timedelta(milliseconds=number))
        name = plant(store, single(wanted, body, time=time), index=number == 0)
        parent = ref_of(name) if chain else parent


def chain(store: Path, count: int) -> None:
    """Each on top of the one before it."""
    _events(store, count, chain=True, contents=count)


def rivals(store: Path, count: int) -> None:
    """Each beside all others, with a content of its own."""
    _events(store, count, chain=False, contents=count)


def twins(store: Path, count: int) -> None:
    """Each beside all others, with the same content."""
    _events(store, count, chain=False, contents=1)


def flags(store: Path, count: int) -> None:
    """One file, and then many who make it executable at the same time, beside one who edits it."""
    first = single(change(Op.PUT, "one.txt", b"first"), b"first", time=format_time(TODAY))
    parent = ref_of(plant(store, first))
    for number in range(count):
        body = b"first" if number else b"edited"
        wanted = change(Op.PUT, "one.txt", body, parent, flags="x" if number else "-")
        time = format_time(TODAY + timedelta(milliseconds=number + 1))
        plant(store, single(wanted, body, time=time), index=False)


def moves(store: Path, count: int) -> None:
    """Half of them move one file away, each to a place of its own, and as many edit it."""
    first = single(change(Op.PUT, "one.txt", b"first"), b"first", time=format_time(TODAY))
    parent = ref_of(plant(store, first))
    for number in range(count // 2):
        time = format_time(TODAY + timedelta(milliseconds=number + 1))
        body = b"%d" % number
        edit = single(change(Op.PUT, "one.txt", body, parent), body, time=time)
        plant(store, edit, index=False)
        target = f"to {number}.txt"
        moved = change(Op.MOV, target, b"first", parent, source="one.txt")
        plant(store, single(moved, b"", time=time))


def refused(store: Path, count: int) -> None:
    """Each with a path that leaves the folder."""
    for number in range(count):
        plant(store, single(change(Op.PUT, f"../{number}", b"x"), b"x"))


class _Calls:
    """Counts calls of functions, those in C too."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self.count += 1


def _attack(place: Path, lay: Callable[[Path, int], None], count: int) -> tuple[int, int, int]:
    """Calls, and peak bytes, of the pass that finds them; calls of the one after it."""
    store = place / "store"
    laptop = Laptop(place / "a", "aaaaaaaa", [store])
    laptop.write("mine.txt", "mine")
    settle(laptop)
    lay(store, count)
    laptop.write("mine too.txt", "mine too")
    first, second = _Calls(), _Calls()
    before = sys.getprofile()
    tracemalloc.start()
    sys.setprofile(first)
    laptop.sync()
    sys.setprofile(before)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    settle(laptop)
    sys.setprofile(second)
    report = laptop.sync()
    sys.setprofile(before)
    assert report.written == 0
    assert len(report.problems) <= 101, "a flood is counted, not listed"
    assert (laptop.read("mine.txt"), laptop.read("mine too.txt")) == ("mine", "mine too")
    return first.count, peak, second.count


@pytest.mark.timeout(60 * SCALE)
@pytest.mark.parametrize("lay", [junk, chain, rivals, twins, flags, moves, refused])
def test_50_cost_grows_with_the_number_and_no_faster(
    tmp_path: Path, tried: Counter[str], lay: Callable[[Path, int], None]
) -> None:
    """Twice as many cost twice as much, in time and in memory; and the next pass has all of it
    behind it."""
    calls, peak, _ = _attack(tmp_path / "one", lay, COUNT)
    more_calls, more_peak, later = _attack(tmp_path / "two", lay, 2 * COUNT)
    tried["hostile inputs"] += 3 * COUNT
    assert more_calls < 2.6 * calls
    assert more_peak - peak < MOST_PER_INPUT * COUNT
    assert later < 5_000 + 100 * COUNT


def test_50_twins_of_changed_flags_are_answered_once(tmp_path: Path) -> None:
    """Rule 4a: an answer to each would be twice as many events as somebody forged, in every
    store."""
    store = tmp_path / "store"
    laptop = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    laptop.sync()
    flags(store, 50)
    assert laptop.sync().written == 2
    settle(laptop)
    assert laptop.read("one.txt") == "edited"
    assert os.access(laptop.folder / "one.txt", os.X_OK)
