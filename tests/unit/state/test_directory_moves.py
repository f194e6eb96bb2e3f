"""What the database tells about the move of a whole directory, and how it books one."""

from collections.abc import Callable

import pytest
from tests.unit.state.samples import add, batch, change, put, row

from firnline.core.batch import read_manifest
from firnline.core.directory_move import move_manifest
from firnline.core.entry import Change, Entry
from firnline.core.event import EventText, Kind, Op
from firnline.core.hashing import Ref
from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState

A, B = "old/a", "old/d/b"
KNOWN = EventState.KNOWN


class World:
    """Two files below `old` that are here, and the batch that moves them below `new`."""

    def __init__(self, state: FolderState) -> None:
        self.state = state
        self.puts = {path: put(number, path, path) for number, path in enumerate((A, B), 1)}
        for draft in self.puts.values():
            add(state, draft)
        for path in self.puts:
            self.stands(path)

    def stands(self, path: str, change_row: Callable[[FileRow], FileRow] = lambda row: row) -> None:
        """The table has the file, but for what is changed about its row."""
        base = self.puts[path].ref if path in self.puts else Ref("0123456789")
        found = row(path, content=path, base=base)._replace(straight=True, mtime_ns=0)
        with self.state.transaction("test"):
            self.state.files.put_many([change_row(found)])

    def moves(self, *more: Change) -> int:
        """The batch, with other members or without; its row id."""
        members = [self.move(path, "new" + path[3:]) for path in self.puts]
        return add(self.state, batch(9, *((member, None) for member in (*members, *more))))

    def move(self, path: str, target: str) -> Change:
        return change(Op.MOV, target, path, self.puts[path].ref, source=path)

    def fits(self, event: int) -> int | None:
        return self.state.directory_moves.fits(event, "old", "new")


@pytest.fixture
def world(state: FolderState) -> World:
    return World(state)


def test_move_of_all_that_stands_there_fits(world: World) -> None:
    """Both files, and nothing else in the log or here."""
    event = world.moves()
    assert world.state.directory_moves.sample(event) == (A, "new/a")
    assert world.fits(event) == 2


def test_booking_moves_the_rows(world: World) -> None:
    """The files stand at the target by the batch, and at the source their deletion does."""
    world.moves()
    files = world.state.files
    before = files.get(B)
    base = Ref("abcdefghij")
    with world.state.transaction("test"):
        world.state.directory_moves.book("old", "new", base)
    assert before is not None
    assert files.get("new/d/b") == before._replace(path="new/d/b", base=base)
    gone = files.get(B)
    assert gone is not None
    assert (gone.kind, gone.size, gone.inode, gone.base) == (Kind.NOTHING, 0, 0, base)
    assert gone.straight
    assert files.count_below("old") == 0


def other_file_stays(world: World) -> None:
    world.stands("old/other")


def file_was_edited(world: World) -> None:
    world.stands(A, lambda found: found._replace(data_hash=row(A, content="other").data_hash))


def file_stands_on_another_event(world: World) -> None:
    world.stands(A, lambda found: found._replace(base=Ref("0123456789")))


def log_is_not_straight(world: World) -> None:
    world.stands(A, lambda found: found._replace(straight=False))


def time_differs(world: World) -> None:
    world.stands(A, lambda found: found._replace(mtime_ns=1_000_000))


def flags_differ(world: World) -> None:
    world.stands(A, lambda found: found._replace(flags="x"))


def written_otherwise_on_disk(world: World) -> None:
    world.stands(A, lambda found: found._replace(local="old/A"))


def file_is_gone(world: World) -> None:
    world.stands(A, lambda found: found._replace(kind=Kind.NOTHING))


def something_at_the_target(world: World) -> None:
    world.stands("new/other")


def something_was_at_the_target(world: World) -> None:
    add(world.state, put(5, "new/other", "text"))


def target_has_a_log(world: World) -> None:
    add(world.state, put(5, "new", "text"))


@pytest.mark.parametrize(
    "twist",
    [
        other_file_stays, file_was_edited, file_stands_on_another_event, log_is_not_straight,
        flags_differ, time_differs, written_otherwise_on_disk, file_is_gone,
        something_at_the_target, something_was_at_the_target, target_has_a_log,
    ],
)  # fmt: skip
def test_whatever_else_happened_does_not_fit(world: World, twist: Callable[[World], None]) -> None:
    """One path about which more is to be said is enough."""
    event = world.moves()
    twist(world)
    assert world.fits(event) is None


def test_file_that_goes_elsewhere_does_not_fit(world: World) -> None:
    """All have to keep their place below the directory."""
    event = add(
        world.state,
        batch(9, (world.move(A, "new/other"), None), (world.move(B, "new/d/b"), None)),
    )
    assert world.fits(event) is None


@pytest.mark.parametrize(
    "member", [change(Op.MKD, "new/empty"), change(Op.DEL, "other", parent=Ref("0123456789"))]
)
def test_other_members_do_not_fit(world: World, member: Change) -> None:
    """A batch that does more than to move files is looked at path by path."""
    event = world.moves(member)
    assert world.state.directory_moves.sample(event) is None
    assert world.fits(event) is None


def test_batch_without_moves_has_no_sample(world: World) -> None:
    """There is nothing to rename."""
    event = add(world.state, batch(9, (change(Op.MKD, "d"), None)))
    assert world.state.directory_moves.sample(event) is None


@pytest.mark.parametrize(("straight", "expected"), [(True, 2), (False, None)])
def test_origins_must_be_clear_too(state: FolderState, straight: bool, expected: object) -> None:
    """An edit at a path from which the file was moved earlier may have to follow it (rule 5)."""
    world = World(state)
    first = put(3, "origin", A)
    add(state, first)
    arrival = add(state, batch(4, (change(Op.MOV, A, A, first.ref, source="origin"), None)))
    world.puts[A] = first._replace(ref=state.journal.by_id(arrival).ref)
    world.stands(A)
    world.stands("origin", lambda found: found._replace(kind=Kind.NOTHING, straight=straight))
    assert world.fits(world.moves()) == expected


def entries(world: World, event: int) -> list[Entry]:
    """What the log has of the event, without its name."""
    found = world.state.journal.entries_of_event(event)
    return [entry._replace(event=EventText(""), ref=Ref("")) for entry in found]


def test_entering_is_as_adding_entry_by_entry(world: World) -> None:
    """A link, an executable file and times that no name can hold among them."""
    state = world.state
    world.stands(A, lambda found: found._replace(flags="x", mtime_ns=-1_500_000))
    world.stands(B, lambda found: found._replace(kind=Kind.LINK, mtime_ns=5_000_000))
    world.puts["old/z"] = put(3, "old/z", "old/z")
    add(state, world.puts["old/z"])
    world.stands("old/z", lambda found: found._replace(mtime_ns=2**62))
    with state.transaction("test"):
        event = state.journal.add(put(8, "any", "name").name, Ref("abcdefghij"), 0, KNOWN)
        state.directory_moves.enter(event, "old", "new")
    rows = state.directory_moves.leaving("old", "elsewhere")
    assert rows is not None
    changes = read_manifest(move_manifest("old", "new", rows))
    drafted = add(state, batch(9, *((member, None) for member in changes)))
    assert entries(world, event) == entries(world, drafted)
    assert len(entries(world, event)) == 6


def test_what_is_leaving(world: World) -> None:
    """The rows of all that stands there, when a move to the target is all that there is to it."""
    found = [row[0] for row in world.state.directory_moves.leaving("old", "new") or ()]
    assert found == [A, B]


@pytest.mark.parametrize(
    "twist",
    [
        log_is_not_straight, written_otherwise_on_disk, something_at_the_target,
        something_was_at_the_target, target_has_a_log,
    ],
)  # fmt: skip
def test_nothing_is_known_to_be_leaving(world: World, twist: Callable[[World], None]) -> None:
    """Where one path has to be asked about."""
    twist(world)
    assert world.state.directory_moves.leaving("old", "new") is None


def test_directory_with_an_event_of_its_own_is_not_leaving(world: World) -> None:
    """It is no file that a `mov` could take along."""
    world.stands("old/empty", lambda found: found._replace(kind=Kind.DIRECTORY))
    assert world.state.directory_moves.leaving("old", "new") is None


def test_entered_holds_until_anything_is_written(world: World) -> None:
    """Then what was found out before may hold no more."""
    state = world.state
    moves = state.directory_moves
    assert moves.entered(1) is None
    with state.transaction("test"):
        event = state.journal.add(put(8, "any", "name").name, Ref("abcdefghij"), 0, KNOWN)
        moves.enter(event, "old", "new")
    assert moves.entered(event) == ("old", "new")
    assert moves.entered(event + 1) is None
    with state.transaction("test"):
        state.set_fact("any", "thing")
    assert moves.entered(event) is None


@pytest.mark.parametrize("straight", [True, False])
def test_clear_origins(world: World, straight: bool) -> None:
    """Where a file once was, an edit may have to follow it, or follow one that followed."""
    state, moves = world.state, world.state.directory_moves
    assert moves.has_clear_origins("old")
    add(state, batch(4, (change(Op.MOV, A, A, Ref("0123456789"), source="origin"), None)))
    assert not moves.has_clear_origins("old")
    world.stands("origin", lambda found: found._replace(kind=Kind.NOTHING, straight=straight))
    assert moves.has_clear_origins("old") is straight
    source = change(Op.MOV, "origin", A, Ref("0123456789"), source="before")
    add(state, batch(3, (source, None)))
    assert not moves.has_clear_origins("old")


def test_dirty_events_are_spread(world: World) -> None:
    """All paths of a batch are dirty by one row, and by one each when somebody needs it so."""
    event, dirty = world.moves(), world.state.dirty
    with world.state.transaction("test"):
        dirty.mark_event(event)
    assert dirty.events() == [event]
    assert dirty.only_event() == event
    assert dirty.count() == 4
    with world.state.transaction("test"):
        dirty.spread_events()
    assert dirty.only_event() is None
    assert dirty.paths() == ["new/a", "new/d/b", A, B]


def test_other_dirty_paths_beside_an_event(world: World) -> None:
    """A batch is not all that is to be looked at then."""
    dirty = world.state.dirty
    with world.state.transaction("test"):
        dirty.mark_event(world.moves())
        dirty.mark(["other"])
    assert dirty.only_event() is None


def test_dirty_event_is_cleared(world: World) -> None:
    """What was applied as a whole is dirty no more, nor what never was an event."""
    event, dirty = world.moves(), world.state.dirty
    other = add(world.state, put(11, "other", "text"))
    with world.state.transaction("test"):
        for each in (event, other):
            dirty.mark_event(each)
        assert dirty.only_event() is None
        dirty.clear_event(event)
        world.state.journal.forget(other)
    assert dirty.events() == []
