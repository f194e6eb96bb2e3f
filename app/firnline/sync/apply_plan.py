"""What applying has to do to the folder: a pure plan from wishes and table rows.

A `Wish` says what the log wants at a path; the row says what this device has there. The plan only
sorts this into kinds of work and finds the moves; `sync.applier` carries it out and checks, at the
last moment, that each local file still is what its row says.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from firnline.core.entry import Entry
from firnline.core.event import NO_FLAGS, Kind, Op
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.core.paths import directory_pairs
from firnline.state.file_index import FileRow


class Wish(NamedTuple):
    """What the log wants at one path; `entry` None: nothing."""

    path: str
    entry: Entry | None
    base: Ref
    """What the path will stand on: the winner's event, or the deletion's."""
    row: FileRow | None
    origin: str | None = None
    """Where this device may have the content, when it was moved or taken from there."""
    pending: bool = False
    """The log wants something newer, which cannot be had at present."""
    straight: bool = False
    """`base` is the only head of the path's log."""

    @property
    def here(self) -> FileRow | None:
        """The row, if something stands at the path."""
        return None if self.row is None or self.row.kind is Kind.NOTHING else self.row


class MoveStep(NamedTuple):
    """A file that is renamed to where a wish wants it."""

    row: FileRow
    """The file as it stands at the source."""
    wish: Wish
    leaves: Ref
    """What the source's row stands on once the file is gone from there."""
    finished: bool
    """Nothing else is wanted at the source."""


class DirectoryMove(NamedTuple):
    """One rename that carries out many moves."""

    source: str
    target: str
    steps: tuple[MoveStep, ...]


class Plan:
    """Work by kind, in the order in which it is done."""

    def __init__(self) -> None:
        self.settled: list[str] = []
        """Paths where folder and table are right already."""
        self.bookings: list[FileRow] = []
        """Rows to note; the folder is right already."""
        self.retouch: list[Wish] = []
        """The content is here; flags or time are not."""
        self.removals: list[Wish] = []
        self.directory_moves: list[DirectoryMove] = []
        self.moves: list[MoveStep] = []
        self.remove_directories: list[Wish] = []
        self.make_directories: list[Wish] = []
        self.places: list[Wish] = []
        """Content that has to be brought."""


def plan(wishes: Iterable[Wish], count_below: Callable[[str], int]) -> Plan:
    """Sort wishes into work. `count_below` tells how many rows stand below a directory."""
    made = Plan()
    for wish in wishes:
        _sort(wish, made)
    _find_moves(made)
    _find_directory_moves(made, count_below)
    return made


def _sort(wish: Wish, made: Plan) -> None:
    entry, here = wish.entry, wish.here
    if _is_settled(wish):
        row = wish.row
        if row is not None and row.straight and not wish.straight:
            # What came has changed nothing here, but the next change has to look at the log.
            made.bookings.append(row._replace(straight=False))
        else:
            made.settled.append(wish.path)
    elif entry is None:
        if here is None:
            made.bookings.append(absent_row(wish))
        elif here.kind is Kind.DIRECTORY:
            made.remove_directories.append(wish)
        else:
            made.removals.append(wish)
    elif entry.kind is Kind.DIRECTORY:
        if here is not None and here.kind is Kind.DIRECTORY:
            made.bookings.append(directory_row(wish))
        else:
            if here is not None:
                made.removals.append(wish)
            made.make_directories.append(wish)
    elif here is not None and here.kind is entry.kind and here.data_hash == entry.data_hash:
        made.retouch.append(wish)
    else:
        if here is not None and here.kind is Kind.DIRECTORY:
            made.remove_directories.append(wish)
            wish = _vacated(wish)
        made.places.append(wish)


def _is_settled(wish: Wish) -> bool:
    row = wish.row
    if row is None or row.base != wish.base:
        return False
    if wish.entry is None:
        return row.kind is Kind.NOTHING
    return (row.kind, row.data_hash, row.flags) == wish.entry.content or (
        row.kind is Kind.DIRECTORY is wish.entry.kind
    )


def absent_row(wish: Wish) -> FileRow:
    """The row of a path where nothing stands."""
    return FileRow(
        wish.path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, NO_FLAGS, wish.base, straight=wish.straight
    )


def directory_row(wish: Wish) -> FileRow:
    """The row of a directory that an event of its own made."""
    return FileRow(
        wish.path, Kind.DIRECTORY, 0, 0, 0, EMPTY_HASH, NO_FLAGS, wish.base, straight=wish.straight
    )


def _find_moves(made: Plan) -> None:
    """Content that is wanted at one path and no longer at the one where it stands."""
    leaving = {wish.path: wish for wish in made.removals if wish.entry is None}
    leaving.update((wish.path, wish) for wish in made.places if wish.here is not None)
    places: list[Wish] = []
    taken: set[str] = set()
    for wish in made.places:
        source = _movable(wish, leaving, taken)
        if source is None or source.here is None:
            places.append(wish)
            continue
        taken.add(source.path)
        finished = source.entry is None
        leaves = source.base if finished else _left_behind(wish, source.here)
        made.moves.append(MoveStep(source.here, wish, leaves, finished))
    made.places = [_vacated(wish) if wish.path in taken else wish for wish in places]
    made.removals = [wish for wish in made.removals if wish.path not in taken]


def _left_behind(wish: Wish, row: FileRow) -> Ref:
    """What an empty path stands on whose own new content is still to come: a deletion there that
    was applied, or else what stood there. The new content was seen by nobody yet."""
    entry = wish.entry
    assert entry is not None
    return wish.base if entry.op is Op.MOV and entry.other == row.path else row.base


def _vacated(wish: Wish) -> Wish:
    """What stood there is moved away before: the path is free then."""
    return wish._replace(row=None)


def _movable(wish: Wish, leaving: Mapping[str, Wish], taken: set[str]) -> Wish | None:
    """The path whose file can simply be renamed to `wish`, if there is one."""
    entry, origin = wish.entry, wish.origin
    if entry is None or origin is None or wish.here is not None or origin in taken:
        return None
    source = leaving.get(origin)
    if source is None or source.here is None or wish.path.startswith(origin + "/"):
        return None
    row = source.here
    same = (row.kind, row.data_hash) == (entry.kind, entry.data_hash)
    return source if same else None


def _find_directory_moves(made: Plan, count_below: Callable[[str], int]) -> None:
    """Moves that are all of a directory become one rename of it."""
    if len(made.moves) < 2:
        return
    below = _Below(made, count_below)
    tried: set[tuple[str, str]] = set()
    for step in below.moves:
        if step.row.path in below.carried:
            continue
        for source, target in directory_pairs(step.row.path, step.wish.path):
            if (source, target) not in tried:
                tried.add((source, target))
                steps = below.all_of(source, target)
                if steps is not None:
                    made.directory_moves.append(DirectoryMove(source, target, steps))
                    below.carried.update(s.row.path for s in steps)
                    break
    made.moves = [step for step in made.moves if step.row.path not in below.carried]


class _Below:
    """What a plan does below each directory."""

    def __init__(self, made: Plan, count_below: Callable[[str], int]) -> None:
        self._count_below = count_below
        self.moves = sorted(made.moves, key=lambda step: step.row.path)
        self.carried: set[str] = set()
        """Sources of the moves that a directory's rename carries out."""
        self._sources = [step.row.path for step in self.moves]
        self._removed = sorted(wish.path for wish in made.removals)
        self._emptied = sorted(wish.path for wish in made.remove_directories)
        self._wanted = {wish.path for wish in made.make_directories}

    def all_of(self, source: str, target: str) -> tuple[MoveStep, ...] | None:
        """The moves of all that stands below `source`, if they lead to the same below `target`.

        Files that are removed are gone by then. Directories are carried along, so those that are
        removed have to be wanted at the other place.
        """
        steps = tuple(self.moves[i] for i in _range_below(self._sources, source))
        inside = [self._emptied[i] for i in _range_below(self._emptied, source)]
        leaving = len(steps) + len(_range_below(self._removed, source)) + len(inside)
        carries = (
            all(_follows(step, source, target) for step in steps)
            and all(target + path[len(source) :] in self._wanted for path in inside)
            and not any(step.row.path in self.carried for step in steps)
            and leaving == self._count_below(source)
            and self._count_below(target) == 0
        )
        return steps if carries else None


def _follows(step: MoveStep, source: str, target: str) -> bool:
    return step.wish.path == target + step.row.path[len(source) :]


def _range_below(ordered: Sequence[str], directory: str) -> range:
    """Indexes of the paths below a directory, in a sorted list of paths."""
    return range(bisect_left(ordered, directory + "/"), bisect_left(ordered, directory + "0"))


_GROUP_FILES = 20_000
_GROUP_BYTES = 256 * 2**20


def groups(wishes: Sequence[Wish]) -> Iterator[list[Wish]]:
    """Slices that share one barrier: bounded in number and in bytes."""
    group: list[Wish] = []
    size = 0
    for wish in wishes:
        assert wish.entry is not None
        if group and (len(group) >= _GROUP_FILES or size + wish.entry.size > _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(wish)
        size += wish.entry.size
    if group:
        yield group
