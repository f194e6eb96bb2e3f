"""One measurement: a command run by `stopwatch.py`, as a `Sample`; and commands without a clock.

POSIX only. A command that fails or takes longer than half an hour raises `Failed`; in the latter
case, and when the benchmark is interrupted, the command and what it started are killed.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STOPWATCH = Path(__file__).with_name("stopwatch.py")
TIME_LIMIT = 1800.0
QUOTED = 3
"""How many of the last lines that a failed command wrote are passed on."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One command: seconds until it ended, seconds until durable, bytes of peak memory."""

    wall: float
    durable: float
    rss: int
    cold: bool
    """Whether the page cache was dropped just before."""


class Failed(Exception):
    """A command did not do what it had to; the message says which, and its last words."""


def clean_environment() -> dict[str, str]:
    """The environment without the user's own settings of the measured programs."""
    names = ("FIRNLINE_", "RCLONE_", "RSYNC_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    return kept | {"LC_ALL": "C.UTF-8", "RCLONE_CONFIG": "/notfound"}


def execute(command: Sequence[str]) -> str:
    """Runs a command, untimed; returns its standard output. Raises `Failed`."""
    output, words, code = run(command)
    check(command, code, words)
    return output


def measure(command: Sequence[str], directory: Path, *, cold: bool) -> Sample:
    """Runs a command and times it; what it writes lies on the file system of `directory`.

    With `cold` the page cache is dropped first where that is allowed; `Sample.cold` says whether
    it was. Raises `Failed`.
    """
    cache = "cold" if cold else "warm"
    watch = [sys.executable, "-I", "-S", str(STOPWATCH), cache, str(directory), *command]
    output, words, watch_code = run(watch)
    check(watch, watch_code, words)
    code, wall, durable, rss, dropped = json.loads(output.splitlines()[-1])
    check(command, code, words)
    return Sample(wall, durable, rss, dropped)


def run(command: Sequence[str]) -> tuple[str, str, int]:
    """Standard output, standard error and exit code of a command.

    Raises `Failed` when it cannot be started or takes too long.
    """
    try:
        child = subprocess.Popen(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # A group of its own, so that all of it can be ended.
            start_new_session=True,
        )
    except OSError as error:
        raise Failed(f"{command[0]}: {error.strerror}") from error
    try:
        output, words = child.communicate(timeout=TIME_LIMIT)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"{describe(command)}: not done after {TIME_LIMIT:.0f} s") from error
        raise
    return output, words, child.returncode


def check(command: Sequence[str], code: int, words: str) -> None:
    """Raises `Failed` unless the code says that all is well."""
    if code != 0:
        last_words = " | ".join(line.strip() for line in words.splitlines()[-QUOTED:])
        raise Failed(f"{describe(command)}: exit code {code}. {last_words}".strip())


def describe(command: Sequence[str]) -> str:
    """The command as one reads it in a message."""
    return " ".join((Path(command[0]).name, *command[1:]))
