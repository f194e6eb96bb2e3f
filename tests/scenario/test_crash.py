"""Crash safety, proved: killed at every durable step, the next start carries on (section 10.6).

A story is lived through once to count its steps. Then, for each step of each pass, everything is
put back, the pass is killed there, and the laptop starts again; all must end as if nothing had
happened: equal trees, every content found, nothing deleted or brought back, no conflict copies but
those that people made, rest, and nothing left over.

By default the other laptops sync before the killed one starts again at every second step, and
pairs of kills are a sample in strides; FIRNLINE_CRASHES=all has both orders, and all pairs.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.rehearsal import Pass, Rehearsal, after
from tests.scenario.stories import MIXED, STORES, STORIES
from tests.scenario.story import Story
from tests.unit.folder.limited_access import NoExchange, NoLinks

from firnline.folder import kernel
from firnline.folder.handles import Handles
from firnline.sync import publisher

ALL = os.environ.get("FIRNLINE_CRASHES") == "all"
STRIDE = 1 if ALL else 211

PASSES = [(story, number) for story in STORIES for number in range(len(story.acts))]
every_pass = pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)
pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(36_000 if ALL else 120),
]


def orders(number: int) -> Iterable[bool]:
    """Whether the others sync first."""
    return (False, True) if ALL else (number % 2 == 0,)


class Announced:
    """Steps that see to it that none is forgotten: each change of the disk comes after one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.silent: list[str] = []
        self.changes = 0
        self._announced = False
        for name in ("rename", "replace", "unlink", "mkdir", "rmdir", "link", "symlink"):
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))
        for name in ("rename_exclusive", "exchange"):
            monkeypatch.setattr(kernel, name, self._watched(name, getattr(kernel, name)))
        opened = os.open
        created = self._watched("open", opened)
        monkeypatch.setattr(
            os, "open", lambda *a, **k: (created if a[1] & os.O_EXCL else opened)(*a, **k)
        )

    def __call__(self, name: str) -> None:
        self._announced = True

    def _watched(self, name: str, change: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            result = change(*arguments, **options)
            if not self._announced:
                self.silent.append(f"{name} {arguments}")
            self._announced = False
            self.changes += 1
            return result

        return watched


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_every_change_is_announced(
    memory_disk: Path, monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    """No pass makes, renames or removes anything without having named the step just before."""
    rehearsal = Rehearsal(memory_disk, story)
    for where in rehearsal.passes:
        rehearsal.world.go_back(where.moment)
        with monkeypatch.context() as patch:
            steps = Announced(patch)
            rehearsal.laptop(where).sync(steps=steps)
        assert steps.silent == []
        assert steps.changes


def some(where: Pass) -> range:
    """Every third step; where each was tried before under a condition that matters more."""
    return range(1, len(where.steps) + 1, 1 if ALL else 3)


@every_pass
def test_killed_at_every_step(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """Wherever a pass dies, the story comes to the end that it has without the death."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for step in range(1, len(where.steps) + 1):
        tally["kill points"] += 1
        for others_first in orders(step):
            death = rehearsal.kill(where, step)
            assert death is not None, "there are as many steps each time"
            with after(death, f"{others_first=}"):
                rehearsal.carry_on(where, others_first=others_first)
                rehearsal.check()


@every_pass
def test_killed_twice(memory_disk: Path, tally: Counter[str], story: Story, number: int) -> None:
    """Killed again while it starts after a death, a laptop loses nothing either."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for first in range(1, len(where.steps) + 1):
        second = 1 + first % STRIDE
        while (death := rehearsal.kill_twice(where, first, second)) is not None:
            tally["pairs of kills"] += 1
            with after(f"step {first} ({where.steps[first - 1]})", death):
                rehearsal.carry_on(where)
                rehearsal.check()
            second += STRIDE


@pytest.mark.parametrize("way", [NoExchange, NoLinks])
@pytest.mark.parametrize(("story", "number"), [(MIXED, 1), (MIXED, 2)], ids=["mixed-1", "mixed-2"])
def test_killed_on_poorer_file_systems(
    memory_disk: Path,
    tally: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    way: type[NoExchange],
    story: Story,
    number: int,
) -> None:
    """The same holds where files cannot change places, or have no second name either."""
    monkeypatch.setattr(Handles, "exchange", NoExchange.exchange)
    if way is NoLinks:
        monkeypatch.setattr(Handles, "link", NoLinks.link)
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for step in some(where):
        tally["kill points"] += 1
        with after(rehearsal.kill(where, step)):
            rehearsal.carry_on(where)
            rehearsal.check()


def test_killed_while_a_thread_sends(
    memory_disk: Path, tally: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds when batches are sent by a thread of their own."""
    monkeypatch.setattr(publisher, "_INLINE", 0)
    rehearsal = Rehearsal(memory_disk, MIXED)
    where = rehearsal.passes[0]
    for step in range(1, len(where.steps) + 1):
        # The two threads' steps come in another order each time, and may be fewer before the end.
        death = rehearsal.kill(where, step)
        tally["kill points"] += death is not None
        with after(death):
            rehearsal.carry_on(where)
            rehearsal.check()


@pytest.mark.parametrize(
    ("story", "number"), [(MIXED, 0), (MIXED, 1), (STORES, 0)], ids=["mixed-0", "mixed-1", "stores"]
)
def test_the_store_is_gone_afterwards(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """The same holds when no store is in reach when the laptop starts again, for a while."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for step in some(where):
        tally["kill points"] += 1
        with after(rehearsal.kill(where, step)):
            laptop = rehearsal.laptop(where)
            laptop.away = set(laptop.stores)
            laptop.sync()
            laptop.away = set()
            rehearsal.carry_on(where)
            rehearsal.check()
