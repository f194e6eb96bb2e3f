"""What the watcher of Linux tells, on real directories and the real kernel."""

import errno
import os
import shutil
import sys

import pytest

from firnline.core.settling import Settle
from firnline.watch.hints import Hints

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)

from firnline.watch.inotify import Inotify

# --- what is told


def test_a_saved_file_is_told(root, watch, listener):
    """By its path relative to the root, once it rests, in one lot with what belongs to the save."""
    (root / "letters").mkdir()
    watch()
    with open(root / "letters" / "a.txt", "w") as file:
        file.write("Dear")
    listener.wait_for("letters/a.txt")
    assert listener.told == [Hints(frozenset({"letters/a.txt"}))]


@pytest.mark.parametrize("settle", [Settle(quiet=0.02), None])
def test_every_way_to_change_a_name_is_told(root, watch, listener, settle):
    """Made, linked, renamed, removed: whatever the way, and whoever waits for rest or does not."""
    for name in ("old", "gone", "moved", "linked"):
        (root / name).write_text("before")
    watch(settle=settle)
    (root / "new").write_text("")
    (root / "gone").unlink()
    (root / "moved").rename(root / "there")
    os.link(root / "linked", root / "second name")
    (root / "symbolic").symlink_to("old")
    (root / "old").write_text("after")
    os.mkfifo(root / "pipe")
    listener.wait_for("new", "gone", "moved", "there", "second name", "symbolic", "old", "pipe")


def test_a_file_that_is_replaced_by_a_rename_is_told(root, watch, listener):
    """As editors save: the temporary name and the name of the file."""
    (root / "a").write_text("before")
    watch()
    (root / "a.part").write_text("after")
    os.replace(root / "a.part", root / "a")
    listener.wait_for("a", "a.part")


def test_new_rights_of_a_file_are_told(root, watch, listener):
    """The executable flag is part of what is kept equal."""
    (root / "run.sh").write_text("")
    watch()
    (root / "run.sh").chmod(0o755)
    listener.wait_for("run.sh")


def test_a_file_that_is_written_to_and_not_closed_is_told(root, watch, listener):
    """A program may hold its file open for days."""
    with open(root / "log", "w") as file:
        watch()
        file.write("a line")
        file.flush()
        listener.wait_for("log")


def test_reading_is_no_change(root, watch, listener):
    """A scan reads everything, and must not be called for by itself."""
    (root / "d").mkdir()
    (root / "d" / "a").write_text("x")
    watch()
    (root / "d" / "a").read_text()
    list((root / "d").iterdir())
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}


def test_names_that_are_no_unicode_are_told(root, watch, listener):
    """As Python spells them."""
    watch()
    with open(os.fsencode(root) + b"/d\xff", "w"):
        pass
    listener.wait_for("d\udcff")


def test_links_are_not_followed(root, watch, listener, tmp_path):
    """What is behind a link to a directory belongs to somebody else."""
    other = tmp_path / "other"
    other.mkdir()
    (root / "link").symlink_to(other)
    watch()
    (root / "later").symlink_to(other)
    (other / "file").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"later", "end"}


def test_a_root_that_is_a_link_is_watched(root, watch, listener, tmp_path):
    """People name their folders by links."""
    real = tmp_path / "real"
    root.rename(real)
    root.symlink_to(real)
    assert watch().works
    (real / "a").write_text("")
    listener.wait_for("a")


def test_what_is_ignored_is_neither_told_nor_watched(root, watch, listener):
    """Nobody is asked about what is below an ignored directory."""
    (root / "build" / "deep").mkdir(parents=True)
    listener.hide = lambda path, is_directory: path.startswith("build") or path.endswith(".tmp")
    watch()
    (root / "build" / "deep" / "a").write_text("")
    (root / "build2").mkdir()
    (root / "build2" / "b").write_text("")
    (root / "c.tmp").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}
    assert ("build", True) in listener.asked
    assert ("c.tmp", False) in listener.asked
    assert not [path for path, _ in listener.asked if "/" in path]


def test_one_level_only(root, watch, listener):
    """Not recursive: what is directly in the root, new directories themselves included."""
    (root / "d").mkdir()
    watch(recursive=False)
    (root / "d" / "inner").write_text("")
    (root / "new").mkdir()
    (root / "new" / "inner").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"new", "end"}


# --- directories come, go and move


def test_files_made_before_their_directory_is_watched_are_not_missed(root, watch, listener):
    """A tree that is made as fast as can be: who looks below each path as soon as it is told has
    seen all of it in the end."""
    seen = set()

    def look(hints: Hints) -> None:
        for path in hints.paths:
            seen.update({root / path, *(root / path).rglob("*")})
        heard(hints)

    heard, listener.tell = listener.tell, look
    watch(settle=None)
    made = []
    for number in range(200):
        deep = root / f"d{number % 60}" / "e" / f"f{number // 60}"
        deep.mkdir(parents=True)
        made += [deep / "file", root / f"d{number // 2 % 60}" / "e" / f"late {number}"]
        for file in made[-2:]:
            file.write_text("x")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert seen.issuperset(made)


def test_a_directory_that_is_moved_inside_is_watched_where_it_is(root, watch, listener):
    """Both places are told, and what changes below it afterwards by its new path."""
    (root / "a" / "deep").mkdir(parents=True)
    (root / "b").mkdir()
    watch()
    (root / "a").rename(root / "b" / "c")
    listener.wait_for("a", "b/c")
    (root / "b" / "c" / "deep" / "file").write_text("")
    listener.wait_for("b/c/deep/file")
    assert "a/deep/file" not in listener.paths


def test_two_directories_that_change_places_are_not_mixed_up(root, watch, listener):
    """Three renames in a row, before anybody could look."""
    (root / "a" / "inner").mkdir(parents=True)
    (root / "b" / "inner").mkdir(parents=True)
    watch()
    (root / "a").rename(root / "x")
    (root / "b").rename(root / "a")
    (root / "x").rename(root / "b")
    listener.wait_for("a", "b")
    listener.clear()
    (root / "a" / "inner" / "was b").write_text("")
    (root / "b" / "inner" / "was a").write_text("")
    listener.wait_for("a/inner/was b", "b/inner/was a")


def test_a_directory_that_leaves_is_not_listened_to(root, watch, listener, tmp_path):
    """It is told once, at once: whether it comes back elsewhere is not waited for."""
    (root / "a" / "deep").mkdir(parents=True)
    watch()
    (root / "a").rename(tmp_path / "outside")
    listener.wait_for("a")
    listener.clear()
    (tmp_path / "outside" / "deep" / "file").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}


def test_a_directory_that_comes_with_content_is_watched(root, watch, listener, tmp_path):
    """Moved in from elsewhere: told by its own path, and watched all the way down."""
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    watch()
    (tmp_path / "outside").rename(root / "came")
    listener.wait_for("came")
    (root / "came" / "deep" / "file").write_text("")
    listener.wait_for("came/deep/file")


def test_a_removed_tree_is_told_and_may_be_made_again(root, watch, listener):
    """Under the same names."""
    (root / "a" / "deep").mkdir(parents=True)
    (root / "a" / "deep" / "file").write_text("")
    watch()
    shutil.rmtree(root / "a")
    listener.wait_for("a", "a/deep", "a/deep/file")
    (root / "a" / "deep").mkdir(parents=True)
    listener.clear()
    listener.wait_for("a")
    (root / "a" / "deep" / "again").write_text("")
    listener.wait_for("a/deep/again")


class Locked(Inotify):
    """Nobody may look into directories of that name; for root, too."""

    def add(self, path: bytes, mask: int) -> int:
        if path.endswith(b"locked") and not os.stat(path).st_mode & 0o500:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return super().add(path, mask)


def test_a_directory_that_may_be_read_at_last_is_told(root, watch, listener, monkeypatch):
    """While nobody may look into it, the rest is watched all the same."""
    monkeypatch.setattr("firnline.watch.watched_tree.Inotify", Locked)
    (root / "locked").mkdir(mode=0)
    watcher = watch()
    assert watcher.works
    (root / "locked").chmod(0o755)
    listener.wait_for("locked")
    (root / "locked" / "file").write_text("")
    listener.wait_for("locked/file")


def test_new_rights_of_a_directory_that_is_watched_are_nobodys_business(root, watch, listener):
    """Nor are its times: neither is kept equal."""
    (root / "d").mkdir()
    watch()
    (root / "d").chmod(0o700)
    os.utime(root / "d", (1, 1))
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}
