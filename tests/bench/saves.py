"""Measures how long a save takes to the other device while programs watch, and what waiting costs.

    .venv/bin/python tests/bench/saves.py [--programs firnline syncthing unison] [--files N]
                                          [--saves N] [--idle SECONDS] [--stores N]

Two devices on this machine hold the same tree. One file after the other is written and closed on
the first one; the time is from there until the second one reads the new content. Firnline goes
through directory stores, of which the first is measured and all are kept; Syncthing connects both
devices over the loopback with its shortest watcher delay (1 s), Unison compares both trees every
second. Idle: processor time and voluntary context switches of all threads of all processes of the
program, and the resident memory of the larger device.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

# Started as a script, Python looks for modules beside it only: the checkout is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.live_programs import PROGRAMS, Place
from tests.bench.machine import facts
from tests.bench.trees import Shape, build_many

FILES_EACH = 100
SAVED_BYTES = 3000
PATIENCE = 60.0
_LOOK = 0.001
_TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """What processes used until now."""

    seconds: float
    """Of the processor."""
    switches: int
    """Voluntary ones."""
    memory: int
    """Resident bytes of the largest one."""


class Measured(NamedTuple):
    """Of one program."""

    program: str
    times: list[float]
    idle: Cost | None


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="firnline-bench-", dir=options.dir) as name:
        base = Path(name)
        for fact, value in facts(base).items():
            print(f"{fact}: {value}")
        print(f"{options.files:,} files, {options.saves} saves")
        for program in options.programs:
            show(measure(program, base / program, options), options.idle)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", nargs="+", choices=[*PROGRAMS], default=[*PROGRAMS])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--saves", type=int, default=50)
    parser.add_argument("--stores", type=int, default=1, help="of Firnline (1)")
    parser.add_argument("--idle", type=float, default=0.0, help="seconds to watch it wait (0)")
    parser.add_argument("--dir", default=os.environ.get("TMPDIR", "/var/tmp"))
    return parser.parse_args(arguments)


def measure(program: str, base: Path, options: argparse.Namespace) -> Measured:
    """One program, from an empty place to its end."""
    place = Place(base, [base / f"store {number}" for number in range(options.stores)])
    for directory in (place.first, place.second):
        directory.mkdir(parents=True)
    build_many(place.first, Shape(options.files // FILES_EACH, FILES_EACH, 200))
    paths = sorted(path for path in place.first.rglob("*.bin"))
    with ExitStack() as stack:
        processes = stack.enter_context(running(PROGRAMS[program](place)))
        arrives(place, place.first / "ready.bin", b"ready")
        chance = random.Random(1)
        times = []
        for _ in range(options.saves):
            times.append(arrives(place, chance.choice(paths), chance.randbytes(SAVED_BYTES)))
            time.sleep(chance.uniform(0.3, 1.3))
        idle = watch_idle(processes, options.idle) if options.idle else None
    return Measured(program, times, idle)


@contextmanager
def running(
    commands: Sequence[tuple[Sequence[str], dict[str, str]]],
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """The processes of a program, ended in the end."""
    processes = [
        subprocess.Popen(
            command,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command, environment in commands
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(PATIENCE)


def arrives(place: Place, path: Path, content: bytes) -> float:
    """Seconds from the moment when the file is closed until its copy has this content."""
    copy = place.second / path.relative_to(place.first)
    path.write_bytes(content)
    begun = time.perf_counter()
    until(lambda: has(copy, content), f"{path} never arrived")
    return time.perf_counter() - begun


def has(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def until(holds: Callable[[], bool], complaint: str) -> None:
    end = time.perf_counter() + PATIENCE
    while not holds():
        if time.perf_counter() > end:
            raise SystemExit(complaint)
        time.sleep(_LOOK)


# --- idle ---------------------------------------------------------------------------------------


def watch_idle(processes: Sequence["subprocess.Popen[bytes]"], seconds: float) -> Cost:
    """After a moment to come to rest."""
    time.sleep(10)
    before = cost(processes)
    time.sleep(seconds)
    after = cost(processes)
    used = after.seconds - before.seconds
    return Cost(used, after.switches - before.switches, after.memory)


def cost(processes: Sequence["subprocess.Popen[bytes]"]) -> Cost:
    """Of those processes and of what they started."""
    seconds, switches, memory = 0.0, 0, 0
    for pid in family(process.pid for process in processes):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / _TICK
        memory = max(memory, field(Path(f"/proc/{pid}/status"), "VmRSS") * 1024)
        for thread in Path(f"/proc/{pid}/task").iterdir():
            switches += field(thread / "status", "voluntary_ctxt_switches")
    return Cost(seconds, switches, memory)


def family(pids: Iterator[int]) -> list[int]:
    """Those processes and all below them."""
    found = list(pids)
    for pid in found:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def field(file: Path, name: str) -> int:
    """A number in one of the kernel's tables."""
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return 0


def show(measured: Measured, seconds: float) -> None:
    times = sorted(measured.times)
    last = times[min(len(times) * 99 // 100, len(times) - 1)]
    line = f"{measured.program:10} median {statistics.median(times):.3f} s, 99 % {last:.3f} s"
    if measured.idle is not None:
        used, switches, memory = measured.idle
        share = used / seconds * 100
        line += (
            f"; idle {seconds:.0f} s: {used:.2f} s of the processor ({share:.2f} % of a core),"
            f" {switches} switches, {memory / 2**20:.0f} MiB"
        )
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
