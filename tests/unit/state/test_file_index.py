"""The file index: what this device last had at each path."""

from tests.unit.state.samples import row

from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH, PLAIN, Ref
from firnline.state.file_index import FileRow
from firnline.state.folder_state import FolderState


def _gone(path: str) -> FileRow:
    return FileRow(path, Kind.NOTHING, 0, 0, 0, EMPTY_HASH, "-", Ref("0123456789"))


def _put(state: FolderState, *rows: FileRow) -> None:
    with state.transaction("test"):
        state.files.put_many(rows)


def test_row_comes_back_as_it_was(state: FolderState) -> None:
    """With its own name on disk, and with the largest numbers that a table holds."""
    largest = 2**63 - 1
    rows = [
        row("caf\u00e9")._replace(local="cafe\u0301"),
        row("d", Kind.DIRECTORY, ""),
        row("l", Kind.LINK),
        row("x")._replace(size=largest, mtime_ns=-largest, inode=largest, flags="x"),
        _gone("y"),
    ]
    assert state.files.is_empty()
    _put(state, *rows)
    assert not state.files.is_empty()
    assert [state.files.get(each.path) for each in rows] == rows
    assert state.files.get_many([each.path for each in rows]) == {r.path: r for r in rows}
    assert state.files.get("none") is None


def test_rows_of_many_paths(state: FolderState) -> None:
    """Paths without a row are left out, also when there is none at all."""
    assert state.files.get_many(["a"]) == {}
    _put(state, row("a"), row("b"))
    assert set(state.files.get_many(["a", "none"])) == {"a"}


def test_later_row_replaces_the_earlier_one(state: FolderState) -> None:
    """A path has one row."""
    _put(state, row("a", content="old"))
    _put(state, row("a", content="new", base="0123456789"))
    found = state.files.get("a")
    assert found is not None
    assert (found.size, found.base) == (3, "0123456789")


def test_forgotten_path_was_never_here(state: FolderState) -> None:
    """Not even as deleted."""
    _put(state, row("a"), _gone("b"), row("c"))
    with state.transaction("test"):
        state.files.forget(["a", "b", "none"])
    assert state.files.get_many(["a", "b", "c"]).keys() == {"c"}


def test_what_a_scan_compares_with(state: FolderState) -> None:
    """Files and links in byte order; directories apart; nothing of what is deleted."""
    _put(
        state,
        row("b/a"),
        row("b.txt"),
        row("l", Kind.LINK),
        row("d", Kind.DIRECTORY, ""),
        _gone("gone"),
    )
    assert list(state.files.known()) == [
        ("b.txt", "f", 4, 1_000, 7, "-"),
        ("b/a", "f", 4, 1_000, 7, "-"),
        ("l", "l", 4, 1_000, 7, "-"),
    ]
    assert state.files.directories() == {"d"}


def test_below_a_directory(state: FolderState) -> None:
    """What stands there, directories among it, and nothing that only looks like it."""
    _put(
        state,
        row("d/b"),
        row("d/a/x", Kind.LINK),
        row("d/e", Kind.DIRECTORY, ""),
        row("d", Kind.DIRECTORY, ""),
        row("d0"),
        row("d.txt"),
        _gone("d/gone"),
    )
    assert [each.path for each in state.files.below("d")] == ["d/a/x", "d/b", "d/e"]
    assert state.files.count_below("d") == 3
    assert state.files.count_below("d0") == 0


def test_totals(state: FolderState) -> None:
    """Files and links, and their bytes."""
    assert state.files.totals() == (0, 0)
    _put(state, row("a", content="12345"), row("l", Kind.LINK, "123"), _gone("g"))
    _put(state, row("d", Kind.DIRECTORY, ""))
    assert state.files.totals() == (2, 8)


def test_files_with_a_content(state: FolderState) -> None:
    """Wherever they are by now, and links with such a text."""
    _put(state, row("b", content="x"), row("a", content="x"), row("c", content="y"))
    _put(state, row("l", Kind.LINK, "x"))
    assert state.files.with_content(PLAIN.data(b"x")) == ["a", "b", "l"]


def test_rows_below_a_directory(state: FolderState) -> None:
    """Also of what is gone; not the directory itself, nor its neighbours."""
    _put(state, _gone("d"), _gone("d-"), _gone("e/f"))
    assert not state.files.has_below("d")
    assert state.files.has_below("e")


def test_files_that_had_an_inode(state: FolderState) -> None:
    """Those of files and links that are here."""
    _put(state, *(row(path)._replace(inode=inode) for path, inode in (("a", 1), ("b", 2))))
    _put(state, row("d", Kind.DIRECTORY, "")._replace(inode=1))
    assert [each.path for each in state.files.with_inodes([1, 3])] == ["a"]
    assert state.files.with_inodes([]) == []


def test_rows_of_a_part(state: FolderState) -> None:
    """Paths and what is below them, in byte order, whatever else begins like them; of directories
    those with an event of their own."""
    _put(
        state,
        *(row(path) for path in ("a", "a-", "a.b", "a/x", "a/y/z", "a0", "b/x", "c", "d/x")),
        _gone("a/gone"),
        row("a/explicit", Kind.DIRECTORY, ""),
        row("b", Kind.DIRECTORY, ""),
    )
    found = state.files.known_below(["a", "d/x", "none"])
    assert [each[0] for each in found] == ["a", "a/x", "a/y/z", "d/x"]
    assert found == [each for each in state.files.known() if each in found]
    assert state.files.known_below([]) == []
    assert state.files.directories_below(["a", "b"]) == {"a/explicit", "b"}
