"""The plan of what applying does: nothing is lost on the way from wishes to work."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sync.words import (
    content,
    delete,
    directory_row,
    event,
    file_row,
    gone_row,
    make_directory,
    move,
    put,
)

from firnline.core.event import Kind, Op
from firnline.core.hashing import NO_PARENT, Ref
from firnline.state.file_index import FileRow
from firnline.sync.apply_intents import arranging_intents
from firnline.sync.apply_plan import MoveStep, Plan, Wish, plan

BASE = Ref("0123456789")


def _count_below(rows: Iterable[FileRow]):
    here = [row.path for row in rows if row.kind is not Kind.NOTHING]
    return lambda directory: sum(path.startswith(directory + "/") for path in here)


def _plan(*wishes: Wish, others: Iterable[FileRow] = ()) -> Plan:
    rows = [wish.row for wish in wishes if wish.row is not None]
    return plan(wishes, _count_below([*rows, *others]))


def planned(
    *,
    settled: Iterable[str] = (),
    bookings: Iterable[FileRow] = (),
    moves: Iterable[MoveStep] = (),
    **wishes: Iterable[Wish],
) -> dict[str, list[object]]:
    """Such work, and no other."""
    work: dict[str, list[object]] = {
        "settled": [*settled],
        "bookings": [*bookings],
        "moves": [*moves],
        **{kind: [*found] for kind, found in wishes.items()},
    }
    return {kind: found for kind, found in work.items() if found}


def done(made: Plan) -> dict[str, list[object]]:
    """The kinds of work of which there is some."""
    return {kind: found for kind, found in vars(made).items() if found}


def _wish(path: str, text: str | None, row: FileRow | None, origin: str | None = None) -> Wish:
    if text is None:
        entry = delete(9, path)
        return Wish(path, None, entry.ref, row)
    entry = put(9, path, text)
    return Wish(path, entry, entry.ref, row, origin)


# --- kinds of work --------------------------------------------------------------------------------


def test_nothing_to_do_where_table_and_folder_are_right() -> None:
    """Neither the folder nor the table is touched again."""
    entry, made, gone = put(1, "f", "text"), make_directory(1, "d"), delete(1, "g")
    work = _plan(
        Wish("f", entry, entry.ref, file_row("f", "text", entry.ref)),
        Wish("d", made, made.ref, directory_row("d", made.ref)),
        Wish("g", None, gone.ref, gone_row("g", gone.ref)),
    )
    assert done(work) == planned(settled=["f", "d", "g"])


def test_each_kind_of_work() -> None:
    """What the log wants against what stands there."""
    file, made = put(9, "x", "new"), make_directory(9, "x")
    nothing = delete(9, "x")
    old, directory, gone = file_row("x", "old", BASE), directory_row("x", BASE), gone_row("x", BASE)
    same = file_row("x", "new", BASE)
    place, wanted = Wish("x", file, file.ref, None), Wish("x", made, made.ref, None)
    absent = Wish("x", None, nothing.ref, None)
    assert done(_plan(place)) == planned(places=[place])
    assert done(_plan(place._replace(row=gone))) == planned(places=[place._replace(row=gone)])
    assert done(_plan(place._replace(row=old))) == planned(places=[place._replace(row=old)])
    assert done(_plan(place._replace(row=same))) == planned(retouch=[place._replace(row=same)])
    assert done(_plan(wanted)) == planned(make_directories=[wanted])
    assert done(_plan(absent)) == planned(bookings=[gone_row("x", nothing.ref)])
    assert done(_plan(absent._replace(row=old))) == planned(removals=[absent._replace(row=old)])
    assert done(_plan(absent._replace(row=directory))) == planned(
        remove_directories=[absent._replace(row=directory)]
    )
    assert done(_plan(wanted._replace(row=directory))) == planned(
        bookings=[directory_row("x", made.ref)]
    )


def test_file_in_a_directorys_place_and_the_other_way_round() -> None:
    """What stands there goes first; the path is free for what comes then."""
    file, made = put(9, "x", "new"), make_directory(9, "x")
    directory, old = directory_row("x", BASE), file_row("x", "old", BASE)
    to_file = Wish("x", file, file.ref, directory)
    to_directory = Wish("x", made, made.ref, old)
    assert done(_plan(to_file)) == planned(
        remove_directories=[to_file], places=[to_file._replace(row=None)]
    )
    assert done(_plan(to_directory)) == planned(
        removals=[to_directory], make_directories=[to_directory]
    )


# --- moves ----------------------------------------------------------------------------------------


def test_rename_is_a_move() -> None:
    """The file that is no longer wanted at one path is renamed to where it is wanted."""
    row = file_row("old", "text", BASE)
    arrived, gone = move(2, "old", "new", "text", BASE)
    target = Wish("new", arrived, arrived.ref, None, "old")
    work = _plan(Wish("old", None, gone.ref, row), target)
    assert done(work) == planned(moves=[MoveStep(row, target, gone.ref, True)])


def test_other_content_is_no_move() -> None:
    """What was saved at the old path meanwhile is not what is wanted at the new one."""
    row = file_row("old", "edited", BASE)
    arrived, gone = move(2, "old", "new", "text", BASE)
    target = Wish("new", arrived, arrived.ref, None, "old")
    removed = Wish("old", None, gone.ref, row)
    assert done(_plan(removed, target)) == planned(removals=[removed], places=[target])


def test_file_goes_to_one_place_only() -> None:
    """Where two paths want it, the second one gets a copy."""
    row = file_row("old", "text", BASE)
    first, second = _wish("a", "text", None, "old"), _wish("b", "text", None, "old")
    work = _plan(_wish("old", None, row), first, second)
    assert [step.wish for step in work.moves] == [first]
    assert work.places == [second]


def test_conflict_copy_leaves_its_path_to_the_winner() -> None:
    """The loser is renamed, the path stands on its deletion, and the winner is placed anew."""
    row = file_row("p", "loser", BASE)
    winner = put(3, "p", "winner")
    arrived, gone = move(4, "p", "p (conflict)", "loser", BASE)
    stays = Wish("p", winner, winner.ref, row)
    work = _plan(stays, Wish("p (conflict)", arrived, arrived.ref, None, "p"))
    (step,) = work.moves
    assert (step.leaves, step.finished) == (gone.ref, False)
    assert work.places == [stays._replace(row=None)]


def test_path_that_waits_for_its_new_content_stands_on_the_old_one() -> None:
    """A content that is merely taken from there was not deleted there: until the new one has come
    nobody has seen it, and the next change does not name it."""
    row = file_row("p", "was p", BASE)
    swapped = event(3, Op.PUT, "q", "was p", source="p").entries[0]
    new = put(3, "p", "new")
    work = _plan(Wish("p", new, new.ref, row), Wish("q", swapped, swapped.ref, None, "p"))
    (step,) = work.moves
    assert (step.leaves, step.finished) == (BASE, False)


def test_file_is_not_moved_below_itself() -> None:
    """A file that becomes a directory which holds it is removed first."""
    row = file_row("d", "text", BASE)
    target = _wish("d/d", "text", None, "d")
    work = _plan(_wish("d", None, row), target)
    assert (work.moves, work.places) == ([], [target])


# --- directories ----------------------------------------------------------------------------------


def _renamed(names: Iterable[str], source: str, target: str) -> list[Wish]:
    wishes = []
    for number, name in enumerate(names):
        row = file_row(f"{source}/{name}", name, BASE, inode=number + 1)
        arrived, gone = move(2, row.path, f"{target}/{name}", name, BASE)
        wishes += [
            Wish(row.path, None, gone.ref, row),
            Wish(arrived.path, arrived, arrived.ref, None, row.path),
        ]
    return wishes


def test_renamed_directory_is_one_rename() -> None:
    """Its whole content at once, the outermost directory that carries all of it."""
    work = _plan(*_renamed(["a", "b", "sub/c"], "old", "new"))
    (found,) = work.directory_moves
    assert (found.source, found.target, len(found.steps)) == ("old", "new", 3)
    assert work.moves == []


def test_directory_that_keeps_something_is_not_renamed() -> None:
    """A file that stays, one that goes elsewhere, or one that stands at the target."""
    names = ["a", "b"]
    stays = file_row("old/stays", "x", BASE)
    occupied = file_row("new/occupied", "x", BASE)
    elsewhere = _renamed(["c"], "old", "other")
    for work in (
        _plan(*_renamed(names, "old", "new"), others=[stays]),
        _plan(*_renamed(names, "old", "new"), others=[occupied]),
        _plan(*_renamed(names, "old", "new"), *elsewhere),
    ):
        assert work.directory_moves == []
        assert len(work.moves) >= 2


def test_removed_files_are_gone_before_a_directory_is_renamed() -> None:
    """What nobody wants any more does not keep it."""
    gone = _wish("old/gone", None, file_row("old/gone", "gone", BASE))
    work = _plan(*_renamed(["a", "b"], "old", "new"), gone)
    assert [step.source for step in work.directory_moves] == ["old"]
    assert work.removals == [gone]


def test_directories_inside_are_carried_where_they_are_wanted() -> None:
    """One that is wanted at the other place goes along; one that was removed would come back."""
    made = make_directory(3, "new/empty")
    inside = Wish("old/empty", None, BASE, directory_row("old/empty", BASE))
    wanted = Wish("new/empty", made, made.ref, None)
    carried = _plan(*_renamed(["a", "b"], "old", "new"), inside, wanted)
    assert len(carried.directory_moves) == 1
    removed = _plan(*_renamed(["a", "b"], "old", "new"), inside)
    assert removed.directory_moves == []
    assert len(removed.moves) == 2


def test_directories_that_change_places() -> None:
    """Neither can be renamed while the other stands there: file by file."""
    work = _plan(*_renamed(["a", "b"], "x/d", "y/d"), others=[file_row("y/d/a", "z", BASE)])
    assert work.directory_moves == []


def test_directory_into_itself() -> None:
    """No directory is renamed to a place below itself, nor to one above."""
    assert _plan(*_renamed(["a", "b"], "d", "d/d")).directory_moves == []
    assert _plan(*_renamed(["a", "b"], "d/d", "d")).directory_moves == []


# --- any wishes -----------------------------------------------------------------------------------

PATHS = [
    "a",
    "b",
    "d/a",
    "d/b",
    "d/c/a",
    "d/c/b",
    "e/a",
    "e/b",
    "e/c/a",
    "e/c/b",
    "f/d/a",
    "f/d/b",
]
TEXTS = ["one", "two", "three"]


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Wish], list[FileRow]]:
    """Any rows, wishes for some of their paths and for others, and origins that may be wrong."""
    texts = st.sampled_from(TEXTS)
    rows = {
        path: file_row(path, draw(texts), BASE, inode=number + 1)
        for number, path in enumerate(draw(st.lists(st.sampled_from(PATHS), unique=True)))
    }
    wishes = []
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True)):
        text = draw(st.none() | texts)
        origin = draw(st.none() | st.sampled_from(PATHS))
        row = rows.get(path)
        wish = _wish(path, text, row, origin if row is None else None)
        wishes.append(wish)
    return wishes, list(rows.values())


@given(situations())
def test_every_wish_is_fulfilled_once(situation: tuple[list[Wish], list[FileRow]]) -> None:
    """No wish is forgotten, and none is carried out twice."""
    wishes, rows = situation
    work = plan(wishes, _count_below(rows))
    steps = [*work.moves, *(step for move in work.directory_moves for step in move.steps)]
    moved = {step.row.path for step in steps if step.finished}
    done = [
        *work.settled,
        *(row.path for row in work.bookings),
        *(wish.path for wish in (*work.retouch, *work.places, *work.make_directories)),
        *(step.wish.path for step in steps),
        *(wish.path for wish in work.removals if wish.entry is None),
        *moved,
    ]
    assert sorted(done) == sorted(wish.path for wish in wishes)


@given(situations())
def test_no_row_is_lost(situation: tuple[list[Wish], list[FileRow]]) -> None:
    """Carried out in its order, the plan leaves at each path what is wanted there, and nothing
    that was not spoken of is touched; a path is free before something is put there."""
    wishes, rows = situation
    folder = {row.path: row.data_hash for row in rows}
    untouched = {path: folder[path] for path in folder.keys() - {wish.path for wish in wishes}}
    work = plan(wishes, _count_below(rows))
    for wish in work.removals:
        assert folder.pop(wish.path) == content_of(wish.here)
    for directory in work.directory_moves:
        below = [path for path in folder if path.startswith(directory.source + "/")]
        assert sorted(below) == sorted(step.row.path for step in directory.steps)
        assert not [path for path in folder if path.startswith(directory.target + "/")]
        for step in directory.steps:
            folder[step.wish.path] = folder.pop(step.row.path)
    for step in work.moves:
        assert step.wish.path not in folder
        folder[step.wish.path] = folder.pop(step.row.path)
    for wish in work.places:
        assert (wish.path in folder) is (wish.here is not None)
        assert wish.entry is not None
        folder[wish.path] = wish.entry.data_hash
    wanted = {wish.path: wish.entry.data_hash for wish in wishes if wish.entry is not None}
    assert folder == untouched | wanted


def content_of(row: FileRow | None) -> str:
    assert row is not None
    return row.data_hash


@given(situations())
def test_every_effect_has_its_intent(situation: tuple[list[Wish], list[FileRow]]) -> None:
    """What a crash may leave half done is committed before."""
    wishes, rows = situation
    work = plan(wishes, _count_below(rows))
    intents = {(intent.action, intent.path) for intent in arranging_intents(work)}
    assert {("remove", wish.path) for wish in work.removals} <= intents
    assert {("movedir", move.source) for move in work.directory_moves} <= intents
    assert {("move", step.row.path) for step in work.moves} <= intents


def test_intents_of_a_file_that_a_directory_replaces() -> None:
    """Until the directory is there the path stands on what was there."""
    made = make_directory(9, "x")
    work = _plan(Wish("x", made, made.ref, file_row("x", "old", BASE)))
    (intent,) = arranging_intents(work)
    assert (intent.action, intent.path, intent.base) == ("remove", "x", BASE)


def test_intents_of_new_flags() -> None:
    """A changed execute bit is an effect; a changed time alone is seen again by the next scan."""
    entry = put(9, "x", "text")
    row = file_row("x", "text", BASE)
    flags, time = row._replace(flags="x"), row._replace(mtime_ns=99)
    assert [i.action for i in arranging_intents(_plan(Wish("x", entry, entry.ref, flags)))] == [
        "place"
    ]
    assert list(arranging_intents(_plan(Wish("x", entry, entry.ref, time)))) == []


def test_words() -> None:
    """The samples of this module are what they seem."""
    assert put(1, "f", "text").data_hash == content("text")
    assert put(1, "f", "text").closes == NO_PARENT
