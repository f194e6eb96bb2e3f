"""Files that are asked for while others are read."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock

from firnline.folder import read_ahead
from firnline.folder.filesystem import Root
from firnline.folder.portable import Paths
from firnline.folder.read import CHUNK, stream
from firnline.folder.read_ahead import ReadAhead
from firnline.stores.directory import DirectoryStore

PATHS = [f"d{number // 10}/f{number:03}" for number in range(300)]


class Asked:
    """Instead of a folder: what was asked for, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        monkeypatch.setattr(Root, "expect", self._expect)

    def _expect(self, directory: str, names: Iterable[str], length: int) -> None:
        self.paths += [f"{directory}/{name}" for name in names]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def read(ahead: ReadAhead, paths: Iterable[str], clock: StillClock, seconds: float) -> None:
    for path in paths:
        with ahead.reading(path):
            clock.sleep(seconds)


def test_files_in_memory_are_not_asked_for(root: Root, clock: StillClock, asked: Asked) -> None:
    """It would cost more than it brings."""
    ahead = ReadAhead(root, clock, PATHS)
    read(ahead, PATHS, clock, 30e-6)
    assert not ahead.active
    assert asked.paths == []


def test_slow_files_are_asked_for_once_and_early(
    root: Root, clock: StillClock, asked: Asked
) -> None:
    """From the moment on when reading was seen to wait, each file at most once and before it is
    read."""
    ahead = ReadAhead(root, clock, PATHS)
    for number, path in enumerate(PATHS):
        with ahead.reading(path):
            clock.sleep(200e-6)
        if number > read_ahead._TRIED + 1:
            assert path in asked.paths
    assert ahead.active
    assert asked.paths == PATHS[-len(asked.paths) :]
    assert len(asked.paths) == len(PATHS) - read_ahead._TRIED - 1


def test_few_files_are_asked_for_at_a_time(root: Root, clock: StillClock, asked: Asked) -> None:
    """Memory is other programs' as well."""
    ahead = ReadAhead(root, clock, PATHS)
    for number, path in enumerate(PATHS, 1):
        read(ahead, [path], clock, 200e-6)
        assert len(asked.paths) <= number + 2 * read_ahead._AHEAD


def test_other_paths_get_no_help(root: Root, clock: StillClock, asked: Asked) -> None:
    """What is read out of turn neither hinders nor is hindered."""
    ahead = ReadAhead(root, clock, PATHS)
    read(ahead, ["other"] * 100, clock, 200e-6)
    assert asked.paths == []
    read(ahead, PATHS[:1], clock, 200e-6)
    assert asked.paths[0] == PATHS[1]


def test_hint_touches_nothing(folder: Path, root: Root) -> None:
    """Neither links nor what is not there nor what is no file is a reason to fail."""
    (folder / "d").mkdir()
    (folder / "d/file").write_text("text")
    (folder / "d/link").symlink_to("/nowhere")
    os.mkfifo(folder / "d/pipe")
    root.expect("d", ["file", "link", "pipe", "gone"], 100)
    root.expect("gone", ["file"], 100)
    assert (folder / "d/file").read_text() == "text"


def test_files_are_read_where_no_hint_is_taken(
    folder: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hint that is refused is none, and the file is read all the same."""
    (folder / "file").write_bytes(bytes(3 * CHUNK))
    os.utime(folder / "file", ns=(1_000_000_001, 1_000_000_001))

    def refuse(*arguments: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "posix_fadvise", refuse)
    with stream(root, "file", StillClock()) as body:
        assert sum(map(len, body)) == 3 * CHUNK
    with DirectoryStore(folder, connection="c" * 16, clock=StillClock()).open("file") as reader:
        assert len(reader.read(CHUNK)) == CHUNK


def test_hint_by_paths(folder: Path) -> None:
    """Where there are no directory handles there is no hint either."""
    (folder / "d").mkdir()
    root = Root(str(folder), access=Paths(str(folder)))
    root.expect("d", ["file"], 100)
