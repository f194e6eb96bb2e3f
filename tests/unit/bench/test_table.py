"""The benchmark's report as text, Markdown and JSON."""

import json
from pathlib import Path

from tests.bench.measure import Sample
from tests.bench.peers import Side
from tests.bench.results import Results
from tests.bench.table import Report, Table, as_json, as_markdown, as_text, text_grid
from tests.bench.trees import MIB
from tests.bench.works import Step, Work


def nothing(root: Path) -> None:
    raise AssertionError("no tree is built in these tests")


WORK = Work(
    "w",
    "some work",
    nothing,
    (
        Step("first", "first pass", Side.SEND, first=True),
        Step("second", "second device", Side.RECEIVE, first=True),
    ),
    MIB,
    memory=150 * MIB,
)


def report(*programs: str) -> Report:
    """Firnline took 2 s and rclone 4 s for the first pass; nobody got to the second device."""
    results = Results()
    known = {"rclone": Sample(3.0, 4.0, 80 * MIB, True), "firnline": Sample(1, 2, 50 * MIB, True)}
    for name in programs:
        results.add("w", "first", name, known[name])
    results.failures.append("second device: no")
    return Report({"python": "3.11"}, ["a note"], programs, [WORK], results)


def test_columns_stand_in_line() -> None:
    """The first column is flush left, numbers are flush right."""
    table = Table("", ("seconds", "a"), (("one", "1.00"), ("two", "20.00")))
    assert text_grid(table).splitlines() == ["seconds      a", "one       1.00", "two      20.00"]


def test_the_text_has_times_ratios_memory_and_verdicts() -> None:
    """Each number stands where its row and column say; what was not measured is a dash."""
    text = as_text(report("rclone", "firnline"))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "python: 3.11" in lines
    assert "durable seconds rclone firnline firnline/rclone" in lines
    assert "first pass 4.00 2.00 0.50" in lines
    assert "second device - - -" in lines
    assert "some work, sending 80 50" in lines
    assert "some work: first pass, not slower than rclone 2.00 4.00 s PASS" in lines
    assert "some work: memory, sending device 50.0 150.0 MiB PASS" in lines
    assert "some work: memory, receiving device - 150.0 MiB not measured" in lines
    assert "Note: a note" in lines
    assert "Note: FAILED second device: no" in lines


def test_without_firnline_there_are_no_targets() -> None:
    """The peers alone are measured, and not judged."""
    text = as_text(report("rclone"))
    assert "4.00" in text
    assert "Targets" not in text


def test_a_work_for_the_memory_shows_firnline_alone() -> None:
    """Peers that took no part in it have no column of dashes."""
    work = Work("w", "many", nothing, WORK.steps, MIB, compared=False)
    shown = report("rclone", "firnline")
    times = Report(shown.facts, [], shown.programs, [work], shown.results).tables()[0]
    assert times.head == ("durable seconds", "firnline")
    assert times.rows[0] == ("first pass", "2.00")


def test_markdown_has_the_same_cells() -> None:
    """One row of the table of times, with its rule."""
    lines = as_markdown(report("rclone", "firnline")).splitlines()
    assert "| durable seconds | rclone | firnline | firnline/rclone |" in lines
    assert "| --- | ---: | ---: | ---: |" in lines
    assert "| first pass | 4.00 | 2.00 | 0.50 |" in lines


def test_json_has_every_sample_and_every_target() -> None:
    """Times in seconds, memory in bytes, verdicts as booleans."""
    document = json.loads(as_json(report("firnline", "rclone")))
    ours, theirs = document["steps"]
    assert ours["samples"] == [{"wall": 1, "durable": 2, "rss": 50 * MIB, "cold": True}]
    assert (ours["durable_median"], ours["firnline_ratio"]) == (2, 1)
    assert (theirs["program"], theirs["firnline_ratio"]) == ("rclone", 0.5)
    passed = {target["title"]: target["passed"] for target in document["targets"]}
    assert passed == {
        "some work: first pass, not slower than rclone": True,
        "some work: memory, sending device": True,
        "some work: memory, receiving device": False,
    }
    assert document["failures"] == ["second device: no"]
