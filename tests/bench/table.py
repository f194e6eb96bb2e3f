"""The report: facts, a table for each work, memory, verdicts; as plain text, Markdown or JSON.

Text and Markdown show the same tables; JSON has every sample besides.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tests.bench.peers import Side
from tests.bench.results import OURS, Results, Verdict, verdicts
from tests.bench.trees import MIB
from tests.bench.works import Work

NONE = "-"
COMPARED_WITH = ("rsync", "rclone")


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a head, and rows of as many cells; the first column is text, the others numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run of the benchmark has to say."""

    facts: Mapping[str, str]
    notes: Sequence[str]
    programs: Sequence[str]
    works: Sequence[Work]
    results: Results

    def tables(self) -> list[Table]:
        return [
            *(times(self, work) for work in self.works),
            memory(self),
            targets(self),
        ]

    def verdicts(self) -> list[Verdict]:
        """The targets, where Firnline took part."""
        return verdicts(self.results, self.works) if OURS in self.programs else []


def times(report: Report, work: Work) -> Table:
    """Durable seconds of each step and program, and Firnline's ratios to the peers."""
    judged = work.compared and OURS in report.programs
    peers = [name for name in COMPARED_WITH if judged and name in report.programs]
    shown = [name for name in report.programs if work.compared or name == OURS]
    rows = []
    for step in work.steps:
        results, at = report.results, (work.key, step.key)
        seconds = [number(results.seconds(*at, name), 2) for name in shown]
        ratios = [number(results.ratio(*at, name), 2) for name in peers]
        rows.append((step.title, *seconds, *ratios))
    head = ("durable seconds", *shown, *(f"{OURS}/{name}" for name in peers))
    return Table(work.title, head, tuple(rows))


def memory(report: Report) -> Table:
    """Peak memory of each work, device and program."""
    rows = []
    for work in report.works:
        for side in Side:
            peaks = [report.results.peak(work, side, name) for name in report.programs]
            cells = [number(None if peak is None else peak / MIB, 0) for peak in peaks]
            rows.append((f"{work.title}, {side}", *cells))
    return Table("Peak memory", ("MiB", *report.programs), tuple(rows))


def targets(report: Report) -> Table:
    """Each target with its verdict."""
    rows = [
        (
            verdict.title,
            number(verdict.measured, verdict.digits),
            number(verdict.limit, verdict.digits),
            verdict.unit,
            verdict.word,
        )
        for verdict in report.verdicts()
    ]
    return Table("Targets", ("target", "measured", "limit", "unit", "verdict"), tuple(rows))


def number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def as_text(report: Report) -> str:
    """For a terminal: columns in line."""
    blocks = ["\n".join(f"{name}: {value}" for name, value in report.facts.items())]
    blocks += [f"{table.title}\n{text_grid(table)}" for table in report.tables() if table.rows]
    blocks += ["\n".join(f"Note: {note}" for note in all_notes(report))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def text_grid(table: Table) -> str:
    lines = (table.head, *table.rows)
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    return "\n".join("  ".join(padded(line, widths)) for line in lines)


def padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(line, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]


def as_markdown(report: Report) -> str:
    """For a document."""
    blocks = ["\n".join(f"- {name}: {value}" for name, value in report.facts.items())]
    for table in report.tables():
        if table.rows:
            rule = ("---", *("---:" for _ in table.head[1:]))
            lines = (f"| {' | '.join(line)} |" for line in (table.head, rule, *table.rows))
            blocks += [f"**{table.title}**", "\n".join(lines)]
    blocks += ["\n".join(f"- Note: {note}" for note in all_notes(report))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def all_notes(report: Report) -> list[str]:
    return [*report.notes, *(f"FAILED {failure}" for failure in report.results.failures)]


def as_json(report: Report) -> str:
    """For a program: one document, times in seconds and memory in bytes."""
    steps = [
        {
            "work": work,
            "step": step,
            "program": program,
            "durable_median": report.results.seconds(work, step, program),
            "firnline_ratio": report.results.ratio(work, step, program),
            "samples": [asdict(sample) for sample in samples],
        }
        for (work, step, program), samples in report.results.samples.items()
    ]
    held = [{**asdict(verdict), "passed": verdict.passed} for verdict in report.verdicts()]
    document = {
        "facts": dict(report.facts),
        "notes": list(report.notes),
        "failures": report.results.failures,
        "steps": steps,
        "targets": held,
    }
    return json.dumps(document, indent=2) + "\n"
