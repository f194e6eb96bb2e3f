"""Which new files are files that are gone from elsewhere."""

from tests.unit.sync.words import content, file_row

from firnline.core.event import Kind
from firnline.core.hashing import EMPTY_HASH, Ref
from firnline.folder.metadata import Stat
from firnline.folder.scan import Seen
from firnline.state.file_index import FileRow
from firnline.sync.moves import GoneContents, Move, match_inodes

BASE = Ref("0123456789")


def _seen(path: str, inode: int = 1, size: int = 4, mtime_ns: int = 5) -> Seen:
    return Seen(path, Kind.FILE, Stat(Kind.FILE, size, mtime_ns, inode, False, 0, 0o644), None)


def _gone(*rows: FileRow) -> dict[str, FileRow]:
    return {row.path: row for row in rows}


def test_same_inode_size_and_time_is_a_move() -> None:
    """Nothing has to be read for it."""
    row, seen = file_row("old", "text", BASE), _seen("new")
    assert match_inodes(_gone(row), [seen]) == ([Move(row, seen)], [])


def test_whatever_differs_has_to_be_read() -> None:
    """Another inode, size, time or kind proves nothing."""
    row = file_row("old", "text", BASE)
    link = _seen("new")._replace(kind=Kind.LINK)
    for seen in (_seen("n", inode=2), _seen("n", size=5), _seen("n", mtime_ns=6), link):
        assert match_inodes(_gone(row), [seen]) == ([], [seen])


def test_inode_that_says_nothing() -> None:
    """None is known (a file system without, or a row that is to be read again), or the time is one
    of whole seconds, which two files may have while the inode was given out again."""
    for inode, mtime_ns in ((0, 5), (1, 1_600_000_000_000_000_000), (1, 0)):
        row = file_row("old", "text", BASE, inode, mtime_ns)
        seen = _seen("new", inode, mtime_ns=mtime_ns)
        assert match_inodes(_gone(row), [seen]) == ([], [seen])


def test_each_gone_file_is_moved_once() -> None:
    """The second name of the same file is a new file."""
    row, first, second = file_row("old", "text", BASE), _seen("a"), _seen("b")
    assert match_inodes(_gone(row), [first, second]) == ([Move(row, first)], [second])


def test_gone_content_is_taken_once() -> None:
    """By the same leaf name if there is one, and by the same kind only."""
    rows = [file_row("d/one", "text", BASE), file_row("d/two", "text", BASE)]
    contents = GoneContents(rows)
    text = content("text")
    assert contents.take(Kind.LINK, text, "e/two") is None
    assert contents.take(Kind.FILE, content("other"), "e/two") is None
    assert contents.take(Kind.FILE, text, "e/two") == rows[1]
    assert contents.take(Kind.FILE, text, "e/two") == rows[0]
    assert contents.take(Kind.FILE, text, "e/two") is None


def test_empty_files_and_directories_are_nobodys() -> None:
    """All empty files are equal, and that one of them came means nothing."""
    empty = file_row("old", "", BASE)
    directory = FileRow("d", Kind.DIRECTORY, 0, 0, 0, EMPTY_HASH, "-", BASE)
    assert GoneContents([empty, directory]).take(Kind.FILE, EMPTY_HASH, "old") is None
