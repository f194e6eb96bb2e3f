"""Giving up a folder on this device, or one of its stores, without losing what is nowhere else."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from firnline.config import edits
from firnline.config.settings import FolderSettings
from firnline.engine.errors import RefusedError, UsageError
from firnline.engine.folder_commands import forget_state
from firnline.engine.open_folder import open_folder
from firnline.engine.runtime import Engine
from firnline.folder.errors import FolderError
from firnline.folder.marker import remove as remove_marker
from firnline.state.folder_state import FolderState
from firnline.sync.context import FolderContext, Unreached


@dataclass(frozen=True, slots=True)
class ChangedStores:
    """A folder whose stores were changed."""

    settings: FolderSettings
    unreached: list[Unreached]
    """Stores that hear of it at the next sync."""


def remove_folder(engine: Engine, name: str, *, force: bool = False) -> FolderSettings:
    """This device forgets a folder; its files stay where they are, and so does all in the stores.

    What goes is this device's own memory of it: the state, the marker, and the folder's part of
    the home store. Raises RefusedError when events stand nowhere else, unless `force`.
    """
    folder = engine.folder(name)
    with open_folder(engine, folder, connect=False) as context:
        unsent = only_here(context)
        if unsent and not force:
            raise RefusedError(
                f"{unsent:,} events of {folder.name!r} are in no store, only on this device",
                "give it a store and sync first, or say --force: then the files stay and their"
                " history goes",
            )
        engine.settings = edits.remove_folder(
            engine.places.config_file, folder.name, engine.outside.steps
        )
        _unmark(context)
        directory = engine.places.home_store / context.layout.root
    forget_state(engine, folder.folder_id)
    engine.outside.steps("remove from home store")
    shutil.rmtree(directory, ignore_errors=True)
    return folder


def only_here(context: FolderContext) -> int:
    """Events that no store but the home store is known to have."""
    state = context.state
    stores = [store for store in state.stores.ids() if store != context.home.store_id]
    if not stores:
        return state.journal.count()
    return len(_lacking_in_all(state, stores))


def _lacking_in_all(state: FolderState, stores: Iterable[str]) -> set[int]:
    lacking = [{event for event, _ in state.stores.lacking(store)} for store in stores]
    return set.intersection(*lacking)


def _unmark(context: FolderContext) -> None:
    """The marker goes, and its directory when nothing of anybody is in it."""
    root = context.root
    with suppress(FolderError):
        remove_marker(root)
    for directory in (".firnline/tmp", ".firnline/kept", ".firnline"):
        with suppress(FolderError, OSError):
            root.access.remove_directory(directory)


def change_stores(
    engine: Engine, name: str, add: Sequence[str], drop: Sequence[str], *, force: bool = False
) -> ChangedStores:
    """Give a folder further stores, or take some away; a new one gets the whole log.

    Raises UsageError, and RefusedError when a store that goes has events that no other place has,
    unless `force`.
    """
    folder = engine.folder(name)
    gone = {engine.store_settings(store).name for store in drop}
    new = [engine.store_settings(store).name for store in add]
    strangers = sorted(gone - set(folder.stores))
    if strangers:
        raise UsageError(f"{folder.name!r} does not go to {', '.join(strangers)}")
    left = [store for store in folder.stores if store not in gone]
    stores = tuple(dict.fromkeys([*left, *new]))
    if gone and not force:
        refuse_loss(engine, folder, left, sorted(gone))
    settings = folder._replace(stores=stores)
    engine.settings = edits.edit_folder(engine.places.config_file, settings, engine.outside.steps)
    with open_folder(engine, settings) as context:
        return ChangedStores(settings, list(context.unreached))


def refuse_loss(
    engine: Engine, folder: FolderSettings, left: Sequence[str], gone: Sequence[str]
) -> None:
    """Raises RefusedError when neither the home store nor the stores that are `left` are known to
    have all events of a folder."""
    with open_folder(engine, folder, connect=False) as context:
        table = context.state.stores
        here = {event for event, _, _ in table.held()}
        kept = [engine.store_settings(store).store_id for store in left]
        attached = [store for store in kept if table.get(store) is not None]
        if attached:
            lost = _lacking_in_all(context.state, attached) - here
        else:
            lost = {event for event, _ in table.not_held()}
    if lost:
        raise RefusedError(
            f"{len(lost):,} events of {folder.name!r} are only in {', '.join(gone)}",
            "add another store, or `firnline config set home.keep all`, and sync first;"
            " or say --force: their contents are out of this device's reach then",
        )
