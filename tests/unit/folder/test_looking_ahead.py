"""What is asked for before a pass needs it, and the process that asks."""

import ctypes
import mmap
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from firnline.folder import looking_ahead as subject
from firnline.folder.looking_ahead import ask_for, is_in_memory, look_at, looking_ahead

pytestmark = pytest.mark.skipif(
    not hasattr(os, "RWF_NOWAIT"), reason="the system does not say what is in memory"
)


def pages(path: Path) -> int:
    """How many pages of the file are in memory. To ask like this, unlike reading without
    waiting, brings none there."""
    length = path.stat().st_size
    found = (ctypes.c_ubyte * (-(-length // mmap.PAGESIZE)))()
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), length) as view:
        start = ctypes.c_char.from_buffer(view)
        assert libc.mincore(ctypes.byref(start), ctypes.c_size_t(length), found) == 0
        del start
    return sum(each & 1 for each in found)


def cold(path: Path) -> Path:
    """A file of which nothing is in memory; skips where the file system has no disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(bytes(2**14))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if pages(path):
        pytest.skip("what was written here cannot leave the memory")
    return path


def comes(path: Path) -> bool:
    """Waits until the file is in memory; the test's time limit ends it."""
    while not pages(path):
        time.sleep(0.001)
    return True


def never() -> bool:
    return False


def test_what_is_in_memory(tmp_path: Path) -> None:
    """What was read is; what never was there needs no disk either."""
    table = cold(tmp_path / "table")
    assert not is_in_memory(str(table))
    table.read_bytes()
    assert is_in_memory(str(table))
    assert is_in_memory(str(tmp_path / "nothing"))


def test_a_file_system_that_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then all counts as being in memory, so that nothing is done."""
    table = cold(tmp_path / "table")

    def refuse(*arguments: object) -> int:
        raise OSError(95, "not supported")

    monkeypatch.setattr(os, "preadv", refuse)
    assert is_in_memory(str(table))
    monkeypatch.undo()
    monkeypatch.delattr(os, "RWF_NOWAIT")
    assert is_in_memory(str(table))


def test_table_and_changed_files_are_asked_for(tmp_path: Path) -> None:
    """At any depth; files that are older than the table are only looked at, and a pipe, which
    somebody may wait at, is not opened."""
    root = tmp_path / "tree"
    old, new = cold(root / "a" / "old"), cold(root / "b" / "c" / "new")
    table = cold(tmp_path / "table")
    now = table.stat().st_mtime
    os.utime(old, (now - 10, now - 10))
    os.utime(new, (now + 10, now + 10))
    os.mkfifo(root / "pipe")
    os.utime(root / "pipe", (now + 10, now + 10))
    look_at(str(root), str(table), never)
    assert comes(table)
    assert comes(new)
    assert not pages(old)


def test_nothing_is_looked_at_with_the_table_in_memory(tmp_path: Path) -> None:
    """Then the folder most likely is, too."""
    new = cold(tmp_path / "tree" / "new")
    table = tmp_path / "table"
    table.write_bytes(b"x")
    os.utime(table, (1, 1))
    look_at(str(tmp_path / "tree"), str(table), never)
    assert not pages(new)


def test_looking_ends_when_nobody_wants_it(tmp_path: Path) -> None:
    """It is asked before each directory."""
    table, new = cold(tmp_path / "table"), cold(tmp_path / "tree" / "new")
    os.utime(table, (1, 1))
    look_at(str(tmp_path / "tree"), str(table), lambda: True)
    assert not pages(new)


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """It is for the pass to tell."""
    look_at(str(tmp_path / "nowhere"), str(cold(tmp_path / "table")), never)
    ask_for([str(tmp_path / "nowhere")])


def test_files_and_directories_are_asked_for(tmp_path: Path) -> None:
    """A file by its name, and all that stands in a directory."""
    alone, inside = cold(tmp_path / "alone"), cold(tmp_path / "directory" / "inside")
    ask_for([str(alone), str(tmp_path / "directory")])
    assert comes(alone)
    assert comes(inside)


ALONE = """
import os, sys
from pathlib import Path
from firnline.folder import looking_ahead as subject

def look(stopped):
    Path(sys.argv[1]).write_text(str(stopped()))
    print("said by the copy", flush=True)
    {then}

def children():
    return Path(f"/proc/self/task/{{os.getpid()}}/children").read_text().split()

subject.is_in_memory = lambda path: False
with subject.looking_ahead("", look):
    while not Path(sys.argv[1]).exists() or not Path(sys.argv[1]).read_text():
        pass
    inside = children()
print(len(inside), len(children()))
"""


@pytest.mark.parametrize("then", ["os.read(os.pipe()[0], 1)", "raise ValueError", "pass"])
def test_the_copy_ends_with_the_block(tmp_path: Path, then: str) -> None:
    """Whether it is still looking, failed or is done; and nobody hears of it."""
    command = [sys.executable, "-c", ALONE.format(then=then), str(tmp_path / "looked")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("1 0\n", "")
    assert (tmp_path / "looked").read_text() == "False"


def test_no_copy_of_a_process_with_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where the system gives none, nor where the program is in memory: the block runs."""
    ran = []

    def fork() -> int:
        ran.append("fork")
        raise OSError(11, "no more processes")

    def run() -> list[str]:
        ran.clear()
        with looking_ahead("", lambda stopped: None):
            ran.append("block")
        return ran

    monkeypatch.setattr(os, "fork", fork)
    assert run() == ["block"]
    monkeypatch.setattr(subject, "is_in_memory", lambda path: False)
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert run() == ["block"]
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert run() == ["fork", "block"]
