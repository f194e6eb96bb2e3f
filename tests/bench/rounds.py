"""One round of a work: every program goes through the chain of steps, each result is compared.

A program that fails, harms the tree of the first device or brings about another tree is noted in
the results and left out of the rest of the round; the others go on.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.measure import Failed, Sample, execute, measure
from tests.bench.peers import Place, Program, Side
from tests.bench.results import OURS, Results
from tests.bench.trees import difference, listing
from tests.bench.works import Step, Work

Say = Callable[[str], None]


class Contestant:
    """A program at its place, with the tree of the work."""

    def __init__(self, program: Program, work: Work, root: Path) -> None:
        self.program = program
        self.place = Place(root / program.name)
        self.place.make()
        work.build(self.place.tree(Side.SEND))
        self.wanted = listing(self.place.tree(Side.SEND))

    def takes_part(self, step: Step) -> bool:
        return step.first or not self.program.copies_all

    def play(self, step: Step, *, cold: bool) -> Sample:
        """Prepares, measures and compares. Raises `Failed`."""
        if step.first:
            for command in self.program.set_up(step.side, self.place):
                execute(command)
        if step.rehearsed:
            for side in Side:
                execute(self.program.sync(side, self.place))
        if step.change is not None:
            step.change(self.place.tree(Side.SEND))
            self.wanted = listing(self.place.tree(Side.SEND))
        command = self.program.sync(step.side, self.place)
        sample = measure(command, self.place.root, cold=cold and not step.warm)
        self.compare(step.side)
        return sample

    def compare(self, side: Side) -> None:
        """The result is equal, and a sender's tree as the user left it. Raises `Failed`."""
        if side is Side.SEND:
            self.compare_tree(self.place.tree(side), modes=True)
        result = self.program.result(side, self.place)
        if result is not None:
            self.compare_tree(result, modes=self.program.keeps_modes)

    def compare_tree(self, root: Path, *, modes: bool) -> None:
        what = difference(self.wanted, listing(root), modes=modes)
        if what is not None:
            raise Failed(f"{root.name} differs: {what}")


class Bench:
    """Plays rounds below a directory of its own, and gathers the results."""

    def __init__(self, directory: Path, programs: Sequence[Program], say: Say, *, cold: bool):
        self.directory = directory
        self.programs = programs
        self.say = say
        self.cold = cold
        self.results = Results()

    def play_round(self, work: Work, number: int) -> None:
        """One round of the work; another program is first in each."""
        programs = [each for each in self.programs if work.compared or each.name == OURS]
        turn = number % len(self.programs)
        order = [*programs[turn:], *programs[:turn]]
        groups = [order] if work.side_by_side else [[program] for program in order]
        for group in groups:
            try:
                self.play_group(work, group)
            finally:
                self.clear()

    def play_group(self, work: Work, programs: Sequence[Program]) -> None:
        """The chain, its steps one by one, each by all the programs."""
        contestants = [Contestant(program, work, self.directory) for program in programs]
        for step in work.steps:
            for contestant in [each for each in contestants if each.takes_part(step)]:
                if not self.play_step(work, step, contestant):
                    contestants.remove(contestant)

    def play_step(self, work: Work, step: Step, contestant: Contestant) -> bool:
        """Measures and notes it; false when this program cannot go on."""
        name = contestant.program.name
        title = f"{work.title}, {step.title}, {name}"
        try:
            sample = contestant.play(step, cold=self.cold)
        except Failed as error:
            self.results.failures.append(f"{title}: {error}")
            self.say(f"{title}: FAILED {error}")
            return False
        self.results.add(work.key, step.key, name, sample)
        self.say(f"{title}: {sample.durable:.2f} s")
        return True

    def clear(self) -> None:
        for entry in self.directory.iterdir():
            shutil.rmtree(entry)
