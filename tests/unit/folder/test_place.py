"""Putting files at their names: new ones, and in place of others, while people save.

Each test of a replacement runs in the three ways of `firnline.folder.replace`, and where renames
have no flags.
"""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.folder.limited_access import WAYS, access_of, without_renameat2
from tests.unit.folder.placing import MTIME_MS, kept, stat_at, temporary, tree
from tests.unit.folder.steps_double import StepsDouble

from firnline.core.event import Kind
from firnline.folder.access import Access
from firnline.folder.errors import (
    Changed,
    FolderError,
    NameImpossible,
    NotInside,
    Occupied,
    Vanished,
)
from firnline.folder.filesystem import Root
from firnline.folder.portable import Paths


@pytest.fixture(params=[*WAYS, "portable", "old kernel"])
def root(
    folder: Path,
    steps: StepsDouble,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Root]:
    way: str = request.param
    access: Access
    if way == "portable":
        access = Paths(str(folder))
    else:
        access = access_of("exchange" if way == "old kernel" else way, str(folder))
    if way == "old kernel":
        without_renameat2(monkeypatch)
    with Root(str(folder), steps=steps, access=access) as found:
        yield found


def test_a_new_file(root: Root, folder: Path):
    """It gets its name with its content, mode and time; missing parents are made."""
    name = temporary(root, b"new", executable=True)
    placed = root.place(name, "a/b/file", None)
    assert tree(folder) == {"a": None, "a/b": None, "a/b/file": b"new"}
    assert placed.stat == stat_at(root, "a/b/file")
    assert placed.stat.mtime_ns == MTIME_MS * 1_000_000
    assert placed.stat.executable
    assert placed.kept is None
    assert not placed.slipped
    assert os.listdir(folder / ".firnline/tmp") == []


@pytest.mark.parametrize("what", ["file", "link", "directory", "pipe"])
def test_a_new_file_replaces_nothing(root: Root, folder: Path, what: str):
    """Whatever stands there stays, and the temporary can be placed elsewhere."""
    place = folder / "place"
    if what == "file":
        place.write_bytes(b"old")
    elif what == "link":
        place.symlink_to("nowhere")
    elif what == "directory":
        place.mkdir()
    else:
        os.mkfifo(place)
    before = stat_at(root, "place")
    name = temporary(root, b"new")
    with pytest.raises(Occupied):
        root.place(name, "place", None)
    assert stat_at(root, "place") == before
    root.place(name, "other", None)
    assert (folder / "other").read_bytes() == b"new"


def test_a_parent_that_is_no_directory(root: Root, folder: Path, tmp_path: Path):
    """A link or file above the path is not passed, and stays."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").write_bytes(b"x")
    name = temporary(root, b"new")
    for path in ("link/new", "link/sub/new", "file/new", "file/sub/new"):
        with pytest.raises(NotInside):
            root.place(name, path, None)
    assert os.listdir(outside) == []
    assert tree(folder) == {"link": str(outside), "file": b"x"}


def test_a_temporary_that_is_gone(root: Root):
    """Nothing is placed, and no parents are left behind."""
    with pytest.raises(Vanished):
        root.place("0" * 16, "a/b", None)
    assert root.stat("a") is None


def test_replacing(root: Root, folder: Path):
    """The new content stands at the path, the old one is kept until it is dropped."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    placed = root.place(temporary(root, b"new"), "file", old, "k1")
    assert tree(folder) == {"file": b"new"}
    assert placed.stat == stat_at(root, "file")
    assert placed.kept == root.kept_stat("k1")
    assert placed.kept is not None
    assert placed.kept.same_version(old)
    assert not placed.slipped
    assert kept(root, "k1") == b"old"
    assert root.list_kept() == ["k1"]
    assert root.drop_kept("k1", placed.kept)
    assert root.drop_kept("k1")
    assert root.list_kept() == []
    assert os.listdir(folder / ".firnline/tmp") == []


def test_replacing_what_changed_before(root: Root, folder: Path):
    """A file that is not the expected one is left alone."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    name = temporary(root, b"new")
    (folder / "file").write_bytes(b"saved")
    with pytest.raises(Changed):
        root.place(name, "file", old, "k")
    assert tree(folder) == {"file": b"saved"}
    (folder / "file").unlink()
    with pytest.raises(Changed):
        root.place(name, "file", old, "k")
    assert tree(folder) == {}
    assert root.list_kept() == []


def warm_up(root: Root, folder: Path) -> None:
    """One replacement, after which the root knows which way its file system can go."""
    (folder / "warm").write_bytes(b"old")
    root.place(temporary(root, b"new"), "warm", stat_at(root, "warm"), "warm")
    root.drop_kept("warm")
    (folder / "warm").unlink()


def save_in_place(folder: Path) -> None:
    (folder / "file").write_bytes(b"saved!")


def save_by_rename(folder: Path) -> None:
    (folder / "saving").write_bytes(b"saved!")
    (folder / "saving").rename(folder / "file")


def remove_and_save(folder: Path) -> None:
    (folder / "file").unlink(missing_ok=True)
    (folder / "file").write_bytes(b"saved!")


@pytest.mark.parametrize("save", [save_in_place, save_by_rename, remove_and_save])
@pytest.mark.parametrize("number", range(3))
def test_a_save_slips_in(
    root: Root,
    folder: Path,
    steps: StepsDouble,
    save: Callable[[Path], None],
    number: int,
):
    """A save just before any step is in the folder and nothing was replaced, or it is kept."""
    warm_up(root, folder)
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    name = temporary(root, b"new")
    steps.before(number, lambda: save(folder))
    try:
        placed = root.place(name, "file", old, "k")
    except Changed:
        assert tree(folder) == {"file": b"saved!"}
        assert root.list_kept() == []
        assert os.listdir(folder / ".firnline/tmp") == [name]
        return
    assert tree(folder) == {"file": b"new"}
    assert placed.slipped == (not steps.waiting)
    assert kept(root, "k") == (b"old" if steps.waiting else b"saved!")


@pytest.mark.parametrize("number", range(3))
def test_the_user_deletes_it_meanwhile(root: Root, folder: Path, steps: StepsDouble, number: int):
    """A file that the user deletes just before any step stays deleted, or is replaced wholly."""
    warm_up(root, folder)
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    name = temporary(root, b"new")
    steps.before(number, lambda: (folder / "file").unlink(missing_ok=True))
    try:
        root.place(name, "file", old, "k")
    except Changed:
        assert tree(folder) == {}
        assert root.list_kept() == []
        assert os.listdir(folder / ".firnline/tmp") == [name]
    else:
        assert tree(folder) == {"file": b"new"}
        assert kept(root, "k") == b"old"


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("what", ["directory", "pipe"])
def test_something_else_takes_its_place(
    root: Root, folder: Path, steps: StepsDouble, number: int, what: str
):
    """A directory or pipe that comes into the file's place just before any step stays there."""
    warm_up(root, folder)
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    name = temporary(root, b"new")

    def swap() -> None:
        (folder / "file").unlink(missing_ok=True)
        if what == "directory":
            (folder / "file").mkdir()
            (folder / "file/below").write_bytes(b"mine")
        else:
            os.mkfifo(folder / "file")

    steps.before(number, swap)
    try:
        root.place(name, "file", old, "k")
    except (Changed, Occupied):
        found = stat_at(root, "file")
        assert found.kind is (Kind.DIRECTORY if what == "directory" else None)
        assert what == "pipe" or (folder / "file/below").read_bytes() == b"mine"
        assert root.list_kept() == []
    else:
        assert steps.waiting


def test_replacing_a_link_and_by_a_link(root: Root, folder: Path, tmp_path: Path):
    """A link is replaced itself, never what it leads to."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    (folder / "entry").symlink_to(outside)
    placed = root.place(temporary(root, b"new"), "entry", stat_at(root, "entry"), "k1")
    assert root.kept_link("k1") == str(outside)
    back = root.make_link("other", "entry", placed.stat, "k2")
    assert back.stat.kind is Kind.LINK
    assert back.stat == stat_at(root, "entry")
    assert kept(root, "k2") == b"new"
    assert tree(folder) == {"entry": "other"}
    assert outside.read_bytes() == b"outside"


def test_making_links(root: Root, folder: Path):
    """A link is made where nothing stands, with its parents, and only inside the folder."""
    root.make_link("../b", "a/link", None)
    assert tree(folder) == {"a": None, "a/link": "../b"}
    with pytest.raises(Occupied):
        root.make_link("x", "a/link", None)
    with pytest.raises(NameImpossible):
        root.make_link("../../b", "a/other", None)
    assert tree(folder) == {"a": None, "a/link": "../b"}
    assert os.listdir(folder / ".firnline/tmp") == []


def test_a_hard_link_to_the_outside_is_replaced(root: Root, folder: Path, tmp_path: Path):
    """Another name of the file keeps the old content: nothing is written through."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"outside")
    (folder / "file").hardlink_to(outside)
    root.place(temporary(root, b"new"), "file", stat_at(root, "file"), "k")
    assert (folder / "file").read_bytes() == b"new"
    assert outside.read_bytes() == b"outside"


def test_what_is_replaced_must_be_kept(root: Root, folder: Path):
    """Replacing without a name to keep the old file under, or under an odd one, is a mistake."""
    (folder / "file").write_bytes(b"old")
    old = stat_at(root, "file")
    name = temporary(root, b"new")
    for keep in (None, "", "../x", "a/b", ".hidden", "x" * 300, "a\0"):
        with pytest.raises(ValueError, match="not a name to keep"):
            root.place(name, "file", old, keep)
    assert tree(folder) == {"file": b"old"}


def test_a_kept_name_is_used_once(root: Root, folder: Path):
    """What is kept is not overwritten by the next that is to be kept under the same name."""
    (folder / "file").write_bytes(b"one")
    first = root.place(temporary(root, b"two"), "file", stat_at(root, "file"), "k")
    with pytest.raises(Occupied):
        root.place(temporary(root, b"three"), "file", first.stat, "k")
    assert kept(root, "k") == b"one"
    assert tree(folder) == {"file": b"two"}


def test_writing_to_a_kept_file(root: Root, folder: Path):
    """A program that still has the replaced file open may save into it: it is not dropped then."""
    (folder / "file").write_bytes(b"old")
    with (folder / "file").open("r+b") as editor:
        placed = root.place(temporary(root, b"new"), "file", stat_at(root, "file"), "k")
        editor.write(b"saved!")
    assert not root.drop_kept("k", placed.kept)
    assert kept(root, "k") == b"saved!"
    assert root.drop_kept("k")
    assert root.kept_stat("k") is None


def test_putting_back(root: Root, folder: Path):
    """What is kept gets its name again where nothing stands."""
    (folder / "d").mkdir()
    (folder / "d/file").write_bytes(b"old")
    old = stat_at(root, "d/file")
    root.take_away("d/file", old, "k")
    (folder / "d").rmdir()
    assert root.put_back("k", "d/file").same_version(old)
    assert tree(folder) == {"d": None, "d/file": b"old"}
    with pytest.raises(Vanished):
        root.put_back("k", "other")
    root.take_away("d/file", old, "k")
    (folder / "d/file").write_bytes(b"new")
    with pytest.raises(Occupied):
        root.put_back("k", "d/file")
    assert kept(root, "k") == b"old"


def test_two_saves_between_two_looks(folder: Path, steps: StepsDouble):
    """A save in place that the next save replaces at once is kept: it has no other name."""
    with Root(str(folder), steps=steps, access=access_of("links", str(folder))) as root:
        warm_up(root, folder)
        (folder / "file").write_bytes(b"old")
        old = stat_at(root, "file")
        name = temporary(root, b"new")

        def twice() -> None:
            save_in_place(folder)
            (folder / "saving").write_bytes(b"saved again")
            (folder / "saving").rename(folder / "file")

        steps.before(1, twice)
        with pytest.raises(Changed) as error:
            root.place(name, "file", old, "k")
        assert error.value.kept == "k"
        assert kept(root, "k") == b"saved!"
        assert tree(folder) == {"file": b"saved again"}


def test_two_renames_that_fail_in_the_middle(
    folder: Path, steps: StepsDouble, monkeypatch: pytest.MonkeyPatch
):
    """Without exchange and links, the old file gets its name back when the new one cannot."""
    with Root(str(folder), steps=steps, access=access_of("renames", str(folder))) as root:
        warm_up(root, folder)
        (folder / "file").write_bytes(b"old")
        old = stat_at(root, "file")
        name = temporary(root, b"new")
        rename = root.access.rename_new

        def fail(source: str, target: str) -> None:
            if target == "file" and "tmp" in source:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            rename(source, target)

        monkeypatch.setattr(root.access, "rename_new", fail)
        with pytest.raises(FolderError):
            root.place(name, "file", old, "k")
        assert tree(folder) == {"file": b"old"}
        assert root.list_kept() == []


def test_a_parent_that_becomes_a_file(root: Root, folder: Path, steps: StepsDouble):
    """What comes into the place of a missing parent in the last moment is not replaced."""
    name = temporary(root, b"new")
    steps.before(1, (folder / "d").touch)
    with pytest.raises(NotInside):
        root.place(name, "d/file", None)
    assert tree(folder) == {"d": b""}
