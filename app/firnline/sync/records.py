"""What stores say of one another: every store of a folder carries the records of all others.

`stores/STOREHASH/config` says what a store is, `snapshot/base/STOREHASH_…` which snapshots it has
(docs/design.md section 2). Each goes to every store that keeps the folder, from whichever has it,
so one store in reach tells of all, also of those that no device reaches together. What a store says
of itself comes from itself alone: into another one anybody may write.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.configs import StoreConfig, newer
from firnline.stores.errors import CorruptError, FutureFormatError, NotFoundError, StoreError
from firnline.stores.layout import FolderLayout, StoreHash, parse_base
from firnline.sync.context import Connected

MAX_RECORDS = 100
"""Records of stores that are read of one store; nobody has so many, and anybody can write there."""
MAX_BASES = 10_000
_MAX_BASE_BODY = 1 << 16


# --- from store to store ------------------------------------------------------------------------


_Configs = dict[StoreHash, StoreConfig]


class _Told(NamedTuple):
    """What one store says."""

    connected: Connected
    configs: _Configs
    untouched: set[StoreHash]
    """Of a later version of the program, so nothing is written there."""
    bases: set[str]


def exchange_records(stores: Iterable[Connected], layout: FolderLayout) -> list[StoreError]:
    """Every store of a folder learns what the others say; of two versions the newer one holds.

    Returns why it was not done for some: one store stops no other.
    """
    told: list[_Told] = []
    failed: list[StoreError] = []
    for connected in stores:
        try:
            told.append(_read(connected, layout))
        except StoreError as error:
            failed.append(error)
    for target in told:
        try:
            target.connected.require_current()
            _teach_configs(target, told, layout)
            _teach_bases(target, told, layout)
        except StoreError as error:
            failed.append(error)
    return failed


def _read(connected: Connected, layout: FolderLayout) -> _Told:
    configs, untouched = _read_configs(connected.store)
    listed = connected.store.list(layout.bases)
    names = sorted(entry.name for entry in listed if not entry.is_directory)
    bases = {name for name in names[:MAX_BASES] if parse_base(name) is not None}
    return _Told(connected, configs, untouched, bases)


def _read_configs(store: Store) -> tuple[_Configs, set[StoreHash]]:
    """What can be read, and what must not be touched."""
    configs: _Configs = {}
    untouched: set[StoreHash] = set()
    for store_id in identity.known_stores(store)[:MAX_RECORDS]:
        try:
            configs[store_id] = identity.read_store_config(store, store_id)
        except FutureFormatError:
            untouched.add(store_id)
        except (NotFoundError, CorruptError):
            continue
    return configs, untouched


def _teach_configs(target: _Told, told: Sequence[_Told], layout: FolderLayout) -> None:
    for store_id, config in _newest(each.configs for each in told).items():
        known = target.configs.get(store_id)
        is_own = store_id == target.connected.store_id or store_id in target.untouched
        if is_own or layout.folder_id not in config.folders:
            continue
        if known is None or newer(known, config).body() != known.body():
            identity.write_store_config(target.connected.store, config)


def _teach_bases(target: _Told, told: Sequence[_Told], layout: FolderLayout) -> None:
    """A record that its own store has no more was swept there, and is spread no further."""
    own = {each.connected.store_id: each.bases for each in told}
    missing = {name: each for each in told for name in each.bases - target.bases}
    for name, source in sorted(missing.items()):
        record = parse_base(name)
        if record is None or record.store == target.connected.store_id:
            continue
        if name in own.get(record.store, {name}):
            place = layout.base(record)
            with suppress(NotFoundError):
                body = source.connected.store.read_small(place, _MAX_BASE_BODY)
                target.connected.store.put_many([(place, body)])


def _newest(read: Iterable[_Configs]) -> _Configs:
    """Each record as the newest copy of it says."""
    found: _Configs = {}
    for configs in read:
        for store_id, config in configs.items():
            found[store_id] = newer(found.get(store_id, config), config)
    return found


# --- what this device does not use --------------------------------------------------------------


def kept_elsewhere(
    stores: Iterable[Connected], folder_id: str, known: Collection[str]
) -> list[StoreConfig]:
    """Stores that keep the folder, as the records in `stores` have it, without the `known` ones
    (STOREHASHes); by name. A store that cannot be read tells nothing.

    What has the place of a known one is no other store: it is what stood there before somebody
    answered `new`.
    """
    found = []
    for connected in stores:
        with suppress(StoreError):
            found.append(_read_configs(connected.store)[0])
    records = _newest(found)
    places = {(each.kind, each.location) for each in records.values() if each.store_id in known}
    offered = [
        each
        for each in records.values()
        if each.store_id not in known
        and folder_id in each.folders
        and (each.kind, each.location) not in places
    ]
    return sorted(offered, key=lambda config: (config.name, config.store_id))
