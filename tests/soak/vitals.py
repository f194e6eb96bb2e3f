"""What a process holds of the computer: memory, open files, threads, and how that grows.

Where the system does not tell (no /proc), nothing is known and nothing is said.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Vitals(NamedTuple):
    """At one moment."""

    memory: int
    """Resident, in bytes."""
    files: int
    """That it has open, sockets and all."""
    threads: int

    def most(self, other: "Vitals") -> "Vitals":
        """The larger of each."""
        return Vitals(*map(max, self, other))

    def __str__(self) -> str:
        memory = f"{self.memory / 2**20:.1f} MiB"
        return f"{memory}, {self.files} open files, {self.threads} threads"


NOTHING = Vitals(0, 0, 0)


def vitals_of(pid: int) -> Vitals:
    """Of a process that runs; `NOTHING` when it does not, or the system does not tell."""
    with suppress(OSError, StopIteration, ValueError):
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        numbers = [
            int(next(line for line in status if line.startswith(name)).split()[1])
            for name in ("VmRSS:", "Threads:")
        ]
        return Vitals(numbers[0] * 1024, len(os.listdir(f"/proc/{pid}/fd")), numbers[1])
    return NOTHING


class Life:
    """One process from its start, looked at now and then."""

    GROWN_UP = 10.0
    """Seconds after which it has loaded what it needs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.first = NOTHING
        """When it had grown up."""
        self.last = NOTHING

    def see(self, found: Vitals, seconds: float) -> None:
        """How it was when it was `seconds` old."""
        if found != NOTHING:
            self.seconds, self.last = seconds, found
            if self.first == NOTHING and seconds >= self.GROWN_UP:
                self.first = found
