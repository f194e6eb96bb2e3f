"""A command at a terminal, with a person who reads and types."""

import os
import pty
import select
import subprocess
import time
from contextlib import suppress

from tests.scenario.commands.device import Device

PATIENCE = 20.0


class Terminal:
    """A process whose standard streams are a terminal; `screen` is all that stood on it."""

    def __init__(self, device: Device, *arguments: str, **environment: str) -> None:
        self._device = device
        self.screen = ""
        self._read = 0
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            device.command(*arguments),
            env=device.environment | environment,
            cwd=device.base,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def expect(self, text: str) -> None:
        """Wait until `text` stands on the screen, below what was expected before."""
        end = time.monotonic() + PATIENCE
        while text not in self.screen[self._read :]:
            assert self._more(end), f"{text!r} did not come: {self.screen!r}"
        self._read = self.screen.index(text, self._read) + len(text)

    def type(self, text: str) -> None:
        """A line."""
        os.write(self._master, f"{text}\n".encode())

    def answer(self, question: str, text: str) -> None:
        self.expect(question)
        self.type(text)

    def end(self) -> int:
        """Read to the end; the exit code."""
        end = time.monotonic() + PATIENCE
        while self._more(end):
            pass
        os.close(self._master)
        return self.process.wait(PATIENCE)

    def _more(self, end: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
        with suppress(OSError):  # how Linux says that nobody has the other end open
            found = os.read(self._master, 65536) if ready else b""
            self.screen += found.decode("utf-8", "replace")
            return bool(found)
        return False
