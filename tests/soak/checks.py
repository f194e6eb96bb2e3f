"""What must hold when nobody works and everybody has synced (docs/design.md section 10).

Folders and stores are read as another program would read them. Whatever is wrong becomes a finding
in the diary; nothing is raised, so that one fault does not hide another.
"""

import json
import random
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.scenario.store_contents import event_files, hashes_in, named_in
from tests.soak.device import FOLDER, Device
from tests.soak.shelf import Shelf
from tests.soak.trees import Node, files_below, tree
from tests.soak.world import World

from firnline.core.hashing import EMPTY_HASH, PLAIN, DataHash

ROUNDS = 15
"""More than any honest rest needs."""
_ALONE = ("graves", "post")
"""Where, besides the area of each person, nobody writes what another one writes."""
Trees = dict[str, dict[str, Node]]


def come_to_rest(world: World) -> None:
    """Everybody syncs until a round changes nothing anywhere."""
    before = everything(world)
    for _ in range(ROUNDS):
        _sync_all(world)
        after = everything(world)
        if after == before:
            return
        before = after
    world.diary.find("all", f"no rest after {ROUNDS} rounds")


def check_rest(world: World, passes: int = 2) -> None:
    """More passes of everybody change nothing in any folder or store, home stores included."""
    before = everything(world)
    for _ in range(passes):
        _sync_all(world)
        after = everything(world)
        changed = sorted(before.items() ^ after.items())
        if changed:
            world.diary.find("all", f"written at rest: {[path for path, _ in changed][:6]}")
        before = after


def _sync_all(world: World) -> None:
    with ThreadPoolExecutor(len(world.devices)) as pool:
        list(pool.map(lambda device: world.sync(device, at_rest=True), world.devices))


def everything(world: World) -> Mapping[str, object]:
    """What stands in all folders, home stores and stores that are not away."""
    places = [shelf.path for shelf in present(world)]
    for device in world.devices:
        places += [device.folder, device.profile / "home"]
    return {path: what for place in places for path, what in files_below(place).items()}


def present(world: World) -> list[Shelf]:
    """The stores that are not away."""
    return [shelf for shelf in world.shelves.values() if not shelf.away]


# --- folders --------------------------------------------------------------------------------------


def check_folders(world: World) -> Trees:
    """Equal on all devices, and to the byte what is known of them. Returns what stands there."""
    trees = {device.name: tree(device.folder) for device in world.devices}
    expected = world.expected()
    areas = (*trees, *_ALONE)
    first = world.devices[0].name
    for name, found in trees.items():
        _compare(world, f"{name}, compared with {first}", trees[first], found)
        known = {p: n for p, n in found.items() if p.split("/")[0] in areas}
        _compare(world, f"{name}, compared with what people did", expected, known)
        back = world.graves.deleted & found.keys()
        if back:
            world.diary.find(name, f"deleted for ever, and there: {sorted(back)[:5]}")
    return trees


def _compare(world: World, who: str, wanted: dict[str, Node], found: dict[str, Node]) -> None:
    differing = sorted(
        path
        for path in wanted.keys() | found.keys()
        if wanted.get(path) != found.get(path)
        and not _differ_in_time_only(world, wanted.get(path), found.get(path))
    )
    for path in differing[:5]:
        text = f"{path!r} should be {wanted.get(path)}, is {found.get(path)}"
        world.diary.find(who, f"{text} ({len(differing)} differ)")


def _differ_in_time_only(world: World, wanted: Node | None, found: Node | None) -> bool:
    """True for two files of one content that somebody moved onto each other or copied: a changed
    time of modification alone is no event (docs/design.md section 3), so a path may keep either."""
    if wanted is None or found is None or wanted.content is None:
        return False
    if wanted._replace(mtime=found.mtime) != found:
        return False
    times = set().union(*(device.standing.times(wanted.content) for device in world.devices))
    return {wanted.mtime, found.mtime} <= times


def check_left_over(world: World) -> None:
    """No temporary file stands anywhere."""
    stores = [shelf.path for shelf in present(world)]
    stores += [device.profile / "home" for device in world.devices]
    left = [path for store in stores for path in store.glob("connections/*/tmp/*")]
    for device in world.devices:
        left += [p for p in (device.folder / ".firnline").glob("*/**/*") if not p.is_dir()]
    if left:
        world.diary.find("all", f"{len(left)} temporary files are left: {left[0]}")


# --- stores ---------------------------------------------------------------------------------------


def check_stores(world: World, trees: Trees) -> int:
    """All have the same events, and each has every content that was ever taken in, by its true
    hash. Returns the number of contents looked for."""
    for name, found in trees.items():
        world.ledger.add(name, found)
    taken = world.ledger.taken() - {EMPTY_HASH}
    names = {shelf.name: event_files(shelf.path).keys() for shelf in present(world)}
    every = set().union(*names.values())
    for store, there in names.items():
        if every - there:
            world.diary.find(store, f"lacks {len(every - there)} events: {min(every - there)}")
    for shelf in present(world):
        _check_contents(world, shelf, taken)
    return len(taken)


def _check_contents(world: World, shelf: Shelf, taken: set[DataHash]) -> None:
    there = hashes_in(shelf.path)
    lost = taken - there
    if lost:
        world.diary.find(shelf.name, f"lacks {len(lost)} contents: {_one(world, lost)}")
    unknown = named_in(shelf.path) - there
    if unknown:
        text = f"names {len(unknown)} contents that it does not have: {min(unknown)}"
        world.diary.find(shelf.name, text)


def _one(world: World, lost: set[DataHash]) -> str:
    return f"{min(lost)}, which stood at {world.ledger.where(min(lost))}"


# --- history --------------------------------------------------------------------------------------


def check_history(world: World, dice: random.Random, samples: int) -> Mapping[str, int]:
    """Every content that was taken in stands in the log of each device, and `samples` of them are
    read back through the command line. Returns some numbers for the summary."""
    taken = world.ledger.taken() - {EMPTY_HASH}
    logs = {device.name: _log(device) for device in world.devices}
    for name, found in logs.items():
        lost = taken - {line["hash"] for line in found}
        if lost:
            world.diary.find(name, f"its log lacks {len(lost)} contents: {_one(world, lost)}")
    lines = logs[world.devices[0].name]
    puts = [each for each in lines if each["op"] == "put" and each["hash"] in taken]
    # Where several write, another's version may have been what stood there just then.
    puts = [each for each in puts if not each["path"].startswith("shared/")]
    for line in dice.sample(puts, min(samples, len(puts))):
        _check_version(world, dice.choice(world.devices), line)
    return {
        "events": len({line["batch"] or line["event"] for line in lines}),
        "changes": len(lines),
        "conflicts": len(_conflicts(line["path"] for line in lines)),
    }


def _log(device: Device) -> list[dict[str, str]]:
    return [json.loads(line) for line in device.command("log", FOLDER, "--json").splitlines()]


def _check_version(world: World, device: Device, line: Mapping[str, str]) -> None:
    try:
        found = device.command("cat", f"{FOLDER}:{line['path']}", "--at", line["event"])
    except RuntimeError as error:
        world.diary.find(device.name, str(error))
        return
    if PLAIN.data(found) != line["hash"]:
        world.diary.find(device.name, f"{line['path']!r} at {line['event']} is another content")


def _conflicts(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if " (conflict " in path}
