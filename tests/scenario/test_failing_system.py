"""The operating system fails once, at any call of a pass: nothing is lost, nothing is doubled.

In the style of SQLite's tests: the n-th call fails, for each n, with each error that fits it (no
more files may be open, a full disk, a failing one, no permission, no memory). The pass may end with
an error in words, or go on without what failed; the next one carries on, and all must end as if
nothing had happened.

By default a sample; FIRNLINE_FAULTS is the stride between two that are tried, or `all`.
"""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from tests.scenario.laptops import Laptop, settle
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.store_faults import stride
from tests.scenario.stories import JOIN, MIXED, OUTBOX, STORES
from tests.scenario.story import Story

from firnline.core.batch import MAX_BODIES
from firnline.engine.problems import is_known
from firnline.folder import kernel

STRIDE = stride(397)

LOOKING = ("stat", "lstat", "fstat", "readlink", "read", "pread")
OPENING = ("open", "scandir", "listdir")
CHANGING = ("write", "rename", "replace", "unlink", "mkdir", "rmdir", "link", "symlink", "utime")
KERNEL = ("rename_exclusive", "exchange")
ERRORS: dict[str, tuple[str, ...]] = {
    "EMFILE": OPENING,
    "ENOSPC": ("open", "write", "mkdir", "link", "symlink", "rename", "replace", *KERNEL),
    "EIO": (*LOOKING, *OPENING, *CHANGING, *KERNEL),
    "EACCES": ("stat", "lstat", *OPENING, *CHANGING, *KERNEL),
    "MemoryError": (*LOOKING, *OPENING, *CHANGING, *KERNEL),
}
PASSES = [(MIXED, 0), (MIXED, 1), (MIXED, 2), (STORES, 0), (OUTBOX, 1), (JOIN, 0)]

pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(120 if STRIDE == 397 else 36_000),
]


class Point(NamedTuple):
    """A call, and how it fails."""

    number: int
    error: str

    def exception(self, name: str) -> BaseException:
        if self.error == "MemoryError":
            return MemoryError()
        code = getattr(errno, self.error)
        return OSError(code, f"{os.strerror(code)} (at the {self.number}th call, {name})")


class System:
    """Counts the calls to the operating system; the chosen one fails."""

    def __init__(self, patch: pytest.MonkeyPatch, point: Point | None = None) -> None:
        self.calls: list[str] = []
        self._point = point
        for name in {*LOOKING, *OPENING, *CHANGING}:
            patch.setattr(os, name, self._failing(name, getattr(os, name)))
        for name in KERNEL:
            patch.setattr(kernel, name, self._failing(name, getattr(kernel, name)))

    def _failing(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if self._point is not None and len(self.calls) == self._point.number:
                raise self._point.exception(name)
            return function(*arguments, **options)

        return call

    def points(self) -> Iterator[Point]:
        """All that can fail, after a pass in which nothing did."""
        for number, name in enumerate(self.calls, 1):
            for error, names in ERRORS.items():
                if name in names:
                    yield Point(number, error)


@pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)
def test_one_failure_at_every_call(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """Memory, open files, a full or failing disk, rights: wherever the system fails once, the pass
    ends in words or goes on, and the story comes to the end that it has without."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for point in _some(rehearsal, where, number):
        tally["failures of the system"] += 1
        rehearsal.world.go_back(where.moment)
        with after(f"{point.error} at call {point.number}"):
            name = _disturbed(rehearsal, where, point)
            with after(name):
                rehearsal.carry_on(where)
                rehearsal.check()


def test_no_more_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass without a second thread is slower and no other: small, many and large files come."""

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    a, b = (Laptop(tmp_path / name, name * 8, [tmp_path / "store"]) for name in "ab")
    a.write("large", os.urandom(MAX_BODIES + 1))
    for number in range(5):
        a.write(f"{number}", os.urandom(200_000))
    settle(a, b)
    assert b.tree() == a.tree()


def _some(rehearsal: Rehearsal, where: Pass, offset: int) -> list[Point]:
    rehearsal.world.go_back(where.moment)
    laptop = rehearsal.laptop(where)
    with pytest.MonkeyPatch.context() as patch:
        system = System(patch)
        laptop.sync()
    return list(system.points())[offset * 7 :: STRIDE]


def _disturbed(rehearsal: Rehearsal, where: Pass, point: Point) -> str:
    """A pass in which that call fails; what the call was."""
    laptop = rehearsal.laptop(where)
    with pytest.MonkeyPatch.context() as patch:
        system = System(patch, point)
        try:
            laptop.sync()
        except Exception as error:
            if not is_known(error):
                raise
        return system.calls[point.number - 1]
