"""The marker that says which folder a directory is, and whether it is still that one.

`.firnline/id` holds the folder id. With it this device remembers the directory's own inode and
volume. A folder whose root or marker is missing or another is *away*: an unmounted disk, a mount
point that stands empty, a directory that somebody put in its place. It is never read as
"everything was deleted" (docs/design.md section 7, *Safety*).
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from firnline.core.paths import OWN_DIRECTORY
from firnline.folder.access import SYNCED, TEMPORARIES
from firnline.folder.durable import sync_file
from firnline.folder.errors import (
    Changed,
    FolderError,
    NotInside,
    Occupied,
    Vanished,
    translating,
)
from firnline.folder.filesystem import Root
from firnline.folder.temporary import new_name

MARKER = f"{OWN_DIRECTORY}/id"
_MAX_BYTES = 64
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)


class Identity(NamedTuple):
    """What tells one directory from another."""

    device: int
    inode: int


class AwayReason(StrEnum):
    """Why a folder is away; `sentence` says it to people."""

    ROOT_MISSING = "root missing"
    MARKER_MISSING = "marker missing"
    MARKER_OTHER = "marker other"
    ROOT_OTHER = "root other"
    UNREADABLE = "unreadable"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    AwayReason.ROOT_MISSING: "the folder is not there: is its disk connected?",
    AwayReason.MARKER_MISSING: "the folder has lost its marker: is its disk mounted?",
    AwayReason.MARKER_OTHER: "another folder stands in this place",
    AwayReason.ROOT_OTHER: "the folder was put here anew, by a copy or a backup",
    AwayReason.UNREADABLE: "the folder cannot be read",
}


class Here(NamedTuple):
    """The folder is the one that it should be. `identity` is to be remembered."""

    identity: Identity


class Away(NamedTuple):
    """Nothing may be read from the folder or written to it."""

    reason: AwayReason
    detail: str


def check(root: Root, folder_id: str, remembered: Identity | None) -> Here | Away:
    """Is the folder here? To be asked before every scan and every apply.

    `remembered` is the identity that the last check returned. The inode decides: the device
    number of one and the same disk may differ after each start of the computer.
    """
    try:
        found = _read(root)
        identity = _identity(root)
    except Vanished:
        return Away(AwayReason.ROOT_MISSING, f"{root.path} does not exist")
    except (NotInside, Changed) as error:
        return Away(AwayReason.MARKER_OTHER, error.detail)
    except FolderError as error:
        return Away(AwayReason.UNREADABLE, error.detail)
    if found is None:
        return Away(AwayReason.MARKER_MISSING, f"{root.path} has no {MARKER}")
    if found != folder_id:
        return Away(AwayReason.MARKER_OTHER, f"its marker says {found!r}")
    if remembered is not None and identity.inode != remembered.inode:
        return Away(AwayReason.ROOT_OTHER, f"{root.path} is not the directory that it was")
    return Here(identity)


def create(root: Root, folder_id: str) -> Identity:
    """Give the directory its marker, durably; the identity to remember.

    A marker with the same id may be there already. Raises Occupied when it is another folder's,
    Vanished when there is no such directory, NotInside when `.firnline` is no directory.
    """
    found = _read(root)
    if found is None:
        _write(root, folder_id)
    elif found != folder_id:
        raise Occupied(MARKER, f"this is another folder already: {found!r}")
    return _identity(root)


def remove(root: Root) -> None:
    """The directory is no folder any more; people's files stay. That it has no marker is no
    error."""
    root.steps("remove marker")
    for path in (SYNCED, MARKER):
        with translating(path), suppress(FileNotFoundError):
            root.access.unlink(path)


def _identity(root: Root) -> Identity:
    with translating(""):
        found = root.access.lstat("")
        return Identity(found.st_dev, found.st_ino)


def _read(root: Root) -> str | None:
    """The id in the marker, None without one. Raises Vanished when there is no root."""
    _identity(root)
    try:
        with translating(MARKER):
            descriptor = root.access.open(MARKER, _READ)
    except Vanished:
        return None
    try:
        with translating(MARKER):
            return os.read(descriptor, _MAX_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)


def _write(root: Root, folder_id: str) -> None:
    with translating(MARKER):
        root.steps("make directory")
        with suppress(FileExistsError):
            root.access.make_directory(OWN_DIRECTORY, 0o700)
        root.area.prepare(TEMPORARIES)
        place = f"{TEMPORARIES}/{new_name()}"
        root.steps("create temporary")
        descriptor = root.access.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            root.steps("write temporary")
            os.write(descriptor, f"{folder_id}\n".encode())
            sync_file(descriptor)
        finally:
            os.close(descriptor)
        root.steps("create marker")
        root.access.rename_new(place, MARKER)
        for directory in (OWN_DIRECTORY, ""):
            opened = root.access.open_directory(directory)
            try:
                opened.sync()
            finally:
                opened.close()


def warning_about(path: str, home: str) -> str | None:
    """What to tell somebody who is about to make `path` a folder; None when there is nothing."""
    place = os.path.realpath(path)
    if os.path.dirname(place) == place:
        return "this is the root of the whole file system: everything on it would be synced"
    if place == os.path.realpath(home):
        return (
            "this is your home directory: settings and start-up files of programs would be "
            "synced, and whoever can write to a store could change them"
        )
    return None


def nested_in(path: str, others: Iterable[str]) -> str | None:
    """The first of `others` that holds `path`, or lies in it, or is the same directory.

    Two folders one inside the other would both sync the same files.
    """
    place = os.path.realpath(path)
    for other in others:
        if _within(place, os.path.realpath(other)) or _within(os.path.realpath(other), place):
            return other
    return None


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(os.path.join(outer, ""))
