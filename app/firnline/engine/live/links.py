"""The links of a profile: one for each store of the settings."""

from collections.abc import Iterator

from firnline.config.settings import StoreSettings
from firnline.engine.live.store_link import Hears, StoreLink
from firnline.engine.runtime import Engine
from firnline.stores.errors import LocationError, UnavailableError
from firnline.sync.connection import Expected, connect
from firnline.sync.context import Connected
from firnline.sync.heartbeat import new_run


def make_links(engine: Engine, hears: Hears) -> dict[str, StoreLink]:
    """By STOREHASH, not started. They hold for these settings: others need other links."""
    run = new_run(engine.outside.random)
    return {
        store.store_id: _make_link(engine, store, hears, run) for store in engine.settings.stores
    }


def _make_link(engine: Engine, store: StoreSettings, hears: Hears, run: str) -> StoreLink:
    expected = Expected(store.name, store.store_id, store.rating, store.minor)

    def attempt() -> Connected:
        try:
            return connect(engine.opener(store.location), expected, engine.peer)
        except LocationError as error:
            raise UnavailableError("", str(error)) from error

    return StoreLink(
        expected,
        attempt,
        frozenset(_folders_in(engine, store)),
        hears,
        run=run,
        clock=engine.outside.clock,
        random=engine.outside.random,
    )


def _folders_in(engine: Engine, store: StoreSettings) -> Iterator[str]:
    for folder in engine.settings.folders:
        if store.name in folder.stores:
            yield folder.folder_id
