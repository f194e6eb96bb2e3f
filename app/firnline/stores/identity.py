"""Who a store is, which folders and devices it knows: reading and writing its config files.

`is_current` exists only in the directory of the store that this is. Its body, the generation, is
new whenever the store is made or refilled: a device that finds another one than it knows writes
nothing there until the user says what happened (docs/design.md section 4).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from firnline.stores import layout
from firnline.stores.base import Store
from firnline.stores.configs import (
    MAX_CONFIG,
    MAX_DEVICE,
    DeviceRecord,
    FolderConfig,
    StoreConfig,
)
from firnline.stores.errors import CorruptError, NotFoundError
from firnline.stores.layout import ID_LENGTH, FolderLayout, StoreHash, random_id
from firnline.stores.read_me import BODY

_GENERATION = re.compile(b"[0-9a-v]{16}")


class Identity(NamedTuple):
    """What a store says it is."""

    store: StoreHash
    generation: str


def read_identity(store: Store) -> Identity | None:
    """Which store this is; None when it says nothing. Of two claims the smaller STOREHASH holds.

    Raises CorruptError when that claim cannot be read: then nothing may be written either.
    """
    for claimed in known_stores(store):
        path = layout.is_current(claimed)
        with suppress(NotFoundError):
            body = store.read_small(path, ID_LENGTH)
            if not _GENERATION.fullmatch(body):
                raise CorruptError(path, "no generation")
            return Identity(claimed, body.decode())
    return None


def found_store(store: Store, config: StoreConfig, random: Callable[[int], bytes]) -> Identity:
    """Make an empty place a store: READ-ME.txt, its config, then `is_current`.

    Whoever does the same at the same time makes another claim; `read_identity` tells which of
    them holds, so it has to be asked afterwards.
    """
    identity = Identity(config.store_id, random_id(ID_LENGTH, random))
    store.put_many([(layout.READ_ME, BODY), (layout.store_config(config.store_id), config.body())])
    write_generation(store, identity)
    return identity


def write_generation(store: Store, identity: Identity) -> None:
    """Say which store this is; after a refill with a new generation."""
    path = layout.is_current(identity.store)
    store.put_many([(path, identity.generation.encode())])


def known_stores(store: Store) -> list[StoreHash]:
    """The stores that have a directory here, sorted."""
    names = {entry.name for entry in store.list(layout.STORES) if entry.is_directory}
    return sorted(StoreHash(name) for name in names if layout.is_id(name))


def read_store_config(store: Store, store_id: StoreHash) -> StoreConfig:
    """Raises NotFoundError, FutureFormatError, and CorruptError for another store's as well."""
    path = layout.store_config(store_id)
    config = StoreConfig.parse(store.read_small(path, MAX_CONFIG), path)
    if config.store_id != store_id:
        raise CorruptError(path, "the config of another store")
    return config


def write_store_config(store: Store, config: StoreConfig) -> None:
    store.put_many([(layout.store_config(config.store_id), config.body())])


def known_folders(store: Store) -> Iterator[tuple[str, str]]:
    """Directory and first 8 characters of the id of what may be a folder, without reading it."""
    for name in sorted({entry.name for entry in store.list("") if entry.is_directory}):
        parts = layout.parse_folder_directory(name)
        if parts is not None:
            yield name, parts[1]


def read_folder_config(store: Store, directory: str) -> tuple[FolderLayout, FolderConfig]:
    """The folder in a directory of the base; raises NotFoundError, CorruptError (also for a
    config that belongs to another directory) and FutureFormatError."""
    path = f"{directory}/config"
    config = FolderConfig.parse(store.read_small(path, MAX_CONFIG), path)
    parts = layout.parse_folder_directory(directory)
    if parts is None or not config.folder_id.startswith(parts[1]):
        raise CorruptError(path, "the config of another folder")
    return FolderLayout(parts[0], config.folder_id), config


def write_folder_config(store: Store, folder: FolderLayout, config: FolderConfig) -> None:
    store.put_many([(folder.config, config.body())])


def read_device(store: Store, device: str) -> DeviceRecord:
    """Raises NotFoundError and CorruptError."""
    path = layout.device_record(device)
    return DeviceRecord.parse(device, store.read_small(path, MAX_DEVICE), path)


def write_device(store: Store, record: DeviceRecord) -> None:
    store.put_many([(layout.device_record(record.device), record.body())])
