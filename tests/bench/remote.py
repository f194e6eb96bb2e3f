"""Firnline over a server beside `rclone copy`, on one server, in the same run.

    .venv/bin/python -m tests.bench.remote [--server sftp|apache|nginx|s3] [--files N]
        [--large MIB] [--rounds N] [--delay MILLISECONDS]

The server is a real one on a loopback port (`remote_servers.py`); `--delay` is added each way by a
relay in front of it, 0 leaves those rows out.
Each row: seconds of Firnline, seconds of rclone, and the one in the other's measure, then the same
of the processor's time, which says on a busy machine what is the program's own; below, the most
memory of Firnline's process. `--rounds`: so many times for the large file, one program after the
other. With the delay rclone takes minutes for thousands of files. Not part of the test run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.remote_servers import KINDS, NAME, Server, environment, make
from tests.servers.rclone_sftp import program
from tests.servers.relay import relay

SMALL = 4096
"""Bytes of each of many files."""
_PIECE = 1 << 20


class Took(NamedTuple):
    """What one command needed."""

    seconds: float
    processor: float
    """Seconds of all processors, of the user and of the system."""
    memory: int
    """The most at a time, in KiB."""


class Bench:
    """Two devices of Firnline and rclone, with one server."""

    def __init__(self, place: Path, server: Server, port: int) -> None:
        self._place = place
        self._server = server
        self._port = port
        self._count = 0

    def run(self, name: str, fill: Callable[[Path], None]) -> None:
        """Up, down and nothing to do, with a tree that `fill` makes."""
        self._count += 1
        place = self._place / str(self._count)
        source = place / "source"
        source.mkdir(parents=True)
        fill(source)
        ours = self._ours(place, source)
        theirs = self._theirs(place, source)
        for what, mine, other in zip(("up", "down", "nothing"), ours, theirs, strict=True):
            print(f"{name:34} {what:8} {_compared(mine, other)}")
        print(f"{name:34} memory   {max(took.memory for took in ours) >> 10} MiB", flush=True)
        shutil.rmtree(place)

    def _ours(self, place: Path, source: Path) -> list[Took]:
        location, options = self._server.location(place, self._port)
        given = [word for pair in options.items() for word in ("--option", "=".join(pair))]
        for device in ("a", "b"):
            self._firnline(place / device, "store", "add", NAME, location, *given)
        first, second = place / "a" / "docs", place / "b" / "docs"
        for folder in (first, second):
            folder.mkdir(parents=True)
        self._firnline(place / "a", "folder", "create", str(first), "--store", NAME)
        self._firnline(place / "a", "sync")
        self._firnline(place / "b", "folder", "join", "docs", str(second))
        self._firnline(place / "b", "sync")
        shutil.copytree(source, first, dirs_exist_ok=True)
        took = [self._firnline(place / device, "sync") for device in ("a", "b", "b")]
        check_equal(first, second)
        return took

    def _firnline(self, device: Path, *arguments: str) -> Took:
        device.mkdir(exist_ok=True)
        own = {**environment(self._server), "FIRNLINE_PROFILE": str(device / "profile")}
        return timed([sys.executable, "-m", "firnline", *arguments], own)

    def _theirs(self, place: Path, source: Path) -> list[Took]:
        remote = self._server.remote(place, self._port)
        copy = [program(), "--config", "/dev/null", "copy"]
        target = place / "rclone-down"
        commands = [
            [*copy, str(source), remote],
            [*copy, remote, str(target)],
            [*copy, str(source), remote],
        ]
        took = [timed(command, dict(os.environ)) for command in commands]
        check_equal(source, target)
        return took


def _compared(mine: Took, other: Took) -> str:
    ratio, work = mine.seconds / other.seconds, mine.processor / other.processor
    return (
        f"{mine.seconds:7.2f} s  rclone {other.seconds:7.2f} s  ratio {ratio:6.2f}   processor "
        f"{mine.processor:6.2f} s  rclone {other.processor:6.2f} s  ratio {work:6.2f}"
    )


def timed(command: Sequence[str], environment: dict[str, str]) -> Took:
    """A command that fails ends the benchmark."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{command}: {said.read().decode()}")
    return Took(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def check_equal(one: Path, other: Path) -> None:
    """The same files of the same sizes."""
    first, second = ({f.relative_to(p): f.stat().st_size for f in files(p)} for p in (one, other))
    if first != second:
        raise SystemExit(f"{one} and {other} differ")


def files(place: Path) -> Iterator[Path]:
    """Those that people put there."""
    for path in place.rglob("*"):
        if path.is_file() and ".firnline" not in path.parts:
            yield path


def many(count: int, directories: int) -> Callable[[Path], None]:
    """Small files, spread over directories."""

    def fill(place: Path) -> None:
        for number in range(count):
            directory = place / f"d{number % directories}"
            directory.mkdir(exist_ok=True)
            (directory / f"f{number}").write_bytes(os.urandom(SMALL))

    return fill


def one(mebibytes: int) -> Callable[[Path], None]:
    """One large file that no compression makes smaller."""

    def fill(place: Path) -> None:
        with open(place / "large", "wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(_PIECE))

    return fill


@contextmanager
def serving(kind: str) -> Iterator[tuple[Path, Server]]:
    """A place for everything, and a server."""
    with tempfile.TemporaryDirectory(prefix="firnline-bench-") as name:
        place = Path(name)
        (place / "server").mkdir()
        server = make(kind, place / "server")
        server.start()
        try:
            yield place, server
        finally:
            server.stop()


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", choices=KINDS, default="sftp")
    parser.add_argument("--files", type=int, default=2000, help="0: none")
    parser.add_argument("--large", type=int, default=1024, help="MiB; 0: none")
    parser.add_argument("--rounds", type=int, default=1, help="of the large file")
    parser.add_argument("--delay", type=float, default=25.0, help="milliseconds each way")
    wanted = parser.parse_args()
    with serving(wanted.server) as (place, server):
        direct = Bench(place, server, server.port)
        if wanted.files:
            direct.run(f"{wanted.files} files", many(wanted.files, 20))
        for _ in range(wanted.rounds if wanted.large else 0):
            direct.run(f"one file of {wanted.large} MiB", one(wanted.large))
        delayed = ((12.5, 400, 400), (wanted.delay, wanted.files, 20)) if wanted.delay else ()
        for delay, count, directories in delayed:
            with relay(server.port, delay / 1000) as line:
                name = f"{count} files, {directories} dirs, +{delay:g} ms"
                Bench(place, server, line.port).run(name, many(count, directories))


if __name__ == "__main__":
    main()
