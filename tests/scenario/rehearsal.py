"""Stories lived through again and again, with kills at chosen steps."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.scenario.crashes import KillAt, Moment, World, canonical, killed
from tests.scenario.laptops import Laptop
from tests.scenario.story import Story

from firnline.state.folder_state import FolderState


class Pass(NamedTuple):
    """One pass of a story: how to come there, and what it does undisturbed."""

    number: int
    laptop: str
    moment: Moment
    steps: list[str]
    touched: list[str]
    """Paths at which it changes something in its laptop's folder."""


class Rehearsal:
    """A story that came to its right end once, undisturbed."""

    def __init__(self, place: Path, story: Story) -> None:
        self.world = World(place)
        self.story = story
        self.passes: list[Pass] = []
        story.start(self.world)
        self.world.note_written()
        self.world.settle()
        self.start = canonical(next(iter(self.world.laptops.values())).tree())
        for number, act in enumerate(story.acts):
            act.before(self.world)
            self.world.note_written()
            laptop, steps = self.world[act.laptop], KillAt()
            moment, before = self.world.keep(), _stamps(laptop)
            laptop.sync(steps=steps)
            touched = sorted({path for path, _ in before ^ _stamps(laptop)})
            self.passes.append(Pass(number, act.laptop, moment, steps.names, touched))
        self.world.settle()
        self.world.check(story.expected)
        self._directories = self._explicit_directories()

    def laptop(self, where: Pass) -> Laptop:
        return self.world[where.laptop]

    def kill(self, where: Pass, number: int) -> KillAt | None:
        """Back to where a pass begins, and into its death at a step; None: it outlived that."""
        self.world.go_back(where.moment)
        return killed(self.laptop(where), number)

    def kill_twice(self, where: Pass, first: int, second: int) -> KillAt | None:
        """Killed at a step, and once more while starting again; None: there are fewer steps."""
        if self.kill(where, first) is None:
            return None
        return killed(self.laptop(where), second)

    def carry_on(self, where: Pass, *, others_first: bool = False) -> None:
        """The killed laptop starts again, and the story goes on to its end."""
        if others_first:
            for name, laptop in self.world.laptops.items():
                if name != where.laptop:
                    laptop.sync()
        self.laptop(where).sync()
        for act in self.story.acts[where.number + 1 :]:
            act.before(self.world)
            self.world.note_written()
            self.world[act.laptop].sync()
        self.world.settle()

    def check(self) -> None:
        """The story has come to its right end."""
        self.world.check(self.story.expected)
        found = self._explicit_directories()
        assert found == self._directories, f"directories with events of their own: {found}"

    def _explicit_directories(self) -> dict[str, set[str]]:
        """Those that would stay if their last file went."""
        found = {}
        for name, laptop in self.world.laptops.items():
            state = FolderState(laptop.place / "state.db")
            found[name] = state.files.directories()
            state.close()
        return found


def _stamps(laptop: Laptop) -> set[tuple[str, object]]:
    """What shows of each path: content, mode, and the time of files."""
    return {
        (path, (content, os.lstat(laptop.folder / path).st_mtime_ns * (content != "directory")))
        for path, content in laptop.tree().items()
    }


@contextmanager
def after(*happened: object) -> Iterator[None]:
    """An error in this block says what happened before."""
    try:
        yield
    except Exception as error:
        error.add_note("after " + ", ".join(str(item) for item in happened))
        raise
