"""What stores say of one another."""

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.stores.configs import StoreConfig
from firnline.stores.errors import FutureFormatError, NotFoundError, StoreError, UnavailableError
from firnline.stores.identity import read_store_config, write_store_config
from firnline.stores.layout import FolderId, FolderLayout, StoreHash, store_config
from firnline.sync.connection import ReplacedError
from firnline.sync.context import Connected
from firnline.sync.records import exchange_records, kept_elsewhere

FOLDER = FolderId("f" * 16)
LAYOUT = FolderLayout("docs", FOLDER)


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


# --- from store to store ------------------------------------------------------------------------


def known(connected, store_id):
    """What a store says of another one; None when nothing."""
    try:
        return read_store_config(connected.store, StoreHash(store_id * 16))
    except NotFoundError:
        return None


def snapshot(store_id, number=1):
    return f"{LAYOUT.bases}/{store_id * 16}_{number:08}aaaaaa_0"


def bases(connected):
    return sorted(entry.name[0] for entry in connected.store.list(LAYOUT.bases))


def test_each_learns_of_the_others(stores):
    """What a third store left in one of them reaches the other one as well."""
    write_store_config(stores[0].store, config("b"))
    assert exchange_records(stores, LAYOUT) == []
    assert known(stores[0], "t") == config("t", "nas")
    assert known(stores[1], "s") == config("s", "nas")
    assert known(stores[1], "b") == config("b")
    before = dict(stores[1].store.disk.files)
    assert exchange_records(stores, LAYOUT) == []
    assert stores[1].store.disk.files == before


def test_the_newer_version_goes_and_the_older_one_does_not(stores):
    """A larger revision reaches the others, a smaller one never."""
    write_store_config(stores[0].store, config("b", revision=2, rating=7))
    write_store_config(stores[1].store, config("b", revision=1))
    exchange_records(stores, LAYOUT)
    assert [known(each, "b").rating for each in stores] == [7, 7]


def test_what_a_store_says_of_itself_comes_from_itself(stores):
    """Whoever writes a record of it into another store changes nothing there."""
    write_store_config(stores[0].store, config("t", "forged", revision=9))
    exchange_records(stores, LAYOUT)
    assert known(stores[1], "t").name == "nas"


def test_a_store_that_does_not_keep_the_folder_is_nobodys_business(stores):
    """Its record stays where it is."""
    write_store_config(stores[0].store, config("b", folders=(FolderId("e" * 16),)))
    exchange_records(stores, LAYOUT)
    assert known(stores[1], "b") is None


def test_a_record_of_a_later_version_is_left_alone(stores):
    """Nothing is written where this program cannot read; a damaged one is mended."""
    future = b'{"format": 2}'
    write_store_config(stores[0].store, config("b"))
    write_store_config(stores[0].store, config("c"))
    stores[1].store.put_many([(store_config("b" * 16), future), (store_config("c" * 16), b"junk")])
    exchange_records(stores, LAYOUT)
    with pytest.raises(FutureFormatError):
        known(stores[1], "b")
    assert known(stores[1], "c") == config("c")


def test_one_store_that_fails_stops_no_other(stores):
    """The others learn of one another; what failed is told."""
    third = MemoryStore(MemoryDisk(), StillClock())
    write_store_config(third, config("u", "usb"))
    away = UnavailableError("", "gone")
    for method in ("list", "put_many"):
        faulty = FaultyStore(third, StillClock())
        faulty.add(Fault(method, error=away))
        broken = stores[0]._replace(store=faulty, store_id="u" * 16)
        assert exchange_records([broken, *stores], LAYOUT) == [away]
        faulty.verify()
    assert known(stores[1], "s") == config("s", "nas")


def test_nothing_is_written_where_another_store_stands(stores):
    """A disk that was unmounted in between."""

    def gone() -> None:
        raise ReplacedError("t" * 16, None)

    moved = stores[1]._replace(require_current=gone)
    before = dict(moved.store.disk.files)
    (error,) = exchange_records([stores[0], moved], LAYOUT)
    assert isinstance(error, StoreError)
    assert moved.store.disk.files == before


def test_snapshots_of_other_stores_are_known_everywhere(stores):
    """With their bodies; what is no such record stays where it is."""
    stores[0].store.put_many([(snapshot("s"), b"base"), (snapshot("b"), b"far")])
    stores[0].store.put_many([(f"{LAYOUT.bases}/junk", b"")])
    exchange_records(stores, LAYOUT)
    assert bases(stores[1]) == ["b", "s"]
    assert stores[1].store.read_small(snapshot("b"), 10) == b"far"


def test_no_snapshot_is_committed_by_its_replica(stores):
    """A store has those snapshots that itself wrote: a record that others still have, and that was
    swept there, comes back neither there nor elsewhere."""
    stores[0].store.put_many([(snapshot("t"), b"old")])
    exchange_records(stores, LAYOUT)
    assert bases(stores[1]) == []
    third = stores[0]._replace(store=MemoryStore(MemoryDisk(), StillClock()), store_id="u" * 16)
    exchange_records([*stores, third], LAYOUT)
    assert bases(third) == []
