"""Directories that were moved as a whole, as a scan tells of them."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from tests.doubles.still_clock import StillClock
from tests.unit.folder.known_rows import rows_of
from tests.unit.folder.scanning import Scanner, changed, fill
from tests.unit.folder.test_scan_model import EDITS, edit

from firnline.folder.filesystem import Root
from firnline.folder.ignore import Ignore
from firnline.folder.scan import Scan, scan

FILES = ("d/a/x", "d/a/y", "d/b/z", "other/o")


@pytest.fixture
def scanner(root: Root, clock: StillClock) -> Scanner:
    return Scanner(root, clock)


def places(found: Scan) -> list[tuple[str, str]]:
    return [(moved.source, moved.target) for moved in found.moved]


def test_the_outermost_directory_is_told(scanner: Scanner, folder: Path):
    """Its files are in no other list, and can be had as if nobody had noticed."""
    fill(folder, *FILES)
    (folder / "d/b/run").write_bytes(b"#!")
    (folder / "d/b/run").chmod(0o755)
    os.symlink("x", folder / "d/a/link")
    scanner.learn()
    (folder / "d").rename(folder / "other/e")
    found = scanner.look()
    assert places(found) == [("d", "other/e")]
    assert (found.changed, found.missing) == ([], [])
    assert found.files == 6
    apart = found.unfold(found.moved, modes=True)
    assert apart.moved == []
    assert apart.missing == ["d/a/link", "d/a/x", "d/a/y", "d/b/run", "d/b/z"]
    assert changed(apart) == [f"other/e{path[1:]}" for path in apart.missing]


def test_two_directories(scanner: Scanner, folder: Path):
    """Each is told; what else happened beside them is told as ever."""
    fill(folder, *FILES, "two/p", "two/q")
    scanner.learn()
    (folder / "d/a").rename(folder / "a")
    (folder / "two").rename(folder / "d/two")
    (folder / "other/o").rename(folder / "o")
    found = scanner.look()
    assert places(found) == [("d/a", "a"), ("two", "d/two")]
    assert (changed(found), found.missing) == (["o"], ["other/o"])
    (first, second) = found.moved
    apart = found.unfold([second], modes=True)
    assert apart.moved == [first]
    assert changed(apart) == ["d/two/p", "d/two/q", "o"]
    assert apart.missing == ["other/o", "two/p", "two/q"]
    assert found.unfold([], modes=True) is found


def edited(folder: Path) -> None:
    (folder / "e/a/x").write_bytes(b"other")


def executable(folder: Path) -> None:
    (folder / "e/a/x").chmod(0o755)


def made(folder: Path) -> None:
    fill(folder, "e/a/new")


def removed(folder: Path) -> None:
    (folder / "e/a/x").unlink()


def exchanged(folder: Path) -> None:
    (folder / "e/a/x").rename(folder / "t")
    (folder / "e/a/y").rename(folder / "e/a/x")
    (folder / "t").rename(folder / "e/a/y")


def source_made_again(folder: Path) -> None:
    (folder / "d").mkdir()


@pytest.mark.parametrize("twist", [edited, executable, made, removed, exchanged, source_made_again])
def test_what_is_not_as_it_was(scanner: Scanner, folder: Path, twist: Callable[[Path], None]):
    """A directory in which anything else happened is not told as a whole; `d/b` has one file."""
    fill(folder, *FILES)
    scanner.learn()
    (folder / "d").rename(folder / "e")
    twist(folder)
    found = scanner.look()
    assert found.moved == []
    assert set(found.missing) >= {"d/a/y", "d/b/z"}


def test_times_of_whole_seconds_prove_nothing(scanner: Scanner, folder: Path):
    """An inode is given out again, and archives restore whole seconds."""
    fill(folder, *FILES)
    os.utime(folder / "d/a/y", ns=(5_000_000_000, 5_000_000_000))
    scanner.learn()
    (folder / "d").rename(folder / "e")
    assert scanner.look().moved == []


def test_hidden_source(scanner: Scanner, folder: Path):
    """What was known below a name that is not synced is hidden, and not gone."""
    fill(folder, *FILES)
    scanner.learn()
    scanner.known = sorted(row._replace(path=f"$RECYCLE.BIN/{row.path}") for row in scanner.known)
    found = scanner.look()
    assert found.moved == []
    assert found.hidden == [f"$RECYCLE.BIN/{path}" for path in FILES]


def test_many_lone_files(scanner: Scanner, folder: Path):
    """After a number of files that went alone no directory is looked for any more."""
    fill(folder, *(f"a/{number:02}" for number in range(40)), "z/1", "z/2")
    scanner.learn()
    for number in range(40):
        (folder / f"a/{number:02}").rename(folder / f"a{number}")
    (folder / "z").rename(folder / "zz")
    found = scanner.look()
    assert found.moved == []
    assert found.missing[-2:] == ["z/1", "z/2"]


@given(EDITS, EDITS)
def test_the_same_as_file_by_file(first: list[tuple[str, str]], second: list[tuple[str, str]]):
    """Taken apart again, a scan says what one says that never looks for directories."""
    with (
        tempfile.TemporaryDirectory() as name,
        Root(name) as root,
        pytest.MonkeyPatch.context() as patch,
    ):
        folder = Path(name)
        for what, path in first:
            edit(folder, what, path)
        known = rows_of(scan(root, [], Ignore(), clock=StillClock()))
        for what, path in second:
            edit(folder, what, path)
        found = scan(root, known, Ignore(), clock=StillClock())
        patch.setattr("firnline.folder.scan.take_moved", lambda *_, **__: [])
        plain = scan(root, known, Ignore(), clock=StillClock())
        assert found.unfold(found.moved, modes=root.has_modes) == plain
