"""Connecting to a store: is it the one it should be, and does it know this device and folder?

Nothing is written into a store before `connect` has found its `is_current` there: a directory
without one may be a mount that is not mounted, and another one may be a wiped or replaced store
(docs/design.md section 4).
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from firnline.core.event import DeviceId
from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.configs import DeviceRecord, FolderConfig, StoreConfig
from firnline.stores.errors import CorruptError, NotFoundError, StoreError
from firnline.stores.foresight import Questions, expect
from firnline.stores.identity import Identity
from firnline.stores.layout import (
    DEVICES,
    ID_LENGTH,
    STORES,
    FolderId,
    FolderLayout,
    StoreHash,
    connection_hash,
    is_current,
    is_device,
    store_config,
)
from firnline.sync.context import Connected

MAX_DEVICES = 1_000
"""Device records that are read of one store: nobody has more, and anybody can write there."""


class ReplacedError(StoreError):
    """What stands at the store's place is not the store that this device knows.

    `found` is the STOREHASH that stands there; None when nothing says so: wiped, or a disk that is
    not mounted. With `refilled` it is this store, under another generation than is known here.
    """

    def __init__(self, expected: str, found: str | None, *, refilled: bool = False) -> None:
        what = "another store" if found else "no store of Firnline"
        super().__init__("", "filled again since" if refilled else what)
        self.expected = expected
        self.found = found
        self.refilled = refilled


Opener = Callable[[str | None], Store]
"""Opens a store for a connection, or (None) only to read. Raises StoreError."""


class Peer(NamedTuple):
    """This device, as its connections need it."""

    device: DeviceId
    token: bytes
    """The profile's secret, part of each CONNHASH."""
    record: DeviceRecord

    def connection(self, store_id: str) -> str:
        """CONNHASH of this device and a store."""
        return connection_hash(self.device, store_id, self.token)


class Expected(NamedTuple):
    """A store as this device's settings have it."""

    name: str
    store_id: str
    rating: int
    minor: bool


def connect(opener: Opener, expected: Expected, peer: Peer, *, write: bool = True) -> Connected:
    """Open a store and make sure which one it is.

    `write` False: only to read, so that it may be done while another process is connected. Raises
    StoreError, and ReplacedError when the store that stands there is not `expected`.
    """
    connection = peer.connection(expected.store_id)
    # Opening for a connection sweeps its `tmp/`, which needs no look at `is_current`: it removes
    # only what this very connection left, and makes nothing.
    store = opener(connection if write else None)
    try:
        expect(store, Questions(lists=[STORES], reads=[is_current(StoreHash(expected.store_id))]))
        found = identity.read_identity(store)
        if found is None or found.store != expected.store_id:
            raise ReplacedError(expected.store_id, found.store if found else None)
    except BaseException:
        store.close()
        raise
    return Connected(
        name=expected.name,
        store=store,
        store_id=expected.store_id,
        generation=found.generation,
        connection=connection,
        rating=expected.rating,
        minor=expected.minor,
        require_current=partial(_require_current, store, found),
    )


def _require_current(store: Store, known: Identity) -> None:
    """Raises StoreError when this is not `known` any more."""
    try:
        body = store.read_small(is_current(known.store), ID_LENGTH)
    except NotFoundError:
        raise ReplacedError(known.store, None) from None
    if body != known.generation.encode():
        raise ReplacedError(known.store, known.store, refilled=True)


def initialise(store: Store, config: StoreConfig, random: Callable[[int], bytes]) -> Identity:
    """Make an empty place a store; returns which store it is now.

    When two devices do so at the same time, of two claims the smaller holds for both.
    """
    identity.found_store(store, config, random)
    found = identity.read_identity(store)
    if found is None:
        raise CorruptError("", "what was written there cannot be read back")
    return found


def announce(connected: Connected, record: DeviceRecord) -> None:
    """Write what this device is called, where the store does not say it yet."""
    with suppress(NotFoundError, CorruptError):
        known = identity.read_device(connected.store, record.device)
        if known._replace(unknown={}) == record:
            return
    identity.write_device(connected.store, record)


def device_names(store: Store) -> dict[str, str]:
    """What the devices that were ever connected are called. Records that break the format are
    left out."""
    names: dict[str, str] = {}
    listed = sorted(entry.name for entry in store.list(DEVICES) if not entry.is_directory)
    for device in [name for name in listed if is_device(name)][:MAX_DEVICES]:
        with suppress(NotFoundError, CorruptError):
            names[device] = identity.read_device(store, device).name
    return names


# --- folders ------------------------------------------------------------------------------------


class FolderHere(NamedTuple):
    """A folder that a store has."""

    layout: FolderLayout
    config: FolderConfig


class FoldersFound(NamedTuple):
    folders: list[FolderHere]
    refused: list[StoreError]
    """What looks like a folder and cannot be read: damaged, or of a later version."""


def folders_in(store: Store) -> FoldersFound:
    """The folders that a store has. Raises StoreError when it cannot be listed."""
    folders: list[FolderHere] = []
    refused: list[StoreError] = []
    for directory, _ in identity.known_folders(store):
        try:
            folders.append(FolderHere(*identity.read_folder_config(store, directory)))
        except NotFoundError:
            continue
        except StoreError as error:
            refused.append(error)
    return FoldersFound(folders, refused)


def find_folder(store: Store, folder_id: str) -> FolderHere | None:
    """The directory that a folder has in a store, whatever its slug; None when it has none.

    Raises StoreError, also when its config cannot be read: nothing may be written there then.
    """
    for directory, short in identity.known_folders(store):
        if not folder_id.startswith(short):
            continue
        with suppress(NotFoundError):
            found = FolderHere(*identity.read_folder_config(store, directory))
            if found.config.folder_id == folder_id:
                return found
    return None


def foresee_registering(connected: Connected, layout: FolderLayout) -> None:
    """Tell the store what `register_folder` is going to ask."""
    own = store_config(StoreHash(connected.store_id))
    expect(connected.store, Questions(lists=[""], reads=[layout.config, own]))


def register_folder(connected: Connected, layout: FolderLayout, config: FolderConfig) -> None:
    """Make a store know a folder: its directory's config, and the id in the store's own config.

    A folder that has another slug there raises CorruptError: two directories for one folder would
    hold half of its log each.
    """
    store = connected.store
    found = find_folder(store, config.folder_id)
    if found is not None and found.layout.root != layout.root:
        raise CorruptError(found.layout.config, f"the folder stands here and not in {layout.root}")
    if found is None:
        identity.write_folder_config(store, layout, config)
    known = own_config(connected)
    if known is not None and config.folder_id not in known.folders:
        folders = tuple(sorted({*known.folders, FolderId(config.folder_id)}))
        changed = known._replace(folders=folders, revision=known.revision + 1)
        identity.write_store_config(store, changed)


def own_config(connected: Connected) -> StoreConfig | None:
    """What a store says of itself; None where it says nothing that can be read.

    Raises FutureFormatError.
    """
    try:
        return identity.read_store_config(connected.store, StoreHash(connected.store_id))
    except (NotFoundError, CorruptError):
        return None


def describe(connected: Connected, config: StoreConfig) -> None:
    """Change what a store says of itself (name, rating, minor), as a new revision."""
    known = own_config(connected)
    if known is None:
        identity.write_store_config(connected.store, config)
        return
    wanted = known._replace(
        name=config.name,
        rating=config.rating,
        minor=config.minor,
        location=config.location,
    )
    if wanted != known:
        changed = wanted._replace(revision=known.revision + 1)
        identity.write_store_config(connected.store, changed)
