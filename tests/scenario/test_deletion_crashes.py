"""The guard against mass deletions, killed at every step: asking, waiting, carrying out answers.

By default the other laptop syncs first at every second step, and pairs of kills are a sample;
FIRNLINE_CRASHES=all has both orders, and all pairs.
"""

import os
from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.crashes import World
from tests.scenario.rehearsal import Rehearsal, after
from tests.scenario.story import Act, Story

from firnline.state.folder_state import FolderState

ALL = os.environ.get("FIRNLINE_CRASHES") == "all"
STRIDE = 1 if ALL else 61
FILES = [f"dir/{number:02}" for number in range(11)] + ["run", "link"]
LEFT: dict[str, list[object]] = {"new": ["new by a"], "stays": ["stays 1"]}
WHOLE: dict[str, list[object]] = {
    **LEFT,
    **{name: [f"{name} 1"] for name in FILES[:11]},
    "run": [("run 1", "x")],
    "link": [("link", "run")],
    "empty": ["directory"],
}

pytestmark = [
    pytest.mark.usefixtures("small_batches"),
    pytest.mark.timeout(36_000 if ALL else 120),
]


def start(world: World) -> None:
    """More than a batch, of each kind that can be deleted."""
    a = world.add("a", "store")
    world.add("b", "store")
    for name in FILES[:11]:
        a.write(name, f"{name} 1")
    a.write("run", "run 1", executable=True)
    (a.folder / "link").symlink_to("run")
    (a.folder / "empty").mkdir()
    a.write("stays", "stays 1")


def lose(world: World) -> None:
    """All but one file goes, with the directories; and something else happens as well."""
    a = world["a"]
    for name in FILES:
        a.delete(name)
    (a.folder / "dir").rmdir()
    (a.folder / "empty").rmdir()
    a.write("new", "new by a")


def lose_on_purpose(world: World) -> None:
    lose(world)
    world["a"].delete_unasked = True


def answer(world: World, name: str, choice: str) -> None:
    """What waits on that laptop is decided."""
    state = FolderState(world[name].place / "state.db")
    (question,) = state.questions.open()
    state.close()
    world[name].answer(question.id, choice)


KEPT_HERE = Story(
    "kept here",
    start,
    (Act("a", lose), Act("a", lambda world: answer(world, "a", "keep")), Act("b")),
    WHOLE,
)
DELETED_HERE = Story(
    "deleted here",
    start,
    (
        Act("a", lose),
        Act("a", lambda world: answer(world, "a", "delete")),
        Act("b"),
        Act("b", lambda world: answer(world, "b", "delete")),
    ),
    LEFT,
)
KEPT_ELSEWHERE = Story(
    "kept elsewhere",
    start,
    (
        Act("a", lose_on_purpose),
        Act("b"),
        Act("b", lambda world: answer(world, "b", "keep")),
        Act("a"),
    ),
    WHOLE,
)
STORIES = (KEPT_HERE, DELETED_HERE, KEPT_ELSEWHERE)
PASSES = [(story, number) for story in STORIES for number in range(len(story.acts))]
every_pass = pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)


@every_pass
def test_killed_at_every_step(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """The same question is asked, and the answer is carried out to its end, once."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    for step in range(1, len(where.steps) + 1):
        tally["kill points"] += 1
        for others_first in (False, True) if ALL else (step % 2 == 0,):
            with after(rehearsal.kill(where, step), f"{others_first=}"):
                rehearsal.carry_on(where, others_first=others_first)
                rehearsal.check()


@every_pass
def test_killed_twice(memory_disk: Path, tally: Counter[str], story: Story, number: int) -> None:
    """Also when it dies again while it starts."""
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
