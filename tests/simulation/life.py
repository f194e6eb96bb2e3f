"""A seed's life: a few devices and stores on one thread, through years of bad luck.

    life = Life(place, seed)
    life.run()

Each seed draws which kinds of trouble it has at all (so that rare pairs meet in short lives), then
acts of people, passes, spans of time, and accidents in any order; now and then a quiet point, where
all trouble ends, everybody syncs until rest and what docs/design.md section 10 says must hold.
Nothing watches the folders: a pass begins when the seed says so.
"""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from unittest import mock

from tests.scenario.crashes import Killed
from tests.scenario.invariants import check_done
from tests.scenario.laptops import LaptopClock
from tests.scenario.store_contents import event_files
from tests.simulation.device import Device
from tests.simulation.ledger import Ledger
from tests.simulation.library import (
    Library,
    Standing,
    deletions_logged,
    flags_carried,
    is_older,
    kept_contents,
    logged_where,
)
from tests.simulation.people import COMMON, HIDDEN, People
from tests.simulation.trouble import HOME_WAYS, WAYS, Storm, Trouble

from firnline.core.hashing import DataHash
from firnline.core.paths import ancestors
from firnline.folder.errors import FolderError
from firnline.state.database import DatabaseError
from firnline.stores.errors import StoreError
from firnline.sync.context import HOME, Problem
from firnline.sync.event_writer import NowhereToWriteError
from firnline.sync.folder_pass import PassReport

KINDS = (
    *("kills", "saves", "commits", "disks", "full disks", "stores", "clocks", "asleep"),
    *("lost table", "older table", "older store"),
)
_BREAKS = (DatabaseError, FolderError, NowhereToWriteError, StoreError)
_ROUNDS = 25
_NEVER = PassReport()
_HONEST = {"no source"}
"""An event whose content is nowhere any more (its device died or forgot while it wrote it) stays,
and is told."""


class Life:
    """One seed. `trace` tells what happened, line by line; the same seed has the same trace."""

    def __init__(self, place: Path, seed: int, *, acts: int = 60) -> None:
        self.trace: list[str] = []
        self.passes = self.quiet_points = 0
        self._place = place
        self._chance = Random(seed)
        self._acts = acts
        self._people = People(Random(self._chance.random()))
        self._library = Library()
        self._ledger = Ledger(COMMON)
        self._time = LaptopClock()
        """The true time, which the stores have."""
        self._start = self._time.moment
        self._backups: dict[Path, Path] = {}
        self._kinds = {kind for kind in KINDS if self._chance.random() < 0.4}
        self._stores, self._devices = self._found()
        self._asleep: set[str] = set()
        self._forgetful: set[str] = set()
        """Devices whose table is lost or older, up to their next good pass."""

    @property
    def hours(self) -> float:
        """Simulated time."""
        return (self._time.moment - self._start) / timedelta(hours=1)

    # --- the beginning ----------------------------------------------------------------------------

    def _found(self) -> tuple[list[Path], list[Device]]:
        chance = self._chance
        stores = [self._place / "stores" / f"s{n}" for n in range(chance.choice((1, 1, 2, 2, 3)))]
        devices: list[Device] = []
        for letter in "abcd"[: chance.choice((2, 2, 2, 3, 3, 4))]:
            # Each shares a store with one before it, so that all are connected in the end.
            known = chance.choice(devices).stores if devices else stores
            own = {chance.choice(known), *(s for s in stores if chance.random() < 0.4)}
            devices.append(self._device(letter, sorted(own)))
        used = {store for device in devices for store in device.stores}
        self._note(f"kinds: {', '.join(sorted(self._kinds)) or 'none'}")
        for device in devices:
            self._note(f"{device.name} has {', '.join(store.name for store in device.stores)}")
        return sorted(used), devices

    def _device(self, letter: str, stores: list[Path]) -> Device:
        random = Random(self._chance.random())
        clock = LaptopClock(self._time.moment + self._small_skew())
        device = Device(
            self._place / letter,
            letter * 8,
            stores,
            clock=clock,
            store_clock=self._time,
            random=random.randbytes,
        )
        return device

    def _small_skew(self) -> timedelta:
        return timedelta(seconds=self._chance.choice((0.0, 0.0, -40.0, 2.5, 7200.0)))

    # --- the course of things ---------------------------------------------------------------------

    def run(self) -> None:
        """Raises AssertionError when something does not hold; the trace tells how it came."""
        with mock.patch.object(os, "urandom", Random(self._chance.random()).randbytes):
            for device in self._devices:
                for _ in range(self._chance.randrange(5)):
                    self._somebody(device)
            for _ in range(self._chance.choice((1, 2, 2, 3))):
                for _ in range(self._acts):
                    self._step()
                self._quiet()

    def _step(self) -> None:
        events = [
            (12, self._act),
            (10, self._sync),
            (4, self._hours_pass),
            (2, self._reach),
            (1, self._sleep),
            (1, self._clock_jumps),
            (1, self._accident),
        ]
        (_, chosen), *_ = self._chance.choices(events, [weight for weight, _ in events])
        chosen()

    def _one(self) -> Device:
        return self._chance.choice(self._devices)

    def _act(self) -> None:
        device = self._one()
        if device.name not in self._asleep:
            self._somebody(device)

    def _somebody(self, device: Device, *, in_pass: bool = False) -> None:
        before = Standing.in_folder(device.folder)
        what = self._people.act(device)
        after = Standing.in_folder(device.folder)
        self._ledger.acted(device.name, before, after, in_pass=in_pass)
        both = [*before.items(), *after.items()]
        self._ledger.vague |= {found for path, (found, _) in both if _is_hidden(path)}
        device.saw(before.contents, after.contents)
        if what is not None:
            self._note(f"  {device.name}: {what}" if in_pass else f"{device.name}: {what}")

    def _hours_pass(self) -> None:
        span = self._chance.choice(((0, 5, "s"), (0, 600, "s"), (1, 30, "h"), (1, 30, "h")))
        amount = self._chance.uniform(span[0], span[1]) * (3600 if span[2] == "h" else 1)
        if self._chance.random() < 0.05:
            amount = self._chance.uniform(7, 60) * 86400
        self._wait(timedelta(seconds=amount))
        self._note(f"{timedelta(seconds=int(amount))} pass")

    def _wait(self, span: timedelta, besides: LaptopClock | None = None) -> None:
        clocks = [self._time, *(device.clock for device in self._devices)]
        for clock in clocks:
            if clock is not besides:
                clock.moment += span

    def _reach(self) -> None:
        device = self._one()
        device.away ^= {self._chance.choice(device.stores)}
        self._note(f"{device.name} does not reach: {sorted(s.name for s in device.away)}")

    def _sleep(self) -> None:
        if "asleep" in self._kinds:
            self._asleep ^= {self._one().name}
            self._note(f"asleep: {sorted(self._asleep)}")

    def _clock_jumps(self) -> None:
        if "clocks" not in self._kinds:
            return
        device = self._one()
        jump = self._chance.choice((-5.0, 90.0, -7200.0, 3 * 86400.0, -2 * 86400.0, 1e8, -1e9))
        device.clock.moment = self._time.moment + timedelta(seconds=jump)
        self._note(f"{device.name}: the clock is {jump:+.0f} s off")

    # --- accidents --------------------------------------------------------------------------------

    def _accident(self) -> None:
        kind = self._chance.choice(("lost table", "older table", "older store"))
        if kind not in self._kinds:
            return
        device, store = self._one(), self._chance.choice(self._stores)
        if kind == "lost table":
            self._forget(device)
        elif kind == "older table":
            self._set_back_table(device)
        else:
            self._set_back_store(store)

    def _forget(self, device: Device) -> None:
        self._ledger.forgot(device.name, self._told(device))
        for file in device.place.glob("state.db*"):
            file.unlink()
        self._forgetful.add(device.name)
        self._note(f"{device.name} loses its table")

    def _set_back_table(self, device: Device) -> None:
        backup = self._backups.pop(device.place, None)
        if backup is None:
            copy = self._place / f"backup-{device.name}"
            shutil.rmtree(copy, ignore_errors=True)
            copy.mkdir()
            for file in device.place.glob("state.db*"):
                shutil.copy2(file, copy)
            self._backups[device.place] = copy
            self._note(f"{device.name}: the table is copied")
            return
        told = self._told(device)
        for file in device.place.glob("state.db*"):
            file.unlink()
        for file in backup.iterdir():
            shutil.copy2(file, device.place)
        if is_older(device.place / "state.db", device.folder):
            self._ledger.forgot(device.name, told)
        self._forgetful.add(device.name)
        self._note(f"{device.name}: the table is set back to its copy")

    def _told(self, device: Device) -> set[tuple[str, DataHash]]:
        """What the device knows is gone, and no accident to its table can take back."""
        names = {name for store in (*self._stores, *self._homes()) for name in event_files(store)}
        return deletions_logged(device.place / "state.db", names)

    def _set_back_store(self, store: Path) -> None:
        copy = self._backups.pop(store, None)
        if copy is None:
            copy = self._place / f"backup-{store.name}"
            shutil.rmtree(copy, ignore_errors=True)
            if store.exists():
                shutil.copytree(store, copy)
                self._backups[store] = copy
                self._note(f"{store.name} is copied")
            return
        newer = store.with_name("newer")
        before = self._logged()
        store.rename(newer)
        shutil.copytree(copy, store)
        if before - self._logged():
            # The only copy of something: that is a dead disk, and no question of syncing.
            shutil.rmtree(store)
            newer.rename(store)
            return
        shutil.rmtree(newer)
        self._note(f"{store.name} is set back to its copy")

    # --- passes -----------------------------------------------------------------------------------

    def _sync(self) -> None:
        device = self._one()
        if device.name not in self._asleep:
            self._pass(device, self._trouble(device))

    def _trouble(self, device: Device) -> Trouble:
        chance = Random(self._chance.random())
        trouble = Trouble(chance, self._note, lambda: self._somebody(device, in_pass=True))
        rates = (0.0, 0.0, 0.01, 0.05)
        for kind, name in (
            ("kills", "kill"),
            ("saves", "save"),
            ("commits", "commit"),
            ("disks", "disk"),
            ("full disks", "full"),
        ):
            if kind in self._kinds:
                setattr(trouble, name, chance.choice(rates))
        # A device without its table has to believe what the stores say: to lie to it is not fair.
        if "stores" in self._kinds and device.name not in self._forgetful:
            for store in device.stores:
                ways = tuple(way for way in WAYS if chance.random() < 0.4) or WAYS
                trouble.stores[store.name] = Storm(chance.choice(rates), ways)
            trouble.stores[HOME] = Storm(chance.choice((0.0, 0.0, 0.0, 0.01)), HOME_WAYS)
        return trouble

    def _pass(self, device: Device, trouble: Trouble) -> PassReport | None:
        """One pass, which destroys nothing however it ends."""
        self.passes += 1
        self._note(f"{device.name} syncs")
        device.begin_pass(trouble)
        began = device.clock.moment
        report: PassReport | None = None
        try:
            report = device.sync(steps=trouble)
        except Killed:
            pass
        except _BREAKS as error:
            self._note(f"    breaks off: {error}")
        self._wait(device.clock.moment - began, device.clock)
        self._check_pass(device)
        if report is None or report.problems or not report.complete:
            self._ledger.unsure(device.name)
        else:
            self._ledger.passed(device.name, Standing.in_folder(device.folder))
            self._forgetful.discard(device.name)
        if report is not None:
            self._note(
                f"    {report.written} written, {report.applied} applied, {report.copied} copied"
            )
            for problem in report.problems:
                self._note(f"    {problem.kind}: {problem.path} {problem.message}")
        return report

    def _check_pass(self, device: Device) -> None:
        """What stood in the folder or was saved meanwhile is there, or somebody can read it."""
        logged = self._logged()
        self._ledger.taken |= logged
        here = Standing.in_folder(device.folder).contents | kept_contents(device.folder)
        lost = device.must_have - here - logged
        assert not lost, f"{device.name} destroyed {sorted(lost)}"

    def _homes(self) -> list[Path]:
        return [device.place / "home" for device in self._devices]

    def _logged(self) -> set[DataHash]:
        return self._library.contents([*self._stores, *self._homes()])

    # --- quiet points -----------------------------------------------------------------------------

    def _quiet(self) -> None:
        """All trouble ends, and everything must come to rest and be right."""
        self.quiet_points += 1
        self._note("--- quiet")
        self._asleep.clear()
        for device in self._devices:
            device.away.clear()
            # Who is asked about a mass deletion means it. Before, it waits.
            device.delete_unasked = True
            device.clock.moment = self._time.moment + self._small_skew()
        self._rest()
        # Stores are listed in full, and what waited for a week does not wait any more.
        self._wait(timedelta(days=8))
        self._rest()
        self._check()
        for device in self._devices:
            device.delete_unasked = False

    def _rest(self) -> None:
        for _ in range(_ROUNDS):
            reports = [self._calm_pass(device) for device in self._devices]
            if not any(report.written or report.applied or report.copied for report in reports):
                return
        raise AssertionError("they never come to rest")

    def _calm_pass(self, device: Device) -> PassReport:
        report = self._pass(device, Trouble(self._chance, self._note))
        assert report is not None, f"{device.name} fails in good weather"
        return report

    def _check(self) -> None:
        if any(problem.kind in _HONEST for problem in self._problems()):
            # What builds on it is known to its device alone, until freezing takes the name along.
            self._note("left: an event without a body")
            self._ledger.check_found(self._logged(), self._folders())
            return
        obscured = self._obscured()
        trees = [_without(device.tree(), obscured) for device in self._devices]
        for device, tree in zip(self._devices, trees, strict=True):
            assert tree == trees[0], f"the trees differ: {_difference(trees[0], tree, device)}"
        self._ledger.check_found(self._logged(), self._folders())
        # An edit follows its file's move to where patterns hide it.
        tables = [device.place / "state.db" for device in self._devices]
        self._ledger.vague |= set().union(*(logged_where(table, _is_hidden) for table in tables))
        carried = set[tuple[str, DataHash]]().union(*(flags_carried(table) for table in tables))
        self._ledger.check_seen(self._folders(), carried)
        names = [event_files(store).keys() for store in self._stores]
        assert all(found == names[0] for found in names), "the stores differ"
        for device in self._devices:
            assert not event_files(device.place / "home"), f"{device.name}: outbox is not empty"
        self._check_left(obscured)
        self._note(f"right: {len(trees[0])} paths, {len(names[0])} events")

    def _check_left(self, obscured: set[str]) -> None:
        """Nothing is left to do or to tell, but for what nobody can do anything about."""
        check_done(self._devices, lambda item: item in obscured)
        left = [problem for problem in self._problems() if problem.path not in obscured]
        assert not left, f"problems are left: {left}"

    def _obscured(self) -> set[str]:
        """Paths that patterns may hide, and the directories that they keep in being: there devices
        may differ, and a file may find a directory in its place."""
        hidden = {path for device in self._devices for path in device.tree() if _is_hidden(path)}
        return hidden | {above for path in hidden for above in ancestors(path)}

    def _folders(self) -> list[Standing]:
        return [Standing.in_folder(device.folder) for device in self._devices]

    def _problems(self) -> list[Problem]:
        """What the last passes had to tell."""
        return [problem for device in self._devices for problem in (device.last or _NEVER).problems]

    def _note(self, text: str) -> None:
        self.trace.append(f"{self._time.moment:%Y-%m-%d %H:%M:%S} {text}")


def _is_hidden(path: str) -> bool:
    return HIDDEN in path


def _without(tree: dict[str, object], obscured: set[str]) -> dict[str, object]:
    return {path: found for path, found in tree.items() if path not in obscured}


def _difference(first: dict[str, object], other: dict[str, object], device: Device) -> str:
    paths = sorted(first.keys() | other.keys())
    return "; ".join(
        f"{path}: {first.get(path)} but {other.get(path)} on {device.name}"
        for path in paths
        if first.get(path) != other.get(path)
    )
