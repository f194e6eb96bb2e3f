"""Three devices and three directory stores for as long as you like, as real processes.

    python3 packaging/dev.py soak [--minutes 60] [--seed N] [--place DIR] [--pace 1.0]
                                  [--always-on [--lives SECONDS]]

People create, edit, move, delete, link and swap, also while passes run; passes are killed; stores
vanish and return. Every so often all come to rest, and it is checked that the folders are equal,
that what only one person touched is there to the byte, that what was deleted stays deleted, that
every content that was ever taken in is found by its hash in every store and in the log, and that
nothing is written any more. With --always-on the passes are those of `firnline run`, which is
killed at any moment while commands come in, and a rest is waited for; at it nobody may use the
processor, either. With --lives of some hundred seconds it shows whether memory, open files or
threads grow.

All that happened stands in DIR/diary.jsonl, and each device's own log in its profile. The seed
decides what everybody does, not when the system lets them: a run does not repeat to the letter.
Exit code 1 when something was wrong; DIR is left as it is then.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# Started as a script, Python looks for modules beside it only: the checkout is two levels up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.soak import checks, standstill
from tests.soak.always_on import LiveHabits, LiveWorld
from tests.soak.diary import Diary
from tests.soak.report import report
from tests.soak.world import Habits, World

SAMPLES = 100
"""Versions that are read back through the command line at the end."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    place = options.place or Path(tempfile.mkdtemp(prefix="firnline-soak-", dir="/var/tmp"))
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        print(f"{place} is not empty", file=sys.stderr)
        return 2
    diary = Diary(place / "diary.jsonl")
    print(f"soak: seed {options.seed}, in {place}", flush=True)
    world = make_world(options, place, diary)
    started = time.monotonic()
    try:
        numbers = soak(world, options.minutes, options.rest_every)
    finally:
        world.end(well=False)
    diary.close()
    if isinstance(world, LiveWorld):
        print(report(world, options.seed, time.monotonic() - started, numbers), flush=True)
    for finding in diary.findings:
        print(f"soak: wrong: {finding}")
    if not diary.findings and options.place is None:
        shutil.rmtree(place)
    return 1 if diary.findings else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() // 10**9)
    parser.add_argument("--place", type=Path, help="an empty or new directory; it is kept")
    parser.add_argument("--pace", type=float, default=1.0, help="2 is twice as busy (1)")
    parser.add_argument("--rest-every", type=float, default=5.0, metavar="MINUTES", help="(5)")
    parser.add_argument(
        "--always-on", action="store_true", help="every device runs `firnline run`, which is killed"
    )
    lives = "mean span from a start of `firnline run` to its end (12)"
    parser.add_argument("--lives", type=float, default=12.0, metavar="SECONDS", help=lives)
    return parser.parse_args(arguments)


def make_world(options: argparse.Namespace, place: Path, diary: Diary) -> World:
    """How busy everybody is at that pace; stores come and go as ever."""
    acts = Habits().between_acts / options.pace
    if options.always_on:
        habits = LiveHabits(between_acts=acts, lives=options.lives)
        return LiveWorld(place, options.seed, diary, habits)
    passes = Habits().between_passes / options.pace
    return World(place, options.seed, diary, Habits(between_acts=acts, between_passes=passes))


def soak(world: World, minutes: float, rest_every: float) -> Mapping[str, int]:
    """Turmoil and rest in turn until the time is over; ends early when something is wrong.
    Returns the numbers of the last rest."""
    started = time.monotonic()
    world.diary.note("all", "begin", minutes=minutes, habits=repr(world.habits))
    world.begin()
    numbers: Mapping[str, int] = {}
    rounds = max(1, round(minutes / rest_every))
    for number in range(rounds, 0, -1):
        left = minutes * 60 - (time.monotonic() - started)
        world.turmoil(max(1.0, left / number))
        numbers = rest(world, last=number == 1)
        say(world, started, numbers)
        if world.diary.findings:
            return numbers
    world.end(well=True)
    return numbers


def rest(world: World, *, last: bool, samples: int = SAMPLES) -> Mapping[str, int]:
    """Everybody comes to rest, and all is checked; at the last one with all stores, before it now
    and then with one away, which returns with an old state. Then some store is kept, to which it
    may be set back in the next turmoil."""
    dice = world.dice["rest"]
    world.diary.note("all", "rest", last=last)
    shelves = list(world.shelves.values())
    away = dice.choice(shelves)
    # What two stores had is lost for the moment when one of them was set back and the other is
    # away: nobody can promise more.
    if not last and dice.random() < 0.5 and not any(shelf.set_back for shelf in shelves):
        away.leave(mount_point=dice.random() < 0.5)
    come_to_rest(world)
    trees = checks.check_folders(world)
    contents = checks.check_stores(world, trees)
    checks.check_left_over(world)
    if isinstance(world, LiveWorld):
        standstill.check_rest(world)
    else:
        checks.check_rest(world)
    numbers = checks.check_history(world, dice, samples if last else samples // 10)
    if not last:
        world.graves.dig(*dice.sample(world.devices, 2))
        wait_for_services(world)
    away.come_back()
    for shelf in shelves:
        shelf.drop_backup()
    if not last:
        wait_for_services(world)
    dice.choice(shelves).keep()
    return {**numbers, "contents checked": contents, "files": len(trees["a"])}


def come_to_rest(world: World) -> None:
    """By passes of everybody, or by waiting where they run all the time."""
    if isinstance(world, LiveWorld):
        standstill.come_to_rest(world)
    else:
        checks.come_to_rest(world)


def wait_for_services(world: World) -> None:
    """Those who run all the time do at once what there is to do; the others have time."""
    if isinstance(world, LiveWorld):
        standstill.come_to_rest(world)


def say(world: World, started: float, numbers: Mapping[str, int]) -> None:
    """Where the run is."""
    counts = world.diary.counts
    acts = sum(counts.values()) - sum(counts[each] for each in _NO_ACTS)
    shown = {
        "passes": counts["pass"] + counts["kill that hit"],
        "kills": counts["kill"],
        "kills that hit": counts["kill that hit"],
        "stores gone": counts["store leaves"],
        "stores set back": counts["store set back"],
        "edits": acts,
        **{what: counts[what] for what in _OF_SERVICES if counts[what]},
        **numbers,
        "MiB at most": world.peak // 2**20,
        "findings": counts["finding"],
    }
    hours = (time.monotonic() - started) / 3600
    text = ", ".join(f"{number:,} {what}" for what, number in shown.items())
    print(f"soak: {hours:.2f} hours, {text}", flush=True)
    world.diary.note("all", "summary", text=text)
    if isinstance(world, LiveWorld):
        print(f"soak: {standstill.numbers(world)}", flush=True)


_OF_SERVICES = (
    *("kill of the service", "stop of the service", "freeze of the service"),
    *("start refused", "command"),
)
_NO_ACTS = (
    *_OF_SERVICES,
    "start",
    "save arrived",
    "settled",
    "pass",
    "kill",
    "kill that hit",
    "store leaves",
    "store returns",
    "store set back",
    "backup",
    "begin",
    "turmoil",
    "rest",
    "summary",
    "finding",
)

if __name__ == "__main__":
    sys.exit(main())
