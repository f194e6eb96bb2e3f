"""What the killed laptops were at: small stories that together hold each kind of change.

A story has a beginning at which everybody is at rest, edits, and passes in an order. Its end does
not depend on who syncs first, but for which of two rivals gets the plain name.
"""

from tests.scenario.crashes import World
from tests.scenario.story import Act, Story

MOST_IN_A_BATCH = 100
"""Bytes of bodies: what is larger is streamed, and what is small comes in several batches."""
LARGE = "longer than a batch; " * 6


# --- each kind of change, and each kind of conflict -----------------------------------------------


def _mixed_start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in ("change", "delete", "move", "followed", "both", "survives", "keep", "back"):
        a.write(f"{name}.txt", f"{name} 1")
    a.write("run.sh", "run 1")
    a.write("flags.sh", "flags 1")
    for name in ("one", "two", "sub/three"):
        a.write(f"dir/{name}", f"{name} 1")
    a.write("emptied/last.txt", "last 1")
    a.write("large.bin", LARGE + "1")
    a.write("moved-large.bin", LARGE + "moved")
    (a.folder / "left").mkdir()
    (a.folder / "link").symlink_to("keep.txt")
    (a.folder / "turned").symlink_to("keep.txt")


def _mixed_edits(world: World) -> None:
    a, b = world["a"], world["b"]
    a.write("back.txt", "back 2")
    world.sync("a")
    a.write("back.txt", "back 1")
    a.write("change.txt", "change 2")
    a.delete("delete.txt")
    a.move("move.txt", "moved/move.txt")
    a.move("followed.txt", "moved/followed.txt")
    a.write("both.txt", "both by a")
    (a.folder / "run.sh").chmod(0o755)
    (a.folder / "flags.sh").chmod(0o755)
    a.move("dir", "renamed")
    a.delete("emptied/last.txt")
    (a.folder / "emptied").rmdir()
    (a.folder / "left").rmdir()
    (a.folder / "made").mkdir()
    (a.folder / "new-link").symlink_to("change.txt")
    a.delete("turned")
    (a.folder / "turned").symlink_to("change.txt")
    a.write("large.bin", LARGE + "2")
    a.move("moved-large.bin", "moved/large.bin")
    a.write("new-large.bin", LARGE + "new")
    a.write("new/one", "new one")
    a.write("new/two", "new two")
    a.delete("survives.txt")
    a.write("keep.txt", "keep by a")
    a.write("twin.txt", "twin")
    a.write("clash", "a file")
    b.write("followed.txt", "followed by b")
    b.write("both.txt", "both by b")
    b.write("flags.sh", "flags by b")
    b.write("dir/two", "two by b")
    b.write("survives.txt", "survives by b")
    b.delete("keep.txt")
    b.write("twin.txt", "twin")
    b.write("clash/inner", "in a directory")
    b.write("own.txt", "own of b")


MIXED = Story(
    "mixed",
    _mixed_start,
    (Act("a", _mixed_edits), Act("b"), Act("a")),
    {
        "back.txt": ["back 1"],
        "both.txt": ["both by a", "both by b"],
        "change.txt": ["change 2"],
        "clash": ["a file"],
        "clash/inner": ["in a directory"],
        "flags.sh": [("flags by b", "x")],
        "keep.txt": ["keep by a"],
        "large.bin": [LARGE + "2"],
        "link": [("link", "keep.txt")],
        "made": ["directory"],
        "moved/followed.txt": ["followed by b"],
        "moved/large.bin": [LARGE + "moved"],
        "moved/move.txt": ["move 1"],
        "new-large.bin": [LARGE + "new"],
        "new-link": [("link", "change.txt")],
        "new/one": ["new one"],
        "new/two": ["new two"],
        "own.txt": ["own of b"],
        "renamed/one": ["one 1"],
        "renamed/sub/three": ["sub/three 1"],
        "renamed/two": ["two by b"],
        "run.sh": [("run 1", "x")],
        "survives.txt": ["survives by b"],
        "turned": [("link", "change.txt")],
        "twin.txt": ["twin"],
    },
)


# --- directories -------------------------------------------------------------------------------


def _directories_start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in ("one", "sub/two", "sub/three"):
        a.write(f"whole/{name}", f"{name} 1")
    (a.folder / "whole/sub/empty").mkdir()
    a.write("file", "a file at first")
    a.write("tree/leaf", "a directory at first")
    a.write("x/deep/er/file", "deep")
    a.write("y/file", "y")


def _directories_edits(world: World) -> None:
    a, b = world["a"], world["b"]
    a.move("whole", "elsewhere/whole")
    a.delete("file")
    a.write("file/inner", "a directory now")
    a.delete("tree/leaf")
    (a.folder / "tree").rmdir()
    a.write("tree", "a file now")
    a.move("x/deep", "deep")
    (a.folder / "x").rmdir()
    a.delete("y/file")
    b.write("whole/sub/new", "new in what a moves")
    b.write("y/other", "new in what a empties")


DIRECTORIES = Story(
    "directories",
    _directories_start,
    (Act("a", _directories_edits), Act("b"), Act("a")),
    {
        "deep/er/file": ["deep"],
        "elsewhere/whole/one": ["one 1"],
        "elsewhere/whole/sub/empty": ["directory"],
        "elsewhere/whole/sub/three": ["sub/three 1"],
        "elsewhere/whole/sub/two": ["sub/two 1"],
        "file/inner": ["a directory now"],
        "tree": ["a file now"],
        "whole/sub/new": ["new in what a moves"],
        "y/other": ["new in what a empties"],
    },
)


# --- two stores, which a alone connects --------------------------------------------------------


def _stores_start(world: World) -> None:
    a = world.add("a", "near", "far")
    world.add("b", "far")
    world.add("c", "near")
    a.write("change.txt", "change 1")
    a.write("move.txt", "move 1")
    a.write("both.txt", "both 1")


def _stores_edits(world: World) -> None:
    a, b, c = world["a"], world["b"], world["c"]
    a.write("change.txt", "change 2")
    a.write("new.txt", "new of a")
    a.write("new-large.bin", LARGE + "new")
    b.write("both.txt", "both by b")
    b.move("move.txt", "moved.txt")
    c.write("both.txt", "both by c")
    world.sync("b")
    world.sync("c")


STORES = Story(
    "stores",
    _stores_start,
    (Act("a", _stores_edits), Act("b"), Act("a")),
    {
        "both.txt": ["both by b", "both by c"],
        "change.txt": ["change 2"],
        "moved.txt": ["move 1"],
        "new-large.bin": [LARGE + "new"],
        "new.txt": ["new of a"],
    },
    sends=frozenset(),
)


# --- the home store: as outbox, and as the only lasting one ------------------------------------


def _outbox_start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in ("change", "move", "delete"):
        a.write(f"{name}.txt", f"{name} 1")


def _outbox_edits(world: World) -> None:
    a = world["a"]
    a.away = set(a.stores)
    a.write("change.txt", "change 2")
    a.write("short.txt", "short-lived")
    a.write("new.bin", LARGE + "new")
    a.move("move.txt", "moved.txt")


def _outbox_again(world: World) -> None:
    a = world["a"]
    a.write("change.txt", "change 3")
    a.delete("short.txt")
    a.delete("delete.txt")


def _outbox_back(world: World) -> None:
    world["a"].away = set()
    world["b"].write("change.txt", "change by b")


OUTBOX = Story(
    "outbox",
    _outbox_start,
    (Act("a", _outbox_edits), Act("a", _outbox_again), Act("a", _outbox_back), Act("b")),
    {
        "change.txt": ["change 3", "change by b"],
        "moved.txt": ["move 1"],
        "new.bin": [LARGE + "new"],
    },
    sends=frozenset({0, 1}),
)


def _alone_start(world: World) -> None:
    a = world.add("a")
    a.write("change.txt", "change 1")
    a.write("delete.txt", "delete 1")


def _alone_edits(world: World) -> None:
    a = world["a"]
    a.write("change.txt", "change 2")
    a.write("large.bin", LARGE)
    a.delete("delete.txt")


ALONE = Story(
    "alone",
    _alone_start,
    (Act("a", _alone_edits),),
    {"change.txt": ["change 2"], "large.bin": [LARGE]},
)


def _stick_start(world: World) -> None:
    a = world.add("a", "stick", minor=("stick",))
    world.add("b", "stick", minor=("stick",))
    a.write("change.txt", "change 1")
    a.write("move.txt", "move 1")


def _stick_edits(world: World) -> None:
    a, b = world["a"], world["b"]
    a.write("change.txt", "change 2")
    a.write("large.bin", LARGE)
    a.move("move.txt", "moved.txt")
    b.write("change.txt", "change by b")


STICK = Story(
    "stick",
    _stick_start,
    (Act("a", _stick_edits), Act("b"), Act("a")),
    {
        "change.txt": ["change 2", "change by b"],
        "large.bin": [LARGE],
        "moved.txt": ["move 1"],
    },
)


# --- devices without their table ---------------------------------------------------------------


def _join_start(world: World) -> None:
    a = world.add("a", "store")
    a.write("older.txt", "older 1")
    a.write("equal.txt", "equal")
    a.write("deleted.txt", "deleted")
    world.sync("a")
    a.write("older.txt", "older 2")
    a.write("other.txt", "other of a")
    a.write("large.bin", LARGE)
    a.delete("deleted.txt")
    a.write("dir/file", "in a directory")


def _join_edits(world: World) -> None:
    b = world.add("b", "store")
    b.write("older.txt", "older 1")
    b.write("equal.txt", "equal")
    b.write("other.txt", "other of b")
    b.write("own.txt", "own of b")


JOIN = Story(
    "join",
    _join_start,
    (Act("b", _join_edits), Act("a")),
    {
        "dir/file": ["in a directory"],
        "equal.txt": ["equal"],
        "large.bin": [LARGE],
        "older.txt": ["older 2"],
        "other.txt": ["other of a", "other of b"],
        "own.txt": ["own of b"],
    },
    sends=frozenset(),
)


def _lost_start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in ("keep", "change", "missing", "both"):
        a.write(f"{name}.txt", f"{name} 1")


def _lost_edits(world: World) -> None:
    """What b wrote while the store was away stands in its home store alone."""
    a, b = world["a"], world["b"]
    b.away = set(b.stores)
    b.write("outbox.txt", "in the outbox")
    world.sync("b")
    b.away = set()
    for file in b.place.glob("state.db*"):
        file.unlink()
    b.write("change.txt", "change by b")
    b.delete("missing.txt")
    a.write("both.txt", "both by a")
    world.sync("a")


LOST = Story(
    "lost table",
    _lost_start,
    (Act("b", _lost_edits), Act("a")),
    {
        "both.txt": ["both by a"],
        "change.txt": ["change 1", "change by b"],
        "keep.txt": ["keep 1"],
        "missing.txt": ["missing 1"],
        "outbox.txt": ["in the outbox"],
    },
    sends=frozenset(),
)


# --- a directory that was moved, and nothing else ----------------------------------------------


def _whole_start(world: World) -> None:
    a = world.add("a", "store")
    world.add("b", "store")
    for name in ("one", "two", "sub/three"):
        a.write(f"whole/{name}", f"{name} 1")


def _whole_edits(world: World) -> None:
    world["a"].move("whole", "renamed")


WHOLE = Story(
    "whole directory",
    _whole_start,
    (Act("a", _whole_edits), Act("b")),
    {f"renamed/{name}": [f"{name} 1"] for name in ("one", "two", "sub/three")},
)

STORIES = (MIXED, DIRECTORIES, WHOLE, STORES, OUTBOX, ALONE, STICK, JOIN, LOST)
