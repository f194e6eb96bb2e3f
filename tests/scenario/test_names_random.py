"""Random users on both sides of a disk that cannot hold every name; FIRNLINE_SEEDS for more."""

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from tests.scenario.name_stories import Pair
from tests.scenario.test_names import pair_on

SEEDS = int(os.environ.get("FIRNLINE_SEEDS", "6"))
NAMES = ["n", "N", "d", "D", "a:b", "A:B", "end.", "\u00e9", "\u00c9", "\u00df", "ss"]


def _path(choice: random.Random) -> str:
    return "/".join(choice.choice(NAMES) for _ in range(choice.randint(1, 3)))


def _on_a(pair: Pair, choice: random.Random, text: str) -> None:
    """a's disk holds every name."""
    paths = sorted(pair.a.tree())
    source, target = choice.choice([*paths, "n"]), pair.a.folder / _path(choice)
    what = choice.choice(["write", "write", "write", "delete", "move", "move directory"])
    old = pair.a.folder / (source.partition("/")[0] if "directory" in what else source)
    try:
        if what == "write":
            pair.a.write(str(target.relative_to(pair.a.folder)), text)
        elif what == "delete":
            old.unlink()
        elif not target.exists() and target != old:
            target.parent.mkdir(parents=True, exist_ok=True)
            old.rename(target)
    except OSError:
        return


def _on_b(pair: Pair, choice: random.Random, text: str) -> None:
    """b's user sees aliases, and makes new names that the disk can hold."""
    paths = sorted(pair.b.tree())
    old = pair.b.folder / choice.choice([*paths, "n"])
    new = pair.b.folder / f"{choice.choice('xyz')}{choice.randint(0, 9)}"
    what = choice.choice(["write", "edit", "edit", "delete", "move", "move directory", "copy"])
    top = pair.b.folder / old.relative_to(pair.b.folder).parts[0]
    try:
        if what == "write" and not new.exists():
            pair.b.write(new.name, text)
        elif what == "edit" and old.is_file():
            pair.b.write(str(old.relative_to(pair.b.folder)), text)
        elif what == "delete":
            old.unlink()
        elif what == "copy" and old.is_file() and not new.exists():
            shutil.copyfile(old, new)
        elif "move" in what and not new.exists():
            (top if "directory" in what else old).rename(new)
    except OSError:
        return


@pytest.mark.parametrize("disk", ["fat", "casefold", "nfd"])
def test_random_users(tmp_path: Path, tally: Counter[str], disk: str) -> None:
    """Both come to the same tree and the same log, and rest."""
    for seed in range(SEEDS):
        choice = random.Random(f"{disk} {seed}")
        pair = pair_on(tmp_path / str(seed), disk)
        try:
            for number in range(12):
                for _ in range(choice.randint(1, 4)):
                    text = f"{number} {choice.random()}"
                    (_on_a if choice.random() < 0.5 else _on_b)(pair, choice, text)
                {0: pair.a.sync, 1: pair.b.sync}.get(choice.randrange(3), pair.sync)()
            pair.check()
        except BaseException as error:
            error.add_note(f"seed {seed} on {disk}")
            raise
        shutil.rmtree(tmp_path / str(seed))
        tally["seeds of users with names that a disk cannot hold"] += 1
