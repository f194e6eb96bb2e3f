"""What a scan finds."""

import os
import socket
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.folder.placing import make_device, stat_at
from tests.unit.folder.scanning import Scanner, changed, fill, skipped

from firnline.core.event import Kind
from firnline.folder.area import OwnArea
from firnline.folder.filesystem import Root
from firnline.folder.ignore import Ignore
from firnline.folder.scan import SkipKind


def test_everything_is_new(scanner: Scanner, folder: Path, root: Root):
    """Without a table all files and links are found, in the order of path bytes."""
    fill(folder, "a/x", "a.txt", "a-b/x", "B", "ü", "\U0001f600", "\uffee", "a/b/c")
    (folder / "link").symlink_to("a")
    found = scanner.look()
    assert changed(found) == sorted(
        ["a/x", "a.txt", "a-b/x", "B", "ü", "\U0001f600", "\uffee", "a/b/c", "link"],
        key=str.encode,
    )
    assert {seen.path: seen.kind for seen in found.changed}["link"] is Kind.LINK
    assert all(seen.stat == stat_at(root, seen.path) for seen in found.changed)
    assert all(seen.local is None for seen in found.changed)
    assert found.files == 9
    assert found.bytes == sum(seen.stat.size for seen in found.changed)
    assert found.complete
    assert found.missing == found.hidden == found.empty_directories == []
    assert found.skipped == []


def test_nothing_changed(scanner: Scanner, folder: Path, clock: StillClock):
    """A known tree has no differences, and nobody waits."""
    fill(folder, "a/x", "a.txt", "b/c/d")
    (folder / "run").write_bytes(b"")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("a")
    scanner.learn()
    found = scanner.look()
    assert changed(found) == found.missing == []
    assert found.files == 5
    assert clock.slept == []


def test_each_kind_of_change(scanner: Scanner, folder: Path):
    """Size, time, another file, the execute bit, another kind, another link: each is seen."""
    names = ["size", "time", "inode", "bit", "bit gone", "kind", "link", "to link", "same"]
    fill(folder, *names)
    (folder / "bit gone").chmod(0o700)
    for name in ("link", "kind"):
        (folder / name).unlink()
        (folder / name).symlink_to("x")
    scanner.learn()
    before = (folder / "inode").stat()
    (folder / "size").write_bytes(b"longer than before")
    os.utime(folder / "time", ns=(0, 1_000_000))
    fill(folder, "copy")
    (folder / "copy").write_bytes(b"inode")
    (folder / "copy").rename(folder / "inode")
    os.utime(folder / "inode", ns=(before.st_atime_ns, before.st_mtime_ns))
    (folder / "bit").chmod(0o744)
    (folder / "bit gone").chmod(0o600)
    (folder / "kind").unlink()
    fill(folder, "kind")
    (folder / "link").unlink()
    (folder / "link").symlink_to("other")
    (folder / "to link").unlink()
    (folder / "to link").symlink_to("x")
    (folder / "same").chmod(0o640)
    found = scanner.look()
    assert changed(found) == sorted(set(names) - {"same"})
    assert found.missing == []


def test_missing(scanner: Scanner, folder: Path, clock: StillClock):
    """What was known and is gone is missing, alone or with its directory."""
    fill(folder, "a/x", "a/y", "b/x", "b/c/y", "z")
    scanner.learn()
    (folder / "a/x").unlink()
    (folder / "b/x").unlink()
    (folder / "b/c/y").unlink()
    (folder / "b/c").rmdir()
    (folder / "b").rmdir()
    (folder / "z").unlink()
    found = scanner.look()
    assert found.missing == ["a/x", "b/c/y", "b/x", "z"]
    assert found.complete
    assert clock.slept == [0.05]


def test_a_directory_that_is_gone_is_not_waited_for(
    scanner: Scanner, folder: Path, clock: StillClock
):
    """A renamed directory costs no second look."""
    fill(folder, "d/a/x", "d/b/y")
    scanner.learn()
    (folder / "d").rename(folder / "e")
    found = scanner.look()
    (moved,) = found.moved
    assert (moved.source, moved.target) == ("d", "e")
    assert clock.slept == []
    scanner.ignore = Ignore.parse("*.nothing")
    found = scanner.look()
    assert found.missing == ["d/a/x", "d/b/y"]
    assert changed(found) == ["e/a/x", "e/b/y"]
    assert clock.slept == []


def test_a_file_that_comes_back(
    scanner: Scanner, folder: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch
):
    """A program that saves by moving the old file away first has deleted nothing."""
    fill(folder, "a", "d/file", "d/same", "z")
    scanner.learn()
    (folder / "d/file").rename(folder / "d/file~")
    (folder / "d/same").rename(folder / "d/same~")

    def meanwhile(seconds: float) -> None:
        (folder / "d/file").write_bytes(b"saved")
        (folder / "d/same~").rename(folder / "d/same")

    monkeypatch.setattr(clock, "sleep", meanwhile)
    found = scanner.look()
    assert found.missing == []
    assert changed(found) == ["d/file", "d/file~", "d/same~"]
    assert found.changed[0].stat.size == 5


def test_a_directory_in_a_files_place(scanner: Scanner, folder: Path):
    """A file that became a directory is missing, and what is in there is new; or the other way."""
    fill(folder, "a", "b/x")
    scanner.learn()
    (folder / "a").unlink()
    fill(folder, "a/y")
    (folder / "b/x").unlink()
    (folder / "b").rmdir()
    fill(folder, "b")
    found = scanner.look()
    assert found.missing == ["a", "b/x"]
    assert changed(found) == ["a/y", "b"]


def test_a_link_in_a_directorys_place(scanner: Scanner, folder: Path, tmp_path: Path):
    """A directory that became a link is not walked through it: its files are missing."""
    fill(folder, "d/x")
    scanner.learn()
    (folder / "d").rename(tmp_path / "d")
    (folder / "d").symlink_to(tmp_path / "d")
    found = scanner.look()
    assert found.missing == ["d/x"]
    assert changed(found) == ["d"]
    assert found.changed[0].kind is Kind.LINK


def test_ignored(scanner: Scanner, folder: Path):
    """What the rules hide is not new, and not missing where it was known: it is hidden."""
    fill(folder, "a.log", "build/x", "build/keep/y", "src/a.c", "src/build/z", ".x.swp")
    assert changed(scanner.learn()) == [
        "a.log", "build/keep/y", "build/x", "src/a.c", "src/build/z",
    ]  # fmt: skip
    scanner.ignore = Ignore.parse("*.log\nbuild/\n!build/keep\n")
    found = scanner.look()
    assert changed(found) == found.missing == []
    assert found.hidden == ["a.log", "build/keep/y", "build/x", "src/build/z"]
    assert found.files == 1
    (folder / "a.log").unlink()
    found = scanner.look()
    assert found.missing == []
    assert "a.log" in found.hidden


def test_empty_directories(scanner: Scanner, folder: Path):
    """A directory without a child that is synced is empty; with one, a directory too, it is not."""
    for path in ("a/b", "c", "known", "ignored only", "pipe only", "full"):
        (folder / path).mkdir(parents=True)
    fill(folder, "ignored only/.DS_Store", "full/x")
    os.mkfifo(folder / "pipe only/pipe")
    scanner.dirs = {"known", "full"}
    found = scanner.look()
    assert found.empty_directories == ["a/b", "c", "ignored only", "pipe only"]
    assert found.gone_directories == []


def test_gone_directories(scanner: Scanner, folder: Path):
    """An explicit directory that is not there, or no directory, is gone; an ignored one is not."""
    for path in ("there", "d/there", "hidden/d"):
        (folder / path).mkdir(parents=True)
    fill(folder, "now a file")
    scanner.dirs = {"there", "d/there", "gone", "d/gone", "x/gone", "now a file", "hidden/d"}
    scanner.ignore = Ignore.parse("hidden\n")
    found = scanner.look()
    assert found.gone_directories == ["d/gone", "gone", "now a file", "x/gone"]
    assert found.hidden == []


def test_special_files(scanner: Scanner, folder: Path):
    """A pipe, socket or device is shown; a known file in whose place it stands is not missing."""
    fill(folder, "pipe", "socket", "device", "file")
    scanner.learn()
    for name in ("pipe", "socket", "device"):
        (folder / name).unlink()
    os.mkfifo(folder / "pipe")
    make_device(folder / "device")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        found = scanner.look()
    assert skipped(found) == [(name, SkipKind.SPECIAL) for name in ("device", "pipe", "socket")]
    assert changed(found) == found.missing == []
    assert found.files == 1
    assert found.complete


def test_without_execute_bits(scanner: Scanner, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Where the file system invents them, they say nothing."""
    fill(folder, "plain", "run")
    (folder / "run").chmod(0o755)
    scanner.learn()
    (folder / "plain").chmod(0o755)
    (folder / "run").chmod(0o644)
    assert changed(scanner.look()) == ["plain", "run"]
    monkeypatch.setattr(OwnArea, "has_modes", False)
    assert changed(scanner.look()) == []
    scanner.known = []
    assert not any(seen.stat.executable for seen in scanner.look().changed)
