"""The benchmark's trees: made alike, changed as said, and compared down to the millisecond."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bench.trees import (
    Shape,
    build_large,
    build_many,
    change_one_percent,
    difference,
    listing,
    rename_half,
)

SHAPE = Shape(folders=4, files_each=50, size=64)
ONE = Path("half/folder 0000/file 001.bin")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    build_many(root, SHAPE)
    return root


def test_half_of_the_files_lie_below_the_folder_that_is_renamed(tree: Path) -> None:
    """After the rename the same contents are there, half of them at another path."""
    before = listing(tree)
    rename_half(tree)
    after = listing(tree)
    files = {path: entry for path, entry in before.items() if entry is not None}
    moved = [path for path in files if path not in after]
    assert len(files) == SHAPE.files
    assert len(moved) == SHAPE.files // 2
    assert all(after[f"renamed {path}"] == files[path] for path in moved)


def test_one_percent_changes_content_and_time_and_keeps_the_size(tree: Path) -> None:
    """Two of two hundred files."""
    before = listing(tree)
    change_one_percent(tree)
    after = listing(tree)
    changed = [path for path, entry in before.items() if after[path] != entry]
    assert len(changed) == SHAPE.files // 100
    assert {(tree / path).stat().st_size for path in changed} == {SHAPE.size}
    assert after.keys() == before.keys()


def test_trees_of_one_shape_are_equal_and_their_contents_all_differ(tmp_path: Path) -> None:
    """Each program gets the same tree, in which no two files are equal."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build_many(tmp_path / name, SHAPE)
    found = listing(tmp_path / "a")
    assert difference(found, listing(tmp_path / "b")) is None
    assert len({entry.hash for entry in found.values() if entry is not None}) == SHAPE.files


def test_the_large_file_has_its_size_to_the_byte(tmp_path: Path) -> None:
    """Also when that is no multiple of what is written at once."""
    build_large(tmp_path, (1 << 20) + 5)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [(1 << 20) + 5]


def test_the_marker_is_no_part_of_the_tree(tree: Path) -> None:
    """What Firnline keeps at the root of its folder does not make it another tree."""
    before = listing(tree)
    (tree / ".firnline").mkdir()
    (tree / ".firnline" / "id").write_text("x")
    assert difference(before, listing(tree)) is None


def test_a_copy_with_its_times_is_equal(tree: Path, tmp_path: Path) -> None:
    """As `cp -a` makes it."""
    shutil.copytree(tree, tmp_path / "copy")
    assert difference(listing(tree), listing(tmp_path / "copy")) is None


def shift(nanoseconds: int) -> Callable[[Path], None]:
    def touch(path: Path) -> None:
        mtime = path.stat().st_mtime_ns + nanoseconds
        os.utime(path, ns=(mtime, mtime))

    return touch


def overwrite(path: Path) -> None:
    status = path.stat()
    path.write_bytes(bytes(status.st_size))
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (Path.unlink, f"'{ONE}' is missing"),
        (overwrite, f"'{ONE}': other content"),
        (lambda path: path.chmod(0o755), f"'{ONE}': other executable bit"),
        (shift(1_000_000), f"'{ONE}': time of modification off by 0.001 s"),
        (shift(-2_000_000), f"'{ONE}': time of modification off by -0.002 s"),
        (replace_by_directory, f"'{ONE}': a directory in one tree, a file in the other"),
        (lambda path: path.with_name("more").touch(), "'half/folder 0000/more' should not be"),
        (lambda path: path.with_name("new").mkdir(), "'half/folder 0000/new' should not be there"),
    ],
)
def test_each_difference_is_seen(tree: Path, harm: Callable[[Path], object], what: str) -> None:
    """The first one is named with its path."""
    wanted = listing(tree)
    harm(tree / ONE)
    found = difference(wanted, listing(tree))
    assert found is not None
    assert found.startswith(what)


def test_less_than_a_millisecond_is_no_difference(tree: Path) -> None:
    """Times are kept to the millisecond."""
    wanted = listing(tree)
    shift(-999_999)(tree / ONE)
    assert difference(wanted, listing(tree)) is None


def test_modes_are_left_out_for_a_program_that_does_not_keep_them(tree: Path) -> None:
    """As for rclone without --metadata."""
    wanted = listing(tree)
    (tree / ONE).chmod(0o755)
    assert difference(wanted, listing(tree), modes=False) is None
