"""`ls` and `cat`: the folder as it is, or was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.history.log_builder import ANNA, BERT, LogBuilder, at, member

from firnline.core.event import EventText, Kind, Op, ref_of
from firnline.core.hashing import NO_PARENT, PLAIN
from firnline.core.replay import fold, until
from firnline.history.browse import (
    NotAFileError,
    NotThereError,
    cat,
    entry_at,
    ls,
    newest_below,
    tree_at,
)
from firnline.history.moments import PRESENT, format_time_of
from firnline.sync.bodies import ContentMissingError


def listed(log, *args, **more):
    return [(item.path, item.to_json()["kind"]) for item in ls(log.context, *args, **more)]


def test_one_level_shows_files_links_and_both_sorts_of_directories(log):
    """Directories are listed whether an event made them or only their files, each once."""
    log.put("b/c/d.txt", "1")
    log.put("a.txt", "1")
    log.event(member(Op.LNK, "link", "a.txt"))
    log.mkdir("b")
    log.mkdir("empty")
    assert listed(log) == [("a.txt", "file"), ("b", "dir"), ("empty", "dir"), ("link", "link")]
    assert listed(log, "b") == [("b/c", "dir")]
    assert listed(log, "/b/c/") == [("b/c/d.txt", "file")]
    assert listed(log, "empty") == []


def test_recursive_shows_everything_below_in_the_order_of_paths(log):
    """Each directory stands before what it holds, among neighbours that sort between."""
    for path in ("x/y/z", "x-1", "x/y-2", "w"):
        log.put(path, "1")
    everything = [
        ("w", "file"), ("x", "dir"), ("x-1", "file"),
        ("x/y", "dir"), ("x/y-2", "file"), ("x/y/z", "file"),
    ]  # fmt: skip
    assert listed(log, recursive=True) == everything
    assert listed(log, "x", recursive=True) == everything[3:]


def test_file_has_the_fields_of_the_contract(log):
    """A file is listed with its size, its own time, its hash and its event."""
    event = log.put("a", "hello", mtime=1_700_000_000_123)
    (item,) = ls(log.context)
    assert item.to_json() == {
        "path": "a",
        "kind": "file",
        "size": 5,
        "mtime": "2023-11-14T22:13:20.123000Z",
        "hash": PLAIN.data(b"hello"),
        "event": event,
    }


def test_directory_without_an_event_has_the_newest_one_below_it(log):
    """Its event is what last changed something in it, its time that event's, its hash null."""
    log.put("d/a", "1")
    newest = log.put("d/e/b", "2")
    log.put("d/e/a", "0", time=at(-5))
    (item,) = ls(log.context)
    assert item.to_json() == {
        "path": "d",
        "kind": "dir",
        "size": 0,
        "mtime": format_time_of(newest),
        "hash": None,
        "event": newest,
    }
    assert newest_below(log.context, "d") == newest
    assert newest_below(log.context, "d/a") is None


def test_link_and_made_directory_have_the_time_of_their_event(log):
    """The log has no other time for them."""
    link = log.event(member(Op.LNK, "l", "target"))
    made = log.mkdir("m")
    assert [(i.mtime, i.size, i.hash) for i in ls(log.context)] == [
        (format_time_of(link), 6, PLAIN.data(b"target")),
        (format_time_of(made), 0, None),
    ]


def test_listing_a_file_gives_the_file(log):
    """As `ls` does everywhere."""
    log.put("d/a", "1")
    assert listed(log, "d/a") == [("d/a", "file")]
    assert listed(log, "d/a", recursive=True) == [("d/a", "file")]


@pytest.mark.parametrize("path", ["nothing", "d/nothing", "d/a/b", "gone"])
def test_listing_what_is_not_there_is_an_error_at_once(log, path):
    """A path where nothing stands is no empty directory."""
    log.put("d/a", "1")
    log.delete("gone", log.put("gone", "1"))
    with pytest.raises(NotThereError, match=f"docs:{path} does not exist now"):
        ls(log.context, path)


def test_empty_folder_lists_as_empty(log):
    """The root is always there."""
    assert listed(log) == []
    assert listed(log, recursive=True) == []


def test_moment_shows_the_folder_as_it_was(log):
    """Listing and content follow the events up to the moment, by time or by event name."""
    one = log.put("a", "one")
    two = log.put("a", "two", one)
    log.delete("a", two)
    assert listed(log) == []
    assert b"".join(cat(log.context, "a", at(1))) == b"one"
    assert b"".join(cat(log.context, "a", one)) == b"one"
    assert b"".join(cat(log.context, "a", two)) == b"two"
    assert listed(log, "", two) == [("a", "file")]
    with pytest.raises(NotThereError, match="docs:a does not exist at 2026-11-22T08:26:00"):
        ls(log.context, "a", at(0))


def test_content_comes_from_events_batches_and_links(log):
    """Whatever brought it, and however often it moved since."""
    batch = log.batch(member(Op.PUT, "a", "first"), member(Op.PUT, "b", "second"))
    log.move("b", "c", "second", batch)
    log.event(member(Op.LNK, "l", "c"))
    assert b"".join(cat(log.context, "a")) == b"first"
    assert b"".join(cat(log.context, "c")) == b"second"
    assert b"".join(cat(log.context, "l")) == b"c"


@pytest.mark.parametrize("path", ["", "/", "made", "implied", "implied/deep"])
def test_directory_has_no_content(log, path):
    """Reading one is an error at once, whichever sort it is."""
    log.mkdir("made")
    log.put("implied/deep/file", "1")
    with pytest.raises(NotAFileError, match="is a directory"):
        cat(log.context, path)


def test_reading_what_is_not_there_is_an_error_at_once(log):
    """The path is named."""
    with pytest.raises(NotThereError, match="docs:a does not exist now"):
        cat(log.context, "a")


def test_content_that_nobody_has_is_said(log):
    """An event file that is gone, without another source, is an error of its own."""
    event = log.put("a", "1")
    log.store.delete(log.layout.event(event))
    with pytest.raises(ContentMissingError):
        b"".join(cat(log.context, "a"))


def test_file_that_is_a_directory_as_well_is_hidden_while_something_is_below_it(log):
    """Rule 6: the directory stays; once it is empty the file shows again."""
    log.put("x", "file")
    below = log.put("x/y", "below")
    log.put("x-1", "between")
    assert listed(log) == [("x", "dir"), ("x-1", "file")]
    assert entry_at(log.context, "x") is None
    assert [entry.path for entry in tree_at(log.context)] == ["x-1", "x/y"]
    assert [entry.path for entry in tree_at(log.context, under="x")] == ["x/y"]
    log.delete("x/y", below)
    assert listed(log) == [("x", "file"), ("x-1", "file")]
    assert listed(log, "", below) == [("x", "dir")]


PATHS = st.sampled_from(["a", "a/b", "a/b/c", "a-", "b", "b/c"])
OPS = st.sampled_from([Op.PUT, Op.PUT, Op.DEL, Op.MKD, Op.LNK, Op.MOV])
STEPS = st.lists(
    st.tuples(OPS, PATHS, PATHS, st.integers(0, 40), st.integers(0, 9), st.booleans()), max_size=14
)


@given(steps=STEPS, moment=st.integers(-1, 41), under=st.sampled_from(["", "a", "a/b", "c"]))
def test_tree_at_a_moment_is_the_fold_of_the_events_up_to_it(
    tmp_path_factory, steps, moment, under
):
    """Streamed from the tables or folded in memory, any log shows the same tree at any moment."""
    log = LogBuilder(tmp_path_factory.mktemp("log"))
    events: list[EventText] = []
    for op, path, other, second, choice, by_anna in steps:
        if op is Op.MOV and path == other:
            continue
        parent = ref_of(events[choice % len(events)]) if events and choice < 7 else NO_PARENT
        content = None if op in (Op.DEL, Op.MKD) else str(choice)
        source = other if op is Op.MOV else None
        change = member(op, path, content, parent, source=source)
        events.append(log.event(change, device=ANNA if by_anna else BERT, time=at(second)))
    bound = PRESENT if moment > 40 else at(moment)
    keep = until(bound)
    expected = fold(entry for entry in log.all_entries() if keep(entry))
    found = list(tree_at(log.context, bound, under))
    log.close()
    inside = {p for p in expected if not under or p == under or p.startswith(under + "/")}
    assert [entry.path for entry in found] == sorted(inside)
    assert {entry.path: entry for entry in found} == {p: expected[p] for p in inside}
    assert all(entry.kind is not Kind.NOTHING for entry in found)
