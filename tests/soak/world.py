"""Three devices, three stores, the people, and the turmoil.

Each device knows other stores; `a` knows all, so that everything gets everywhere. All below one
place, which is left as it is.
"""

import random
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.soak.device import Device
from tests.soak.diary import Diary
from tests.soak.graves import Graves
from tests.soak.ledger import Ledger
from tests.soak.own_area import OwnArea
from tests.soak.shared_area import SharedArea
from tests.soak.shelf import Shelf
from tests.soak.trees import Node

import firnline

KNOWN = {"a": ("s1", "s2", "s3"), "b": ("s1", "s2"), "c": ("s2", "s3")}
STORES = ("s1", "s2", "s3")
Loop = Callable[[threading.Event], None]


@dataclass(frozen=True, slots=True)
class Habits:
    """How busy everybody is; spans are means, in seconds."""

    between_acts: float = 0.6
    between_passes: float = 2.0
    store_stays: float = 20.0
    store_away: float = 6.0
    set_back: float = 0.2
    """How often a store comes back as its backup, if it has one."""
    killed: float = 0.3
    """The part of the passes that are killed, if they last that long."""
    kill_within: float = 1.2
    """Of what passes took of late."""
    shared: float = 0.25
    """The part of the acts that are done where all work."""


class Dice(dict[str, random.Random]):
    """One for each name: the same throws for the same seed and name."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __missing__(self, name: str) -> random.Random:
        self[name] = random.Random(f"{self._seed} {name}")
        return self[name]


class Person:
    """Who works on one device."""

    def __init__(self, device: Device, diary: Diary, dice: random.Random) -> None:
        about = (device.folder, device.name, device.standing, diary, dice)
        self.own = OwnArea(*about)
        self._shared = SharedArea(*about)
        self.dice = dice
        (device.folder / device.name).mkdir()

    def act(self, shared: float) -> None:
        """One thing; `shared` is how often it is done where all work."""
        area = self._shared if self.dice.random() < shared else self.own
        area.act()


class World:
    """All of it. `seed` decides what everybody does, but not when the system lets them."""

    def __init__(self, place: Path, seed: int, diary: Diary, habits: Habits | None = None) -> None:
        self.place = place
        self.diary = diary
        self.habits = habits or Habits()
        self.ledger = Ledger()
        self.dice = Dice(seed)
        self.graves = Graves(diary, self.dice["graves"])
        (place / "stores").mkdir()
        # Of its own, so that the checkout can be worked on meanwhile.
        program = place / "program"
        package = Path(firnline.__file__).parent
        shutil.copytree(package, program / "firnline", ignore=shutil.ignore_patterns("*.pyc"))
        self.shelves = {name: Shelf(place / "stores" / name, diary) for name in STORES}
        self.devices = [
            self._device(name, [self.shelves[store] for store in stores], program)
            for name, stores in KNOWN.items()
        ]
        self.people: list[Person] = []
        self.peak = 0
        """The largest memory of any pass, in bytes."""

    def _device(self, name: str, shelves: list[Shelf], program: Path) -> Device:
        return Device(self.place, name, shelves, self.diary, program)

    def expected(self) -> dict[str, Node]:
        """What must stand in every folder, where that is known to the byte; nobody may work."""
        known = dict(self.graves.expected)
        for person in self.people:
            known |= person.own.expected()
        return known

    def all_up(self) -> None:
        """Whoever should run all the time does."""

    def end(self, *, well: bool) -> None:
        """Nothing runs any more; `well`: what would run on is told to end, and has to."""

    def begin(self) -> None:
        """Everybody joins, and has something in the folder."""
        for number, device in enumerate(self.devices):
            device.join(first=number == 0)
        for device in self.devices:
            person = Person(device, self.diary, self.dice[f"person {device.name}"])
            self.people.append(person)
            person.act(shared=0.0)

    def turmoil(self, seconds: float) -> None:
        """People work, passes run and die, stores come and go; at the end all stores are back."""
        self.diary.note("all", "turmoil", seconds=seconds)
        over = threading.Event()
        loops = self._loops()
        with ThreadPoolExecutor(len(loops)) as pool:
            running = [pool.submit(loop, over) for loop in loops]
            deadline = time.monotonic() + seconds
            try:
                while time.monotonic() < deadline and not any(each.done() for each in running):
                    time.sleep(0.05)
            finally:
                over.set()
        for each in running:
            each.result()

    def _loops(self) -> list[Loop]:
        """All that goes on in the turmoil; each ends soon after its event is set."""
        loops = [self._working(person) for person in self.people]
        loops += [self._syncing(device) for device in self.devices]
        return loops + [self._vanishing(shelf) for shelf in self.shelves.values()]

    def _working(self, person: Person) -> Loop:
        dice, habits = person.dice, self.habits

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / habits.between_acts)):
                person.act(habits.shared)

        return loop

    def _syncing(self, device: Device) -> Loop:
        dice, habits = self.dice[f"passes {device.name}"], self.habits

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / habits.between_passes)):
                doomed = dice.random() < habits.killed
                end = dice.uniform(0.0, habits.kill_within * device.usual_seconds)
                self.sync(device, end if doomed else None)

        return loop

    def sync(
        self, device: Device, kill_after: float | None = None, *, at_rest: bool = False
    ) -> int:
        """A pass and its exit code; what stood still while it went well is taken in."""
        if kill_after is not None:
            self.diary.note(device.name, "kill", after=kill_after)
        before = device.standing.now()
        done = device.sync(kill_after, at_rest=at_rest)
        self.peak = max(self.peak, done.peak)
        if device.took_all(done):
            self.ledger.take(device.name, before, device.standing.now())
        return done.code

    def _vanishing(self, shelf: Shelf) -> Loop:
        dice, habits = self.dice[f"store {shelf.name}"], self.habits

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / habits.store_stays)):
                shelf.leave(mount_point=dice.random() < 0.5)
                over.wait(dice.expovariate(1 / habits.store_away))
                shelf.come_back(older=dice.random() < habits.set_back)

        return loop
