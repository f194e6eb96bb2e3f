"""A whole pass over a store of which anything was changed at random.

The victim has files of its own and has not seen what another device wrote last. Whatever happened
to the store, the pass ends, touches nothing outside, loses none of the victim's files and tells
nobody that one was deleted.
"""

import os
import shutil
from pathlib import Path
from random import Random

from tests.scenario.hostile.mutation import TOKENS, mutate
from tests.scenario.laptops import Laptop, settle
from tests.scenario.store_contents import event_files

from firnline.core.batch import manifest_size, read_manifest
from firnline.core.event import BadNameError, EventText, Op, parse_name

_DELETING = (Op.DEL, Op.RMD)
MINE = {f"mine/{number}.txt": f"mine {number}" for number in range(6)}


def make_world(place: Path) -> None:
    """A store, a victim in step with it, and then more events by another device."""
    store = place / "store"
    victim = Laptop(place / "victim", "aaaaaaaa", [store])
    other = Laptop(place / "other", "bbbbbbbb", [store])
    for path, text in MINE.items():
        victim.write(path, text)
        victim.sync()
    other.write("shared.txt", "first")
    settle(victim, other)
    other.write("shared.txt", "second")
    other.sync()
    for number in range(4):
        other.write(f"theirs/{number}.txt", f"theirs {number}")
    other.sync()
    other.move("theirs/0.txt", "theirs/moved.txt")
    (other.folder / "link").symlink_to("shared.txt")
    other.sync()
    (place / "outside").mkdir()
    (place / "outside" / "canary").write_text("alive")


def damage(store: Path, dice: Random) -> None:
    """One change to one file of a store, or one more file."""
    files = sorted(path for path in store.rglob("*") if path.is_file() and not path.is_symlink())
    # Without it the store is another one, and is left alone: that is tried elsewhere.
    files = [path for path in files if path.name != "is_current"]
    chosen, other = dice.choice(files), dice.choice(files)
    match dice.randrange(8):
        case 0 | 1 | 2:
            chosen.write_bytes(mutate(chosen.read_bytes(), [other.read_bytes()], dice))
        case 3:
            chosen.unlink()
        case 4:
            chosen.write_bytes(other.read_bytes())
        case 5:
            _beside(chosen, dice).write_bytes(chosen.read_bytes())
        case 6:
            chosen.unlink()
            chosen.mkdir()
        case _:
            chosen.unlink()
            chosen.symlink_to(store.parent / "outside" / "canary")


def _beside(file: Path, dice: Random) -> Path:
    """A name like that of `file`, or one that only looks like a name."""
    token = dice.choice(TOKENS)
    name = mutate(os.fsencode(file.name), [token], dice).replace(b"/", b"").replace(b"\0", b"")
    return file.parent / os.fsdecode(name[:200].strip(b".") or b"x")


def attack(world: Path, place: Path, dice: Random) -> None:
    """Copy the world, damage its store, and let the victim sync. Raises AssertionError."""
    shutil.copytree(world, place, symlinks=True)
    store = place / "store"
    victim = Laptop(place / "victim", "aaaaaaaa", [store])
    known = set(event_files(store))
    for _ in range(dice.randint(1, 6)):
        damage(store, dice)
    victim.write("new.txt", "new")
    for _ in range(2):
        victim.sync()
        _check(place, victim)
    for name in set(event_files(store)) - known:
        _check_no_deletion(store, name)


def _check(place: Path, victim: Laptop) -> None:
    tree = victim.tree()
    assert {path: tree.get(path) for path in MINE} == MINE
    assert (tree["new.txt"], tree["shared.txt"] in ("first", "second")) == ("new", True)
    outside = {path.name: path.read_text() for path in (place / "outside").iterdir()}
    assert outside == {"canary": "alive"}
    assert sorted(os.listdir(place)) == ["other", "outside", "store", "victim"]


def _check_no_deletion(store: Path, name: EventText) -> None:
    """What the victim wrote deletes nothing."""
    try:
        event, body = parse_name(name), event_files(store)[name].read_bytes()
    except BadNameError:
        return
    if event.device != "aaaaaaaa":
        return
    assert event.op not in _DELETING
    if event.op is Op.BAT:
        header, size = manifest_size(body)
        changes = read_manifest(body[header : header + size])
        assert not [each for each in changes if each.op in _DELETING]
