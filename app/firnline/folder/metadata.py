"""What is remembered of a file without reading it, and the permission bits that it gets.

Only the executable bit is synced. Owners, other permission bits and extended attributes stay a
matter of each device; setuid, setgid and sticky bits are never set (docs/design.md section 11,
FLAGS).
"""

import os
import stat
from typing import NamedTuple

from firnline.core.event import Kind

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFLNK: Kind.LINK,
    stat.S_IFDIR: Kind.DIRECTORY,
}
_PERMISSIONS = 0o777
_READ_BITS = 0o444
_EXECUTE_BITS = 0o111


class Stat(NamedTuple):
    """What stands at a path, links not followed."""

    kind: Kind | None
    """None for what cannot be synced: a fifo, a socket, a device node."""
    size: int
    """Bytes."""
    mtime_ns: int
    inode: int
    executable: bool
    """Of the owner; always False for other kinds than files, and where the file system has no
    such bit."""
    device: int
    mode: int
    """Permission bits."""

    def same_version(self, other: "Stat") -> bool:
        """True when nothing says that the content changed: same file, size and modification time.

        The device number is left out: it differs between two mounts of one disk.
        """
        return (
            self.mtime_ns == other.mtime_ns
            and self.size == other.size
            and self.inode == other.inode
            and self.kind is other.kind
        )


COARSE_NS = 2_000_000_000
"""The coarsest tick of any file system's times, in nanoseconds: FAT."""
_SECOND = 1_000_000_000


def is_coarse(mtime_ns: int) -> bool:
    """True for a time without a fraction of a second: perhaps the disk has none to give (FAT: two
    seconds; HFS+, exFAT by FUSE, SFTP: one). Finer ticks are shorter than what is waited anyway."""
    return not mtime_ns % _SECOND


def doubted(mtime_ns: int) -> int:
    """A time that the file has not, to be remembered instead of one that a save right after may
    have left as it is: the next scan reads the file then, and knows."""
    return mtime_ns - 1


class Placed(NamedTuple):
    """What `Root.place` did."""

    stat: Stat
    """Of the new file, as it was just before it got its name: whatever differs from this later
    is somebody else's doing."""
    kept: Stat | None
    """Of the replaced file, now in the kept area; None where nothing was replaced."""
    slipped: bool
    """The replaced file is not the expected one: somebody saved in the last moment. What is kept
    is that save, and it is to become an event on the old parent."""


_LARGEST = 2**63 - 1
"""What a table can hold. File systems go further: times after the year 2262, and inodes of 64 bits
(some network and union file systems use them all)."""


def known_time(found: os.stat_result) -> int:
    """The modification time in nanoseconds, as far as it can be remembered."""
    return max(-_LARGEST, min(found.st_mtime_ns, _LARGEST))


def known_inode(found: os.stat_result) -> int:
    """The inode, as far as it can be remembered."""
    return found.st_ino & _LARGEST


def stat_of(found: os.stat_result, *, modes: bool = True) -> Stat:
    """`modes` is False where the file system invents the permission bits."""
    mode = found.st_mode
    kind = _KINDS.get(stat.S_IFMT(mode))
    return Stat(
        kind,
        found.st_size,
        known_time(found),
        known_inode(found),
        modes and kind is Kind.FILE and bool(mode & stat.S_IXUSR),
        found.st_dev,
        mode & _PERMISSIONS,
    )


def file_mode(executable: bool, usual: int, like: int | None = None) -> int:
    """The permission bits of a file: `usual` (what the umask leaves to a new one), or those of
    the file that it replaces (`like`), with the executable bit as asked for."""
    return with_executable(usual if like is None else like & _PERMISSIONS, executable)


def with_executable(mode: int, executable: bool) -> int:
    """`mode` with execute bits for those who may read, or with none.

    A file that has the owner's bit already keeps what it has.
    """
    if not executable:
        return mode & ~_EXECUTE_BITS
    if mode & stat.S_IXUSR:
        return mode
    return mode | (mode & _READ_BITS) >> 2 | stat.S_IXUSR
