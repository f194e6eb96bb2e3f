"""The folder's own troubles: locked, read-only, vanishing, away; tables that were set back.

By rows of RELIABILITY section 3. Nothing here turns into a deletion, an overwrite or a half file;
what is not synced has a line with its path and its reason, and the rest goes on.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.profile import Profile
from tests.scenario.invariants import check_done, sync_until_rest
from tests.scenario.laptops import Laptop, event_count
from tests.scenario.store_contents import entries_in
from tests.unit.stores.disks import disk, mounted, remount

from firnline.core.clock import Clock
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.status import FolderActivity, status
from firnline.folder.access import Access
from firnline.folder.filesystem import Root
from firnline.folder.handles import Handles
from firnline.folder.metadata import Stat
from firnline.folder.portable import Paths
from firnline.folder.read import read_small
from firnline.sync import differences


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def pair(tmp_path: Path, store: Path) -> tuple[Laptop, Laptop]:
    """Two laptops at rest, with some files."""
    a, b = (Laptop(tmp_path / name, name * 8, [store]) for name in "ab")
    for name in ("one.txt", "two.txt", "dir/three.txt"):
        a.write(name, f"{name} 1")
    sync_until_rest([a, b])
    return a, b


CHANGING = ("rename", "rename_new", "exchange", "link", "unlink", "make_directory", "symlink")


@contextmanager
def refused(code: int, name: str, *methods: str) -> Iterator[None]:
    """Whatever these methods do at a path with this in it is refused by the system."""

    def refusing(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(access: Handles, *arguments: Any, **options: Any) -> Any:
            if any(isinstance(each, str) and name in each for each in arguments):
                raise OSError(code, os.strerror(code))
            return method(access, *arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for method in methods:
            patch.setattr(Handles, method, refusing(getattr(Handles, method)))
        yield


# --- one file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [errno.EACCES, errno.EBUSY, errno.EMFILE, errno.EIO])
def test_locked_file_waits_alone_and_is_shown(pair: tuple[Laptop, Laptop], code: int) -> None:
    """Locked files, no permission: the file has a line, all others sync, and it comes when it is
    let go."""
    a, b = pair
    a.write("one.txt", "one 2")
    a.write("two.txt", "two 2")
    with refused(code, "one.txt", "open"):
        report = a.sync()
    assert [(p.kind, p.path) for p in report.problems] == [("unreadable", "one.txt")]
    b.sync()
    assert (b.read("one.txt"), b.read("two.txt")) == ("one.txt 1", "two 2")
    sync_until_rest([a, b])
    assert b.tree() == a.tree()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EBUSY, errno.EIO])
@pytest.mark.parametrize("what", ["change", "delete", "new"])
def test_target_that_cannot_be_touched(pair: tuple[Laptop, Laptop], code: int, what: str) -> None:
    """Read-only file or directory: what cannot be brought there has a line and waits; nothing half
    stands there, nothing is told as the user's doing, and the rest is brought."""
    a, b = pair
    if what == "change":
        a.write("dir/three.txt", "three 2")
    elif what == "delete":
        a.delete("dir/three.txt")
    else:
        a.write("dir/four.txt", "four")
    a.write("two.txt", "two 2")
    sync_until_rest([a])
    before, events = b.tree(), event_count(a.stores[0])
    with refused(code, "dir/", *CHANGING):
        b.sync()
        report = b.sync()
    path = "dir/four.txt" if what == "new" else "dir/three.txt"
    assert {problem.path for problem in report.problems} == {path}
    assert not report.complete
    assert b.tree() == before | {"two.txt": "two 2"}
    assert event_count(a.stores[0]) == events
    sync_until_rest([a, b])
    assert b.tree() == a.tree()
    check_done([a, b])


@pytest.mark.parametrize("access", [Handles, Paths])
def test_read_only_files_are_brought_all_the_same(
    pair: tuple[Laptop, Laptop], access: Callable[[str], Access]
) -> None:
    """A file that its user marked read-only is replaced, moved and deleted as any other; what takes
    its place has the mark as well."""
    a, b = pair
    b.access = access
    for path in b.folder.rglob("*.txt"):
        path.chmod(0o444)
    a.write("one.txt", "one 2")
    a.delete("two.txt")
    a.move("dir/three.txt", "dir/moved.txt")
    sync_until_rest([a, b])
    assert b.tree() == a.tree() == {"one.txt": "one 2", "dir/moved.txt": "dir/three.txt 1"}
    for path in b.folder.rglob("*.txt"):
        assert path.stat().st_mode & 0o777 == 0o444
    check_done([a, b])


def test_file_that_vanishes_while_it_is_read(
    pair: tuple[Laptop, Laptop], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over without an error, and its deletion is told by the next scan."""
    a, b = pair
    a.write("one.txt", "one 2")
    a.write("two.txt", "two 2")

    def vanishing(root: Root, local: str, clock: Clock, limit: int) -> tuple[bytes, Stat]:
        if local == "one.txt":
            (a.folder / local).unlink(missing_ok=True)
        return read_small(root, local, clock, limit)

    monkeypatch.setattr(differences, "read_small", vanishing)
    assert a.sync().problems == []
    sync_until_rest([a, b])
    assert b.tree() == {"two.txt": "two 2", "dir/three.txt": "dir/three.txt 1"}


def test_moved_out_of_a_directory_that_cannot_be_read(pair: tuple[Laptop, Laptop]) -> None:
    """A file that turns up elsewhere while its old directory cannot be read waits with it, and is
    told as the move that it is: edits follow it."""
    a, b = pair
    a.move("dir/three.txt", "three.txt")
    with refused(errno.EACCES, "dir", "open_directory"):
        report = a.sync()
    assert ("unreadable", "dir") in [(p.kind, p.path) for p in report.problems]
    assert "three.txt" not in {entry.path for entry in entries_in(a.stores[0])}
    b.write("dir/three.txt", "three by b")
    b.sync()
    sync_until_rest([a, b])
    assert a.tree() == b.tree()
    assert a.read("three.txt") == "three by b"


def test_failed_file_leaves_no_directory(pair: tuple[Laptop, Laptop]) -> None:
    """A directory that was made for a file which could not be placed goes again: it is nobody's
    event."""
    a, b = pair
    a.write("new/deep/file.txt", "text")
    a.sync()
    events = event_count(a.stores[0])
    with refused(errno.EIO, "file.txt", "rename_new", "rename", "link"):
        b.sync()
        assert not (b.folder / "new").exists()
        b.sync()
    assert event_count(a.stores[0]) == events
    sync_until_rest([a, b])
    assert b.tree() == a.tree()


# --- the whole folder -----------------------------------------------------------------------------


def test_read_only_file_system(tmp_path: Path, store: Path) -> None:
    """A folder on a disk that was mounted read-only: what others did waits, with a line each, and
    nothing is written anywhere; once it can be written all comes."""
    a = Laptop(tmp_path / "a", "aaaaaaaa", [store])
    with disk(tmp_path, "tmpfs") as point:
        b = Laptop(tmp_path / "b", "bbbbbbbb", [store])
        b.folder = Path(shutil.move(b.folder, point / "folder"))
        for name in ("changed", "deleted", "kept"):
            b.write(name, f"{name} 1")
        sync_until_rest([a, b])
        a.write("changed", "changed 2")
        a.delete("deleted")
        a.write("new", "new")
        a.sync()
        events, before = event_count(store), b.tree()
        remount(point, "ro")
        report = b.sync()
        assert not report.complete
        assert {problem.path for problem in report.problems} == {"changed", "deleted", "new"}
        assert (b.tree(), event_count(store)) == (before, events)
        remount(point, "rw")
        sync_until_rest([a, b])
        assert b.tree() == a.tree()
        check_done([a, b])


def test_disk_that_is_not_mounted(tmp_path: Path) -> None:
    """A folder on a disk that was unmounted is away, and status says so: its empty mount point is
    not read, nothing is deleted, nothing is written there; mounted again, all goes on."""
    anna, bert = Profile(tmp_path / "anna"), Profile(tmp_path / "bert")
    with disk(tmp_path, "tmpfs") as point:
        inside = point / "Documents"
        inside.mkdir()
        with mounted(anna.folder, "--bind", str(inside)):
            for profile in (anna, bert):
                profile.add_store("nas", tmp_path / "nas")
            with anna.engine() as engine:
                create_folder(engine, str(anna.folder), "docs", [])
            with bert.engine() as engine:
                join_folder(engine, "docs", str(bert.folder), None, [])
            anna.write("a.txt", "text")
            for profile in (anna, bert, anna):
                profile.sync()
        (outcome,) = anna.sync()
        assert isinstance(outcome.error, FolderAwayError)
        assert outcome.report.written == 0
        with anna.engine(lock=False) as engine:
            (found,) = status(engine).folders
        assert found.state is FolderActivity.ERROR
        assert "is its disk mounted?" in found.message
        assert list(anna.folder.iterdir()) == []
        bert.sync()
        assert bert.read("a.txt") == "text"
        with mounted(anna.folder, "--bind", str(inside)):
            bert.write("b.txt", "text of b")
            bert.sync()
            (outcome,) = anna.sync()
            assert outcome.complete
            assert anna.read("b.txt") == "text of b"


def test_read_only_store_is_told_by_status(tmp_path: Path) -> None:
    """A store on a disk that was mounted read-only can be looked at, so that it seems well: what
    could not be sent, and why, is told all the same, until it was sent."""
    anna = Profile(tmp_path / "anna")
    with disk(tmp_path, "tmpfs") as point:
        anna.add_store("nas", point / "nas")
        with anna.engine() as engine:
            create_folder(engine, str(anna.folder), "docs", [])
        anna.sync()
        anna.write("a.txt", "text")
        remount(point, "ro")
        (outcome,) = anna.sync()
        assert [unreached.name for unreached in outcome.unreached] == ["nas"]
        with anna.engine(lock=False) as engine:
            (found,) = status(engine).folders
        assert [(p.kind, p.store) for p in found.problems] == [("store refuses", "nas")]
        remount(point, "rw")
        assert anna.sync()[0].complete
        with anna.engine(lock=False) as engine:
            (found,) = status(engine).folders
        assert found.problems == ()


# --- tables that do not fit -----------------------------------------------------------------------


def _keep(laptop: Laptop, place: Path) -> None:
    shutil.copytree(laptop.place, place, symlinks=True)


def _everybody_works(a: Laptop, b: Laptop) -> None:
    """A day's work on both, told and applied."""
    b.write("one.txt", "one by b")
    b.delete("two.txt")
    b.move("dir/three.txt", "elsewhere/three.txt")
    b.write("new of b", "new of b")
    sync_until_rest([a, b])
    a.write("one.txt", "one by a")
    a.write("two.txt", "again by a")
    a.delete("new of b")
    a.move("elsewhere/three.txt", "three.txt")
    sync_until_rest([a, b])


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("folder_too", [False, True])
def test_database_that_was_set_back(
    tmp_path: Path, pair: tuple[Laptop, Laptop], offline: bool, folder_too: bool
) -> None:
    """Local database old (a profile from a backup, with the folder or without): nothing is
    deleted, brought back or doubled, even when no store is in reach at first."""
    a, b = pair
    _keep(b, tmp_path / "backup")
    _everybody_works(a, b)
    expected = a.tree()
    for path in b.place.glob("state.db*"):
        path.unlink()
    shutil.copy(tmp_path / "backup" / "state.db", b.place / "state.db")
    if folder_too:
        for path in (p for p in b.folder.iterdir() if p.name != ".firnline"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        backup = tmp_path / "backup" / "folder"
        shutil.copytree(backup, b.folder, symlinks=True, dirs_exist_ok=True)
    if offline:
        b.away = set(b.stores)
        b.sync()
        b.away = set()
    sync_until_rest([a, b])
    assert a.tree() == b.tree() == expected
    check_done([a, b])


def test_save_that_slipped_in_before_the_tables_were_lost(pair: tuple[Laptop, Laptop]) -> None:
    """A save that was kept aside while its file was replaced, and that no event has yet, is not
    lost with the tables that spoke of it: it becomes a version beside the others."""
    a, b = pair
    a.write("one.txt", "one by a")
    a.sync()

    def save(step: str) -> None:
        if step == "replace":
            b.write("one.txt", "saved in the last moment")
        if step == "commit applied":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        b.sync(steps=save)
    assert list((b.folder / ".firnline").glob("kept/*"))
    for path in b.place.glob("state.db*"):
        path.unlink()
    b.sync()
    sync_until_rest([a, b])
    assert a.tree() == b.tree()
    assert "saved in the last moment" in a.tree().values()
    check_done([a, b])


def test_cloned_profile(tmp_path: Path, pair: tuple[Laptop, Laptop]) -> None:
    """Two computers with the same profile, device id and all: both work on, and lose nothing."""
    a, b = pair
    _keep(b, tmp_path / "clone")
    clone = Laptop(tmp_path / "clone", "bbbbbbbb", b.stores, clock=b.clock)
    b.write("one.txt", "one by b")
    b.write("both.txt", "both by b")
    clone.write("two.txt", "two by the clone")
    clone.write("both.txt", "both by the clone")
    clone.delete("dir/three.txt")
    b.sync()
    clone.sync()
    sync_until_rest([a, b, clone])
    assert a.tree() == b.tree() == clone.tree()
    assert (a.read("one.txt"), a.read("two.txt")) == ("one by b", "two by the clone")
    both = {text for path, text in a.tree().items() if path.startswith("both")}
    assert both == {"both by b", "both by the clone"}
    assert a.tree()["dir"] == "directory", "left empty by the clone's user"
