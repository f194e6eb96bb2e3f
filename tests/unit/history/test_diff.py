"""`diff`: what differs between two moments."""

from datetime import timedelta

import pytest
from tests.unit.history.log_builder import at, member

from firnline.core.event import Op, ref_of
from firnline.core.hashing import PLAIN
from firnline.history.browse import NotThereError
from firnline.history.diff import diff
from firnline.history.moments import format_time_of
from firnline.history.text_diff import NO_NEWLINE, TEXT_LIMIT, TextDiff
from firnline.history.tree_diff import TreeDiff

MANY = "".join(f"line {number}\n" for number in range(20))


def text(log, path, *moments):
    found = diff(log.context, path, *moments)
    assert isinstance(found, TextDiff)
    return found


def body(log, path, *moments):
    """The changed lines without the titles, or None."""
    lines = text(log, path, *moments).lines
    return None if lines is None else [line for line in lines[2:] if not line.startswith("@@")]


def tree(log, path="", *moments):
    """The differences as (change, path, source)."""
    found = diff(log.context, path, *moments)
    assert isinstance(found, TreeDiff)
    return [(str(d.what), d.path, d.source) for d in found.differences]


# --- one file -----------------------------------------------------------------------------------


def test_file_is_compared_with_the_version_before_as_a_unified_diff(log):
    """Titles carry path and time of both versions; only what changed and its surroundings show."""
    first = log.put("f", MANY)
    second = log.put("f", MANY.replace("line 10\n", "line ten\n"), first)
    assert text(log, "f").lines == [
        f"--- f\t{format_time_of(first)}",
        f"+++ f\t{format_time_of(second)}",
        "@@ -8,7 +8,7 @@",
        " line 7", " line 8", " line 9", "-line 10", "+line ten", " line 11", " line 12",
        " line 13",
    ]  # fmt: skip


def test_version_before_is_the_last_one_with_other_content(log):
    """Changed flags and moves are passed over, across the paths that the file had."""
    first = log.put("old", "1\n")
    second = log.put("old", "2\n", first)
    moved = log.move("old", "new", "2\n", second)
    log.event(member(Op.CPY, "new", "2\n", ref_of(moved), source="new", flags="x"))
    found = text(log, "new")
    assert body(log, "new") == ["-1", "+2"]
    assert found.before is not None
    assert (found.before.path, found.before.event) == ("old", first)


def test_version_before_is_found_across_a_batch_that_moved_the_file(log):
    """A `put q from p` with a `del p` beside it is a move."""
    first = log.put("p", "1\n")
    second = log.put("p", "2\n", first)
    log.batch(member(Op.PUT, "q", "3\n", source="p"), member(Op.DEL, "p", None, ref_of(second)))
    assert body(log, "q") == ["-2", "+3"]


def test_copy_hint_of_a_batch_without_a_deletion_is_no_ancestor(log):
    """A new file made from another's content is new."""
    first = log.put("p", "1\n")
    log.batch(member(Op.PUT, "q", "1\n", source="p"), member(Op.MKD, "d"))
    assert text(log, "q").before is None
    assert text(log, "p").after.event == first


def test_given_moments_choose_the_versions(log):
    """`start` and `end` are the versions of those moments."""
    versions = [log.put("f", "0\n")]
    for number in range(1, 4):
        versions.append(log.put("f", f"{number}\n", versions[-1]))
    assert body(log, "f", versions[0]) == ["-0", "+3"]
    assert body(log, "f", versions[0], versions[2]) == ["-0", "+2"]
    assert body(log, "f", None, versions[2]) == ["-1", "+2"]
    assert body(log, "f", versions[2], versions[2]) == []


def test_new_and_deleted_files_are_compared_with_nothing(log):
    """The missing side is /dev/null."""
    first = log.put("f", "1\n")
    assert text(log, "f").lines[0].startswith("--- /dev/null")
    assert body(log, "f") == ["+1"]
    assert body(log, "f", at(0)) == ["+1"]
    log.delete("f", first)
    assert text(log, "f").lines[1].startswith("+++ /dev/null")
    assert body(log, "f") == ["-1"]
    assert body(log, "f", first) == ["-1"]


def test_missing_newline_at_the_end_is_told_apart(log):
    """A last line with and without its newline are different lines."""
    first = log.put("f", "a\nb\n")
    log.put("f", "a\nb", first)
    assert body(log, "f") == [" a", "-b", "+b", NO_NEWLINE]


def test_only_a_line_feed_ends_a_line(log):
    """Other characters that some programs break lines at stay within one."""
    first = log.put("f", "a\u2028b\x0cc\r\n")
    log.put("f", "a\u2028b\x0cd\r\n", first)
    assert body(log, "f") == ["-a\u2028b\x0cc\r", "+a\u2028b\x0cd\r"]


@pytest.mark.parametrize("old", [b"\xff\xfe", b"a\0b", b"x" * (TEXT_LIMIT + 1)])
def test_what_is_no_text_or_too_large_has_no_lines(log, old):
    """That they differ is all that is said."""
    first = log.put("f", "text\n")
    encoded = old.decode("utf-8", "surrogateescape")
    log.put("f", encoded, first)
    found = text(log, "f")
    assert found.lines is None
    assert found.to_json()["after"]["size"] == len(old)


def test_changed_flags_alone_are_an_empty_diff(log):
    """The contents are equal, and are not read for it."""
    first = log.put("f", "1\n")
    log.event(member(Op.CPY, "f", "1\n", ref_of(first), source="f", flags="x"))
    log.store.delete(log.layout.event(first))
    assert text(log, "f", first).lines == []


def test_text_diff_has_both_sides_for_programs(log):
    """Events, paths, hashes and sizes of both versions; null where there was none."""
    first = log.put("f", "1\n")
    found = text(log, "f").to_json()
    assert found.pop("lines")[2:] == ["@@ -0,0 +1 @@", "+1"]
    hashed = PLAIN.data(b"1\n")
    after = {"event": first, "path": "f", "hash": hashed, "size": 2}
    assert found == {"path": "f", "before": None, "after": after}


def test_ring_of_forged_parents_ends(log):
    """Two versions that name each other cannot be walked round for ever."""
    one = log.put("f", "1\n")
    two = log.put("f", "1\n", one)
    first_entry = log.state.journal.entries("f")[0]
    with log.state.transaction("forge"):
        log.state.journal.add_entries(log.id_of(one), [first_entry._replace(parent=ref_of(two))])
    assert text(log, "f").before is None


def test_history_that_this_device_has_only_in_part_ends_where_it_ends(log):
    """A parent that was never seen is no version to compare with."""
    log.event(member(Op.PUT, "f", "1\n", ref_of("unknown")))
    assert text(log, "f").before is None


# --- a directory --------------------------------------------------------------------------------


def test_each_kind_of_difference(log):
    """Added, removed, changed, moved and flags are told apart, by path."""
    log.put("same", "0")
    log.put("touched", "0")
    gone = log.put("gone", "1")
    edited = log.put("edited", "1")
    moved = log.put("moved", "1")
    flagged = log.put("flagged", "1")
    start = log.mkdir("d")
    log.delete("gone", gone)
    log.put("edited", "2", edited)
    log.move("moved", "d/moved", "1", moved)
    log.event(member(Op.CPY, "flagged", "1", ref_of(flagged), source="flagged", flags="x"))
    log.put("new", "1")
    log.mkdir("made")
    assert tree(log, "", start) == [
        ("moved", "d/moved", "moved"),
        ("changed", "edited", None),
        ("flags", "flagged", None),
        ("removed", "gone", None),
        ("added", "made", None),
        ("added", "new", None),
    ]


def test_directory_means_what_is_below_it(log):
    """Other paths are left out; a file that came from outside is added."""
    outside = log.put("a", "1")
    start = log.put("d/a", "1")
    log.put("d/b", "1")
    log.put("c", "1")
    log.move("a", "d/c", "1", outside)
    assert tree(log, "d", start) == [("added", "d/b", None), ("added", "d/c", None)]


def test_moves_are_followed_over_several_steps_and_edits(log):
    """Where a file stood at the start counts, however it came to where it is."""
    first = log.put("p", "1")
    start = log.put("other", "1")
    edited = log.put("p", "2", first)
    away = log.move("p", "q", "2", edited)
    on = log.move("q", "r", "2", away)
    log.put("r", "3", on)
    found = diff(log.context, "", start)
    assert isinstance(found, TreeDiff)
    (moved,) = found.differences
    assert (str(moved.what), moved.path, moved.source) == ("moved", "r", "p")
    assert moved.before is not None
    assert moved.after is not None
    assert (moved.before.event, moved.after.data_hash) == (first, PLAIN.data(b"3"))


def test_batch_of_moves_is_moves(log):
    """A renamed directory is its files moved."""
    start = log.batch(member(Op.PUT, "d/a", "1"), member(Op.PUT, "d/b", "2"))
    log.batch(
        member(Op.MOV, "e/a", "1", ref_of(start), source="d/a"),
        member(Op.MOV, "e/b", "2", ref_of(start), source="d/b"),
    )
    assert tree(log, "", start) == [("moved", "e/a", "d/a"), ("moved", "e/b", "d/b")]


def test_file_made_anew_where_a_move_once_went_was_not_moved(log):
    """A deletion ends what a path came from."""
    first = log.put("p", "1")
    moved = log.move("p", "q", "1", first)
    deleted = log.delete("q", moved)
    log.put("p", "1", moved)
    start = log.put("z", "z")
    log.delete("p", log.state.journal.entries("p")[-1].event)
    log.put("q", "new", deleted)
    assert tree(log, "", start) == [("removed", "p", None), ("added", "q", None)]


def test_one_source_is_moved_to_one_place(log):
    """Two moves of one file, made apart, are one move and one new file."""
    start = log.put("p", "1")
    log.move("p", "q", "1", start)
    log.move("p", "r", "1", start)
    assert tree(log, "", start) == [("moved", "q", "p"), ("added", "r", None)]


def test_file_that_became_a_directory_is_a_tree(log):
    """A path that is a directory at one of the moments is compared as one."""
    first = log.put("x", "1")
    gone = log.delete("x", first)
    log.put("x/y", "2")
    expected = [("removed", "x", None), ("added", "x/y", None)]
    assert tree(log, "x", first) == expected
    assert tree(log, "x") == [("added", "x/y", None)]
    assert [change for change, _, _ in tree(log, "x", gone)] == ["added"]


def test_without_a_start_a_directory_is_compared_with_a_day_before(log):
    """Before the clock, or before the given end."""
    log.put("d/a", "1")
    log.clock.moment += timedelta(hours=23)
    log.put("d/b", "1")
    assert tree(log, "d") == [("added", "d/a", None), ("added", "d/b", None)]
    log.clock.moment += timedelta(hours=2)
    assert tree(log, "d") == [("added", "d/b", None)]
    assert tree(log, "d", None, at(60)) == [("added", "d/a", None)]


def test_directory_that_is_gone_is_still_compared(log):
    """One of the two moments is enough."""
    start = log.mkdir("d")
    event = log.put("d/a", "1")
    log.event(member(Op.RMD, "d", None, ref_of(start)))
    log.delete("d/a", event)
    assert tree(log, "d", event) == [("removed", "d", None), ("removed", "d/a", None)]
    assert tree(log, "d", start) == [("removed", "d", None)]


def test_link_that_took_a_files_place_is_a_change(log):
    """Kinds differ."""
    start = log.put("f", "t")
    log.event(member(Op.LNK, "f", "t", ref_of(start)))
    assert tree(log, "", start) == [("changed", "f", None)]


@pytest.mark.parametrize("moments", [(), (at(0),), (at(0), at(50))])
def test_path_that_never_was_is_an_error(log, moments):
    """Nothing at both moments is nothing to compare."""
    log.put("f", "1")
    with pytest.raises(NotThereError, match="docs:nothing"):
        diff(log.context, "nothing", *moments)


def test_tree_diff_has_both_sides_for_programs(log):
    """Each difference names its change, source and both versions."""
    start = log.put("p", "1")
    event = log.move("p", "q", "1", start)
    hashed = PLAIN.data(b"1")
    assert diff(log.context, "", start).to_json() == {
        "path": "",
        "changes": [
            {
                "path": "q",
                "change": "moved",
                "source": "p",
                "before": {"event": start, "path": "p", "hash": hashed, "size": 1},
                "after": {"event": event, "path": "q", "hash": hashed, "size": 1},
            }
        ],
    }
