"""Stories lived through again and again, with kills at chosen steps."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.scenario.crashes import KillAt, Moment, World, killed
from tests.scenario.stories import Story


class Pass(NamedTuple):
    """One pass of a story: how to come there, and how many steps it has."""

    number: int
    laptop: str
    moment: Moment
    steps: int


class Rehearsal:
    """A story that came to its right end once, undisturbed."""

    def __init__(self, place: Path, story: Story) -> None:
        self.world = World(place)
        self.story = story
        self.passes: list[Pass] = []
        story.start(self.world)
        self.world.note_written()
        self.world.settle()
        for number, act in enumerate(story.acts):
            act.before(self.world)
            self.world.note_written()
            moment, steps = self.world.keep(), KillAt()
            self.world[act.laptop].sync(steps=steps)
            self.passes.append(Pass(number, act.laptop, moment, len(steps.names)))
        self.world.settle()
        self.world.check(story.expected)

    def kill(self, where: Pass, number: int) -> KillAt | None:
        """Back to where a pass begins, and into its death at a step; None: it outlived that."""
        self.world.go_back(where.moment)
        return killed(self.world[where.laptop], number)

    def carry_on(self, where: Pass, *, others_first: bool = False) -> None:
        """The killed laptop starts again, and the story goes on to its end."""
        if others_first:
            for name, laptop in self.world.laptops.items():
                if name != where.laptop:
                    laptop.sync()
        self.world[where.laptop].sync()
        for act in self.story.acts[where.number + 1 :]:
            act.before(self.world)
            self.world.note_written()
            self.world[act.laptop].sync()
        self.world.settle()

    def second_deaths(self, where: Pass, number: int, numbers: Iterator[int]) -> Iterator[str]:
        """Kills at a step and once more while starting again, as far as there are steps."""
        for second in numbers:
            first = self.kill(where, number)
            again = killed(self.world[where.laptop], second)
            if first is None or again is None:
                return
            yield f"{first}, then {again}"
