"""What is measured: three works, each a tree and a chain of steps, with the limits to be kept.

Each step is one command on one device, after what a user did to the tree of the first device.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.peers import Side
from tests.bench.trees import (
    MIB,
    Shape,
    build_large,
    build_many,
    change_one_percent,
    rename_again,
    rename_half,
)

KIB = 1 << 10
BLOCK = 4 * KIB
"""What a small file takes on a disk."""

AS_QUICK = 1.0
"""Times the time of rsync."""
NEARLY_AS_QUICK = 1.2
"""Where a start of the interpreter, or a disk that takes 2 GiB in twice the time of its last try,
is a large part."""
RENAME_LIMIT = 0.3
"""Durable seconds with warm caches: what it takes to read 20,000 inodes from a disk that was not
looked at today is printed beside it, and is the disk's."""
QUICK = 20
"""By how much `--quick` divides the sizes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measured command."""

    key: str
    title: str
    side: Side
    first: bool = False
    """The device's first pass: everything is copied."""
    warm: bool = False
    """Measured with all in the cache; else the cache is dropped."""
    rehearsed: bool = False
    """Both devices sync before, so that all is in the cache."""
    change: Callable[[Path], None] | None = None
    """What was done to the first device's tree just before."""
    seconds: float | None = None
    """Firnline's limit, durable."""
    rsync: float | None = None
    """Firnline's limit, as a multiple of rsync's time in the same run."""


@dataclass(frozen=True, slots=True)
class Work:
    """A tree, and what is done with it."""

    key: str
    title: str
    build: Callable[[Path], None]
    steps: tuple[Step, ...]
    on_disk: int
    """Bytes that one copy of the tree takes."""
    memory: int | None = None
    """Firnline's limit on either device, in bytes of peak resident memory."""
    compared: bool = True
    """Whether the peers do it too, and Firnline must not be slower than rclone; else it is done
    once, by Firnline, for the memory."""
    side_by_side: bool = True
    """Programs alternate after each step; else, to save space, after the whole chain."""

    def space(self, programs: int) -> int:
        """Bytes it needs: two trees and a store for each program at work, and one more."""
        return self.on_disk * (3 * (programs if self.side_by_side and self.compared else 1) + 1)


def first_passes(rsync: float) -> tuple[Step, ...]:
    return (
        Step("first", "first pass", Side.SEND, first=True, rsync=rsync),
        Step("second", "second device", Side.RECEIVE, first=True, rsync=rsync),
    )


NOTHING = Step("nothing", "nothing to do", Side.SEND, rsync=NEARLY_AS_QUICK)
CHANGES = (
    NOTHING,
    Step(
        "nothing-warm",
        "nothing to do, warm",
        Side.SEND,
        warm=True,
        rehearsed=True,
        rsync=NEARLY_AS_QUICK,
    ),
    Step("changed", "1 % changed", Side.SEND, change=change_one_percent, rsync=AS_QUICK),
    Step("changed-second", "1 % changed, second device", Side.RECEIVE, rsync=AS_QUICK),
    Step("renamed", "folder renamed", Side.SEND, change=rename_half),
    Step("renamed-second", "folder renamed, second device", Side.RECEIVE),
    Step(
        "renamed-warm",
        "folder renamed again, warm",
        Side.SEND,
        warm=True,
        rehearsed=True,
        change=rename_again,
        seconds=RENAME_LIMIT,
    ),
    Step(
        "renamed-warm-second",
        "folder renamed again, warm, second device",
        Side.RECEIVE,
        warm=True,
        seconds=RENAME_LIMIT,
    ),
)


def small_files(shape: Shape) -> Work:
    title = f"{shape.files:,} files of {shape.size // KIB} KiB in {shape.folders} folders"
    build = partial(build_many, shape=shape)
    return Work("small", title, build, first_passes(AS_QUICK) + CHANGES, shape.files * BLOCK)


def large_file(size: int) -> Work:
    return Work(
        "large",
        f"one file of {size // MIB:,} MiB",
        partial(build_large, size=size),
        first_passes(NEARLY_AS_QUICK),
        size,
        memory=150 * MIB,
        side_by_side=False,
    )


def many_files(shape: Shape) -> Work:
    return Work(
        "many",
        f"{shape.files:,} files of {shape.size} bytes in {shape.folders:,} folders",
        partial(build_many, shape=shape),
        (*first_passes(AS_QUICK), NOTHING),
        shape.files * BLOCK,
        memory=300 * MIB,
        compared=False,
    )


def works(*, quick: bool) -> dict[str, Work]:
    """The works by key, in their order; at 1/20 of their size when it is to be quick."""
    part = QUICK if quick else 1
    known = (
        small_files(Shape(400 // part, 50, 4 * KIB)),
        large_file(2048 * MIB // part // MIB * MIB),
        many_files(Shape(2000 // part, 100, 200)),
    )
    return {work.key: work for work in known}
