"""Names of conflict copies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.strategies import DEVICES, PATHS, TIMES
from tests.unit.core.vectors import vectors

from firnline.core.clock import DateTime
from firnline.core.conflict import conflict_path
from firnline.core.paths import BadPathError, check_path, normalize, parent_of

TIME = DateTime("20261122082600123456")
MARK = " (conflict 2026-11-22 08.26.00 a1b2c3d4)"


@vectors("conflict_paths")
def test_vectors(vector):
    """Each example has the copy that it is listed with."""
    copy = conflict_path(vector["path"], vector["loser_datetime"], vector["loser_device"])
    assert copy == vector["copy"]
    assert len(copy.rpartition("/")[2].encode()) == vector["leaf_bytes"]


LONG_PARTS = st.one_of(
    PATHS,
    st.builds(
        "{}{}.{}".format,
        PATHS,
        st.text("nä😀.", max_size=60),
        st.text("e", max_size=70),
    ).map(normalize),
)


@given(LONG_PARTS, TIMES, DEVICES)
def test_a_copy_fits_and_stands_beside(path, time, device):
    """At most 255 bytes, in the same directory, another name, and again a path."""
    copy = conflict_path(path, time, device)
    assert parent_of(copy) == parent_of(path)
    assert len(copy.rpartition("/")[2].encode()) <= 255
    assert copy != path
    assert check_path(copy) == copy
    assert f"(conflict {time[:4]}-{time[4:6]}-{time[6:8]} " in copy
    assert f".{time[12:14]} {device})" in copy


@given(LONG_PARTS, LONG_PARTS, TIMES, DEVICES)
def test_short_names_have_copies_of_their_own(one, other, time, device):
    """Names that need no cut never share a copy."""
    copies = {conflict_path(path, time, device) for path in (one, other)}
    short = all(len(path.encode()) < 200 for path in (one, other))
    assert len(copies) == len({one, other}) or not short


@pytest.mark.parametrize(
    ("path", "marks", "copy"),
    [
        ("a.txt", 2, f"a{MARK}{MARK}.txt"),
        ("d/.bashrc", 3, f"d/.bashrc{MARK}{MARK}{MARK}"),
        ("n" * 255, 2, "n" * (255 - 2 * len(MARK)) + MARK * 2),
        ("n" * 251 + ".txt", 5, "n" * (251 - 5 * len(MARK)) + MARK * 5 + ".txt"),
    ],
)
def test_more_marks(path, marks, copy):
    """Where a copy is in use already, another mark makes another name, however long the first."""
    assert conflict_path(path, TIME, "a1b2c3d4", marks) == copy
    assert check_path(copy) == copy


def test_a_second_mark_is_the_copy_of_a_copy():
    """As if the copy itself had lost at the same moment."""
    once = conflict_path("a.txt", TIME, "a1b2c3d4")
    assert conflict_path("a.txt", TIME, "a1b2c3d4", 2) == conflict_path(once, TIME, "a1b2c3d4")


@pytest.mark.parametrize(("length", "extension"), [(64, True), (65, False)])
def test_the_longest_extension(length, extension):
    """64 bytes, its dot included, stay at the end; a longer one is part of the stem."""
    dotted = f".{'e' * (length - 1)}"
    expected = f"a{MARK}{dotted}" if extension else f"a{dotted}{MARK}"
    assert conflict_path(f"a{dotted}", TIME, "a1b2c3d4") == expected


def test_marks_come_to_an_end():
    """A name that is nothing but marks is longer than a name may be, and says so."""
    with pytest.raises(BadPathError):
        check_path(conflict_path("a.txt", TIME, "a1b2c3d4", 7))


def test_a_long_path_is_cut_as_well():
    """The whole path, too, has to stay one that the grammar allows."""
    directory = "/".join(["d" * 255] * 15 + ["d" * 155])
    path = f"{directory}/{'n' * (4096 - len(directory) - 1)}"
    copy = conflict_path(path, TIME, "a1b2c3d4")
    assert len(check_path(path)) == len(check_path(copy)) == 4096
    assert copy.endswith(f"n{MARK}")


def test_no_room_for_a_copy():
    """Below a directory that leaves no room for a mark no copy can be made."""
    directory = "/".join(["d" * 255] * 15 + ["d" * 245])
    with pytest.raises(BadPathError):
        check_path(conflict_path(f"{directory}/a", TIME, "a1b2c3d4"))
