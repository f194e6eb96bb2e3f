"""What stores say of one another."""

import pytest
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.stores.configs import StoreConfig
from firnline.stores.identity import write_store_config
from firnline.stores.layout import FolderId, StoreHash, store_config
from firnline.sync.context import Connected
from firnline.sync.records import kept_elsewhere

FOLDER = FolderId("f" * 16)
OWN = StoreHash("s" * 16)


def config(store_id, name="usb", **changes):
    plain = StoreConfig(
        StoreHash(store_id * 16),
        "directory",
        name,
        50,
        minor=False,
        location=f"/{store_id}",
        folders=(FOLDER,),
    )
    return plain._replace(**changes)


@pytest.fixture
def stores():
    """Two connected ones, that know themselves."""
    made = []
    for name in ("s", "t"):
        store = MemoryStore(MemoryDisk(), StillClock())
        write_store_config(store, config(name, "nas"))
        made.append(Connected("nas", store, name * 16, "g" * 16, "c" * 16, 50, minor=False))
    return made


def offered(stores):
    return [each.name for each in kept_elsewhere(stores, FOLDER, {"s" * 16, "t" * 16})]


def test_what_keeps_the_folder_too_is_found_in_any_store(stores):
    """Each once, by name."""
    write_store_config(stores[0].store, config("b", "usb"))
    write_store_config(stores[1].store, config("b", "usb"))
    write_store_config(stores[1].store, config("a", "work"))
    assert offered(stores) == ["usb", "work"]


def test_the_newer_record_holds(stores):
    """A store that no longer keeps the folder is not offered because somebody has not heard."""
    write_store_config(stores[0].store, config("b"))
    write_store_config(stores[1].store, config("b", folders=(), revision=2))
    assert offered(stores) == []


def test_what_stood_in_the_place_of_a_known_store_is_not_offered(stores):
    """After `new` the old STOREHASH is the same place under a name that nobody has any more."""
    write_store_config(stores[0].store, config("b", location="/t"))
    assert offered(stores) == []


def test_what_cannot_be_read_tells_nothing(stores):
    """A damaged record hides no other, a store that is gone hides no other."""
    stores[0].store.disk.available = False
    stores[1].store.put_many([(store_config("a" * 16), b"junk")])
    write_store_config(stores[1].store, config("b"))
    assert offered(stores) == ["usb"]
