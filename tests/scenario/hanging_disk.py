"""A real file system that stops answering: its FUSE program is stopped and continued."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.scenario.name_disks import disk

_MOMENT = 0.01


class HangingDisk:
    """A mounted exFAT. While it is stopped every call into it waits."""

    def __init__(self, place: Path) -> None:
        self.place = place
        """An empty directory on it."""
        self.program = _program(place.parent)
        """The process id of what answers."""

    def stop(self) -> None:
        os.kill(self.program, signal.SIGSTOP)
        while _state(self.program) != "T":
            time.sleep(_MOMENT)

    def go_on(self) -> None:
        os.kill(self.program, signal.SIGCONT)


@contextmanager
def hanging_disk(place: Path) -> Iterator[HangingDisk]:
    """Skips where this machine has none."""
    with disk(place, "exfat by fuse") as (point, _):
        found = HangingDisk(point)
        try:
            yield found
        finally:
            found.go_on()


def _program(point: Path) -> int:
    """Whose command line names the mount point."""
    wanted = os.fsencode(point)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"exfat" in words[0] and wanted in words:
                return int(process.name)
    raise AssertionError("no program answers for the disk")


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
