"""What stores say of one another: the stores that a folder is kept in and this device does not use.

`stores/STOREHASH/config` goes to every store that shares a folder (`connection.exchange_configs`),
so one store in reach tells of all others. Anybody can write such a record: it is only ever shown.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress

from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.configs import StoreConfig, newer
from firnline.stores.errors import StoreError
from firnline.stores.layout import StoreHash
from firnline.sync.context import Connected

MAX_RECORDS = 100
"""Records that are read of one store; nobody has so many stores, and anybody can write there."""


def kept_elsewhere(
    stores: Iterable[Connected], folder_id: str, known: Collection[str]
) -> list[StoreConfig]:
    """Stores that keep the folder, as the records in `stores` have it, without the `known` ones
    (STOREHASHes); by name. A store that cannot be read tells nothing.

    What has the place of a known one is no other store: it is what stood there before somebody
    answered `new`.
    """
    records = _newest(stores)
    places = {(each.kind, each.location) for each in records.values() if each.store_id in known}
    found = [
        each
        for each in records.values()
        if each.store_id not in known
        and folder_id in each.folders
        and (each.kind, each.location) not in places
    ]
    return sorted(found, key=lambda config: (config.name, config.store_id))


def _newest(stores: Iterable[Connected]) -> dict[StoreHash, StoreConfig]:
    """Each record as the newest copy of it says."""
    found: dict[StoreHash, StoreConfig] = {}
    for connected in stores:
        with suppress(StoreError):
            for store_id in identity.known_stores(connected.store)[:MAX_RECORDS]:
                config = _record(connected.store, store_id)
                if config is not None:
                    found[store_id] = newer(found.get(store_id, config), config)
    return found


def _record(store: Store, store_id: StoreHash) -> StoreConfig | None:
    with suppress(StoreError):
        return identity.read_store_config(store, store_id)
    return None
