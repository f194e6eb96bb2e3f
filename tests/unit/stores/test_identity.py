"""Who a store is, and what it knows."""

import pytest
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.core.event import DeviceId
from firnline.stores import identity, layout
from firnline.stores.configs import DeviceRecord, FolderConfig, StoreConfig
from firnline.stores.errors import CorruptError, FutureFormatError, NotFoundError
from firnline.stores.identity import Identity
from firnline.stores.layout import FolderId, FolderLayout, StoreHash
from firnline.stores.read_me import BODY

ONE, TWO = StoreHash("1" * 16), StoreHash("2" * 16)


def store_config(store_id: StoreHash) -> StoreConfig:
    return StoreConfig(store_id, "memory", "NAS", 50, False, "/mnt/nas", ())


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def store(disk: MemoryDisk) -> MemoryStore:
    return MemoryStore(disk, StillClock())


def test_an_empty_place_is_nobody(store):
    """A place that nobody made a store has no identity."""
    assert identity.read_identity(store) is None
    assert identity.known_stores(store) == []
    assert list(identity.known_folders(store)) == []


def test_found_a_store(store, disk):
    """A store that was made says who it is, has its config and READ-ME.txt."""
    made = identity.found_store(store, store_config(ONE), lambda count: b"\1" * count)
    assert identity.read_identity(store) == made
    assert made.store == ONE
    assert identity.read_store_config(store, ONE) == store_config(ONE)
    assert disk.files["READ-ME.txt"] == BODY


def test_is_current_comes_last(disk):
    """Whoever reads an identity finds the store's config, also when the making was interrupted."""

    class StoppedError(BaseException):
        pass

    def stop_at_is_current(step: str) -> None:
        if len(disk.files) == 2:
            raise StoppedError

    store = MemoryStore(disk, StillClock(), stop_at_is_current)
    with pytest.raises(StoppedError):
        identity.found_store(store, store_config(ONE), bytes)
    assert set(disk.files) == {"READ-ME.txt", layout.store_config(ONE)}


def test_of_two_claims_the_smaller_holds(store):
    """Two devices that make a store of one place at once agree on which it is."""
    second = identity.found_store(store, store_config(TWO), bytes)
    assert identity.read_identity(store) == second
    first = identity.found_store(store, store_config(ONE), bytes)
    assert identity.read_identity(store) == first


def test_configs_of_other_stores_are_no_claim(store):
    """A store that is only known here does not make this place that store."""
    identity.write_store_config(store, store_config(ONE))
    made = identity.found_store(store, store_config(TWO), bytes)
    assert identity.read_identity(store) == made
    assert identity.known_stores(store) == [ONE, TWO]


def test_a_refilled_store_has_another_generation(store):
    """A new generation replaces the old one."""
    identity.found_store(store, store_config(ONE), bytes)
    identity.write_generation(store, Identity(ONE, "g" * 16))
    assert identity.read_identity(store) == Identity(ONE, "g" * 16)


@pytest.mark.parametrize("body", [b"", b"short", b"X" * 16, b"g" * 17, b"g" * 15 + b"\n"])
def test_a_claim_that_cannot_be_read(store, disk, body):
    """A damaged `is_current` is an error: it is neither this store nor none."""
    disk.files[layout.is_current(ONE)] = body
    with pytest.raises(CorruptError):
        identity.read_identity(store)


def test_junk_beside_the_stores(store, disk):
    """What is no STOREHASH, and files where directories are, are left alone."""
    disk.files["stores/UPPER-CASE-12345/is_current"] = b"g" * 16
    disk.files["stores/0123456789abcdef"] = b"a file"
    assert identity.read_identity(store) is None
    assert identity.known_stores(store) == []


def test_config_of_another_store(store, disk):
    """A config that was moved under another store's name is corrupt."""
    disk.files[layout.store_config(TWO)] = store_config(ONE).body()
    with pytest.raises(CorruptError):
        identity.read_store_config(store, TWO)
    with pytest.raises(NotFoundError):
        identity.read_store_config(store, ONE)


def test_folders(store):
    """Folders are found by their directories and read with their config."""
    config = FolderConfig(FolderId("0123456789abcdef"), "My photos")
    folder = FolderLayout("my-photos", config.folder_id)
    identity.write_folder_config(store, folder, config)
    identity.write_store_config(store, store_config(ONE))
    assert list(identity.known_folders(store)) == [("my-photos-01234567", "01234567")]
    assert identity.read_folder_config(store, folder.root) == (folder, config)


def test_config_of_another_folder(store, disk):
    """A folder's config has to be of the id that its directory names."""
    config = FolderConfig(FolderId("0123456789abcdef"), "My photos")
    for directory in ("my-photos-76543210", "no folder"):
        disk.files[f"{directory}/config"] = config.body()
        with pytest.raises(CorruptError):
            identity.read_folder_config(store, directory)


def test_folder_of_a_later_format(store, disk):
    """A folder in a format of tomorrow says so."""
    disk.files["a-01234567/config"] = b'{"format": 2}'
    with pytest.raises(FutureFormatError):
        identity.read_folder_config(store, "a-01234567")


def test_a_config_without_end(store, disk):
    """A config of more than 1 MiB is not read."""
    disk.files["a-01234567/config"] = b" " * (2**20 + 1)
    with pytest.raises(CorruptError):
        identity.read_folder_config(store, "a-01234567")


def test_devices(store):
    """A device's record is read by its id."""
    record = DeviceRecord(DeviceId("a1b2c3d4"), "laptop", "Linux", "1.0")
    identity.write_device(store, record)
    assert identity.read_device(store, "a1b2c3d4") == record
    with pytest.raises(NotFoundError):
        identity.read_device(store, "00000000")
