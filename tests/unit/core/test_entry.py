"""What an event does to each path that it touches."""

import pytest
from tests.unit.core.builders import (
    A,
    B,
    at,
    batch,
    change,
    copy,
    data_hash,
    delete,
    link,
    mkdir,
    move,
    put,
    rmdir,
    single,
)

from firnline.core.event import Kind, Op
from firnline.core.hashing import EMPTY_HASH, Ref

X, Y = Ref("e" * 10), Ref("f" * 10)


@pytest.mark.parametrize(
    ("event", "op", "kind", "content", "offset"),
    [
        (put("p", "1", X), Op.PUT, Kind.FILE, "1", 0),
        (put("p", "1", X, flags="x"), Op.PUT, Kind.FILE, "1", 0),
        (single(at(0), A, change(Op.PAT, "p", "1", X)), Op.PAT, Kind.FILE, "1", 0),
        (copy("q", "p", "1", X), Op.CPY, Kind.FILE, "1", None),
        (link("p", "1", X), Op.LNK, Kind.LINK, "1", 0),
        (mkdir("p", X), Op.MKD, Kind.DIRECTORY, "", None),
        (delete("p", X), Op.DEL, Kind.NOTHING, "", None),
        (rmdir("p", X), Op.RMD, Kind.NOTHING, "", None),
    ],
    ids=lambda value: value if isinstance(value, Op) else None,
)
def test_single_events_touch_their_path(event, op, kind, content, offset):
    """One entry, on top of PARENT; a body begins at its first byte."""
    (entry,) = event.entries
    assert (entry.path, entry.op, entry.kind) == ("p", op, kind)
    assert (entry.event, entry.ref) == (event.text, event.ref)
    assert entry.data_hash == data_hash(content)
    assert entry.closes == entry.parent == X
    assert entry.offset == offset
    assert entry.puts is (kind is not Kind.NOTHING)


def test_a_move_touches_both_paths():
    """At the target it stands on nothing; at the source it deletes PARENT and knows where to."""
    target, source = move("p", "q", "1", X, flags="x").entries
    assert (target.path, target.kind, target.other) == ("q", Kind.FILE, "p")
    assert (target.parent, target.closes, target.flags) == (X, "0", "x")
    assert (source.path, source.kind, source.other) == ("p", Kind.NOTHING, "q")
    assert (source.parent, source.closes, source.flags) == (X, X, "-")
    assert source.data_hash == EMPTY_HASH
    assert not source.puts


def test_a_moved_link_stays_a_link():
    """FLAGS say so, since the name has no other place for it."""
    target, _ = move("p", "q", "target", X, flags="l").entries
    assert target.content == link("q", "target").entries[0].content


def test_a_batch_touches_the_paths_of_its_members():
    """All under the batch's own name; a put beside the deletion of its source is a move."""
    event = batch(
        at(0),
        A,
        [
            change(Op.PUT, "q", "1", Y, source="p"),
            change(Op.DEL, "p", "", X),
            change(Op.DEL, "z", "", X),
            change(Op.MOV, "b", "2", Y, source="a"),
            change(Op.MKD, "d"),
        ],
    )
    assert {entry.event for entry in event.entries} == {event.text}
    assert [(e.path, e.kind, e.closes, e.other) for e in event.entries] == [
        ("b", Kind.FILE, "0", "a"),
        ("a", Kind.NOTHING, Y, "b"),
        ("d", Kind.DIRECTORY, "0", None),
        ("p", Kind.NOTHING, X, "q"),
        ("q", Kind.FILE, Y, "p"),
        ("z", Kind.NOTHING, X, None),
    ]


def test_a_link_that_follows_is_a_move_as_well():
    """`lnk q` from p beside `del p`: that is how the edit of a link follows its move."""
    event = batch(
        at(0), A, [change(Op.LNK, "q", "target", Y, source="p"), change(Op.DEL, "p", "", X)]
    )
    assert [(e.path, e.other) for e in event.entries] == [("p", "q"), ("q", "p")]


def test_a_removed_directory_moved_nowhere():
    """Only a `del` is the other half of a move."""
    event = batch(at(0), A, [change(Op.PUT, "q", "1", source="p"), change(Op.RMD, "p", "", X)])
    assert [(e.path, e.other) for e in event.entries] == [("p", None), ("q", "p")]


def entry(event, which=0):
    return event.entries[which]


@pytest.mark.parametrize(
    ("description", "one", "other", "equal"),
    [
        ("the same file", put("p", "1"), put("p", "1", X, mtime=7, seconds=5), True),
        ("put, copied, moved", put("p", "1"), copy("q", "p", "1"), True),
        ("moved", put("p", "1"), move("q", "p", "1", X), True),
        ("other bytes", put("p", "1"), put("p", "2"), False),
        ("other flags", put("p", "1"), put("p", "1", flags="x"), False),
        ("a file and a link", put("p", "1"), link("p", "1"), False),
        ("two links", link("p", "1"), link("p", "1", X), True),
        ("a put and a moved link", link("p", "1"), move("q", "p", "1", X, flags="l"), True),
        ("two directories", mkdir("p"), mkdir("p", X), True),
        ("two deletions", delete("p", X), rmdir("p", Y), True),
        ("an empty file and a deletion", put("p", ""), delete("p", X), False),
    ],
)
def test_equal_content(description, one, other, equal):
    """Kind, hash and flags; the latter two for files and links only."""
    assert (entry(one).content == entry(other).content) is equal, description


@pytest.mark.parametrize(
    ("description", "one", "other", "twins"),
    [
        ("two laptops brought it", put("p", "1"), put("p", "1", device=B), True),
        ("at other times", put("p", "1", X), put("p", "1", X, seconds=9, mtime=1), True),
        ("put and copied", put("p", "1", X), copy("q", "p", "1", X), True),
        ("other parents", put("p", "1", X), put("p", "1", Y), False),
        ("other flags", put("p", "1"), put("p", "1", flags="x"), False),
        ("other bytes", put("p", "1"), put("p", "2"), False),
        ("two deletions", delete("p", X), delete("p", X, seconds=1), True),
        ("file and directory removed", delete("p", X), rmdir("p", X), True),
        ("deletions of other versions", delete("p", X), delete("p", Y), False),
        ("moved from one place", move("q", "p", "1", X), move("q", "p", "1", X, seconds=1), True),
        ("moved from two places", move("q", "p", "1", X), move("r", "p", "1", X), False),
        ("moved and put", move("q", "p", "1", X), put("p", "1", X), False),
    ],
)
def test_twins(description, one, other, twins):
    """Equal kind, DATAHASH, FLAGS, PARENT and (of a move) source."""
    assert (entry(one).twin_key == entry(other).twin_key) is twins, description


@pytest.mark.parametrize(
    ("description", "other", "twins"),
    [
        ("moved to the same place", move("p", "q", "1", X, seconds=1), True),
        ("moved elsewhere", move("p", "r", "1", X), True),
        ("another version was moved", move("p", "q", "1", Y), False),
        ("deleted", put("p", "1", X), False),
    ],
)
def test_twins_at_the_source_of_a_move(description, other, twins):
    """Two moves away of one version are twins there, wherever they went; a deletion is none."""
    here = move("p", "q", "1", X).entries[1]
    there = other.entries[-1]
    assert (here.twin_key == there.twin_key) is twins, description
    assert here.twin_key != delete("p", X).entries[0].twin_key
