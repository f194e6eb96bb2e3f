"""The directory of a folder on this device: may it be one, and is it still the one it was?"""

import os
from pathlib import Path

from firnline.config.settings import FolderSettings
from firnline.engine.errors import EngineError, RefusedError, UsageError
from firnline.engine.mounts import is_silent
from firnline.engine.nesting import Place, refuse_nesting
from firnline.engine.runtime import Engine
from firnline.folder.errors import FolderError, Occupied
from firnline.folder.filesystem import Root
from firnline.folder.marker import (
    MARKER,
    Away,
    AwayReason,
    Identity,
    check,
    create,
    warning_about,
)
from firnline.state.folder_state import FolderState
from firnline.stores.layout import is_id
from firnline.sync.context import FolderContext

_MOST_MARKER = 64
_FACT = "root"
"""The fact that holds the directory's identity: volume and inode."""


class FolderAwayError(EngineError):
    """A folder whose root or marker is missing or another: nothing is read or written there."""


def settle_path(text: str) -> Path:
    """A path as typed, absolute. Raises UsageError for one that settings cannot hold."""
    try:
        str(text).encode()
        return Path(os.path.abspath(os.path.expanduser(text)))
    except UnicodeEncodeError as error:
        advice = "give the directory another name"
        raise UsageError(f"{text!r} is not valid Unicode", advice) from error


def prepare_path(engine: Engine, path: Path) -> str | None:
    """Make sure that a directory is there which may be a folder, made when its parent is there.

    Returns what its user should be warned of. Raises RefusedError and OSError.
    """
    refuse_impossible(path)
    refuse_nesting(engine, Place.FOLDER, path)
    if not path.exists():
        if not path.parent.is_dir():
            raise RefusedError(f"{path.parent} does not exist", "make it first, or mend the path")
        engine.outside.steps("make folder")
        path.mkdir()
    elif not path.is_dir():
        raise RefusedError(f"{path} is no directory", "name a directory")
    return warning_about(str(path), os.path.expanduser("~"))


def refuse_impossible(path: Path) -> None:
    """Raises RefusedError for the root of a file system tree: devices, programs and all; and for
    a place on a disk that does not answer, of which nobody can say what it is."""
    if is_silent(path):
        raise RefusedError(f"the disk or server of {path} does not answer", "mount it anew")
    if Path(os.path.realpath(path)) == Path(path.anchor):
        raise RefusedError(f"{path} is the whole computer", "name a directory in it")


def mark(root: Root, folder_id: str) -> Identity:
    """Give a directory its marker. Raises RefusedError when it is another folder's."""
    try:
        return create(root, folder_id)
    except Occupied as error:
        raise RefusedError(
            f"{root.path}: {error.detail}",
            "`firnline folder join` takes it up again; if it is a left-over, remove its .firnline",
        ) from error
    except FolderError as error:
        raise RefusedError(f"{root.path}: {error}", "look at its rights") from error


def marker_id(path: Path) -> str | None:
    """The folder id in the marker of a directory; None where there is none that can be read."""
    try:
        with open(path / MARKER, "rb") as file:
            text = file.read(_MOST_MARKER).decode("ascii", "replace").strip()
    except OSError:
        return None
    return text if is_id(text) else None


def remember(state: FolderState, identity: Identity) -> None:
    """Keep what tells this directory from others. In the caller's transaction."""
    state.set_fact(_FACT, f"{identity.device}:{identity.inode}")


def require_answer(folder: FolderSettings) -> None:
    """Raises FolderAwayError when the folder's disk is mounted and does not answer. To be asked
    before it is touched; costs nothing on a local disk."""
    if is_silent(folder.path, MARKER):
        advice = f"look at the disk or server of {folder.path}; if it goes on, mount it anew"
        raise FolderAwayError("the folder's disk or server does not answer", advice)


def require_here(context: FolderContext) -> None:
    """Raises FolderAwayError unless the folder is the one that it was."""
    found = check(context.root, context.folder_id, _remembered(context.state))
    if isinstance(found, Away):
        raise FolderAwayError(found.reason.sentence.partition(":")[0], _advice(context, found))
    if found.identity != _remembered(context.state):
        with context.state.transaction("remember root"):
            remember(context.state, found.identity)


def is_here(context: FolderContext) -> Away | None:
    """Why the folder is away; None when it is here."""
    found = check(context.root, context.folder_id, _remembered(context.state))
    return found if isinstance(found, Away) else None


def _remembered(state: FolderState) -> Identity | None:
    text = state.fact(_FACT)
    if text is None:
        return None
    device, _, inode = text.partition(":")
    return Identity(int(device), int(inode))


def _advice(context: FolderContext, away: Away) -> str:
    name = context.name
    if away.reason is AwayReason.UNREADABLE:
        return f"look at its rights: {away.detail}"
    again = (
        f"`firnline folder remove {name}` and `firnline folder join {context.folder_id} PATH`"
        " take it up as it is now"
    )
    if away.reason is AwayReason.ROOT_OTHER:
        return again
    return f"connect its disk or bring it back to {context.root.path}; or {again}"
