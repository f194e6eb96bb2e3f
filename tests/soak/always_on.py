"""The turmoil where every device runs `firnline run`, which is killed at any moment.

People, stores and what must hold are those of `world.py`. Nobody waits for a pass here: commands
come in while the processes run, settings change under them, and some processes are told to end in
place of being killed.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.soak.device import FOLDER, NOWHERE, Device, Pass
from tests.soak.diary import Diary
from tests.soak.post import Post
from tests.soak.service import Service
from tests.soak.shelf import Shelf
from tests.soak.trees import Node
from tests.soak.world import Habits, Loop, World

_HELD = "holds this profile"
_BROKEN_OFF = "the Firnline that runs ended before it was done"
_ENDING = "the Firnline that runs is just ending"
_BUSY = "a folder did not come to rest in time"
_BETWEEN_LOOKS = 1.0
"""Seconds between two looks at what the processes hold."""
_LONGEST_FREEZE = 8.0
"""Seconds; whoever hands over a command is let go when it is not read within ten."""
_STARTS = 30.0
"""Seconds that a start may take on a computer that has much else to do."""


@dataclass(frozen=True, slots=True)
class LiveHabits(Habits):
    """How busy everybody is; spans are means, in seconds."""

    lives: float = 12.0
    """From a start until somebody ends the process."""
    stays_down: float = 2.0
    down: float = 0.4
    """How often it is not started at once."""
    asked: float = 0.2
    """How often it is told to end and not killed."""
    frozen: float = 0.2
    """How often it stands still for a while in place of being ended."""
    thaws: float = 2.0
    between_commands: float = 6.0
    paused: float = 2.0
    """A folder, until somebody says that it goes on."""
    between_sent: float = 3.0
    """Saves of each person that are looked out for."""
    still: float = 3.0
    """Without any change, after which it is asked whether anything is left to do."""
    watched: float = 6.0
    """In which it is watched that nothing happens at rest."""


class LiveDevice(Device):
    """A device whose commands are carried out by its `firnline run` while there is one."""

    service: Service

    def complaints(self, done: Pass, *, at_rest: bool) -> list[str]:
        """A command may say that who carried it out was killed, and nothing but that."""
        return [] if self.was_broken_off(done) else super().complaints(done, at_rest=at_rest)

    def is_out_of_reach(self, line: str, done: Pass) -> bool:
        """Whoever copied what stood in a store that left brought names without contents: nothing
        waits for what nobody can supply. They come with who has them, at the latest by the rest."""
        return NOWHERE in line

    def took_all(self, done: Pass) -> bool:
        return not self.was_broken_off(done) and super().took_all(done)

    def was_broken_off(self, done: Pass) -> bool:
        """True when it did nothing since who carried it out ended, or was just starting."""
        turned = self.service.turned_between(done.started, done.ended)
        if done.code == 1 and any(each in done.errors for each in (_BROKEN_OFF, _ENDING)):
            return turned
        if done.code == 1 and _BUSY in done.errors:
            return done.stopped > 0
        # It holds the profile before it can take commands.
        starting = self.service.turned_between(done.started - _STARTS, done.ended)
        return done.code == 4 and _HELD in done.errors and starting


class LiveWorld(World):
    """As `World`, but for what brings the changes about."""

    def __init__(
        self, place: Path, seed: int, diary: Diary, habits: LiveHabits | None = None
    ) -> None:
        self.live = habits or LiveHabits()
        super().__init__(place, seed, diary, self.live)
        self.services: dict[str, Service] = {}
        for device in self.devices:
            assert isinstance(device, LiveDevice)
            self.services[device.name] = service = Service(device, place, diary)
            device.service = service
        self.post = Post(self.devices, diary)
        self.settled: list[float] = []
        """Seconds that each rest took until nothing changed any more."""
        self.work_at_rest = 0.0
        """The largest share of a core that a process used when all were at rest."""

    def _device(self, name: str, shelves: list[Shelf], program: Path) -> Device:
        return LiveDevice(self.place, name, shelves, self.diary, program)

    def expected(self) -> dict[str, Node]:
        return super().expected() | self.post.expected

    def begin(self) -> None:
        """The processes are started once everybody has joined."""
        super().begin()
        for service in self.services.values():
            service.start()

    def all_up(self) -> None:
        """Every process runs and takes commands."""
        for service in self.services.values():
            service.be_up()

    @property
    def biggest(self) -> int:
        """The largest memory of any `firnline run`, in bytes."""
        return max(service.peak for service in self.services.values())

    def end(self, *, well: bool) -> None:
        """No process is left; `well`: each is told to end, and has to as promised."""
        for service in self.services.values():
            if well:
                service.stop()
            else:
                service.kill()

    def _loops(self) -> list[Loop]:
        loops = [self._working(person) for person in self.people]
        loops += [self._vanishing(shelf) for shelf in self.shelves.values()]
        loops += [self._dying(device) for device in self.devices]
        loops += [self._sending(device) for device in self.devices]
        loops += [self._commanding(device) for device in self.devices]
        return [*loops, self._look_at_vitals]

    def _look_at_vitals(self, over: threading.Event) -> None:
        while not over.wait(_BETWEEN_LOOKS):
            for service in self.services.values():
                service.look_at_vitals()

    def _sending(self, device: Device) -> Loop:
        dice = self.dice[f"post {device.name}"]

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / self.live.between_sent)):
                self.post.send(device, dice, over)

        return loop

    def _dying(self, device: Device) -> Loop:
        dice, habits, service = (
            self.dice[f"deaths {device.name}"],
            self.live,
            self.services[device.name],
        )

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / habits.lives)):
                if dice.random() < habits.frozen:
                    service.freeze(min(dice.expovariate(1 / habits.thaws), _LONGEST_FREEZE))
                    continue
                (service.stop if dice.random() < habits.asked else service.kill)()
                if dice.random() < habits.down:
                    over.wait(dice.expovariate(1 / habits.stays_down))
                service.start()

        return loop

    def _commanding(self, device: Device) -> Loop:
        dice, habits = self.dice[f"commands {device.name}"], self.live
        acts: list[Callable[[Device], None]] = [
            *[self._sync] * 4,
            self._status,
            self._answer,
            lambda device: self._set(device, dice.randrange(5, 60)),
            lambda device: self._pause(device, dice.expovariate(1 / habits.paused)),
        ]

        def loop(over: threading.Event) -> None:
            while not over.wait(dice.expovariate(1 / habits.between_commands)):
                dice.choice(acts)(device)

        return loop

    def _sync(self, device: Device) -> None:
        self.sync(device)

    def _status(self, device: Device) -> None:
        self._command(device, 0, "status", "--json")

    def _answer(self, device: Device) -> None:
        """To a question that nobody asked: it is handed over and refused."""
        self._command(device, 2, "answer", "0000", "keep")

    def _set(self, device: Device, seconds: int) -> None:
        """Settings change, so whoever runs begins anew with them."""
        self._command(device, 0, "config", "set", "poll.interval", str(seconds))

    def _pause(self, device: Device, seconds: float) -> None:
        """The folder is left alone for a while, whatever happens in it."""
        self._command(device, 0, "folder", "pause", FOLDER)
        time.sleep(seconds)
        while self._command(device, 0, "folder", "resume", FOLDER) != 0:
            pass

    def _command(self, device: Device, code: int, *arguments: str) -> int:
        """One that ends with that code unless who carries it out dies meanwhile. Its code."""
        assert isinstance(device, LiveDevice)
        started = time.monotonic()
        done = device.carry_out(*arguments)
        self.diary.note(device.name, "command", line=" ".join(arguments), code=done.code)
        if done.code != code and not device.was_broken_off(done):
            took = round(time.monotonic() - started, 1)
            text = f"firnline {' '.join(arguments)}: {done.code} after {took} s: {done.errors!r}"
            self.diary.find(device.name, text)
            return code
        return done.code


def status_of(device: Device) -> dict[str, object]:
    """Of the folder, as `firnline status` tells it; raises RuntimeError when it does not."""
    document = json.loads(device.command("status", "--json"))
    (folder,) = (each for each in document["folders"] if each["name"] == FOLDER)
    return dict(folder)
