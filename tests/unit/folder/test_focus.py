"""Which part of a folder is looked at, and that a look at a part tells what a whole one would."""

import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doubles.still_clock import StillClock
from tests.unit.folder.known_rows import rows_of
from tests.unit.folder.scanning import Scanner, changed, fill, skipped
from tests.unit.folder.test_scan_model import EDITS, PATHS, PATTERNS, edit
from tests.unit.stores.disks import mounted

from firnline.folder.access import Access
from firnline.folder.filesystem import Root
from firnline.folder.focus import Focus, focus_on
from firnline.folder.ignore import Ignore
from firnline.folder.scan import Scan, SkipKind, scan


def heads(root: Root, *hints: str) -> list[str]:
    return focus_on(root, hints, str).heads


def look(scanner: Scanner, *hints: str) -> Scan:
    """A scan of what these local paths stand for."""
    return look_at(scanner, focus_on(scanner.root, hints, str))


def look_at(scanner: Scanner, focus: Focus) -> Scan:
    known = [row for row in scanner.known if focus.covers(row.path)]
    dirs = {path for path in scanner.dirs if focus.covers(path) or path in focus.above()}
    return scan(
        scanner.root,
        known,
        scanner.ignore,
        clock=scanner.clock,
        dirs=dirs,
        mounts=scanner.mounts,
        focus=focus,
    )


def plain(found: Scan, root: Root) -> Scan:
    """With the files of directories that were moved as a whole among the others."""
    return found.unfold(found.moved, modes=root.has_modes)


# --- the focus itself --------------------------------------------------------------------------


@given(st.sets(PATHS), PATHS)
def test_covers(paths: set[str], path: str) -> None:
    """What it was made of and all that is below; no head is below another."""
    focus = Focus(paths)
    expected = any(path == head or path.startswith(f"{head}/") for head in paths)
    assert focus.covers(path) is expected
    assert all(map(focus.covers, paths))
    assert focus.heads == sorted(set(focus.heads) & paths)
    assert not any(one.startswith(f"{other}/") for one in focus.heads for other in focus.heads)
    assert bool(focus) is bool(paths)


def test_heads(root: Root, folder: Path) -> None:
    """A hint of what stands there is that path; where a directory above it went, that one has
    changed as a whole, and so has one that is a file or link now."""
    fill(folder, "d/a", "file")
    (folder / "link").symlink_to("d")
    assert heads(root, "d/a", "d/new") == ["d/a", "d/new"]
    assert heads(root, "d", "d/a") == ["d"]
    assert heads(root, "gone/deep/er", "d/gone/x", "d/gone/y") == ["d/gone", "gone"]
    assert heads(root, "file/x/y", "link/a") == ["file", "link"]


def test_names_that_nobody_syncs(root: Root) -> None:
    """Our own, those that are no Unicode and those that are no paths are passed over."""
    names = [".firnline/id", "x/.firnline/y", "bad\udcff/x", "a//b", "..", "../a", "nul\0"]
    assert heads(root, *names) == []


def test_normal_form(root: Root, folder: Path) -> None:
    """Local names in another Unicode form stand for the path of the log."""
    decomposed = unicodedata.normalize("NFD", "é")
    fill(folder, f"{decomposed}/a")
    assert heads(root, f"{decomposed}/a") == ["é/a"]


def test_directory_that_cannot_be_looked_at(
    root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be there: the scan will say so, and nothing is taken for gone."""
    fill(folder, "d/e/a")
    lstat = type(root.access).lstat

    def refuse(access: Access, path: str) -> os.stat_result:
        if path.startswith("d/"):
            raise PermissionError(13, "Permission denied")
        return lstat(access, path)

    monkeypatch.setattr(type(root.access), "lstat", refuse)
    assert heads(root, "d/e/a") == ["d/e/a"]


# --- a scan with a focus -----------------------------------------------------------------------


@given(EDITS, EDITS, st.sets(PATHS), st.sets(PATHS))
def test_as_the_whole_folder(
    first: list[tuple[str, str]],
    second: list[tuple[str, str]],
    dirs: set[str],
    hints: set[str],
) -> None:
    """Of the paths in its focus a scan says what one of the whole folder says of them, and of the
    directories above them whether they became empty."""
    with tempfile.TemporaryDirectory() as name, Root(name) as root:
        folder, clock = Path(name), StillClock()
        scanner = Scanner(root, clock)
        for what, path in first:
            edit(folder, what, path)
        scanner.known = rows_of(scan(root, [], Ignore(), clock=clock))
        for what, path in second:
            edit(folder, what, path)
        scanner.ignore = Ignore.parse(PATTERNS)
        scanner.dirs = {unicodedata.normalize("NFC", path) for path in dirs}
        whole = plain(scanner.look(), root)
        focus = focus_on(root, hints, str)
        found = plain(look_at(scanner, focus), root)
    assert found.changed == [seen for seen in whole.changed if focus.covers(seen.path)]
    assert found.missing == list(filter(focus.covers, whole.missing))
    assert found.hidden == list(filter(focus.covers, whole.hidden))
    looked_at = focus.above()
    assert found.empty_directories == [
        path for path in whole.empty_directories if focus.covers(path) or path in looked_at
    ]
    assert found.gone_directories == [
        path for path in whole.gone_directories if focus.covers(path) or path in looked_at
    ]
    assert found.complete
    assert found.focus is focus


def test_what_is_not_hinted_is_not_looked_at(scanner: Scanner, folder: Path) -> None:
    """A changed neighbour is nobody's business, nor is one that is gone."""
    fill(folder, "d/a", "d/b", "d/c", "e/a")
    scanner.learn()
    fill(folder, "d/new", "e/new")
    (folder / "d/a").unlink()
    (folder / "d/b").write_text("longer than it was")
    found = look(scanner, "d/a", "d/c")
    assert (changed(found), found.missing) == ([], ["d/a"])


def test_last_file_of_a_directory(scanner: Scanner, folder: Path) -> None:
    """The directory above is empty then, unless something is left in it that is synced."""
    fill(folder, "d/a", "e/a", "e/b", "f/a", "f/x~tmp.crdownload")
    scanner.learn()
    for name in "def":
        (folder / name / "a").unlink()
    assert look(scanner, "d/a", "e/a", "f/a").empty_directories == ["d", "f"]


def test_rivals(scanner: Scanner, folder: Path) -> None:
    """A hint of one spelling shows the other one too."""
    decomposed = unicodedata.normalize("NFD", "é")
    fill(folder, "é", "other")
    scanner.learn()
    fill(folder, decomposed)
    found = look(scanner, decomposed)
    assert (changed(found), found.missing) == ([], [])
    assert skipped(found) == [(decomposed, SkipKind.SECOND_NAME)]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts need root")
def test_disk_that_is_not_there(scanner: Scanner, folder: Path) -> None:
    """Nothing is missing on a disk that was unmounted; that it is away is told by who looked."""
    fill(folder, "d/a", "mnt/x")
    with mounted(folder / "mnt", "-t", "tmpfs", "tmpfs"):
        fill(folder, "mnt/b")
        scanner.learn()
    found = look(scanner, "mnt/b")
    assert (found.missing, found.mounts) == ([], ["mnt"])
    found = look(scanner, "d/a")
    assert (found.missing, found.mounts, found.skipped) == ([], ["mnt"], [])
    found = look(scanner, "mnt")
    assert (found.missing, skipped(found)) == ([], [("mnt", SkipKind.AWAY)])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_directory_that_cannot_be_read(scanner: Scanner, folder: Path) -> None:
    """Nothing is missing there, and the look was not complete."""
    fill(folder, "d/a")
    scanner.learn()
    (folder / "d").chmod(0)
    try:
        found = look(scanner, "d/a")
    finally:
        (folder / "d").chmod(0o755)
    assert (found.missing, found.complete) == ([], False)


def test_turned_into_a_file_meanwhile(
    scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory above a hint that became a file since the hint was understood: what was below it
    is gone, and the file itself is for the next hint."""
    fill(folder, "d/a", "d/b", "e")
    scanner.learn()
    focus = focus_on(scanner.root, ["d/a"], str)
    (folder / "d/a").unlink()
    (folder / "d/b").unlink()
    (folder / "d").rmdir()
    fill(folder, "d")
    found = look_at(scanner, focus)
    assert (changed(found), found.missing) == ([], ["d/a"])


def test_part_of_a_directory_that_moved(scanner: Scanner, folder: Path) -> None:
    """That a directory was moved as a whole is said only where both of its places were looked at
    as a whole: there may be more in one that was there before."""
    fill(folder, "d/a", "d/b", "e/c")
    scanner.learn()
    for name in "ab":
        (folder / "d" / name).rename(folder / "e" / name)
    (folder / "d").rmdir()
    found = look(scanner, "d", "e/a", "e/b")
    assert (found.moved, found.missing) == ([], ["d/a", "d/b"])
    assert changed(found) == ["e/a", "e/b"]
    (folder / "e").rename(folder / "d")
    (folder / "d/c").unlink()
    (folder / "e").mkdir()
    (folder / "d").rename(folder / "f")
    (moved,) = look(scanner, "d", "e/a", "f").moved
    assert (moved.source, moved.target) == ("d", "f")
