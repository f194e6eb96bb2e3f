"""Saves that somebody looks out for: how long each takes until it stands on all other devices.

Each device has one file of its own below `post/`, and a save is one more content of it, written
when the one before has arrived everywhere. What has not arrived when the turmoil ends must be there
at the rest, as everything else.
"""

import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.soak.device import Device
from tests.soak.diary import Diary
from tests.soak.trees import Node, look

_LOOK = 0.01


class Post:
    """What was sent, and how long it was on its way."""

    def __init__(
        self,
        devices: Sequence[Device],
        diary: Diary,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._devices = devices
        self._diary = diary
        self._clock = clock
        self.took: list[float] = []
        """Seconds, of those that arrived while they were looked out for."""
        self.sent = 0
        self.expected: dict[str, Node] = {}

    def send(self, sender: Device, dice: random.Random, over: threading.Event) -> None:
        """A save, looked out for until it is on all other devices or `over` is set."""
        path = f"post/{sender.name}"
        text = f"{path} {dice.getrandbits(64):016x}".encode()
        self._diary.note(sender.name, "save that is followed", path=path)
        sender.standing.lift(path)
        (sender.folder / path).parent.mkdir(exist_ok=True)
        (sender.folder / path).write_bytes(text)
        self.sent += 1
        self.expected[path] = look(sender.folder / path)
        sender.standing.put(path, self.expected[path])
        begun = self._clock()
        others = [device.folder / path for device in self._devices if device is not sender]
        while others:
            arrived = []
            for file in others:
                with suppress(OSError):
                    if file.read_bytes() == text:
                        arrived.append(file)
            others = [file for file in others if file not in arrived]
            if others and over.wait(_LOOK):
                return
        seconds = self._clock() - begun
        self.took.append(seconds)
        self._diary.note(sender.name, "save arrived", path=path, seconds=round(seconds, 3))

    def words(self) -> str:
        """How it went until now."""
        arrived = f"{len(self.took)} of {self.sent} arrived on both others while looked out for"
        if len(self.took) < 2:
            return arrived
        tenths = statistics.quantiles(self.took, n=10, method="inclusive")
        half, most = (
            f"half of them within {tenths[4]:.2f} s",
            f"nine of ten within {tenths[8]:.1f} s",
        )
        return (
            f"{arrived}: {half}, {most}, the slowest {max(self.took):.1f} s; the others by a rest"
        )
