"""What applying commits before it touches the folder (docs/design.md section 7, *intent*)."""

from collections.abc import Iterable, Iterator

from firnline.core.event import NO_FLAGS, Kind
from firnline.core.paths import ancestors
from firnline.state.intents import Intent
from firnline.sync.apply_plan import Plan, Wish


def arranging_intents(made: Plan) -> Iterator[Intent]:
    for wish in made.removals:
        assert wish.row is not None
        # Where a directory comes instead, what was there is what the path stands on until then.
        base = wish.base if wish.entry is None else wish.row.base
        yield Intent("remove", wish.path, None, Kind.NOTHING, "", NO_FLAGS, base)
    for wish in made.retouch:
        if wish.here is not None and wish.entry is not None and wish.here.flags != wish.entry.flags:
            yield place_intent(wish)
    for move in made.directory_moves:
        yield Intent("movedir", move.source, move.target, Kind.DIRECTORY, "", NO_FLAGS, "0")
    for step in made.moves:
        yield Intent(
            "move", step.row.path, step.wish.path, step.row.kind, "", NO_FLAGS, step.leaves
        )
    made_directories = {wish.path for wish in made.make_directories}
    for directory in sorted(emptied(left_paths(made) | made_directories)):
        yield Intent("rmdir", directory, None, Kind.NOTHING, "", NO_FLAGS, "0")


def place_intent(wish: Wish) -> Intent:
    entry = wish.entry
    assert entry is not None
    return Intent("place", wish.path, None, entry.kind, entry.data_hash, entry.flags, wish.base)


def left_paths(made: Plan) -> set[str]:
    """Paths where something stood that is taken or moved away."""
    left = {wish.path for wish in (*made.removals, *made.remove_directories)}
    left.update(step.row.path for step in made.moves)
    for move in made.directory_moves:
        left.add(move.source)
        left.update(step.row.path for step in move.steps)
    return left


def emptied(paths: Iterable[str]) -> set[str]:
    """The directories that may have lost their last file."""
    parents = {path.rpartition("/")[0] for path in paths}
    found = {parent for parent in parents if parent}
    for parent in list(found):
        found.update(ancestors(parent))
    return found
