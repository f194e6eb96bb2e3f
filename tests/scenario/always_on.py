"""Whole devices of which all runs as in `firnline run`, within the test's own process: its clocks
and its stores are the test's, so that years pass and stores misbehave as told.

Each has a loop on a thread of its own, and the threads that it makes itself; files, databases and
watches are real.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from tests.doubles.faulty_store import FaultyStore
from tests.doubles.profile import Profile

from firnline.core.polling import Pace
from firnline.core.steps import no_steps
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.live import links
from firnline.engine.live import service as live
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.live.watches import MakeWatcher
from firnline.engine.runtime import Engine
from firnline.engine.surroundings import Surroundings
from firnline.engine.sync_command import FolderOutcome
from firnline.engine.system import SystemClock
from firnline.stores.base import Listed, Store
from firnline.sync import connection
from firnline.sync.connection import Expected, Opener, Peer
from firnline.sync.context import Connected, Progress
from firnline.watch.watcher import make_watcher

PATIENCE = 20.0
"""Seconds after which something counts as never happening."""
_LOOK = 0.01


class MovableClock(SystemClock):
    """The computer's, and so much later or earlier by the wall."""

    def __init__(self) -> None:
        self.off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off


class OddStore(FaultyStore):
    """Fails as it is told; tells its own time; may show half of the names."""

    def __init__(self, inner: Store, world: "World") -> None:
        super().__init__(inner, SystemClock())
        self._world = world

    def server_time(self) -> datetime | None:
        found = super().server_time()
        return None if found is None else found + self._world.stores_off

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        listed = [*super().list(directory, after, sizes)]
        hides = self._world.hides_half and "/events" in directory
        return iter(listed[::2] if hides else listed)


class World:
    """What holds for the stores of all devices, and where they are opened."""

    def __init__(self) -> None:
        self.stores_off = timedelta(0)
        """How far the stores' clocks are from the truth."""
        self.hides_half = False
        """Listings show every second event only."""
        self.opened: list[tuple[str, OddStore]] = []
        """Name and store of each connection, in order."""
        self.before: Callable[[str, OddStore], None] = lambda name, store: None
        """Called with each connection before it is used."""

    def connect(self, opener: Opener, expected: Expected, peer: Peer) -> Connected:
        def odd(connection_hash: str | None) -> Store:
            store = OddStore(opener(connection_hash), self)
            self.opened.append((expected.name, store))
            self.before(expected.name, store)
            return store

        return connection.connect(odd, expected, peer)


@contextmanager
def the_world(*, watched: bool = True) -> Iterator[World]:
    """Inside, stores are opened as the world says, and clocks are looked at all the time. Without
    `watched` stores are polled, quickly."""
    world = World()
    with ExitStack() as stack:
        stack.enter_context(patch.object(links, "connect", world.connect))
        stack.enter_context(patch.object(live, "BETWEEN_LOOKS", 0.1))
        if not watched:
            stack.enter_context(patch.object(links, "_watch_of", lambda *_: None))
            stack.enter_context(patch.object(links, "POLLED", Pace(0.1, 0.1)))
        yield world


class Alive:
    """A device that runs until it is stopped."""

    def __init__(
        self, device: Profile, clock: MovableClock, watcher: MakeWatcher = make_watcher
    ) -> None:
        self.passes: list[FolderOutcome] = []
        self.told: Callable[[FolderOutcome], None] = self.passes.append
        """Hears of each pass, on the loop's thread."""
        self._device = device
        self._clock = clock
        self._watcher = watcher
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))
        self._thread.start()
        assert self._up.wait(PATIENCE)

    async def _live(self) -> None:
        outside = Surroundings(self._clock, os.urandom, no_steps, Progress(), lambda: False)
        with Engine.open(self._device.places, outside, lock=True) as engine:
            self._gate = LoopGate(asyncio.get_running_loop(), self._clock)
            self._service = Service(
                engine, self._gate, lambda outcome: self.told(outcome), self._watcher
            )
            self._up.set()
            await self._service.run()

    def stop(self) -> float:
        """Returns the seconds that it took."""
        begun = time.monotonic()
        self._gate.post(self._service.stop)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return time.monotonic() - begun


@contextmanager
def alive(
    device: Profile, clock: MovableClock | None = None, watcher: MakeWatcher = make_watcher
) -> Iterator[Alive]:
    """Inside, the device runs."""
    running = Alive(device, clock or MovableClock(), watcher)
    try:
        yield running
    finally:
        running.stop()


def until(condition: Callable[[], object]) -> None:
    """Returns as soon as `condition` holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(_LOOK)


def holds(device: Profile, path: str, text: str) -> Callable[[], bool]:
    """Whether a file of the device's folder has that text."""

    def look() -> bool:
        try:
            return device.read(path) == text
        except OSError:
            return False

    return look


def owners(base: Path, known: Iterable[tuple[str, Iterable[Path]]]) -> list[Profile]:
    """Devices that share the folder `docs`, each through its own stores."""
    found: list[Profile] = []
    for name, stores in known:
        device = Profile(base / name)
        for store in stores:
            device.add_store(store.name, store)
        with device.engine() as engine:
            if found:
                join_folder(engine, "docs", str(device.folder), None, [])
            else:
                create_folder(engine, str(device.folder), "docs", [])
        found.append(device)
    return found
