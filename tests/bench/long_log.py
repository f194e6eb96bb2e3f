"""Measures that a long log costs nothing while nothing is new: the start of the program and a poll.

    .venv/bin/python tests/bench/long_log.py [--events N] [--few N] [--saves N] [--dir DIR]

Two devices share one directory store. The log has N single events over months, of which the
folder's two thousand files are what is left; the same once more with few events, which is the peer.
Measured for both: a pass with nothing to do, how long `firnline run` takes until it keeps the
folder, how long a save takes to the other device, and what the processor does for it on the device
that receives it. First readings are printed besides: they grow with the log.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

# Started as a script, Python looks for modules beside it only: the checkout is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.live_programs import Place, execute
from tests.bench.machine import facts
from tests.bench.saves import arrives, cost, until
from tests.scenario.forging import change, single

from firnline.core.clock import format_time
from firnline.core.event import Op
from firnline.core.hashing import NO_PARENT, PLAIN, Ref
from firnline.stores.layout import FolderId, FolderLayout, parse_folder_directory

PATHS = 2_000
BETWEEN = timedelta(seconds=60)
REST = 3.0
"""Seconds after which a device that took something in has come to rest."""


class Figures(NamedTuple):
    """Seconds, all of them."""

    first_reading: float
    nothing: float
    start: float
    arrival: float
    processor: float
    """Per save, of the device that receives it."""


ROWS = (
    ("first reading", "first_reading"),
    ("firnline sync, nothing to do", "nothing"),
    ("firnline run, until it keeps the folder", "start"),
    ("save to arrival, median", "arrival"),
    ("processor per save, receiving", "processor"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="firnline-bench-", dir=options.dir) as name:
        for fact, value in facts(Path(name)).items():
            print(f"{fact}: {value}")
        few, many = (
            measure(Place(Path(name) / str(count), [Path(name) / f"{count} store"]), count, options)
            for count in (options.few, options.events)
        )
    print(f"{'seconds':42}{options.few:>10,}{options.events:>10,}     ratio")
    for title, field in ROWS:
        short, long = getattr(few, field), getattr(many, field)
        print(f"{title:42}{short:10.3f}{long:10.3f}{long / short if short else 0:10.2f}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--few", type=int, default=2_000)
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--dir", default=os.environ.get("TMPDIR", "/var/tmp"))
    return parser.parse_args(arguments)


def measure(place: Place, count: int, options: argparse.Namespace) -> Figures:
    """From an empty place to its end."""
    for directory in (place.first, place.second):
        directory.mkdir(parents=True)
    firnline(place.first, "store", "add", "store", place.stores[0])
    firnline(place.first, "folder", "create", place.first, "--name", "bench")
    (place.first / "first").write_text("first")
    firnline(place.first, "sync")
    write_log(place.stores[0], count)
    firnline(place.second, "store", "add", "store", place.stores[0])
    firnline(place.second, "folder", "join", "bench", place.second)
    first_reading = timed(place.second, "sync")
    firnline(place.first, "sync")
    nothing = statistics.median(timed(place.second, "sync") for _ in range(5))
    sender, start_of_sender = started(place.first)
    receiver, start = started(place.second)
    try:
        arrival, processor = saves(place, receiver, options.saves)
    finally:
        for process in (sender, receiver):
            process.terminate()
            process.wait()
    return Figures(first_reading, nothing, max(start, start_of_sender), arrival, processor)


def saves(place: Place, receiver: "subprocess.Popen[bytes]", count: int) -> tuple[float, float]:
    """The median time to arrival, and what one costs the receiver's processor."""
    time.sleep(REST)
    arrives(place, place.first / "ready", b"ready")
    time.sleep(REST)
    before, times = cost([receiver]).seconds, []
    for number in range(count):
        times.append(arrives(place, place.first / f"saved {number}", b"%d" % number))
        time.sleep(0.5)
    return statistics.median(times), (cost([receiver]).seconds - before) / count


def write_log(store: Path, count: int) -> None:
    """Single events of one device, one a minute, each on top of the last of its path."""
    found = parse_folder_directory(next(store.glob("bench-*")).name)
    assert found is not None, "the store has the folder"
    layout = FolderLayout(found[0], FolderId(found[1]))
    moment, parents = datetime.now(UTC) - (count + 60) * BETWEEN, dict[str, Ref]()
    for number in range(count):
        path, body = f"{number % 50}/{number % PATHS}", b"%d" % number
        moment += BETWEEN
        parent = parents.get(path, NO_PARENT)
        draft = single(change(Op.PUT, path, body, parent), body, time=format_time(moment))
        day = store / layout.events_day(draft.name[:8])
        day.mkdir(parents=True, exist_ok=True)
        (day / draft.name).write_bytes(b"".join(draft.body))
        for indexed in draft.index_paths if path not in parents else ():
            file = store / layout.index(PLAIN.path(indexed))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(indexed.encode())
        parents[path] = draft.ref


def started(tree: Path) -> tuple["subprocess.Popen[bytes]", float]:
    """`firnline run`, and the seconds until it says that it keeps the folder."""
    said = tree.with_name(f"{tree.name} said")
    begun = time.perf_counter()
    with said.open("wb") as file:
        process = subprocess.Popen(
            [*command(tree), "run"], stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    until(lambda: b"Keeping" in said.read_bytes(), "it keeps nothing")
    return process, time.perf_counter() - begun


def timed(tree: Path, *words: str) -> float:
    begun = time.perf_counter()
    firnline(tree, *words)
    return time.perf_counter() - begun


def firnline(tree: Path, *words: str | Path) -> None:
    execute(*command(tree), *words)


def command(tree: Path) -> list[str]:
    profile = tree.with_name(f"{tree.name} profile")
    return [sys.executable, "-m", "firnline", "--profile", str(profile)]


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
