"""A server as an ordinary background process on a free loopback port.

Each has a process group of its own, which is ended as a whole: some servers have workers that
outlive a plain kill of their parent. A server that cannot be started is a failure, never a skip.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
_PATIENCE = 20.0
_STEP = 0.02


class ServerError(Exception):
    """A server did not start; the message has what it said."""


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A running server; `stop` and `start` may follow one another."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        end: signal.Signals = signal.SIGTERM,
    ) -> None:
        """`end`: what it is asked to end with; some take their time."""
        self.port = port
        self._command = list(command)
        self._log = log
        self._env = dict(env) if env is not None else None
        self._end = end
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections. Raises ServerError."""
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._env,
                start_new_session=True,
            )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise ServerError(f"{self._command[0]}: {self._log.read_text(errors='replace')}")
            time.sleep(_STEP)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        """End it and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        # sshd gives each connection a session of its own, so the group does not hold them.
        below = list(_descendants(process.pid))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, self._end)
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for child in below:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        for child in below:
            while Path(f"/proc/{child}").exists():
                time.sleep(_STEP)


def _descendants(process: int) -> Iterator[int]:
    """Its children, and theirs."""
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                yield child
                yield from _descendants(child)
