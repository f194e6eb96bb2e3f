"""The watcher of macOS and Windows, over the watchdog that this system has."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.watch.listening import QUICK, Listener

from firnline.engine.system import SystemClock
from firnline.watch import observer_watcher
from firnline.watch.hints import Hints
from firnline.watch.observer_watcher import ObserverWatcher
from firnline.watch.watcher import Watcher


@pytest.fixture
def watch(root: Path, listener: Listener) -> Iterator[object]:
    made: list[Watcher] = []

    def begin(**options: Any) -> Watcher:
        given: dict[str, Any] = {
            "clock": SystemClock(),
            "settle": QUICK,
            "recursive": True,
            **options,
        }
        watcher = ObserverWatcher(root, listener.tell, ignored=listener.ignored, **given)
        made.append(watcher)
        watcher.start()
        return watcher

    yield begin
    for watcher in made:
        watcher.close()


def test_what_happens_is_told(root, watch, listener):
    """Saves, renames (both names), new directories and what is removed, by relative paths."""
    (root / "d").mkdir()
    (root / "d" / "old").write_text("")
    (root / "gone").write_text("")
    assert watch().works
    (root / "d" / "a").write_text("x")
    (root / "d" / "old").rename(root / "new")
    (root / "gone").unlink()
    (root / "e" / "f").mkdir(parents=True)
    listener.wait_for("d/a", "d/old", "new", "gone", "e")


def test_one_save_is_one_lot(root, watch, listener):
    """Watchdog reports it six times."""
    watch()
    (root / "a").write_text("x")
    listener.wait_for("a")
    assert listener.told == [Hints(frozenset({"a"}))]


def test_reading_is_no_change(root, watch, listener):
    """Nor are a directory's own times."""
    (root / "a").write_text("x")
    watch(settle=None)
    (root / "a").read_text()
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}


def test_what_is_below_an_ignored_directory_is_not_told(root, watch, listener):
    """Though watchdog reports it."""
    (root / "build" / "deep").mkdir(parents=True)
    listener.hide = lambda path, is_directory: path == "build" and is_directory
    watch()
    (root / "build" / "deep" / "a").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}


def test_one_level_only(root, watch, listener):
    """Not recursive."""
    (root / "d").mkdir()
    watch(recursive=False)
    (root / "d" / "inner").write_text("")
    (root / "end").write_text("")
    listener.wait_for("end")
    assert listener.paths == {"end"}


def test_a_path_waits_for_rest_by_the_clock_that_is_passed_in(root, watch, listener):
    """And is told when that says so."""
    clock = StillClock()
    watch(clock=clock)
    (root / "a").write_text("")
    listener.wait(lambda: ("a", False) in listener.asked)
    assert listener.told == []
    clock.sleep(1)
    listener.wait_for("a")


def test_a_root_that_is_removed_ends_the_watching(root, watch, listener):
    """Everything is told after it says that it works no more."""
    watcher = watch()
    shutil.rmtree(root)
    listener.wait(lambda: listener.everything)
    assert watcher.why_not == "it was removed or moved"


def test_a_root_that_is_not_there(root, watch, listener):
    """Said by the watcher; nothing is raised."""
    root.rmdir()
    watcher = watch()
    assert not watcher.works
    assert watcher.why_not
    watcher.close()


def test_a_network_file_system_is_not_relied_on(root, watch, monkeypatch):
    """It tells only of what this computer does there."""
    monkeypatch.setattr(observer_watcher, "remote_kind", lambda path: "smbfs")
    assert "network file system (smbfs)" in watch().why_not


def test_nothing_is_told_after_close_and_nothing_stays_open(root, watch, listener):
    """However often it is closed, by its listener, too."""
    before = threading.active_count()
    watcher = watch()
    heard = listener.tell

    def close(hints: Hints) -> None:
        watcher.close()
        heard(hints)

    watcher._tell = close
    (root / "a").write_text("")
    listener.wait_for("a")
    watcher._thread.join(20)
    watcher.close()
    assert threading.active_count() == before
    assert not watcher.works
    assert os.path.isdir(root)
