"""The event journal: what is known of each event, and what each does to each path."""

import pytest
from tests.unit.state.samples import add, batch, change, put, single, time

from firnline.core.event import Kind, Op
from firnline.core.hashing import NO_PARENT, PLAIN, Ref
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventRow, EventState
from firnline.sync.drafts import Draft

# --- events ---------------------------------------------------------------------------------------


def test_event_is_noted_once(state: FolderState) -> None:
    """A name that is known keeps its row, its size and its state."""
    draft = put(1, "f", "text")
    event = add(state, draft)
    assert add(state, draft._replace(size=99), EventState.NAMED) == event
    row = state.journal.event(draft.name)
    assert row == state.journal.by_id(event)
    assert row is not None
    assert (row.name, row.ref, row.size, row.state, row.why) == (
        draft.name,
        draft.ref,
        4,
        EventState.KNOWN,
        "",
    )
    assert state.journal.event("20991231") is None
    assert state.journal.count() == 1


def test_event_by_the_name_that_others_give_it(state: FolderState) -> None:
    """More than one only when somebody forged one; none for what was never seen."""
    draft = put(1, "f", "text")
    event = add(state, draft)
    with state.transaction("test"):
        forged = state.journal.add(put(2, "g", "x").name, draft.ref, 0, EventState.KNOWN)
    assert {row.id for row in state.journal.by_ref(draft.ref)} == {event, forged}
    assert state.journal.by_ref("0123456789") == []


def test_unfinished_events_in_the_order_of_names(state: FolderState) -> None:
    """Those in the states that were asked for; what is known is finished."""
    later = add(state, put(2, "f", "later"), EventState.OPEN)
    first = add(state, put(1, "f", "first"), EventState.NAMED)
    known = add(state, put(3, "f", "known"))
    found = state.journal.in_state(EventState.NAMED, EventState.OPEN, EventState.KNOWN)
    assert [row.id for row in found] == [first, later]
    with state.transaction("test"):
        state.journal.set_state(known, EventState.REFUSED, "a bad path")
        state.journal.set_size(known, 12)
    (row,) = state.journal.in_state(EventState.REFUSED)
    assert (row.id, row.why, row.size) == (known, "a bad path", 12)
    states = (EventState.NAMED, EventState.OPEN, EventState.KNOWN)
    assert [row.id for row in state.journal.in_state(*states, limit=1)] == [first]
    assert state.journal.count_in(*states) == 2


def test_event_that_never_was_leaves_nothing(state: FolderState) -> None:
    """Neither its entries nor what stores owe."""
    kept, gone = add(state, put(1, "f", "kept")), add(state, put(2, "f", "gone"))
    with state.transaction("test"):
        state.stores.attach("s1", "generation")
        state.stores.hold(gone, whole=True)
        state.journal.forget(gone)
    assert [entry.size for entry in state.journal.entries("f")] == [4]
    assert [event for event, _ in state.stores.lacking("s1")] == [kept]
    assert not state.stores.holds(gone)
    assert state.journal.count() == 1


def test_names_of_a_span(state: FolderState) -> None:
    """The first bound is among them, the second is not."""
    names = [put(second, "f", "x").name for second in (1, 2, 3)]
    for second in (1, 2, 3):
        add(state, put(second, "f", "x"))
    assert state.journal.known_names(names[0], names[2]) == set(names[:2])


def test_latest_time_up_to_a_limit(state: FolderState) -> None:
    """The limit itself counts; what is after it is passed over."""
    assert state.journal.latest(time(9)) is None
    for second in (1, 5, 7):
        add(state, put(second, "f", "x"))
    assert state.journal.latest(time(0)) is None
    assert state.journal.latest(time(5)) == time(5)
    assert state.journal.latest(time(6)) == time(5)


# --- entries --------------------------------------------------------------------------------------


def test_log_of_a_path_is_in_the_order_of_names(state: FolderState) -> None:
    """Whatever the order in which the events came; each as it was written."""
    second, first = put(2, "f", "second"), put(1, "f", "first")
    assert state.journal.is_empty()
    add(state, second)
    add(state, first)
    assert not state.journal.is_empty()
    assert state.journal.entries("f") == [*first.entries, *second.entries]
    assert state.journal.entries("g") == []


@pytest.mark.parametrize(
    ("known", "counts"),
    [
        (EventState.NAMED, False),
        (EventState.KNOWN, True),
        (EventState.OPEN, True),
        (EventState.REFUSED, False),
        (EventState.BODILESS, True),
    ],
)
def test_events_that_count(state: FolderState, known: EventState, counts: bool) -> None:
    """What was not understood, or was refused, is no part of any log."""
    draft = put(1, "f", "text")
    event = add(state, draft, known)
    expected = draft.entries if counts else []
    assert state.journal.entries("f") == expected
    assert state.journal.entries_of(["f"]).get("f", []) == expected
    assert dict(state.journal.logs()) == ({"f": expected} if counts else {})
    assert state.journal.entries_of_event(event) == draft.entries


def test_logs_of_many_paths(state: FolderState) -> None:
    """Paths without a log are left out, also when nothing was ever logged."""
    assert state.journal.entries_of(["a"]) == {}
    drafts = {path: put(1, path, path) for path in ("a", "b", "\u00e9 [x]'\"")}
    for draft in drafts.values():
        add(state, draft)
    assert state.journal.entries_of([*drafts, "none"]) == {
        path: draft.entries for path, draft in drafts.items()
    }


def test_what_an_event_does_by_path(state: FolderState) -> None:
    """Both sides of a move are among it, and every member of a batch with its offset."""
    moved = single(1, change(Op.MOV, "to", "text", Ref("0123456789"), source="from"))
    event = add(state, moved)
    gone, arrived = state.journal.entries_of_event(event)
    assert (gone.path, gone.kind, gone.other) == ("from", Kind.NOTHING, "to")
    assert (arrived.path, arrived.kind, arrived.other) == ("to", Kind.FILE, "from")
    draft = batch(
        2,
        (change(Op.PUT, "b", "second"), b"second"),
        (change(Op.PUT, "a", "first"), b"first"),
        (change(Op.MKD, "c"), None),
    )
    found = state.journal.entries_of_event(add(state, draft))
    assert [(entry.path, entry.offset) for entry in found] == [("a", 0), ("b", 5), ("c", None)]


def test_logs_below_a_directory(state: FolderState) -> None:
    """The path itself and all below it, in byte order, and nothing that only looks like it."""
    for path in ("d", "d/f", "d/e/f", "d.txt", "d0", "e"):
        add(state, put(1, path, path))
    add(state, put(2, "d/f", "again"))
    assert [(path, len(log)) for path, log in state.journal.logs("d")] == [
        ("d", 1),
        ("d/e/f", 1),
        ("d/f", 2),
    ]
    assert [path for path, _ in state.journal.logs()] == ["d", "d.txt", "d/e/f", "d/f", "d0", "e"]
    assert state.journal.has_entries_below("d")
    assert not state.journal.has_entries_below("e")
    assert state.journal.with_entries_below(["d", "d/e", "d0", "e"]) == {"d", "d/e"}


def test_who_brings_a_content(state: FolderState) -> None:
    """Events with a body of it, by name; naming it is not bringing it."""
    content = PLAIN.data(b"text")
    alone = put(1, "f", "text")
    many = batch(
        2,
        (change(Op.PUT, "a", "other"), b"other"),
        (change(Op.PUT, "g", "text"), b"text"),
        (change(Op.PUT, "h", "text"), None),
    )
    moved = single(3, change(Op.MOV, "m", "text", alone.ref, source="f"))
    ids = [add(state, draft) for draft in (many, alone, moved)]
    assert state.journal.carriers(content) == [
        (ids[1], alone.name, Op.PUT, 0, 4),
        (ids[0], many.name, Op.BAT, 5, 4),
    ]
    assert state.journal.paths_of(content) == ["f", "g"]
    assert state.journal.has_body_of_size(5)
    assert not state.journal.has_body_of_size(6)


def test_size_that_was_unknown_is_mended(state: FolderState) -> None:
    """A move that was read before what it moves has its size once that is read."""
    moved = single(2, change(Op.MOV, "to", "text", Ref("0123456789"), source="from", size=0))
    other = put(3, "other", "", size=0)
    add(state, moved)
    add(state, other)
    with state.transaction("test"):
        state.journal.mend_sizes([*put(1, "from", "text").entries, *other.entries])
    assert [entry.size for entry in state.journal.entries("to")] == [4]
    assert [entry.size for entry in state.journal.entries("from")] == [0]
    assert [entry.size for entry in state.journal.entries("other")] == [0]


def test_size_of_a_content_at_a_path(state: FolderState) -> None:
    """At the parent that was named, else wherever the path's log has it; 0 where it has not."""
    text = put(1, "f", "text")
    again = put(3, "f", "text", size=5)
    for draft in (text, put(2, "f", "other"), put(2, "g", "elsewhere"), again):
        add(state, draft)
    content, parent = text.entries[0].data_hash, text.entries[0].ref
    assert state.journal.size_at("f", content, parent) == 4
    assert state.journal.size_at("f", content, again.entries[0].ref) == 5
    assert state.journal.size_at("f", content, Ref("0123456789")) in (4, 5)
    assert state.journal.size_at("g", content, parent) == 0


def stored(state: FolderState, draft: Draft) -> EventRow:
    """What is known of an event now."""
    found = state.journal.event(draft.name)
    assert found is not None
    return found


def test_size_that_was_a_lie_is_mended(state: FolderState) -> None:
    """Of an event of its own; what a batch's manifest says stays, since its hash covers it."""
    lie = put(1, "f", "text", size=99)
    member = batch(2, (change(Op.PUT, "f", "text", size=99), None), (change(Op.MKD, "d"), None))
    for draft in (lie, member):
        add(state, draft)
    with state.transaction("test"):
        for entry in state.journal.entries("f"):
            state.journal.mend_size(entry, 4)
    assert [entry.size for entry in state.journal.entries("f")] == [4, 99]
    assert [stored(state, draft).size for draft in (lie, member)] == [4, member.size]


def test_size_of_a_move_is_not_that_of_its_content(state: FolderState) -> None:
    """What it names has the size that was read, and its own file has none."""
    moved = single(2, change(Op.MOV, "to", "text", Ref("0123456789"), source="from", size=99))
    add(state, moved)
    with state.transaction("test"):
        state.journal.mend_size(state.journal.entries("to")[0], 4)
    assert [entry.size for entry in state.journal.entries("to")] == [4]
    assert stored(state, moved).size == 0


def test_size_of_a_file_that_was_read(state: FolderState) -> None:
    """Of a batch it may be the manifest's alone, which takes nothing back."""
    lie = put(1, "f", "text", size=99)
    many = batch(2, (change(Op.PUT, "f", "text"), b"text"), (change(Op.MKD, "d"), None))
    for draft in (lie, many):
        add(state, draft)
    with state.transaction("test"):
        state.journal.mend_file_size(stored(state, lie), 4)
        state.journal.mend_file_size(stored(state, many), 1)
        assert stored(state, many).size == many.size
        state.journal.mend_file_size(stored(state, many), 10_000)
    assert [stored(state, draft).size for draft in (lie, many)] == [4, 10_000]
    assert [entry.size for entry in state.journal.entries("f")] == [4, 4]


def test_who_names_a_content(state: FolderState) -> None:
    """Moves and copies, and no event that brings it; all paths, each once."""
    moved = single(2, change(Op.MOV, "to", "text", Ref("0123456789"), source="f"))
    add(state, put(1, "f", "text"))
    named = add(state, moved)
    assert state.journal.naming(PLAIN.data(b"text")) == [named]
    assert list(state.journal.paths()) == ["f", "to"]


# --- what is missing, and what was in conflict ----------------------------------------------------


def test_missing_parent_is_missing_since_it_was_first_noted(state: FolderState) -> None:
    """Later questions do not begin the time of waiting anew."""
    with state.transaction("test"):
        assert state.journal.note_orphan("0123456789", time(1)) == time(1)
        assert state.journal.note_orphan("0123456789", time(9)) == time(1)
        assert state.journal.note_orphan("9876543210", time(9)) == time(9)


def test_what_looks_like_a_conflict_copy_is_remembered(state: FolderState) -> None:
    """Only the goal of a move with the mark in its name."""
    mark = "f (conflict 2026-11-22 08.00.00 aaaaaaaa).txt"
    add(state, single(1, change(Op.MOV, mark, "text", Ref("0123456789"), source="f.txt")))
    add(state, single(2, change(Op.MOV, "g", "text", Ref("0123456789"), source="f.txt")))
    add(state, put(3, f"put {mark}", "text"))
    assert state.journal.conflict_copies() == [mark]


def test_log_without_parent(state: FolderState) -> None:
    """What was never moved, copied or deleted speaks of nothing else."""
    (entry,) = put(1, "f", "text").entries
    add(state, put(1, "f", "text"))
    (found,) = state.journal.entries("f")
    assert (found.parent, found.other, found.closes) == (NO_PARENT, None, NO_PARENT)
    assert found == entry
