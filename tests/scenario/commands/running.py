"""`firnline run` of a device, as a real process."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.scenario.commands.device import Device

PATIENCE = 20.0
"""Seconds after which something counts as never happening; everything here takes far less."""
STOPS_WITHIN = 5.0
"""Seconds: the promise."""
_LOOK = 0.01


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Returns as soon as `condition` holds; it has to within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(_LOOK)


class Running:
    """The process, and what it said."""

    def __init__(self, device: Device, output: int | None = None) -> None:
        """`output`: a descriptor for its standard output, in place of what can be `reported`."""
        self.device = device
        self._said = device.base / "run.err"
        with self._said.open("wb") as errors, (device.base / "run.out").open("wb") as out:
            self.process = subprocess.Popen(
                device.command("run"),
                env=device.environment,
                cwd=device.base,
                stdout=out if output is None else output,
                stderr=errors,
                stdin=subprocess.DEVNULL,
            )

    @property
    def said(self) -> str:
        """Standard error until now."""
        return self._said.read_text()

    @property
    def reported(self) -> str:
        """Standard output until now."""
        return (self.device.base / "run.out").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The exit code, within the time that was promised."""
        self.process.send_signal(number)
        return self.process.wait(STOPS_WITHIN)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def running(device: Device, output: int | None = None) -> Iterator[Running]:
    """A device whose `firnline run` is up; it ends in peace, or the test fails."""
    process = Running(device, output)
    try:
        until(lambda: "Keeping" in process.said or process.process.poll() is not None)
        yield process
        if process.process.poll() is None:
            assert process.stop() == 0, process.said
    finally:
        if process.process.poll() is None:
            process.kill()


def holds(device: Device, path: str, text: str) -> Callable[[], bool]:
    """Whether a file of the device's folder has that text."""

    def look() -> bool:
        try:
            return device.read(path) == text
        except OSError:
            return False

    return look


def is_gone(path: Path) -> Callable[[], bool]:
    """Whether nothing stands there any more."""
    return lambda: not path.exists()
