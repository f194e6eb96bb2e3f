"""A device: a profile, a folder, and `firnline sync` as real processes that may be killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.soak.diary import Diary
from tests.soak.ledger import Standing
from tests.soak.patience import Patience
from tests.soak.shelf import Shelf

FOLDER = "Work"
PATIENCE = 300.0
"""Seconds after which a pass counts as hanging."""
_LOOK = 0.01
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
MISTAKES = ("Traceback", "a mistake in the program")
_AT_WORK = f"{FOLDER}:"
"""How a line begins that is about one path: somebody is at work on it."""
_WAITS = "firnline: waiting until another Firnline"
"""A pass that began while a process that was just started had not begun to take commands."""
NOWHERE = "no store in reach has "
_NOT_LOOKED = "nothing is told or changed before"
"""Of a store that left while a new device read it: such a pass took nothing in."""


@dataclass(frozen=True, slots=True)
class Pass:
    """How one process went."""

    code: int
    output: str
    errors: str
    started: float
    ended: float
    peak: int
    """Memory in bytes, where the system tells; else 0."""
    stopped: float = 0.0
    """Seconds in which the whole computer stood still."""

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Device:
    """One of those who share the folder. `shelves` are the stores that it knows."""

    def __init__(
        self,
        base: Path,
        name: str,
        shelves: Sequence[Shelf],
        diary: Diary,
        program: Path | None = None,
    ) -> None:
        """`program`: where Firnline's package lies; None: where ours is."""
        self.name = name
        self.folder = base / name / "folder"
        self.profile = base / name / "profile"
        self.shelves = list(shelves)
        self._environment = dict(os.environ)
        if program is not None:
            self._environment["PYTHONPATH"] = str(program)
        self.standing = Standing()
        self.usual_seconds = 0.5
        """What passes took of late."""
        self._diary = diary
        self._out, self._err = (base / name / f"pass.{kind}" for kind in ("out", "err"))

    def join(self, *, first: bool) -> None:
        """Make the folder, or join it."""
        self.folder.parent.mkdir(parents=True)
        self.command("config", "set", "device.name", self.name)
        for shelf in self.shelves:
            self.command("store", "add", shelf.name, str(shelf.path))
        if first:
            self.folder.mkdir()
            self.command("folder", "create", str(self.folder), "--name", FOLDER)
        else:
            self.command("folder", "join", FOLDER, str(self.folder))

    def command(self, *arguments: str) -> bytes:
        """Standard output of a command that must do what it says."""
        done = subprocess.run(
            self._arguments(*arguments),
            env=self._environment,
            capture_output=True,
            timeout=PATIENCE,
        )
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace")
            raise RuntimeError(f"{self.name}: firnline {' '.join(arguments)}: {text}")
        return done.stdout

    def sync(self, kill_after: float | None = None, *, at_rest: bool = False) -> Pass:
        """One pass, killed after that many seconds; what is wrong with it becomes a finding.

        At rest nobody works in the folder.
        """
        done = self.carry_out("sync", kill_after=kill_after)
        self._diary.note(
            self.name,
            "kill that hit" if done.killed else "pass",
            code=done.code,
            seconds=round(done.ended - done.started, 3),
            peak=done.peak,
            output=done.output,
            errors=done.errors,
        )
        if not (done.killed and kill_after is not None):
            self.usual_seconds += (done.ended - done.started - self.usual_seconds) / 5
            for text in self.complaints(done, at_rest=at_rest):
                self._diary.find(self.name, text)
        return done

    def carry_out(self, *arguments: str, kill_after: float | None = None) -> Pass:
        """A command, killed after that many seconds. One at a time."""
        started = time.monotonic()
        patience = Patience(PATIENCE if kill_after is None else kill_after)
        process = self.start(self._out, self._err, *arguments)
        peak = 0
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            if patience.is_over:
                process.kill()
                process.wait()
                break
            patience.wait(_LOOK)
        output, errors = (path.read_text(errors="replace") for path in (self._out, self._err))
        ended, stopped = time.monotonic(), patience.stopped
        return Pass(process.returncode, output, errors, started, ended, peak, stopped)

    def start(self, out: Path, err: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that is not waited for; what it says is written over what stood there."""
        with out.open("wb") as output, err.open("wb") as errors:
            return subprocess.Popen(
                self._arguments(*arguments),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    def complaints(self, done: Pass, *, at_rest: bool) -> list[str]:
        """What no pass may do: crash, hang, fail without a reason that is true."""
        if done.killed:
            return [f"a pass took more than {PATIENCE:.0f} seconds"]
        found = [line for line in done.errors.splitlines() if any(m in line for m in MISTAKES)]
        if done.code not in self._honest_codes(done):
            found.append(f"exit code {done.code}: {done.errors!r}")
        if done.code != 0 and not done.errors:
            found.append(f"exit code {done.code} without a word")
        for line in self._not_of_stores(done):
            if at_rest or not (
                line.startswith((_AT_WORK, _WAITS)) or self.is_out_of_reach(line, done)
            ):
                found.append(f"unexplained: {line}")
        return found

    def is_out_of_reach(self, line: str, done: Pass) -> bool:
        """A store was named first and left then, before it gave what it has alone."""
        span = done.started, done.ended
        return NOWHERE in line and any(shelf.away_between(*span) for shelf in self.shelves)

    def took_all(self, done: Pass) -> bool:
        """It had nothing to tell but that stores are away, so all that stood still is taken in."""
        honest = done.code in self._honest_codes(done) and _NOT_LOOKED not in done.errors
        return honest and not self._not_of_stores(done)

    def _honest_codes(self, done: Pass) -> tuple[int, ...]:
        """A store's place that stands empty may have been wiped: a question for the user."""
        span = done.started, done.ended
        empty = any(shelf.away_between(*span, mount_point=True) for shelf in self.shelves)
        return (0, 1, 3) if empty else (0, 1)

    def _not_of_stores(self, done: Pass) -> list[str]:
        """What it said, but for the lines that name a store which was away or is an older one."""
        span = done.started, done.ended
        names = [s.name for s in self.shelves if s.set_back or s.away_between(*span)]
        named = re.compile(rf"\bstore ({'|'.join(names)})\b") if names else None
        lines = done.errors.splitlines()
        return [line for line in lines if named is None or not named.search(line)]

    def _arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firnline", "--profile", str(self.profile), *arguments]


def peak_memory(pid: int) -> int:
    """The largest resident size so far. Asked of the process itself: what the system tells when it
    ends includes what was ours when it was started."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = _PEAK.search(status)
    return 0 if found is None else int(found.group(1)) * 1024
