"""How the watcher of Linux waits, what it does when something is lost, and how it ends."""

import errno
import logging
import os
import select
import sys
import threading
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.watch.listening import watching

from firnline.core.settling import Settle
from firnline.watch.hints import EVERYTHING, Hints

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)

from firnline.watch import file_systems, inotify_watcher
from firnline.watch.inotify import CREATE, Inotify


def make_tree(root: Path, directories: int) -> None:
    for number in range(directories):
        (root / f"d{number}").mkdir()


# --- rest


def test_a_file_that_never_rests_is_told_within_a_minute(root, watch, listener):
    """By the clock that is passed in."""
    clock = StillClock()
    (root / "log").write_text("")
    watch(clock=clock, settle=Settle())
    with open(root / "log", "a") as file:
        for moment in (0, 20, 20, 19):
            clock.sleep(moment)
            listener.clear()
            file.write("a line\n")
            file.flush()
            listener.wait(lambda: ("log", False) in listener.asked)
            assert listener.told == []
            # It is never quiet for as long as the clock would have to say.
        clock.sleep(1)
        file.write("a line\n")
        file.flush()
        listener.wait_for("log")


def test_thousands_of_saves_are_told_in_a_few_lots(root, watch, listener):
    """Each of their paths, though."""
    make_tree(root, 20)
    watch()
    names = {f"d{number % 20}/file {number}" for number in range(3000)}
    for name in names:
        (root / name).write_text("x")
    listener.wait_for(*names)
    assert len(listener.told) < 60
    assert not listener.everything


def test_so_many_paths_that_looking_at_everything_is_shorter(root, watch, listener, monkeypatch):
    """A bound on what is remembered."""
    monkeypatch.setattr("firnline.watch.outbox.MOST_PATHS", 50)
    watch(settle=Settle(quiet=0.2))
    for number in range(60):
        (root / f"file {number}").write_text("")
    listener.wait(lambda: listener.everything)


# --- what is lost, and what ends


def overflow(root: Path) -> None:
    """Two files in turn, since the kernel joins reports that are alike and follow one another."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with open(root / "x", "wb", buffering=0) as one, open(root / "y", "wb", buffering=0) as two:
        for _ in range(most // 2 + 10):
            one.write(b"1")
            two.write(b"2")


def test_a_full_queue_is_told_as_everything(root, watch, listener, caplog):
    """The kernel's own: while the listener is held up, more is reported than it keeps. What was
    made meanwhile is watched afterwards, and what was moved is known by its new path."""
    caplog.set_level(logging.INFO, "firnline.watch")
    (root / "a").mkdir()
    held = threading.Event()
    go_on = threading.Event()

    def hold(path: str, is_directory: bool) -> bool:
        if path == "first":
            held.set()
            assert go_on.wait(20)
        return False

    listener.hide = hold
    watcher = watch()
    (root / "first").write_text("")
    assert held.wait(20)
    overflow(root)
    (root / "a").rename(root / "b")
    (root / "new").mkdir()
    go_on.set()
    listener.wait(lambda: listener.everything)
    assert "more changes than the system could report" in caplog.text
    assert watcher.works
    (root / "b" / "inner").write_text("")
    (root / "new" / "inner").write_text("")
    listener.wait_for("b/inner", "new/inner")


def test_a_root_that_is_removed_ends_the_watching(root, watch, listener):
    """Everything is told after it says that it works no more."""
    watcher = watch()
    root.rmdir()
    listener.wait(lambda: listener.everything)
    assert not watcher.works
    assert watcher.why_not == "it was removed, moved or unmounted"


def test_a_root_that_is_moved_ends_the_watching(root, watch, listener, tmp_path):
    """What stands at its path now is not what is watched."""
    watcher = watch()
    root.rename(tmp_path / "elsewhere")
    listener.wait(lambda: listener.everything)
    assert not watcher.works


@pytest.mark.parametrize("renamed", ["a", "a/b", "a/b/c"])
def test_a_directory_above_that_is_moved_ends_the_watching(tmp_path, listener, renamed):
    """At whatever height. The root went with it, and is not at its path any more."""
    root = tmp_path / "a" / "b" / "c" / "root"
    root.mkdir(parents=True)
    watcher = watching(root, listener)
    watcher.start()
    (tmp_path / renamed).rename(tmp_path / "elsewhere")
    listener.wait(lambda: listener.everything)
    assert not watcher.works
    watcher.close()


def test_what_else_happens_above_is_no_news(tmp_path, listener):
    """Files come and go beside the root, and others change there, too."""
    root = tmp_path / "a" / "root"
    root.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    watcher = watching(tmp_path / "link" / "root", listener)
    watcher.start()
    (tmp_path / "a" / "beside").mkdir()
    (tmp_path / "a" / "beside").rename(tmp_path / "a" / "renamed")
    (tmp_path / "a").chmod(0o700)
    (root / "f").write_text("")
    listener.wait_for("f")
    assert watcher.works
    assert not listener.everything
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    listener.wait(lambda: listener.everything)
    watcher.close()


def test_a_directory_above_that_may_not_be_read(root, watch, listener, monkeypatch):
    """As other people's homes are: what is below is watched all the same."""
    add = Inotify.add

    def refused(self, path, mask):
        if path == os.fsencode(root.parent):
            raise PermissionError(errno.EACCES, "played")
        return add(self, path, mask)

    monkeypatch.setattr(Inotify, "add", refused)
    assert watch().works
    (root / "f").write_text("")
    listener.wait_for("f")


@pytest.mark.parametrize(
    ("make", "why"),
    [(lambda root: root.rmdir(), "it is not there"), (lambda root: file_at(root), "no directory")],
)
def test_a_root_that_cannot_be_watched(root, watch, listener, make, why):
    """Said by the watcher; nothing is raised and nothing told."""
    make(root)
    watcher = watch()
    assert not watcher.works
    assert why in watcher.why_not
    assert listener.told == []


def file_at(root: Path) -> None:
    root.rmdir()
    root.write_text("")


class FullTable(Inotify):
    """The system watches no more than a few directories, beside those above the root."""

    room = 3

    def add(self, path: bytes, mask: int) -> int:
        if mask & CREATE:
            self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().add(path, mask)


def test_a_full_table_of_watches_at_the_start(root, watch, listener, monkeypatch):
    """Not half a tree: it does not work, and the sentence has the setting that helps."""
    monkeypatch.setattr("firnline.watch.watched_tree.Inotify", FullTable)
    make_tree(root, 5)
    watcher = watch()
    assert not watcher.works
    assert "fs.inotify.max_user_watches" in watcher.why_not
    watcher.close()


def test_a_full_table_of_watches_later(root, watch, listener, monkeypatch):
    """The directory that is one too many ends the watching, and everything is told."""
    monkeypatch.setattr("firnline.watch.watched_tree.Inotify", FullTable)
    watcher = watch()
    assert watcher.works
    make_tree(root, 5)
    listener.wait(lambda: listener.everything)
    assert "fs.inotify.max_user_watches" in watcher.why_not
    assert listener.told[-1] == EVERYTHING


def test_no_more_watchers_for_this_user(root, watch, monkeypatch):
    """The table of instances is full, too, at times."""

    def refuse(self: Inotify) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Inotify, "__init__", refuse)
    assert "fs.inotify.max_user_instances" in watch().why_not


def test_no_more_threads(root, watch, monkeypatch):
    """Nothing is left open then."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    before = len(os.listdir("/proc/self/fd"))
    watcher = watch()
    assert "no more threads" in watcher.why_not
    assert len(os.listdir("/proc/self/fd")) == before
    watcher.close()


def test_a_network_file_system_is_not_relied_on(root, watch, monkeypatch):
    """It tells only of what this computer does there."""
    monkeypatch.setattr(inotify_watcher, "remote_kind", lambda path: "nfs4")
    watcher = watch()
    assert not watcher.works
    assert "network file system (nfs4)" in watcher.why_not


@pytest.mark.logs("a mistake in the program")
def test_a_mistake_of_whoever_is_asked_is_not_silent(root, watch, listener):
    """The log has it, and the watcher says that it works no more."""

    def stumble(path: str, is_directory: bool) -> bool:
        raise ZeroDivisionError

    listener.hide = stumble
    watcher = watch()
    (root / "a").write_text("")
    listener.wait(lambda: listener.everything)
    assert "mistake" in watcher.why_not


# --- the end


def test_nothing_is_told_after_close_and_nothing_stays_open(root, watch, listener):
    """However often it is closed."""
    before = len(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    watcher = watch()
    (root / "a").write_text("")
    listener.wait_for("a")
    (root / "b").write_text("")
    watcher.close()
    listener.clear()
    watcher.close()
    assert not watcher.works
    (root / "c").write_text("")
    assert listener.told == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert threading.active_count() == threads


def test_a_watcher_that_was_never_started_can_be_closed(root, listener):
    """Nothing is left of it."""
    watcher = watching(root, listener)
    assert watcher.why_not == "it was not started"
    watcher.close()


def test_a_listener_may_close_its_watcher(root, watch, listener):
    """From within what it is called for."""
    watcher = watch()
    heard = listener.tell
    done = threading.Event()

    def close(hints: Hints) -> None:
        watcher.close()
        heard(hints)
        done.set()

    watcher._tell = close
    (root / "a").write_text("")
    assert done.wait(20)
    watcher._thread.join(20)
    assert not watcher._thread.is_alive()


def test_it_sleeps_without_end_while_nothing_happens(root, watch, listener, monkeypatch):
    """It asks the kernel to be woken by reports only: nothing ticks."""
    asked: list[int | None] = []
    original = select.poll

    class Poll:
        def __init__(self) -> None:
            self._poll = original()
            self.register = self._poll.register

        def poll(self, timeout: int | None) -> list[tuple[int, int]]:
            asked.append(timeout)
            found: list[tuple[int, int]] = self._poll.poll(timeout)
            return found

    monkeypatch.setattr(select, "poll", Poll)
    watcher = watch()
    (root / "a").write_text("")
    listener.wait_for("a")
    watcher.close()
    assert asked[0] is None
    assert asked[-1] is None
    assert len(asked) < 12


def test_the_kind_of_file_system_is_looked_up_each_time(root, watch, monkeypatch):
    """A system that does not say what is mounted is trusted."""
    monkeypatch.setattr(file_systems, "_MOUNTS", "/nowhere")
    assert watch().works
