"""The arithmetic of the benchmark: medians, ratios, peaks and verdicts."""

from pathlib import Path

import pytest
from tests.bench.measure import Sample
from tests.bench.peers import Side
from tests.bench.results import Results, Verdict, verdicts
from tests.bench.trees import MIB
from tests.bench.works import Step, Work

FIRST = Step("first", "first pass", Side.SEND, first=True)
SECOND = Step("second", "second device", Side.RECEIVE, first=True)
RENAMED = Step("renamed", "folder renamed", Side.SEND, seconds=0.5)


def nothing(root: Path) -> None:
    raise AssertionError("no tree is built in these tests")


def work_of(*steps: Step, memory: int | None = None, compared: bool = True) -> Work:
    return Work("w", "some work", nothing, steps, MIB, memory=memory, compared=compared)


def results_of(*samples: tuple[str, str, float, int]) -> Results:
    """Of (step, program, durable seconds, MiB); the program ends well before its writes do."""
    results = Results()
    for step, program, durable, rss in samples:
        results.add("w", step, program, Sample(durable / 2, durable, rss * MIB, cold=True))
    return results


def test_seconds_are_the_median_of_the_durable_times() -> None:
    """One slow round of three does not count, and the time until durable is the one taken."""
    results = results_of(
        ("first", "firnline", 1.0, 9), ("first", "firnline", 60.0, 9), ("first", "firnline", 2.0, 9)
    )
    assert results.seconds("w", "first", "firnline") == 2.0


def test_seconds_of_an_even_number_of_rounds_lie_between_the_middle_two() -> None:
    """With two rounds the median is their mean."""
    results = results_of(("first", "rsync", 1.0, 9), ("first", "rsync", 2.0, 9))
    assert results.seconds("w", "first", "rsync") == 1.5


def test_a_ratio_is_our_median_through_theirs() -> None:
    """Twice as quick as the peer is one half."""
    results = results_of(("first", "firnline", 2.0, 9), ("first", "rclone", 4.0, 9))
    assert results.ratio("w", "first", "rclone") == 0.5


@pytest.mark.parametrize("present", ["firnline", "rclone"])
def test_there_is_no_ratio_without_both(present: str) -> None:
    """Where one of the two took no part there is nothing to compare."""
    results = results_of(("first", present, 2.0, 9))
    assert results.ratio("w", "first", "rclone") is None
    assert results.seconds("w", "second", present) is None


def test_the_peak_is_the_largest_of_all_steps_on_one_side() -> None:
    """Memory of the other device and of other programs does not count."""
    results = results_of(
        ("first", "firnline", 1.0, 40),
        ("renamed", "firnline", 1.0, 70),
        ("renamed", "firnline", 1.0, 60),
        ("second", "firnline", 1.0, 90),
        ("first", "rclone", 1.0, 300),
    )
    work = work_of(FIRST, SECOND, RENAMED)
    assert results.peak(work, Side.SEND, "firnline") == 70 * MIB
    assert results.peak(work, Side.RECEIVE, "firnline") == 90 * MIB
    assert results.peak(work, Side.RECEIVE, "rclone") is None


def test_the_limits_are_held_against_rclone_and_against_seconds() -> None:
    """A step with a limit of its own has two targets, and each is judged alone."""
    results = results_of(("renamed", "firnline", 0.6, 9), ("renamed", "rclone", 0.8, 9))
    assert verdicts(results, [work_of(RENAMED)]) == [
        Verdict("some work: folder renamed, not slower than rclone", 0.6, 0.8, "s", 2),
        Verdict("some work: folder renamed", 0.6, 0.5, "s", 2),
    ]


def test_a_step_is_held_against_rsync_where_it_took_part() -> None:
    """As a multiple of its time in the same run; without it there is nothing to hold."""
    work = work_of(Step("first", "first pass", Side.SEND, first=True, rsync=1.2))
    ours = ("first", "firnline", 1.5, 9)
    assert verdicts(results_of(ours, ("first", "rsync", 1.0, 9)), [work]) == [
        Verdict("some work: first pass, beside rsync", 1.5, 1.2, "x", 2)
    ]
    assert verdicts(results_of(ours), [work]) == []


def test_memory_is_judged_on_both_devices() -> None:
    """Peaks and the limit are in MiB."""
    results = results_of(("first", "firnline", 1.0, 100), ("second", "firnline", 1.0, 200))
    work = work_of(FIRST, SECOND, memory=150 * MIB, compared=False)
    assert verdicts(results, [work]) == [
        Verdict("some work: memory, sending device", 100.0, 150.0, "MiB", 1),
        Verdict("some work: memory, receiving device", 200.0, 150.0, "MiB", 1),
    ]


def test_a_work_that_is_not_compared_has_no_target_in_rclone() -> None:
    """Even where rclone was measured."""
    results = results_of(("first", "firnline", 9.0, 9), ("first", "rclone", 1.0, 9))
    assert verdicts(results, [work_of(FIRST, compared=False)]) == []


def test_what_failed_is_not_passed() -> None:
    """A target stays in the list when Firnline never got to it."""
    (verdict,) = verdicts(results_of(("first", "rclone", 1.0, 9)), [work_of(FIRST)])
    assert (verdict.measured, verdict.passed, verdict.word) == (None, False, "not measured")


@pytest.mark.parametrize(
    ("measured", "word"), [(0.4, "PASS"), (0.5, "PASS"), (0.501, "over"), (None, "not measured")]
)
def test_the_limit_itself_is_allowed(measured: float | None, word: str) -> None:
    """At the limit is passed, above it is over, whatever the digits shown."""
    assert Verdict("", measured, 0.5, "s", 1).word == word
