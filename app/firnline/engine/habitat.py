"""Where a profile lives, so that a copy of it is noticed (docs/design.md section 5).

`state/habitat.json` holds which computer the profile is on, as a hash, and the inode of its state
directory. A profile that finds itself elsewhere is a copy, or a cloned disk: two devices with one
identity would write each other's events. The copy takes a new id, and its tables are treated as
lost, since nobody knows how far they are from its folders; joining deletes nothing (section 7).

What the system does not say decides nothing: a computer without an id, a file system that gives
other inodes at every mount.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from firnline.core.hashing import PLAIN
from firnline.core.steps import Steps, no_steps
from firnline.engine.identity import DeviceIdentity, make_identity, write_private

FILE = "habitat.json"
_MACHINE_ID = "/etc/machine-id"
_MOUNTS = "/proc/self/mountinfo"
_LASTING_INODES = frozenset({"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs"}) | {
    *("reiserfs", "tmpfs", "xfs", "zfs")
}
_LIMIT = 4096
_logger = logging.getLogger(__name__)


class Habitat(NamedTuple):
    """Where a profile lives."""

    machine: str
    """'' where the system does not say."""
    inode: int
    """Of the state directory; 0 where it does not last."""

    def is_other(self, known: "Habitat") -> bool:
        """Whether a profile that lived at `known` was copied here."""
        moved = self.machine != known.machine and bool(self.machine and known.machine)
        return moved or (self.inode != known.inode and bool(self.inode and known.inode))


def habitat_of(state: Path) -> Habitat:
    """Where the profile with this state directory lives now. Raises OSError."""
    return Habitat(_machine(), os.stat(state).st_ino)


def settled_identity(
    state: Path,
    identity: DeviceIdentity,
    random: Callable[[int], bytes],
    steps: Steps = no_steps,
    here: Callable[[Path], Habitat] = habitat_of,
) -> DeviceIdentity:
    """The identity to go by: a new one when the profile is a copy. The caller holds its lock, and
    nothing of it is open. Raises OSError and DatabaseError."""
    now, known = here(state), _read(state)
    if now == known:
        return identity
    if not inodes_last(state):
        now = now._replace(inode=0)
    if known is not None and now.is_other(known):
        _logger.warning("this profile is a copy of another device's: it takes a new id")
        identity = become_another(state, random, steps)
    if now != known:
        write_private(state / FILE, f"{json.dumps(now._asdict())}\n".encode(), steps)
    return identity


def become_another(
    state: Path, random: Callable[[int], bytes], steps: Steps = no_steps
) -> DeviceIdentity:
    """Take a new identity; the tables of all folders are set aside first, so that whatever stops
    this in the middle leaves a device without tables, and never another one's tables with a new
    id. Conditions and errors as of `settled_identity`."""
    from firnline.state.database import set_aside

    for path in sorted(state.glob("*.db")):
        set_aside(path, steps)
    return make_identity(state, random, steps)


def _read(state: Path) -> Habitat | None:
    """What was written last; None when nothing can be read, which decides nothing."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        with open(state / FILE, "rb") as file:
            values = json.loads(file.read(_LIMIT))
        machine, inode = values["machine"], values["inode"]
        if isinstance(machine, str) and isinstance(inode, int):
            return Habitat(machine, inode)
    return None


def _machine() -> str:
    """A hash of what the system calls this computer: the id itself is nobody's business."""
    found = b""
    with suppress(OSError):
        found = _machine_id()
    return PLAIN.data(b"firnline habitat\0" + found) if found else ""


def _machine_id() -> bytes:
    if sys.platform == "win32":
        import winreg

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
            return str(winreg.QueryValueEx(key, "MachineGuid")[0]).encode()
    with open(_MACHINE_ID, "rb") as file:
        return file.read(_LIMIT).strip()


def inodes_last(place: Path) -> bool:
    """Whether a directory there has the same inode after the next mount."""
    if sys.platform != "linux":
        return True
    from firnline.watch.file_systems import kind_at

    with suppress(OSError), open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
        return kind_at(file.read(), os.path.realpath(place)) in _LASTING_INODES
    return False
