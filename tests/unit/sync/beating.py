"""Devices that beat in one directory, each with clocks of its own; stores fail as they are told."""

from datetime import timedelta

from tests.doubles.faulty_store import FaultyStore
from tests.doubles.still_clock import StillClock

from firnline.core.steps import no_steps
from firnline.stores.directory import DirectoryStore
from firnline.stores.layout import ConnectionLayout
from firnline.sync.connection import ReplacedError
from firnline.sync.context import Connected
from firnline.sync.heartbeat import Heartbeat

STORE_ID = "s" * 16


class OffClock(StillClock):
    """A device's clock: runs with the world's, and shows something else."""

    def __init__(self, world, off=timedelta()):
        super().__init__()
        self._world = world
        self.off = off

    def now(self):
        return self._world.now() + self.off

    def monotonic(self):
        return self._world.monotonic()


class TimedDirectory(DirectoryStore):
    """A directory whose file system shows the test's time."""

    shown: StillClock | None = None

    def server_time(self):
        super().server_time()
        return self.shown.now() if self.shown is not None else None


class Device:
    """One run of one device in a store directory."""

    def __init__(self, base, world, connection="c" * 16, run="r" * 16, *, steps=no_steps, **more):
        self.clock = OffClock(world, more.pop("off", timedelta()))
        inner = TimedDirectory(base, connection=connection, clock=self.clock, steps=steps)
        inner.shown = more.pop("store_clock", world)
        self.store = FaultyStore(inner, self.clock)
        self.base = base
        self.connection = connection
        connected = Connected(
            "nas",
            self.store,
            STORE_ID,
            "g" * 16,
            connection,
            50,
            minor=False,
            require_current=self._require_current,
        )
        self.heart = Heartbeat(connected, run=run, clock=self.clock)

    def _require_current(self):
        if not (self.base / "is_current").exists():
            raise ReplacedError(STORE_ID, None)

    @property
    def leads(self):
        return self.heart.look().lead == self.connection


def mount(base):
    base.mkdir(exist_ok=True)
    (base / "is_current").touch()
    return base


def beats_of(base, connection="c" * 16):
    """Names and bodies of a connection's beats."""
    directory = base / ConnectionLayout(connection).directory
    return {path.name: path.read_text() for path in sorted(directory.glob("idle_*"))}
