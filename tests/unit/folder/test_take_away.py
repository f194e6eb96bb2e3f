"""Taking files away, and moving files and directories."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.folder.limited_access import FoldsCase, without_renameat2
from tests.unit.folder.placing import kept, stat_at, temporary, tree
from tests.unit.folder.steps_double import StepsDouble

from firnline.core.event import Kind
from firnline.folder.errors import (
    Changed,
    FolderError,
    NameImpossible,
    NotInside,
    Occupied,
    Vanished,
)
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles
from firnline.folder.portable import Paths


@pytest.fixture(params=["handles", "portable", "old kernel"])
def root(
    folder: Path,
    steps: StepsDouble,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Root]:
    if request.param == "old kernel":
        without_renameat2(monkeypatch)
    path = str(folder)
    access = Paths(path) if request.param == "portable" else Handles(path)
    with Root(path, steps=steps, access=access) as found:
        yield found


def test_taking_away(root: Root, folder: Path):
    """A deleted file is kept until it is dropped; its directory stays."""
    (folder / "d").mkdir()
    (folder / "d/file").write_bytes(b"old")
    old = stat_at(root, "d/file")
    found = root.take_away("d/file", old, "k")
    assert found == root.kept_stat("k")
    assert found.same_version(old)
    assert kept(root, "k") == b"old"
    assert tree(folder) == {"d": None}


def test_taking_a_link_away(root: Root, folder: Path, tmp_path: Path):
    """The link goes, what it leads to stays."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    (folder / "link").symlink_to(outside)
    root.take_away("link", stat_at(root, "link"), "k")
    assert tree(folder) == {}
    assert root.kept_link("k") == str(outside)
    assert outside.read_bytes() == b"outside"


def test_what_changed_is_not_taken(root: Root, folder: Path):
    """A file that was saved, deleted or swapped for something else since is left alone."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    (folder / "file").write_bytes(b"saved!")
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    assert tree(folder) == {"file": b"saved!"}
    (folder / "file").unlink()
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    (folder / "file").mkdir()
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    assert tree(folder) == {"file": None}
    assert root.list_kept() == []


def save_in_place(path: Path) -> None:
    path.write_bytes(b"saved!")


def save_by_rename(path: Path) -> None:
    path.with_name("saving").write_bytes(b"saved!")
    path.with_name("saving").rename(path)


@pytest.mark.parametrize("save", [save_in_place, save_by_rename])
def test_a_save_slips_in(
    root: Root, folder: Path, steps: StepsDouble, save: Callable[[Path], None]
):
    """What was saved in the last moment is put back."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    root.area.prepare(".firnline/kept")
    steps.before(0, lambda: save(folder / "file"))
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    assert not steps.waiting
    assert tree(folder) == {"file": b"saved!"}
    assert root.list_kept() == []


def test_two_saves_slip_in(root: Root, folder: Path, steps: StepsDouble):
    """A save that cannot be put back, since the next one stands there, stays kept and is told."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    root.area.prepare(".firnline/kept")

    def twice() -> None:
        (folder / "file").write_bytes(b"saved!")
        steps.before(0, lambda: (folder / "file").write_bytes(b"saved again"))

    steps.before(0, twice)
    with pytest.raises(Changed) as error:
        root.take_away("file", old, "k")
    assert error.value.kept == "k"
    assert kept(root, "k") == b"saved!"
    assert tree(folder) == {"file": b"saved again"}


def test_deleted_in_the_last_moment(root: Root, folder: Path, steps: StepsDouble):
    """A file that the user deletes first has nothing to be taken."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    root.area.prepare(".firnline/kept")
    steps.before(0, (folder / "file").unlink)
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    assert root.list_kept() == []


def test_moving(root: Root, folder: Path):
    """A moved file is the same file; missing parents are made, the old directory stays."""
    (folder / "a").mkdir()
    (folder / "a/file").write_bytes(b"x")
    before = stat_at(root, "a/file")
    after = root.move("a/file", "b/c/file", before)
    assert after.same_version(before)
    assert after == stat_at(root, "b/c/file")
    assert tree(folder) == {"a": None, "b": None, "b/c": None, "b/c/file": b"x"}


def test_moving_onto_something(root: Root, folder: Path):
    """What stands at the target stays, and so does the source."""
    (folder / "a").write_bytes(b"a")
    (folder / "b").write_bytes(b"b")
    (folder / "d").mkdir()
    for target in ("b", "d"):
        with pytest.raises(Occupied):
            root.move("a", target, stat_at(root, "a"))
    assert tree(folder) == {"a": b"a", "b": b"b", "d": None}


def test_moving_one_of_two_names(root: Root, folder: Path):
    """Two names of one file that differ only by case are two names here: nothing is moved."""
    (folder / "file").write_bytes(b"x")
    (folder / "FILE").hardlink_to(folder / "file")
    with pytest.raises(Occupied):
        root.move("file", "FILE", stat_at(root, "file"))
    assert tree(folder) == {"file": b"x", "FILE": b"x"}


def test_moving_what_changed(root: Root, folder: Path, steps: StepsDouble):
    """A source that is another file, also by a save in the last moment, is where it was."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    steps.before(0, lambda: save_by_rename(folder / "file"))
    with pytest.raises(Changed):
        root.move("file", "target", old)
    assert tree(folder) == {"file": b"saved!"}
    with pytest.raises(Changed):
        root.move("file", "target", old)
    with pytest.raises(Changed):
        root.move("missing", "d/target", old)
    assert tree(folder) == {"file": b"saved!"}


def test_moving_a_directory(root: Root, folder: Path, steps: StepsDouble):
    """A directory moves with all that is in it by one rename."""
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/file").write_bytes(b"x")
    steps.taken.clear()
    root.move_directory("a", "z")
    assert steps.taken == ["move directory"]
    root.move_directory("z/b", "new/parent/b")
    assert tree(folder) == {
        "new": None,
        "new/parent": None,
        "new/parent/b": None,
        "new/parent/b/file": b"x",
        "z": None,
    }


def test_moving_a_directory_that_cannot_be(root: Root, folder: Path):
    """Not onto something, not into itself, not through a link; and only a directory."""
    (folder / "a/b").mkdir(parents=True)
    (folder / "c").mkdir()
    (folder / "file").touch()
    (folder / "link").symlink_to("c")
    for target in ("c", "file", "link"):
        with pytest.raises(Occupied):
            root.move_directory("a", target)
    with pytest.raises(NotInside):
        root.move_directory("a", "link/a")
    with pytest.raises(NameImpossible):
        root.move_directory("a", "a/b/c")
    with pytest.raises(Vanished):
        root.move_directory("missing", "x")
    for source in ("file", "link"):
        with pytest.raises(Changed):
            root.move_directory(source, "x")
    assert tree(folder) == {"a": None, "a/b": None, "c": None, "file": b"", "link": "c"}


def test_nothing_is_known_to_be_kept(root: Root):
    """A folder that never kept anything has an empty list and nothing to open."""
    assert root.list_kept() == []
    assert root.kept_stat("k") is None
    with pytest.raises(Vanished):
        root.open_kept("k")
    with pytest.raises(Vanished):
        root.kept_link("k")


def test_a_kept_directory_is_never_made(root: Root, folder: Path, steps: StepsDouble):
    """A directory that comes into a file's place in the last moment is put back."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    root.area.prepare(".firnline/kept")

    def swap() -> None:
        (folder / "file").unlink()
        (folder / "file").mkdir()
        (folder / "file/mine").touch()

    steps.before(0, swap)
    with pytest.raises(Changed):
        root.take_away("file", old, "k")
    assert tree(folder) == {"file": None, "file/mine": b""}
    assert stat_at(root, "file").kind is Kind.DIRECTORY
    assert root.list_kept() == []
    assert os.listdir(folder / ".firnline/kept") == []


def test_a_file_under_its_own_parent(root: Root, folder: Path):
    """A target below a file has no parent directory."""
    (folder / "file").write_bytes(b"x")
    with pytest.raises(NotInside):
        root.move("file", "file/below", stat_at(root, "file"))
    with pytest.raises(NotInside):
        root.place(temporary(root, b"y"), "file/below", None)
    assert tree(folder) == {"file": b"x"}


def test_deleted_before_it_is_moved(root: Root, folder: Path, steps: StepsDouble):
    """A source that the user deletes in the last moment is not moved, and leaves no directories."""
    for target in ("target", "a/b/target"):
        (folder / "file").write_bytes(b"x")
        old = stat_at(root, "file")
        steps.before(0, (folder / "file").unlink)
        with pytest.raises(Vanished):
            root.move("file", target, old)
        assert tree(folder) == {}


def test_another_spelling(folder: Path):
    """Where two spellings are one name, a move to the other spelling is a rename in place."""
    (folder / "file").write_bytes(b"x")
    (folder / "dir/below").mkdir(parents=True)
    with Root(str(folder), access=FoldsCase(str(folder))) as root:
        old = stat_at(root, "file")
        assert root.move("file", "FILE", old).same_version(old)
        root.move_directory("dir", "Dir")
        (folder / "other").write_bytes(b"y")
        with pytest.raises(Occupied):
            root.move("other", "file", stat_at(root, "other"))
    assert tree(folder) == {"Dir": None, "Dir/below": None, "FILE": b"x", "other": b"y"}


def test_a_failing_disk(root: Root, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """An error of the disk is told as it is, and the file stays."""
    (folder / "file").write_bytes(b"x")
    old = stat_at(root, "file")

    def fail(source: str, target: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(root.access, "rename_new", fail)
    for action in (lambda: root.take_away("file", old, "k"), lambda: root.move("file", "x", old)):
        with pytest.raises(FolderError) as error:
            action()
        assert type(error.value) is FolderError
    assert tree(folder) == {"file": b"x"}
