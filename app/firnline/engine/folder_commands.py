"""What users do with folders: create, find in stores, join, list, pause, resume.

Giving up a folder or one of its stores is in `engine.leaving`.
"""

import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firnline.config import edits
from firnline.config.names import check_folder_name
from firnline.config.settings import FolderSettings
from firnline.engine.errors import AmbiguousNameError, RefusedError, UsageError
from firnline.engine.folder_root import (
    mark,
    marker_id,
    prepare_path,
    refuse_impossible,
    remember,
    settle_path,
)
from firnline.engine.open_folder import open_folder, state_file
from firnline.engine.runtime import Engine
from firnline.folder.errors import FolderError
from firnline.folder.filesystem import Root
from firnline.folder.marker import remove as remove_marker
from firnline.state.folder_state import FolderState
from firnline.stores.configs import FolderConfig
from firnline.stores.errors import StoreError
from firnline.stores.layout import ID_LENGTH, FolderId, FolderLayout, random_id, slug
from firnline.sync.connection import FolderHere, find_folder, folders_in, register_folder
from firnline.sync.context import Unreached


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A folder that this device has now."""

    settings: FolderSettings
    warning: str | None
    """What its user should know about the place."""
    unreached: list[Unreached]
    """Stores of it that hear of it at the next sync."""


@dataclass(frozen=True, slots=True)
class AvailableFolder:
    """A folder that stands in stores."""

    folder_id: str
    name: str
    encrypted: bool
    stores: tuple[str, ...]
    """Names of the stores in reach that have it."""
    here: str | None
    """What it is called on this device; None when it is not here."""


@dataclass(frozen=True, slots=True)
class Available:
    """What the stores in reach have."""

    folders: list[AvailableFolder]
    refused: list[tuple[str, StoreError]]
    """Store and reason: what looks like a folder and cannot be read."""
    unreached: list[Unreached]


def create_folder(engine: Engine, path: str, name: str | None, stores: Sequence[str]) -> NewFolder:
    """Make a directory a folder, kept in `stores`.

    Its files become events at the first sync. Raises UsageError, RefusedError, ConfigError,
    StoreError (of the home store) and OSError.
    """
    place = settle_path(path)
    refuse_impossible(place)
    chosen = _free_name(engine, unicodedata.normalize("NFC", place.name) if name is None else name)
    known = _known_stores(engine, stores)
    warning = prepare_path(engine, place)
    here = _left_over(engine, place) or _new(engine, chosen)
    settings = FolderSettings(chosen, here.config.folder_id, place, known, paused=False)
    return _take_up(engine, settings, here, warning)


def _new(engine: Engine, name: str) -> FolderHere:
    folder_id = FolderId(random_id(ID_LENGTH, engine.outside.random))
    return FolderHere(FolderLayout(slug(name), folder_id), FolderConfig(folder_id, name))


def _left_over(engine: Engine, place: Path) -> FolderHere | None:
    """What an end in the middle of `create` or `remove` left: a marker that the home store knows
    and the settings do not. It is taken up again."""
    folder_id = marker_id(place)
    if folder_id is None or folder_id in {each.folder_id for each in engine.settings.folders}:
        return None
    return find_folder(engine.home.store, folder_id)


def join_folder(
    engine: Engine, wanted: str, path: str, name: str | None, stores: Sequence[str]
) -> NewFolder:
    """Have a folder of the stores on this device too; `wanted` is its name or id.

    What stands at `path` already is matched by content at the first sync. It goes to the stores
    that have it (or to `stores`). Raises as `create_folder`, and AmbiguousNameError.
    """
    known = _known_stores(engine, stores)
    found, here, having = _find(engine, wanted, known)
    place = settle_path(path)
    chosen = _free_name(engine, here.config.folder_name if name is None else name)
    warning = prepare_path(engine, place)
    settings = FolderSettings(chosen, found, place, known if stores else having, paused=False)
    return _take_up(engine, settings, here, warning)


def _take_up(
    engine: Engine, settings: FolderSettings, here: FolderHere, warning: str | None
) -> NewFolder:
    """Marker and state first, the settings last: before they name the folder it is not there."""
    forget_state(engine, settings.folder_id)
    register_folder(engine.home, here.layout, here.config)
    steps = engine.outside.steps
    with Root(str(settings.path), steps=steps) as root:
        identity = mark(root, settings.folder_id)
        try:
            state = FolderState(state_file(engine, settings.folder_id), steps=steps)
            with state.transaction("take up folder"):
                remember(state, identity)
            state.close()
            engine.settings = edits.add_folder(engine.places.config_file, settings, steps)
        except Exception:
            with suppress(FolderError):
                remove_marker(root)
            raise
    with open_folder(engine, settings) as context:
        return NewFolder(settings, warning, list(context.unreached))


def forget_state(engine: Engine, folder_id: str) -> None:
    """What an earlier life of the folder on this device left: its files are elsewhere now, and
    must not be taken for deleted."""
    path = state_file(engine, folder_id)
    for suffix in ("", "-wal", "-shm"):
        engine.outside.steps("forget state")
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _free_name(engine: Engine, name: str) -> str:
    try:
        check_folder_name(name)
    except ValueError as error:
        raise UsageError(f"folder {name!r}: {error}", "choose one with --name") from error
    if engine.settings.folder(name) is not None:
        raise UsageError(f"there is a folder called {name!r} already", "choose one with --name")
    return name


def _known_stores(engine: Engine, names: Sequence[str]) -> tuple[str, ...]:
    """Those stores, or all of this device. Raises NoSuchStoreError."""
    chosen = [engine.store_settings(name).name for name in names]
    return tuple(dict.fromkeys(chosen or [each.name for each in engine.settings.stores]))


# --- in the stores ------------------------------------------------------------------------------


def available_folders(engine: Engine, stores: Sequence[str] = ()) -> Available:
    """The folders in those stores (in all, when none is named). Raises NoSuchStoreError."""
    return _gather(engine, _known_stores(engine, stores))[0]


def _gather(engine: Engine, stores: Sequence[str]) -> tuple[Available, dict[str, FolderHere]]:
    reached, unreached = engine.reach(stores)
    here = {each.folder_id: each.name for each in engine.settings.folders}
    found: dict[str, FolderHere] = {}
    having: dict[str, list[str]] = {}
    refused: list[tuple[str, StoreError]] = []
    for connected in reached:
        try:
            listed = folders_in(connected.store)
        except StoreError as error:
            unreached.append(Unreached(connected.name, connected.store_id, connected.minor, error))
            continue
        refused += [(connected.name, error) for error in listed.refused]
        for folder in listed.folders:
            found.setdefault(folder.config.folder_id, folder)
            having.setdefault(folder.config.folder_id, []).append(connected.name)
    folders = [
        AvailableFolder(
            folder_id,
            folder.config.folder_name,
            folder.config.encrypted,
            tuple(having[folder_id]),
            here.get(folder_id),
        )
        for folder_id, folder in found.items()
    ]
    folders.sort(key=lambda folder: (folder.name, folder.folder_id))
    return Available(folders, refused, unreached), found


def _find(
    engine: Engine, wanted: str, stores: Sequence[str]
) -> tuple[str, FolderHere, tuple[str, ...]]:
    """The folder of that name or id, and the stores that have it."""
    available, found = _gather(engine, stores)
    matching = [each for each in available.folders if wanted in (each.folder_id, each.name)]
    if not matching:
        raise _not_found(wanted, available)
    if len(matching) > 1:
        raise AmbiguousNameError(wanted, [each.folder_id for each in matching])
    (folder,) = matching
    if folder.here is not None:
        raise RefusedError(f"{wanted!r} is on this device already, as {folder.here!r}")
    if folder.encrypted:
        raise RefusedError(
            f"{wanted!r} is encrypted", "install a newer Firnline: this one cannot read it"
        )
    return folder.folder_id, found[folder.folder_id], folder.stores


def _not_found(wanted: str, available: Available) -> RefusedError | UsageError:
    if available.unreached:
        names = ", ".join(each.name for each in available.unreached)
        return RefusedError(
            f"no store in reach has a folder {wanted!r}", f"not reached: {names}; connect it first"
        )
    names = ", ".join(each.name for each in available.folders)
    advice = f"there are: {names}" if names else "`firnline store add` adds a store that has one"
    return UsageError(f"no store has a folder {wanted!r}", advice)


# --- on this device -----------------------------------------------------------------------------


def pause_folder(engine: Engine, name: str, *, paused: bool) -> FolderSettings:
    """Leave a folder alone, or go on with it."""
    settings = engine.folder(name)._replace(paused=paused)
    engine.settings = edits.edit_folder(engine.places.config_file, settings, engine.outside.steps)
    return settings
