"""A burst that is held back, killed at every step: asking, waiting, carrying out answers.

By default the other laptop syncs first at every second step; FIRNLINE_CRASHES=all has both orders.
"""

import hashlib
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.crashes import World
from tests.scenario.rehearsal import Rehearsal, after
from tests.scenario.story import Act, Story

from firnline.core import burst
from firnline.state.folder_state import FolderState
from firnline.sync import burst_guard

ALL = os.environ.get("FIRNLINE_CRASHES") == "all"
FILES = [f"d/{number}" for number in range(9)]
RENAMED = [f"{name}.locked" for name in FILES]
STAYS: dict[str, list[object]] = {f"stays/{number}": [f"{number}"] for number in range(20)}

pytestmark = pytest.mark.timeout(36_000 if ALL else 120)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine files are a burst, so that there are fewer steps to die at."""
    for module in (burst, burst_guard):
        monkeypatch.setattr(module, "LEAST", len(FILES))


def text(name: str) -> str:
    return f"what somebody wrote about {name}\n" * 20


def noise(name: str) -> bytes:
    """The same at each rehearsal."""
    return random.Random(name).randbytes(700)


def shown(content: bytes) -> list[object]:
    """As a laptop's tree shows it."""
    return [hashlib.sha256(content).hexdigest()]


def start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in FILES:
        a.write(name, text(name))
    for name, (content,) in STAYS.items():
        a.write(name, str(content))


def encrypt(world: World) -> None:
    a = world["a"]
    a.delete_unasked = True
    for name, renamed in zip(FILES[:5], RENAMED[:5], strict=True):
        a.write(renamed, noise(name))
        a.delete(name)
    for name in FILES[5:]:
        a.write(name, noise(name))


def edit(world: World) -> None:
    """This user goes on with one of them."""
    world["b"].write(FILES[8], "an edit")


def answer(world: World, choice: str) -> None:
    state = FolderState(world["b"].place / "state.db")
    (question,) = state.questions.open()
    state.close()
    world["b"].answer(question.id, choice)


UNDONE = Story(
    "undo",
    start,
    (
        Act("a", encrypt),
        Act("b"),
        Act("b", edit),
        Act("a"),
        Act("b"),
        Act("b", lambda world: answer(world, "undo")),
        Act("a"),
    ),
    {**STAYS, **{name: shown(text(name).encode()) for name in FILES[:8]}, FILES[8]: ["an edit"]},
)
APPLIED = Story(
    "apply",
    start,
    (Act("a", encrypt), Act("b"), Act("b", lambda world: answer(world, "apply"))),
    {
        **STAYS,
        **{f"{name}.locked": shown(noise(name)) for name in FILES[:5]},
        **{name: shown(noise(name)) for name in FILES[5:]},
    },
)
STORIES = (UNDONE, APPLIED)
PASSES = [(story, number) for story in STORIES for number in range(1, len(story.acts))]


@pytest.mark.parametrize(
    ("story", "number"), PASSES, ids=[f"{story.name}-{number}" for story, number in PASSES]
)
def test_killed_at_every_step(
    memory_disk: Path, tally: Counter[str], story: Story, number: int
) -> None:
    """The same question is asked, and the answer is carried out to its end, once."""
    rehearsal = Rehearsal(memory_disk, story)
    where = rehearsal.passes[number]
    assert where.steps
    for step in range(1, len(where.steps) + 1):
        tally["kill points"] += 1
        for others_first in (False, True) if ALL else (step % 2 == 0,):
            with after(rehearsal.kill(where, step), f"{others_first=}"):
                rehearsal.carry_on(where, others_first=others_first)
                rehearsal.check()
