"""The `firnline run` of one device: started, killed at any moment, and started again.

One thread at a time starts and ends it; all may look at it.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.soak.device import MISTAKES, Device, peak_memory
from tests.soak.diary import Diary
from tests.soak.patience import Patience
from tests.soak.vitals import NOTHING, Life, vitals_of

UP_WITHIN = 60.0
"""Seconds until it takes commands, on a computer that has much else to do."""
STOPS_WITHIN = 15.0
"""Seconds; five are promised, where nobody else needs the computer."""
_LOOK = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")
_HELD = "holds this profile"
_NEVER = (*MISTAKES, "uses the identity of this one")
"""Nobody cloned anything."""


class Service:
    """It is down until it is started."""

    def __init__(self, device: Device, base: Path, diary: Diary) -> None:
        self.name = device.name
        self._device = device
        self._diary = diary
        self._out, self._err = (base / device.name / f"run.{kind}" for kind in ("out", "err"))
        self._log = device.profile / "logs"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self.turned: list[float] = []
        """When it was started or ended (`time.monotonic`)."""
        self._said: set[str] = set()
        self.peak = 0
        """The largest memory of any process, in bytes."""
        self.most = NOTHING
        """The most that any process held of each."""
        self.lives: list[Life] = []
        """Of each process that was started."""

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def turned_between(self, start: float, end: float) -> bool:
        """True when it was started or ended in that span (`time.monotonic`)."""
        return any(start <= moment <= end for moment in list(self.turned))

    def start(self) -> None:
        """Not waited for."""
        self._diary.note(self._device.name, "start")
        self.turned.append(time.monotonic())
        self._process = self._device.start(self._out, self._err, "run")
        self.lives.append(Life())
        self._started = self.turned[-1]

    def look_at_vitals(self) -> None:
        """How much memory, files and threads the process holds."""
        process = self._process
        if process is not None:
            found = vitals_of(process.pid)
            self.most = self.most.most(found)
            self.lives[-1].see(found, time.monotonic() - self._started)

    def kill(self) -> None:
        """At this moment, whatever it does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As the system asks it to; how it went becomes a finding when it is not as promised."""
        self._end(signal.SIGTERM)

    def freeze(self, seconds: float) -> None:
        """It does nothing for so long, wherever it was, and goes on then."""
        process = self._process
        if process is None or not self.look():
            return
        self._diary.note(self._device.name, "freeze of the service", seconds=round(seconds, 3))
        process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None or not self.look():
            return
        self.peak = max(self.peak, peak_memory(process.pid))
        self.look_at_vitals()
        self.turned.append(time.monotonic())
        early = not self._listens()
        process.send_signal(number)
        patience = Patience(STOPS_WITHIN)
        while process.poll() is None and not patience.is_over:
            patience.wait(_LOOK)
        if process.poll() is None:
            self._find(f"did not end within {STOPS_WITHIN:.0f} s of signal {number}")
            process.kill()
        code = process.wait()
        self.turned.append(time.monotonic())
        what = "kill of the service" if number is signal.SIGKILL else "stop of the service"
        self._diary.note(self._device.name, what, code=code, seconds=round(patience.spent, 3))
        # Who is told to end before it can listen ends as any program.
        expected = {-number} if number is signal.SIGKILL or early else set()
        if code not in expected | {0} and not self._was_refused(code):
            self._find(f"ended with {code}: {self._words()!r}")
        self._look_at_words()
        self._process = None

    def look(self) -> bool:
        """Whether it runs. One that ended without being told to is a finding, but for one that was
        started while a command of its own had the profile."""
        if self.is_up:
            return True
        process, self._process = self._process, None
        if process is None:
            return False
        if not self._was_refused(process.returncode):
            self._find(f"ended by itself with {process.returncode}: {self._words()!r}")
        return False

    def _was_refused(self, code: int) -> bool:
        refused = code == 4 and _HELD in self._words()
        if refused:
            self._diary.note(self._device.name, "start refused")
        return refused

    def be_up(self) -> None:
        """Started if need be, and taking commands."""
        patience = Patience(UP_WITHIN)
        while not (self.look() and self._listens()):
            if patience.is_over:
                self._find(f"is not up after {UP_WITHIN:.0f} s: {self._words()!r}")
                return
            if not self.is_up:
                self.start()
            patience.wait(_LOOK)

    def _listens(self) -> bool:
        """It has said what it keeps, or that it was told to leave all alone."""
        return any(word in self._words() for word in ("Keeping", "paused"))

    def seconds_of_work(self) -> float:
        """Processor time until now; 0 when it does not run or the system does not tell."""
        process = self._process
        try:
            text = Path(f"/proc/{process.pid}/stat").read_text() if process else ""
        except OSError:
            text = ""
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0

    def check_words(self) -> None:
        """What no process may say, on its standard error or in its log."""
        if self._process is not None:
            self.peak = max(self.peak, peak_memory(self._process.pid))
            self.look_at_vitals()
        self._look_at_words()
        for file in sorted(self._log.glob("*.log*")):
            self._look_at(file.read_text(errors="replace"))

    def _look_at_words(self) -> None:
        self._look_at(self._words())

    def _look_at(self, text: str) -> None:
        """Each line once, with the one before it, which says what was being done."""
        before = ""
        for line in text.splitlines():
            if any(mark in line for mark in _NEVER):
                told = f"{before} {line.strip()}".strip()
                if told not in self._said:
                    self._said.add(told)
                    self._find(told)
            before = line

    def _words(self) -> str:
        return self._err.read_text(errors="replace") if self._err.exists() else ""

    def _find(self, text: str) -> None:
        self._diary.find(self._device.name, f"firnline run: {text}")
