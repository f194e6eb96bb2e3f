"""Open conflicts, and the changes that settle them."""

from collections.abc import Sequence

import pytest
from tests.unit.history.log_builder import ANNA, BERT, NAMES, LogBuilder, member

from firnline.core.conflict import conflict_path
from firnline.core.entry import Change, Entry
from firnline.core.event import Op, ref_of
from firnline.core.hashing import EMPTY_HASH, PLAIN
from firnline.core.resolve import device_of, resolve, time_of
from firnline.history.browse import cat, ls
from firnline.history.conflicts import (
    DirectoryThereError,
    NoConflictError,
    NoSuchVersionError,
    open_conflicts,
    resolution,
)
from firnline.history.moments import format_time_of


class Rules:
    """The log as `core.resolve` asks for it."""

    def __init__(self, log: LogBuilder) -> None:
        self._journal = log.state.journal

    def entries(self, path: str) -> Sequence[Entry]:
        return self._journal.entries(path)

    def has_children(self, path: str) -> bool:
        return self._journal.has_entries_below(path)

    def waits(self, path: str) -> bool:
        return False


def come_to_rest(log: LogBuilder) -> int:
    """Write what rules 4 to 6 ask for until they ask for nothing; returns how many events."""
    written = 0
    while True:
        rulings = [
            r for path, _ in list(log.state.journal.logs()) for r in resolve(path, Rules(log))
        ]
        if not rulings:
            return written
        for ruling in rulings:
            members = [(change, None) for change in ruling.changes]
            log.event(*members, device=ruling.device, time=ruling.time)
        written += len(rulings)


def collide(log, path="d/note.txt", **more):
    """Anna's and Bert's versions of one path; Bert's is later and wins. Returns (lost, kept)."""
    lost = log.put(path, "anna", **more)
    kept = log.put(path, "bert", device=BERT)
    come_to_rest(log)
    return lost, kept


def copy_of(path, lost, marks=1):
    return conflict_path(path, time_of(lost), device_of(lost), marks)


def texts(log):
    return {
        item.path: b"".join(cat(log.context, item.path)).decode()
        for item in ls(log.context, recursive=True)
        if item.hash is not None
    }


def found(log):
    return open_conflicts(log.context, NAMES)


def test_conflict_has_the_fields_of_the_contract(log):
    """Both versions by event, where the copy lies, whose they are and since when."""
    lost, kept = collide(log)
    copy = copy_of("d/note.txt", lost)
    (conflict,) = found(log)
    (move,) = log.state.journal.entries(copy)
    assert conflict.to_json() == {
        "folder": "docs",
        "path": "d/note.txt",
        "kept": kept,
        "copy": copy,
        "lost": lost,
        "devices": ["bert", "anna"],
        "time": format_time_of(move.event),
    }


def test_folder_without_conflicts_has_none(log):
    """Neither edits in turn nor moves to any name are conflicts."""
    first = log.put("a", "1")
    second = log.put("a", "2", first, device=BERT)
    log.move("a", "a (conflict 2026-11-22 08.26.00 cccccccc)", "2", second)
    assert found(log) == []


def test_device_in_conflict_with_itself_is_named_once(log):
    """Two versions from one device, written apart by a copied folder."""
    log.put("a", "1")
    log.put("a", "2")
    come_to_rest(log)
    assert [conflict.devices for conflict in found(log)] == [("anna",)]


def test_edit_of_the_original_leaves_the_conflict_open(log):
    """Nobody has looked at the copy; what is kept is the path's present version."""
    lost, kept = collide(log)
    newer = log.put("d/note.txt", "more", kept)
    assert [(c.kept, c.lost) for c in found(log)] == [(newer, lost)]


def test_deleted_original_leaves_the_conflict_open(log):
    """What is kept is the deletion then."""
    lost, kept = collide(log)
    gone = log.delete("d/note.txt", kept)
    assert [(c.kept, c.lost) for c in found(log)] == [(gone, lost)]


@pytest.mark.parametrize("op", [Op.PUT, Op.DEL, Op.MOV, Op.CPY])
def test_whoever_touches_the_copy_settles_the_conflict(log, op):
    """Changing, deleting, moving or acknowledging the copy is a decision."""
    lost, _ = collide(log)
    copy = copy_of("d/note.txt", lost)
    (move,) = log.state.journal.entries(copy)
    match op:
        case Op.PUT:
            log.put(copy, "merged", move.event)
        case Op.DEL:
            log.delete(copy, move.event)
        case Op.MOV:
            log.move(copy, "elsewhere", "anna", move.event)
        case _:
            log.event(member(op, copy, "anna", move.ref, source=copy))
    assert found(log) == []


def test_twin_moves_by_two_observers_are_one_conflict(log):
    """Whoever saw the conflict wrote the move; naming one of them settles it."""
    first = log.put("a", "1")
    log.put("a", "2", device=BERT)
    newest = log.put("a", "3", device="cccccccc")
    copy = copy_of("a", first)
    for seconds in ("00", "30"):
        log.move("a", copy, "1", first, time=f"202611230826{seconds}000000")
    come_to_rest(log)
    conflicts = {conflict.copy: conflict for conflict in found(log)}
    assert len(conflicts) == 2
    assert conflicts[copy].kept == newest
    log.write(resolution(log.context, copy, None))
    assert [conflict.copy for conflict in found(log)] == [c for c in conflicts if c != copy]


@pytest.mark.parametrize("path", ["a.txt", "plain", "d/" + "n" * 251 + ".txt"])
def test_copy_that_was_marked_twice_is_found(log, path):
    """Where the first marked name was in use, the copy has a second mark."""
    lost = log.put(path, "1")
    log.put(copy_of(path, lost), "in use")
    log.put(path, "2", device=BERT)
    come_to_rest(log)
    assert [(c.path, c.copy) for c in found(log)] == [(path, copy_of(path, lost, 2))]


def test_move_to_another_losers_name_is_no_conflict_of_this_one(log):
    """The mark has to be that of the version that was moved."""
    lost = log.put("a.txt", "1")
    later = log.put("a.txt", "2", lost)
    log.move("a.txt", copy_of("a.txt", lost), "2", later)
    assert found(log) == []


def test_loser_that_was_never_seen_is_no_conflict_yet(log):
    """Without the losing event's name nothing proves what the move was."""
    path = "a (conflict 2026-11-22 08.26.01 aaaaaaaa)"
    log.event(member(Op.MOV, path, "1", ref_of("unknown"), source="a"))
    assert found(log) == []


def test_file_that_met_a_directory_is_a_conflict(log):
    """Rule 6: the directory stays; its newest event is what was kept."""
    lost = log.put("x", "file")
    below = log.put("x/y", "below", device=BERT)
    come_to_rest(log)
    (conflict,) = found(log)
    assert (conflict.path, conflict.kept, conflict.lost) == ("x", below, lost)


# --- settling -----------------------------------------------------------------------------------


def test_keeping_the_winner_deletes_the_copy(log):
    """One deletion that names the copy."""
    lost, kept = collide(log)
    copy = copy_of("d/note.txt", lost)
    (move,) = log.state.journal.entries(copy)
    changes = resolution(log.context, "d/note.txt", kept)
    assert changes == [Change(Op.DEL, copy, None, move.ref, EMPTY_HASH, 0, 0, "-")]
    log.write(changes)
    assert found(log) == []
    assert texts(log) == {"d/note.txt": "bert"}


def test_keeping_the_loser_brings_its_content_back_and_deletes_the_copy(log):
    """A batch without bodies, on top of the winner, with the hint that makes it a move."""
    lost, kept = collide(log, flags="x", mtime=7)
    copy = copy_of("d/note.txt", lost)
    (move,) = log.state.journal.entries(copy)
    changes = resolution(log.context, "d/note.txt", lost)
    hashed = PLAIN.data(b"anna")
    assert changes == [
        Change(Op.DEL, copy, None, move.ref, EMPTY_HASH, 0, 0, "-"),
        Change(Op.PUT, "d/note.txt", copy, ref_of(kept), hashed, 4, 7, "x"),
    ]
    log.write(changes)
    assert found(log) == []
    assert come_to_rest(log) == 0
    assert texts(log) == {"d/note.txt": "anna"}


def test_keeping_both_says_so_without_changing_anything(log):
    """The copy is written onto itself, and is no conflict from then on, on any device."""
    lost, _ = collide(log, flags="x")
    copy = copy_of("d/note.txt", lost)
    (move,) = log.state.journal.entries(copy)
    changes = resolution(log.context, "d/note.txt", None)
    assert changes == [Change(Op.CPY, copy, copy, move.ref, PLAIN.data(b"anna"), 4, 0, "x")]
    log.write(changes)
    assert found(log) == []
    assert come_to_rest(log) == 0
    assert texts(log) == {"d/note.txt": "bert", copy: "anna"}


@pytest.mark.parametrize("choice", ["kept", "lost", "both"])
def test_copy_may_be_named_instead_of_the_original(log, choice):
    """The copy's path means the same conflict."""
    lost, kept = collide(log)
    keep = {"kept": kept, "lost": lost, "both": None}[choice]
    by_copy = resolution(log.context, copy_of("d/note.txt", lost), keep)
    assert by_copy == resolution(log.context, "d/note.txt", keep)


def collide_three(log):
    """Three versions of one path; returns the two lost events and the kept one."""
    first = log.put("a", "1")
    second = log.put("a", "2", device=BERT)
    third = log.put("a", "3", device="cccccccc")
    come_to_rest(log)
    return first, second, third


@pytest.mark.parametrize(("choice", "content"), [(0, "1"), (1, "2"), (2, "3")])
def test_one_of_several_versions_is_kept_and_all_copies_go(log, choice, content):
    """The original's path means all its conflicts at once."""
    versions = collide_three(log)
    log.write(resolution(log.context, "a", versions[choice]))
    assert found(log) == []
    assert come_to_rest(log) == 0
    assert texts(log) == {"a": content}


def test_all_of_several_versions_are_kept(log):
    """Every copy is acknowledged."""
    first, second, _ = collide_three(log)
    log.write(resolution(log.context, "a", None))
    assert found(log) == []
    assert texts(log) == {"a": "3", copy_of("a", first): "1", copy_of("a", second): "2"}


def test_copy_path_settles_that_conflict_alone(log):
    """The other conflicts of the original stay open."""
    first, second, third = collide_three(log)
    log.write(resolution(log.context, copy_of("a", first), third))
    assert [(c.kept, c.lost) for c in found(log)] == [(third, second)]
    assert texts(log) == {"a": "3", copy_of("a", second): "2"}


def test_loser_of_a_deleted_original_comes_back_on_top_of_the_deletion(log):
    """The deletion is named, so it deletes nothing any more."""
    lost, kept = collide(log)
    gone = log.delete("d/note.txt", kept)
    changes = resolution(log.context, "d/note.txt", lost)
    assert changes[1].parent == ref_of(gone)
    log.write(changes)
    assert texts(log) == {"d/note.txt": "anna"}


def test_links_in_conflict_stay_links(log):
    """Kept or brought back, a link is written as a link, never as a file of its target's text."""
    lost = log.event(member(Op.LNK, "l", "there"))
    log.event(member(Op.LNK, "l", "here"), device=BERT)
    come_to_rest(log)
    copy = copy_of("l", lost)
    (move,) = log.state.journal.entries(copy)
    hashed = PLAIN.data(b"there")
    both = resolution(log.context, "l", None)
    assert both == [Change(Op.LNK, copy, None, move.ref, hashed, 5, 0, "-")]
    log.write(resolution(log.context, "l", lost))
    assert [(i.path, i.to_json()["kind"], i.hash) for i in ls(log.context)] == [
        ("l", "link", hashed)
    ]


def test_edit_of_a_copy_that_is_brought_back_follows_to_the_original(log):
    """Bringing back is a move: an edit made beside it on another device is not left behind."""
    lost, _ = collide(log)
    copy = copy_of("d/note.txt", lost)
    (move,) = log.state.journal.entries(copy)
    log.write(resolution(log.context, "d/note.txt", lost))
    log.put(copy, "anna, edited", move.event, device=BERT)
    come_to_rest(log)
    assert texts(log) == {"d/note.txt": "anna, edited"}


def test_loser_cannot_come_back_where_a_directory_stands(log):
    """It would only become a conflict copy again; the directory that won can be kept."""
    lost = log.put("x", "file")
    below = log.put("x/y", "below", device=BERT)
    come_to_rest(log)
    with pytest.raises(DirectoryThereError, match="docs:x is a directory now"):
        resolution(log.context, "x", lost)
    log.write(resolution(log.context, "x", below))
    assert texts(log) == {"x/y": "below"}


def test_made_directory_keeps_its_name_as_well(log):
    """A directory with an event of its own is no place for a file either."""
    lost = log.put("x", "file", device=ANNA)
    made = log.mkdir("x", device=BERT)
    come_to_rest(log)
    assert [(c.kept, c.lost) for c in found(log)] == [(made, lost)]
    with pytest.raises(DirectoryThereError):
        resolution(log.context, "x", lost)


@pytest.mark.parametrize("path", ["d/note.txt", "d", "nothing"])
def test_path_without_an_open_conflict_is_an_error(log, path):
    """Settled ones are none."""
    collide(log)
    log.write(resolution(log.context, "d/note.txt", None))
    with pytest.raises(NoConflictError, match=f"docs:{path} has no open conflict"):
        resolution(log.context, path, None)


def test_version_that_is_none_of_those_in_conflict_is_an_error(log):
    """The error names the versions that there are."""
    lost, kept = collide(log)
    other = log.put("other", "x")
    with pytest.raises(NoSuchVersionError, match=f"there are {kept}, {lost}"):
        resolution(log.context, "d/note.txt", other)
