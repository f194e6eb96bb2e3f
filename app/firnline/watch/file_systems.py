"""Is a place on a file system that other computers change, so that nothing here hears of it?"""

import os
import sys
from pathlib import Path

_REMOTE = frozenset(
    {
        *("9p", "drvfs", "virtiofs", "vboxsf", "vmhgfs"),
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"),
        *("beegfs", "ceph", "gfs2", "glusterfs", "gpfs", "lustre", "ocfs2"),
    }
)
# What runs over FUSE is more often than not on somebody else's computer, but for these.
_LOCAL_OVER_FUSE = frozenset(
    {
        *("bindfs", "fuse-overlayfs", "mergerfs", "snapfuse", "squashfuse", "unionfs"),
        *("cryfs", "encfs", "gocryptfs", "securefs"),
        *("exfat", "ext2", "ntfs", "ntfs-3g"),
    }
)
_MOUNTS = "/proc/self/mountinfo"


def remote_kind(place: Path) -> str | None:
    """The kind of the network file system that holds `place`; None where it is a local one, or
    where the system does not say."""
    path = os.path.realpath(place)
    if path.startswith("\\\\"):
        return "network share"
    if sys.platform != "linux":
        return None
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            kind = kind_at(file.read(), path)
    except OSError:
        return None
    return kind if is_remote(kind) else None


def is_remote(kind: str) -> bool:
    """Whether other computers can change what is on a file system of that kind."""
    if kind.startswith("fuse."):
        return kind.removeprefix("fuse.") not in _LOCAL_OVER_FUSE
    return kind in _REMOTE


def kind_at(mounts: str, path: str) -> str:
    """The kind of file system at an absolute path without links, by the text of `mountinfo`; ''
    when none is found. Of mounts on one another the last counts."""
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = _unescaped(fields[4])
        inside = point == "/" or path == point or path.startswith(f"{point}/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    for code, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        text = text.replace(f"\\{code}", character)
    return text
