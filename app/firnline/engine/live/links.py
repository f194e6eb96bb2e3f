"""The links of a profile: one for each store of the settings."""

from collections.abc import Iterator
from functools import partial

from firnline.config.settings import StoreSettings
from firnline.core.polling import POLLED
from firnline.engine.live.store_link import Hears, StoreLink
from firnline.engine.live.store_watch import MakeWatch, StoreWatch
from firnline.engine.runtime import Engine, store_directory
from firnline.engine.store_secrets import note_refused
from firnline.stores.errors import CredentialsError, LocationError, UnavailableError
from firnline.sync.connection import Expected, connect
from firnline.sync.context import Connected


def make_links(engine: Engine, hears: Hears, run: str) -> dict[str, StoreLink]:
    """By STOREHASH, not started. They hold for these settings: others need other links. `run`: see
    `sync.heartbeat.new_run`; the same for all links that a process ever makes, since one that
    hangs may beat once more after it was closed, and would look like a clone."""
    return {
        store.store_id: _make_link(engine, store, hears, run) for store in engine.settings.stores
    }


def _make_link(engine: Engine, store: StoreSettings, hears: Hears, run: str) -> StoreLink:
    expected = Expected(store.name, store.store_id, store.rating, store.minor)

    def attempt() -> Connected:
        try:
            return connect(
                engine.opener(store.location, store.name, store.options), expected, engine.peer
            )
        except LocationError as error:
            raise UnavailableError("", str(error)) from error
        except CredentialsError as error:
            note_refused(engine.outside.credentials, store, error)
            raise

    folder_ids = frozenset(_folders_in(engine, store))
    return StoreLink(
        expected,
        attempt,
        folder_ids,
        hears,
        run=run,
        clock=engine.outside.clock,
        random=engine.outside.random,
        pace=POLLED._replace(longest=float(engine.settings.poll_interval)),
        make_watch=_watch_of(engine, store, folder_ids),
    )


def _watch_of(engine: Engine, store: StoreSettings, folder_ids: frozenset[str]) -> MakeWatch | None:
    """None for a store that is no directory of this computer."""
    base = store_directory(store)
    return None if base is None else partial(StoreWatch, base, folder_ids, engine.outside.clock)


def _folders_in(engine: Engine, store: StoreSettings) -> Iterator[str]:
    for folder in engine.settings.folders:
        if store.name in folder.stores:
            yield folder.folder_id
