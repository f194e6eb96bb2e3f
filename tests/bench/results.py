"""What was measured, and the arithmetic on it: medians, ratios, peaks, and the verdicts.

Of times the median of the rounds counts, of memory the largest. A ratio is Firnline's median
through another program's, both from the same run.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.measure import Sample
from tests.bench.peers import Side
from tests.bench.trees import MIB
from tests.bench.works import Step, Work

OURS = "firnline"
BAR = "rclone"
"""The program than which no work may be slower."""
QUICKEST = "rsync"
"""The program that keeps no history."""


@dataclass(slots=True)
class Results:
    """Samples by work, step and program, and what went wrong."""

    samples: dict[tuple[str, str, str], list[Sample]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, work: str, step: str, program: str, sample: Sample) -> None:
        self.samples.setdefault((work, step, program), []).append(sample)

    def of(self, work: str, step: str, program: str) -> Sequence[Sample]:
        """The samples of one cell, one of each round; none where the program took no part."""
        return self.samples.get((work, step, program), ())

    def seconds(self, work: str, step: str, program: str) -> float | None:
        """The median of the durable times."""
        samples = self.of(work, step, program)
        return median(sample.durable for sample in samples) if samples else None

    def ratio(self, work: str, step: str, program: str) -> float | None:
        """Firnline's median through that of the program: below 1 Firnline is quicker."""
        ours, theirs = self.seconds(work, step, OURS), self.seconds(work, step, program)
        return None if ours is None or not theirs else ours / theirs

    def peak(self, work: Work, side: Side, program: str) -> int | None:
        """The most memory, in bytes, that the program took in any step on this side."""
        cells = (self.of(work.key, step.key, program) for step in work.steps if step.side is side)
        return max((sample.rss for samples in cells for sample in samples), default=None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target: what was measured against what is allowed, in one unit.

    Nothing was measured (None) when the program failed before or there.
    """

    title: str
    measured: float | None
    limit: float
    unit: str
    digits: int
    """How many decimals of the two numbers mean something."""

    @property
    def passed(self) -> bool:
        return self.measured is not None and self.measured <= self.limit

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        return "PASS" if self.passed else "over"


def verdicts(results: Results, works: Iterable[Work]) -> list[Verdict]:
    """All targets of these works, in their order; without those for which rclone is missing."""
    found: list[Verdict] = []
    for work in works:
        for step in work.steps:
            found += time_verdicts(results, work, step)
        found += memory_verdicts(results, work)
    return found


def time_verdicts(results: Results, work: Work, step: Step) -> list[Verdict]:
    """Not slower than rclone where the work is compared; within the step's own limits."""
    seconds = results.seconds(work.key, step.key, OURS)
    bar = results.seconds(work.key, step.key, BAR) if work.compared else None
    title = f"{work.title}: {step.title}"
    limits = [(f"{title}, not slower than {BAR}", bar), (title, step.seconds)]
    found = [Verdict(text, seconds, limit, "s", 2) for text, limit in limits if limit is not None]
    if work.compared and step.rsync is not None and results.of(work.key, step.key, QUICKEST):
        ratio = results.ratio(work.key, step.key, QUICKEST)
        found.append(Verdict(f"{title}, beside {QUICKEST}", ratio, step.rsync, "x", 2))
    return found


def memory_verdicts(results: Results, work: Work) -> list[Verdict]:
    """Peak memory on either device."""
    if work.memory is None:
        return []
    peaks = {side: results.peak(work, side, OURS) for side in Side}
    return [
        Verdict(
            f"{work.title}: memory, {side} device",
            None if peak is None else peak / MIB,
            work.memory / MIB,
            "MiB",
            1,
        )
        for side, peak in peaks.items()
    ]
