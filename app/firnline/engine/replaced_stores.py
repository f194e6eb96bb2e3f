"""What the user answers when a store is not at its place: refill, new, or detach.

A store without its `is_current`, or with another one, was wiped or replaced, or its disk is not
mounted. Nothing is written there until the user has said what happened (docs/design.md section 4):

    refill   it is this store, and it is filled again from the other places
    new      whatever stands there is another store, which takes its place
    detach   this device no longer uses it; nothing there is touched

Each does its part in the store first and on this device last, so that an end in the middle leaves
the question open, and the same answer carries on. Filling is the work of the passes that follow.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from firnline.config import edits
from firnline.config.settings import StoreSettings
from firnline.engine.errors import RefusedError
from firnline.engine.open_folder import state_file
from firnline.engine.replaced_notes import forget_note
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import make_base
from firnline.engine.store_secrets import copy_secret, forget_replaced, forget_secret
from firnline.state.folder_state import FolderState
from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.configs import StoreConfig
from firnline.stores.errors import CorruptError, StoreError
from firnline.stores.identity import Identity
from firnline.stores.layout import StoreHash, new_store_hash
from firnline.stores.registry import parse_location
from firnline.sync.connection import announce, initialise
from firnline.sync.context import Connected


def refill_store(engine: Engine, name: str) -> StoreSettings:
    """Make what stands at the store's place this store again, and take it to lack everything.

    A place that says nothing gets a new generation, so that other devices ask their users too; a
    generation that another device made is taken over. Raises RefusedError where a store with
    folders of its own stands there, and StoreError.
    """
    settings = engine.store_settings(name)
    with _at_its_place(engine, settings) as (store, found):
        if found is not None and found.store != settings.store_id:
            return _take_over_empty(engine, settings, store, found)
        if found is None:
            found = _found_again(engine, settings, store)
        _announce(engine, settings, store, found)
    _void_tables(engine, found)
    engine.ask_again(name)
    return settings


def renew_store(engine: Engine, name: str) -> StoreSettings:
    """Take what stands at the store's place as a store that takes over its name.

    Where nothing stands a new store is made. Raises RefusedError where a store stands that this
    device uses under another name, and StoreError.
    """
    settings = engine.store_settings(name)
    with _at_its_place(engine, settings) as (store, found):
        if found is None:
            config = _config(engine, settings, store, new_store_hash(engine.outside.random))
            found = initialise(store, config, engine.outside.random)
        if found.store != settings.store_id:
            return _take_over(engine, settings, store, found)
        _announce(engine, settings, store, found)
    _void_tables(engine, found)
    engine.ask_again(name)
    return settings


def detach_store(engine: Engine, name: str) -> None:
    """Forget a store that is not what it was; nothing at its place is touched."""
    settings = engine.store_settings(name)
    engine.ask_again(name)
    engine.settings = edits.remove_store(engine.places.config_file, name, engine.outside.steps)
    forget_secret(engine.outside.credentials, settings)


ANSWERS: dict[str, Callable[[Engine, str], object]] = {
    "refill": refill_store,
    "new": renew_store,
    "detach": detach_store,
}
"""What can be answered, in the words of the contract."""


# --- at its place -------------------------------------------------------------------------------


@contextmanager
def _at_its_place(
    engine: Engine, settings: StoreSettings
) -> Iterator[tuple[Store, Identity | None]]:
    """What stands there, opened to be written. A base that is missing is made, as `add` does."""
    engine.ask_again(settings.name)
    make_base(engine, settings.name, parse_location(settings.location), settings.options)
    opener = engine.opener(settings.location, settings.name, settings.options)
    store = opener(engine.peer.connection(settings.store_id))
    try:
        yield store, identity.read_identity(store)
    finally:
        store.close()


def _found_again(engine: Engine, settings: StoreSettings, store: Store) -> Identity:
    """The same STOREHASH, a new generation; `is_current` is written last."""
    config = _config(engine, settings, store, StoreHash(settings.store_id))
    identity.found_store(store, config, engine.outside.random)
    found = identity.read_identity(store)
    if found is None:
        raise CorruptError("", "what was written there cannot be read back")
    return found


def _config(
    engine: Engine, settings: StoreSettings, store: Store, store_id: StoreHash
) -> StoreConfig:
    """What the store says of itself from now on."""
    return StoreConfig(
        store_id=store_id,
        kind=store.kind,
        name=settings.name,
        rating=settings.rating,
        minor=settings.minor,
        location=settings.location,
        folders=(),
        revision=_last_revision(engine, settings.name, store_id) + 1,
    )


def _last_revision(engine: Engine, name: str, store_id: StoreHash) -> int:
    """Of what the other stores in reach know of it: what is said now has to be newer."""
    found = 0
    for other in engine.settings.stores:
        if other.name != name:
            with suppress(StoreError):
                store = engine.connected(other.name).store
                found = max(found, identity.read_store_config(store, store_id).revision)
    return found


def _announce(engine: Engine, settings: StoreSettings, store: Store, found: Identity) -> None:
    connection = engine.peer.connection(found.store)
    connected = Connected(
        settings.name,
        store,
        found.store,
        found.generation,
        connection,
        settings.rating,
        settings.minor,
    )
    announce(connected, engine.peer.record)


def _take_over_empty(
    engine: Engine, settings: StoreSettings, store: Store, found: Identity
) -> StoreSettings:
    """Another store stands there. It can be filled as well as this one was, when it is empty."""
    if any(identity.known_folders(store)):
        raise RefusedError(
            f"another store, with folders in it, stands in the place of {settings.name!r}",
            "bring the right one back; or take this one in its place with the answer `new`"
            " (`firnline questions`)",
        )
    return _take_over(engine, settings, store, found)


def _take_over(
    engine: Engine, settings: StoreSettings, store: Store, found: Identity
) -> StoreSettings:
    """The name goes to another store; the next pass knows it as one that is new here."""
    for known in engine.settings.stores:
        if known.store_id == found.store:
            raise RefusedError(
                f"what stands in the place of {settings.name!r} is {known.name!r}, or a copy of it",
                f"one store counts once: bring the right one back, or detach {settings.name!r}",
            )
    _announce(engine, settings, store, found)
    after = settings._replace(store_id=found.store)
    steps = engine.outside.steps
    copy_secret(engine.outside.credentials, settings, after)
    engine.settings = edits.edit_store(engine.places.config_file, after, steps)
    forget_replaced(engine.outside.credentials, settings)
    engine.ask_again(settings.name)
    return after


# --- on this device -----------------------------------------------------------------------------


def _void_tables(engine: Engine, found: Identity) -> None:
    """What the tables say of the store no longer holds: it is listed in full, and gets the rest."""
    for folder in engine.settings.folders:
        names = {engine.store_settings(store).store_id for store in folder.stores}
        path = state_file(engine, folder.folder_id)
        if found.store in names and path.exists():
            now = int(engine.outside.clock.now().timestamp())
            state = FolderState(path, steps=engine.outside.steps)
            try:
                with state.transaction("refill store"):
                    state.stores.attach(found.store, found.generation, now)
                    forget_note(state, found.store)
            finally:
                state.close()
