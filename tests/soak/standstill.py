"""A rest of devices that run all the time: nobody tells them to sync, so it is waited for."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.scenario.store_contents import event_files
from tests.soak.always_on import LiveWorld, status_of
from tests.soak.checks import everything, present
from tests.soak.device import Device
from tests.soak.patience import Patience
from tests.soak.trees import tree

SETTLES_WITHIN = 240.0
"""Seconds from the last edit until nothing changes any more."""
WORK = 0.03
"""The share of a core that a process may use then; a look at everything that is just due is in."""
_LOOK = 0.5
_ATTEMPTS = 20


def come_to_rest(world: LiveWorld) -> None:
    """Nobody does anything until all have all and nothing changes."""
    world.all_up()
    patience = Patience(SETTLES_WITHIN)
    before, since = _all(world), 0.0
    last_change, why = 0.0, ""
    while not patience.is_over:
        patience.wait(_LOOK)
        after = _all(world)
        if after != before:
            before, since, last_change = after, patience.spent, patience.spent
        elif patience.spent - since >= world.live.still:
            since = patience.spent
            if not (why := left_to_do(world)) and _all(world) == before:
                world.settled.append(last_change)
                world.diary.note("all", "settled", seconds=round(last_change, 1))
                return
    text = why or "something changes all the time"
    world.diary.find("all", f"no rest {SETTLES_WITHIN:.0f} s after the last edit: {text}")


def left_to_do(world: LiveWorld) -> str:
    """What somebody lacks; empty when all have all."""
    shelves = present(world)
    names = {shelf.name: event_files(shelf.path).keys() for shelf in shelves}
    every = set().union(*names.values())
    lacking = {name: len(every - there) for name, there in names.items() if every - there}
    if lacking:
        return f"events that stores lack: {lacking}"
    trees = [tree(device.folder) for device in world.devices]
    if any(each.keys() != trees[0].keys() for each in trees):
        return "the folders differ"
    whole = len(shelves) == len(world.shelves)
    found = {device.name: _unfinished(device, whole=whole) for device in world.devices}
    return str({name: left for name, left in found.items() if left} or "")


def _unfinished(device: Device, *, whole: bool) -> object:
    """What the device itself says is left; `whole`: all stores are there, so nothing may be."""
    try:
        found = status_of(device)
    except RuntimeError as error:
        return str(error)
    pending, problems = found["pending"], found["problems"]
    assert isinstance(pending, dict)
    if not whole:
        return {key: pending[key] for key in ("download", "apply") if pending[key]}
    return problems or {key: count for key, count in pending.items() if count}


def check_rest(world: LiveWorld) -> None:
    """Nothing is written and nobody works; and a sync by hand finds nothing to do."""
    before = _all(world)
    busy = _busy(world)
    if busy:
        # Once may be a look that was due.
        busy = _busy(world)
    for name, share in busy.items():
        world.diary.find(name, f"uses {share:.1%} of a core at rest")
    _compare(world, before)
    with ThreadPoolExecutor(len(world.devices)) as pool:
        list(pool.map(lambda device: world.sync(device, at_rest=True), world.devices))
    _compare(world, before)
    for service in world.services.values():
        service.check_words()
        service.be_up()


def numbers(world: LiveWorld) -> str:
    """How the rests went until now."""
    took = ", ".join(f"{seconds:.1f}" for seconds in world.settled)
    work, memory = f"{world.work_at_rest:.2%}", f"{world.biggest // 2**20} MiB"
    return f"seconds until nothing changed: {took or '-'}; at rest {work} of a core, {memory}"


def _compare(world: LiveWorld, before: Mapping[str, object]) -> None:
    changed = sorted(before.items() ^ _all(world).items())
    if changed:
        world.diary.find("all", f"written at rest: {[path for path, _ in changed][:6]}")


def _busy(world: LiveWorld) -> dict[str, float]:
    """Who used more of the processor than anybody may, and how much of it."""
    before = {name: service.seconds_of_work() for name, service in world.services.items()}
    patience = Patience(world.live.watched)
    while not patience.is_over:
        patience.wait(_LOOK)
    shares = {
        name: (service.seconds_of_work() - before[name]) / patience.spent
        for name, service in world.services.items()
    }
    world.work_at_rest = max(world.work_at_rest, *shares.values())
    return {name: share for name, share in shares.items() if share > WORK}


def _all(world: LiveWorld) -> dict[str, object]:
    """Everything but the connections, which beat as long as they are there. Read again where it
    changed while it was read, and where it does all the time equal to nothing."""
    for _ in range(_ATTEMPTS):
        with suppress(OSError):
            found = everything(world)
            return {path: what for path, what in found.items() if "/connections/" not in path}
    return {"": object()}
