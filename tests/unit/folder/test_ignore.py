"""What is never looked at."""

from pathlib import Path

import pytest

from firnline.folder.errors import Blocked, Changed
from firnline.folder.filesystem import Root
from firnline.folder.ignore import IGNORE_FILE, Ignore, is_temporary


@pytest.mark.parametrize(
    "name",
    [
        "~$report.docx",
        "~WRL0001.tmp",
        ".~lock.report.odt#",
        ".report.txt.swp",
        ".swp",
        ".x.swo",
        ".#file.txt",
        "#file.txt#",
        ".main.c.kate-swp",
        ".goutputstream-AB12CD",
        ".nfs000000000000a1b200000001",
        ".fuse_hidden0000001200000003",
        ".Trash-1000",
        "film.mkv.crdownload",
        ".syncthing.file.tmp",
        "~syncthing~file.tmp",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "Desktop.ini",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
    ],
)
def test_temporary_files_of_known_programs(name: str):
    """They are ignored wherever they are."""
    assert is_temporary(name)
    assert Ignore().matches(name, False)
    assert Ignore().matches(f"d/{name}", False)
    assert Ignore().matches(f"{name}/below/that", False)


@pytest.mark.parametrize(
    "name",
    [
        "report.docx",
        "~",
        "~notes",
        "file~",
        "file.tmp",
        "file.bak",
        "file.part",
        ".swap",
        "x.swp",
        "#1",
        "#",
        "##",
        ".nfs",
        ".bashrc",
        ".gitignore",
        ".firnlineignore",
        "crdownload",
        ".crdownload",
        "Desktop",
        "x.DS_Store",
        "~$",
    ],
)
def test_what_may_be_somebodys(name: str):
    """Names that people give to their own files are synced."""
    assert not is_temporary(name)
    assert not Ignore().matches(f"d/{name}", False)


@pytest.mark.parametrize("path", [".firnline", ".FirnLine./x", "a/.firnline", ".firnline-tmp-1"])
def test_own_names(path: str):
    """What Firnline keeps for itself is hidden, and no pattern takes it back."""
    assert Ignore.parse(f"!{path}\n!*\n").matches(path, False)


def test_without_a_file(root: Root):
    """A folder without patterns hides nothing of people's."""
    ignore = Ignore.load(root)
    assert not ignore.rules
    assert not ignore.matches("a/b", False)


def test_patterns_of_the_folder(root: Root, folder: Path):
    """The file's patterns hide paths, and all below a directory that they hide."""
    (folder / IGNORE_FILE).write_bytes(
        "\ufeff# mine\nbuild/\n*.log\n!important.log\n/a/b\n".encode()
    )
    ignore = Ignore.load(root)
    assert ignore.problems == []
    hidden = ["build/x/y", "d/build/x", "x.log", "a/b", "a/b/c", "build/important.log"]
    assert [path for path in hidden if ignore.matches(path, False)] == hidden
    for path in ("important.log", "build", "b", "x/a/b"):
        assert not ignore.matches(path, False)
    assert ignore.matches("build", True)
    assert not ignore.entry_matches("build/x", False)


def test_patterns_are_compared_as_nfc(root: Root, folder: Path):
    """A pattern written in another Unicode form hides the path all the same."""
    (folder / IGNORE_FILE).write_text("u\u0308ber\n", encoding="utf-8")
    assert Ignore.load(root).matches("\u00fcber", False)


def test_lines_that_are_no_pattern(root: Root, folder: Path):
    """They hide nothing and are told with their number; the others hold."""
    (folder / IGNORE_FILE).write_bytes(b"[abc\n*.log\nx\\\n\xff\xfe\n")
    ignore = Ignore.load(root)
    assert [problem.partition(":")[0] for problem in ignore.problems] == ["line 1", "line 3"]
    assert ignore.matches("x.log", False)
    assert not ignore.matches("abc", False)


def test_a_file_that_cannot_be_read(root: Root, folder: Path, tmp_path: Path):
    """Nothing is scanned without rules that are there: a link, a directory, or too much."""
    (folder / IGNORE_FILE).symlink_to(tmp_path)
    with pytest.raises(Changed):
        Ignore.load(root)
    (folder / IGNORE_FILE).unlink()
    (folder / IGNORE_FILE).mkdir()
    with pytest.raises(Changed):
        Ignore.load(root)
    (folder / IGNORE_FILE).rmdir()
    (folder / IGNORE_FILE).write_bytes(b"x\n" * 200_000)
    with pytest.raises(Blocked):
        Ignore.load(root)
