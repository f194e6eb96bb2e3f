"""Links that lead astray, and things that are no files: items 34 to 41.

What each single action of `folder` does in these cases is in tests/unit/folder/test_hostile.py;
here it is a whole pass.
"""

import os
import socket
import stat
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.scenario.hostile.victim import Victim, ref

from firnline.core.event import LINK, Op
from firnline.folder import kernel


def test_34_write_to_a_link_to_a_file_outside(victim: Victim, tried: Counter[str]) -> None:
    """A link out of the folder is not made, and what is written to its name stays inside; nor does
    a link that the user made himself lead a write from the store outside."""
    canary = victim.base / "outside" / "canary"
    (victim.folder / "own link").symlink_to(canary)
    victim.run("sync", code=0)
    (own,) = {path.name for path in victim.root.glob("events/*/*_lnk_*")} or {""}
    for target in ("/etc/passwd", str(canary)):
        name = f"to {target.replace('/', ' ')}"
        link = victim.plant(Op.LNK, name, target.encode())
        victim.plant(Op.PUT, name, b"overwritten", parent=ref(link))
    victim.plant(Op.PUT, "own link", b"overwritten", parent=ref(own))
    tried["hostile inputs"] += 5
    victim.attacked(code=None)
    assert list(victim.tree().values()).count("overwritten") == 3
    assert canary.read_text() == "alive"


@pytest.mark.parametrize("target", ["..", "../..", ".", "../victim", "a/..", "/"])
def test_35_link_upwards_and_a_path_through_it(
    victim: Victim, tried: Counter[str], target: str
) -> None:
    """`d -> ..`, then `d/x`: the file never lands where the link points."""
    link = victim.plant(Op.LNK, "d", target.encode())
    victim.attacked(code=None)
    victim.plant(Op.PUT, "d/pwn", b"pwn")
    victim.plant(Op.PUT, "d/canary", b"pwn", parent=ref(link))
    victim.plant(Op.MOV, "d/moved", b"mine", source="mine.txt")
    tried["hostile inputs"] += 4
    victim.attacked(code=None)
    assert not (victim.folder / "pwn").exists()
    assert not (victim.folder.parent / "pwn").exists()


def test_36_links_in_a_ring(victim: Victim, tried: Counter[str]) -> None:
    """`a -> b -> a` is two links and no way anywhere."""
    for name, target in (("a", b"b"), ("b", b"c"), ("c", b"a"), ("self", b"self")):
        victim.plant(Op.LNK, name, target)
        tried["hostile inputs"] += 1
    assert victim.attacked(code=0) == []
    assert victim.tree()["self"] == "self"


def test_37_seventy_links_in_a_chain(victim: Victim, tried: Counter[str]) -> None:
    """A chain of links is made link by link, its last one not when it leads outside; a path through
    it ends in the folder."""
    for number in range(70):
        victim.plant(Op.LNK, f"chain{number:02}", b"chain%02d" % (number + 1))
    victim.plant(Op.LNK, "chain70", b"../outside")
    victim.plant(Op.PUT, "chain00/x", b"pwn")
    tried["hostile inputs"] += 72
    assert [p["kind"] for p in victim.attacked()] == ["link outside"]
    assert not (victim.base / "outside" / "x").exists()


@contextmanager
def swapping(directory: Path, name: str, link: str) -> Iterator[None]:
    """Somebody exchanges a directory and a link, again and again, in a second thread."""
    stop = threading.Event()

    def swap() -> None:
        here = os.open(directory, os.O_RDONLY)
        while not stop.is_set():
            # One of them may just be on its way to somewhere else.
            with suppress(FileNotFoundError):
                kernel.exchange(here, name, here, link)
        os.close(here)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_38_directory_swapped_by_a_link_between_check_and_use(
    victim: Victim, tried: Counter[str]
) -> None:
    """While a second thread exchanges a directory and a link to the outside, passes bring, change,
    move and remove files in it: nothing outside is touched, and no pass crashes."""
    for number in range(20):
        victim.write(f"d/{number}.txt", "first")
    victim.run("sync")
    (victim.folder / "link").symlink_to(victim.base / "outside")
    with swapping(victim.folder, "d", "link"):
        for turn in range(6):
            for number in range(5):
                victim.plant(Op.PUT, f"d/{turn}-{number}.txt", b"theirs")
            victim.plant(Op.DEL, f"d/{turn}.txt")
            tried["hostile inputs"] += 6
            victim.run("sync", code=None)
            assert list((victim.base / "outside").iterdir()) == [victim.base / "outside/canary"]
            assert (victim.base / "outside" / "canary").read_text() == "alive"
    # Its user's own link, and allowed to lead anywhere.
    for path in victim.folder.iterdir():
        if path.is_symlink():
            path.unlink()
    # Directories that went and came may have raised a question: the guard's own tests answer it.
    for _ in range(3):
        victim.run("sync", code=None)
        victim.check_untouched()


def test_39_hard_link_to_a_file_outside(victim: Victim, tried: Counter[str]) -> None:
    """A file that has a second name outside is replaced, never written through, and neither its
    mode nor its time changes there."""
    canary = victim.base / "outside" / "canary"
    os.utime(canary, (1e9, 1e9))
    before = canary.stat()
    (victim.folder / "hard.txt").hardlink_to(canary)
    victim.run("sync")
    newest = max(victim.events())
    victim.plant(Op.PUT, "hard.txt", b"theirs", parent=ref(newest), flags="x")
    tried["hostile inputs"] += 1
    victim.attacked(code=None)
    assert canary.read_text() == "alive"
    assert (canary.stat().st_mode, canary.stat().st_mtime) == (before.st_mode, before.st_mtime)
    assert victim.tree()["hard.txt"] == "theirs"


def test_40_pipes_sockets_and_devices(victim: Victim, tried: Counter[str]) -> None:
    """They are shown, block no scan, are opened by nobody, and nothing from the store takes their
    place."""
    os.mkfifo(victim.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(victim.folder / "socket"))
        kinds = ["pipe", "socket"]
        try:
            os.mknod(victim.folder / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
            kinds.append("device")
        except PermissionError:
            pass
        for name in kinds:
            victim.plant(Op.PUT, name, b"text")
            tried["hostile inputs"] += 2
        problems = victim.attacked()
        told = Counter(problem["path"] for problem in problems if problem["kind"] == "special")
        assert told == dict.fromkeys(kinds, 1)
        assert all(not stat.S_ISREG((victim.folder / name).lstat().st_mode) for name in kinds)


def test_41_odd_modes(victim: Victim, tried: Counter[str]) -> None:
    """Set-user bits are not passed on, and a file that nobody may read is shown and kept."""
    for name, mode in (("all.txt", 0o6777), ("none.txt", 0o000)):
        victim.write(name, "text")
        (victim.folder / name).chmod(mode)
    tried["hostile inputs"] += 2
    victim.plant(Op.PUT, "theirs.sh", b"#!", flags="x")
    before = (victim.folder / "all.txt").stat().st_mode
    victim.attacked(code=None)
    assert (victim.folder / "all.txt").stat().st_mode == before
    mode = stat.S_IMODE((victim.folder / "theirs.sh").stat().st_mode)
    assert mode & 0o111
    assert not mode & 0o7000
    (body,) = [p for p in victim.root.glob("events/*/*") if "_bat_" in p.name][-1:]
    assert not stat.S_IMODE(body.stat().st_mode) & 0o7111


def test_moved_link_that_led_inside(victim: Victim, tried: Counter[str]) -> None:
    """A link that is harmless where it is made is none where it is moved to."""
    link = victim.plant(Op.LNK, "a/b/c", b"../../mine.txt")
    victim.plant(Op.MOV, "c", b"../../mine.txt", source="a/b/c", flags=LINK, parent=ref(link))
    tried["hostile inputs"] += 1
    victim.attacked()
    assert "c" not in victim.tree()
