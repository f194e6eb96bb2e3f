"""Measures how long a save takes from one device to another while both keep their folders open.

    .venv/bin/python tests/bench/latency.py [--files N] [--saves N] [--flat] [--profile]

Two devices share a directory store. Each save is told to the first one's quick pass as whoever
watches the folder would tell it, and the names that are new in the store to the second one's. The
times are those of the two passes: what watching adds (the wait until a file is still) is not in
them. Each `sync` is a call that waits for the disk.
"""

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

# Started as a script, Python looks for modules beside it only: the checkout is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.trees import Shape, build_many
from tests.doubles.profile import Profile

from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.open_folder import open_folder
from firnline.sync.context import FolderContext
from firnline.sync.folder_pass import PassReport, run_pass
from firnline.sync.scope import Scope

FILES_EACH = 50
STILL = 0.06
"""Seconds: a pass waits until a file is still."""
MILLISECONDS = 1e3


class Syncs:
    """Counts the calls that wait for the disk, but for those of SQLite."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        for name in ("fsync", "fdatasync"):
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, call: Callable[[int], None]) -> Callable[[int], None]:
        def counted(descriptor: int) -> None:
            self.counts[name] += 1
            call(descriptor)

        return counted

    def take(self) -> int:
        total = self.counts.total()
        self.counts.clear()
        return total


class Steps:
    """Counts the commits of one pass."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        self.names.append(name)

    def take(self) -> list[str]:
        found, self.names = [n for n in self.names if n.startswith("commit ")], []
        return found


class Device:
    """A profile whose folder is open for many passes."""

    def __init__(self, base: Path) -> None:
        self.profile = Profile(base)
        self.steps = Steps()

    @contextmanager
    def open(self) -> Iterator[FolderContext]:
        with self.profile.engine(steps=self.steps) as engine:
            (folder,) = engine.folders([])
            with open_folder(engine, folder) as context:
                run_pass(context)
                self.steps.take()
                yield context


class Timed:
    """The figures of one kind of pass."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.times: list[float] = []
        self.syncs: list[int] = []
        self.commits: list[list[str]] = []
        self.profile = cProfile.Profile()

    def __str__(self) -> str:
        times = sorted(t * MILLISECONDS for t in self.times)
        return (
            f"{self.name}: {statistics.median(times):.1f} ms"
            f" ({times[0]:.1f} to {times[-1]:.1f}), {statistics.median(self.syncs):g} syncs,"
            f" {statistics.median(map(len, self.commits)):g} commits"
            f" ({', '.join(name.removeprefix('commit ') for name in self.commits[-1])})"
        )


class Bench:
    def __init__(self, base: Path, options: argparse.Namespace) -> None:
        self._options = options
        self._syncs = Syncs()
        self._store = base / "store"
        self._first, self._second = Device(base / "first"), Device(base / "second")
        self._tells, self._learns = Timed("folder to store"), Timed("store to folder")
        self._known: set[str] = set()

    def run(self) -> None:
        first, second = self._first.profile, self._second.profile
        each = self._options.files if self._options.flat else FILES_EACH
        build_many(first.folder, Shape(self._options.files // each, each, 1024))
        for profile in (first, second):
            profile.add_store("nas", self._store)
        with first.engine() as engine:
            create_folder(engine, str(first.folder), None, ["nas"])
        first.sync()
        with second.engine() as engine:
            join_folder(engine, first.folder.name, str(second.folder), None, [])
        second.sync()
        with self._first.open() as sender, self._second.open() as receiver:
            self._news()
            # What was written so far is not waited for by the first saves.
            os.sync()
            for number in range(self._options.saves):
                self._save(sender, receiver, number)
        print(self._tells, self._learns, sep="\n")
        for timed in (self._tells, self._learns) if self._options.profile else ():
            pstats.Stats(timed.profile).sort_stats("cumulative").print_stats(45)

    def _save(self, sender: FolderContext, receiver: FolderContext, number: int) -> None:
        files = sorted(self._first.profile.folder.rglob("*.bin"))
        file = files[number * 7919 % len(files)]
        if number % 2:
            file = file.with_name(f"new {number}.bin")
        path = file.relative_to(self._first.profile.folder).as_posix()
        file.write_bytes(os.urandom(2000))
        time.sleep(STILL)
        hint = frozenset({path})
        report = self._pass(self._tells, self._first, sender, Scope(hint, {}))
        assert report.written == 1, report.problems
        news = {receiver.stores[0].store_id: self._news()}
        report = self._pass(self._learns, self._second, receiver, Scope(frozenset(), news))
        assert (self._second.profile.folder / path).read_bytes() == file.read_bytes()

    def _pass(
        self, timed: Timed, device: Device, context: FolderContext, scope: Scope
    ) -> PassReport:
        self._syncs.take()
        with timed.profile if self._options.profile else nullcontext():
            begin = time.perf_counter()
            report = run_pass(context, scope)
            timed.times.append(time.perf_counter() - begin)
        timed.syncs.append(self._syncs.take())
        timed.commits.append(device.steps.take())
        return report

    def _news(self) -> frozenset[str]:
        """Names in the store that were not there at the last look."""
        names = {path.name for path in self._store.glob("*/events/*/*")}
        found, self._known = names - self._known, names
        return frozenset(found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--saves", type=int, default=40)
    parser.add_argument("--flat", action="store_true", help="all files in one directory")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    parser.add_argument("--dir", type=Path, help="where to work, instead of the temporary files")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        name = tempfile.TemporaryDirectory(prefix="firnline-latency-", dir=options.dir)
        Bench(Path(stack.enter_context(name)), options).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
