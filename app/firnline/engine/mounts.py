"""Places that may never answer: is a path on one, and does it answer now?

A network file system whose server is gone, or a FUSE one whose program hangs, answers no call at
all: the process that asks sits in the kernel, at worst where not even SIGKILL ends it (state D).
So the first touch of such a place is made by a child process. A thread could be given up as well,
but a process with a thread in state D never ends, and whoever waits for it hangs too; a child is
left to itself, and this process goes on and ends. Later calls cannot all go through children: they
run on threads with a deadline each (`stores.deadline`), and most dead mounts (NFS, SMB, most of
FUSE) let those be killed when the process ends.

Local disks are told from others by the table of mounts alone, which no mount can hold up, so that
they cost nothing but reading it. The root of the whole system is taken for local whatever it is:
nothing would run without it.

Windows needs none of this: its redirector gives each call up by itself. macOS has no such table to
read; there all that is mounted under /Volumes counts.
"""

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

PATIENCE = 20.0
"""Seconds for a first answer: the disks of a NAS that sleeps need up to 15 s to turn again."""

_TABLE = "/proc/self/mountinfo"
_TYPES = frozenset(
    {
        "9p",
        "afs",
        "autofs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse",
        "fuseblk",
        "gfs2",
        "glusterfs",
    }
    | {
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
    }
)
"""And all that begin with `fuse.`."""
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_MOST_LINKS = 40
_LOOK = 'cd -- "$0" && : < "./$1"'
"""Opening a file asks the server even where the directory is still in a cache."""
_KILL = 9


def can_hang(path: Path) -> bool:
    """True when `path` is on a file system that may answer never. Asks no such file system."""
    points = _points()
    return bool(points) and _leads_through(path, points)


def is_silent(path: Path, file: str = "") -> bool:
    """True when `path` is on such a file system, and that does not answer now."""
    return can_hang(path) and not answers(path, file)


def answers(path: Path, file: str, seconds: float | None = None) -> bool:
    """False when opening `file` below `path` takes longer than `seconds`, or `PATIENCE`.

    Whether it is there does not matter. True also where no child can be had.
    """
    reading, writing = os.pipe()
    try:
        child = _look(path, file, writing)
    except OSError:
        os.close(reading)
        return True
    finally:
        os.close(writing)
    try:
        return _ends(child, reading, PATIENCE if seconds is None else seconds)
    finally:
        os.close(reading)


def _look(path: Path, file: str, ended: int) -> int:
    """Start the child. It holds `ended` open as long as it runs; nothing is written there."""
    nowhere = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    actions = [(os.POSIX_SPAWN_DUP2, ended, 1), nowhere]
    return os.posix_spawn("/bin/sh", ["sh", "-c", _LOOK, str(path), file], {}, file_actions=actions)


def _ends(child: int, reading: int, seconds: float) -> bool:
    """Wait for the child that long. One that hangs is told to end and left to itself."""
    import select

    poll = select.poll()
    poll.register(reading)
    if poll.poll(seconds * 1000):
        os.waitpid(child, 0)
        return True
    os.kill(child, _KILL)
    os.waitpid(child, os.WNOHANG)
    return False


def _points() -> Collection[str]:
    """Where such file systems are mounted."""
    if sys.platform == "darwin":
        return ("/Volumes", "/Network")
    with suppress(OSError), open(_TABLE, encoding="utf-8", errors="surrogateescape") as table:
        return mount_points(table.read())
    return ()


def mount_points(table: str) -> set[str]:
    """The mount points in a `mountinfo` (proc_pid_mountinfo(5)) of file systems that can hang, `/`
    left out."""
    found = set()
    for line in table.splitlines():
        what, _, source = line.partition(" - ")
        kind = source.partition(" ")[0]
        if kind in _TYPES or kind.startswith("fuse."):
            found.add(what.split(" ")[4])
    return {_unescaped(point) for point in found - {"/"}}


def _unescaped(point: str) -> str:
    for escape, character in _ESCAPES.items():
        point = point.replace(escape, character)
    return point


def _leads_through(path: Path, points: Collection[str]) -> bool:
    """Walks `path` as the system would, links included, and stops before it enters one of
    `points`: what stands in front of them is local and answers."""
    place, links = "/", 0
    rest = [part for part in reversed(Path.cwd().joinpath(path).parts) if part != "/"]
    while rest:
        part = rest.pop()
        if part == "..":
            place = os.path.dirname(place)
            continue
        place = os.path.join(place, part)
        if place in points:
            return True
        with suppress(OSError):
            target = Path(os.readlink(place))
            links += 1
            if links > _MOST_LINKS:
                return False
            place = "/" if target.is_absolute() else os.path.dirname(place)
            rest += [part for part in reversed(target.parts) if part != "/"]
    return False
