"""Simulated lives of devices, by seed: python -m tests.simulation --seeds 100 --from 0

Prints what it tried, and for each seed that fails a line to replay it by and what happened in it.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from tests.scenario.stories import MOST_IN_A_BATCH
from tests.simulation.life import Life

from firnline.folder.handles import Handles
from firnline.stores import durability
from firnline.sync import differences, publisher


class Lived(NamedTuple):
    """What came of one seed."""

    seed: int
    trace: list[str]
    failure: str | None
    hours: float
    passes: int
    quiet_points: int


def live(seed: int) -> Lived:
    """One seed, in a directory of its own that is gone afterwards."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="firnline-", dir=where) as place, _quick():
        life = Life(Path(place), seed)
        with ThreadPoolExecutor(1) as thread:
            error = thread.submit(life.run).exception()
        failure = "".join(traceback.format_exception(error)) if error else None
        trace = [line.replace(place, "") for line in life.trace]
        return Lived(seed, trace, failure, life.hours, life.passes, life.quiet_points)


@contextmanager
def _quick() -> Iterator[None]:
    """Nothing waits for disks, and small files are large ones."""
    with ExitStack() as stack:
        for owner, name in (
            (os, "fsync"),
            (os, "fdatasync"),
            (durability, "sync_filesystem"),
            (Handles, "sync_all"),
        ):
            stack.enter_context(mock.patch.object(owner, name, return_value=True))
        for module in (publisher, differences):
            stack.enter_context(mock.patch.object(module, "MAX_BODIES", MOST_IN_A_BATCH))
        yield


def main(arguments: list[str]) -> int:
    """0 when all seeds came to their end."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, help="no new seed after so long")
    parser.add_argument("--trace", action="store_true", help="tell what happened in any case")
    options = parser.parse_args(arguments)
    begun, lived = time.monotonic(), list[Lived]()
    for seed in range(options.first, options.first + options.seeds):
        if options.minutes and time.monotonic() - begun > options.minutes * 60:
            break
        lived.append(live(seed))
        _tell(lived[-1], trace=options.trace)
    failed = [str(life.seed) for life in lived if life.failure]
    hours, passes = sum(life.hours for life in lived), sum(life.passes for life in lived)
    quiet = sum(life.quiet_points for life in lived)
    print(
        f"simulation: {len(lived):,} seeds, {hours:,.0f} simulated hours, {passes:,} passes,"
        f" {quiet:,} quiet points in {time.monotonic() - begun:.0f} s;"
        f" {len(failed)} failed{': ' + ' '.join(failed) if failed else ''}"
    )
    return 1 if failed else 0


def _tell(life: Lived, *, trace: bool) -> None:
    if life.failure or trace:
        print("\n".join(life.trace))
    if life.failure:
        print(life.failure)
        print(f"replay: python -m tests.simulation --seeds 1 --from {life.seed}", flush=True)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is part of what a seed says.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], environment
        )
    sys.exit(main(sys.argv[1:]))
