"""Holds each package of Firnline to its own floor of covered lines and branches.

Assumes a data file left by `pytest --cov` and the floors of [tool.firnline.coverage-floors] in
pyproject.toml, in percent, `default` for packages without one of their own. Promises exit code 1
and one line for each package below its floor, naming the files that pull it down.
"""

import json
import sys
import tempfile
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "app" / "firnline"
TOP = "firnline"


@dataclass(slots=True)
class Count:
    """Lines and branches of one package."""

    covered: int = 0
    total: int = 0
    incomplete: list[str] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """Of lines and branches together; an empty package is covered."""
        return 100 * self.covered / self.total if self.total else 100.0


def count_packages() -> dict[str, Count]:
    """Coverage by package, modules that stand beside the packages under `firnline`."""
    counts: dict[str, Count] = defaultdict(Count)
    for name, summary in measured_files():
        path = (ROOT / name).relative_to(SOURCE)
        count = counts[path.parts[0] if len(path.parts) > 1 else TOP]
        covered = summary["covered_lines"] + summary["covered_branches"]
        total = summary["num_statements"] + summary["num_branches"]
        count.covered += covered
        count.total += total
        if covered < total:
            count.incomplete.append(path.as_posix())
    return counts


def measured_files() -> list[tuple[str, dict[str, int]]]:
    """File names and summaries of the last run."""
    coverage = Coverage(config_file=str(ROOT / "pyproject.toml"))
    coverage.load()
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "coverage.json"
        coverage.json_report(outfile=str(report))
        files = json.loads(report.read_bytes())["files"]
    return [(name, entry["summary"]) for name, entry in files.items()]


def main() -> int:
    """Compare and tell; returns the exit code."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        floors = tomllib.load(file)["tool"]["firnline"]["coverage-floors"]
    counts = sorted(count_packages().items())
    low = [(name, count) for name, count in counts if count.percent < floor(floors, name)]
    for name, count in low:
        print(
            f"{name}: {count.percent:.1f} %, needs {floor(floors, name)} %: "
            f"{', '.join(count.incomplete)}"
        )
    if not low:
        print(", ".join(f"{name} {count.percent:.1f} %" for name, count in counts))
    return 1 if low else 0


def floor(floors: dict[str, float], package: str) -> float:
    """The least percentage that a package must reach."""
    return floors.get(package, floors["default"])


if __name__ == "__main__":
    sys.exit(main())
