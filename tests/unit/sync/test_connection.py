"""Connecting to a store: which one it is, and what it is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from firnline.core.event import DeviceId
from firnline.engine.system import SystemClock
from firnline.stores import identity
from firnline.stores.base import Store
from firnline.stores.configs import DeviceRecord, FolderConfig, StoreConfig
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import CorruptError, FutureFormatError, StoreError, UnavailableError
from firnline.stores.identity import Identity
from firnline.stores.layout import FolderId, FolderLayout, StoreHash
from firnline.sync.connection import (
    Expected,
    Peer,
    ReplacedError,
    announce,
    connect,
    describe,
    device_names,
    find_folder,
    folders_in,
    initialise,
    own_config,
    register_folder,
)
from firnline.sync.context import Connected

ANNA = DeviceRecord(DeviceId("aaaaaaaa"), "anna", "Linux", "1.0")
PEER = Peer(ANNA.device, b"token", ANNA)
FOLDER = FolderConfig(FolderId("f" * 8 + "0" * 8), "My photos")
LAYOUT = FolderLayout("my-photos", FOLDER.folder_id)


def config_of(store_id: str, **changes: object) -> StoreConfig:
    plain = StoreConfig(StoreHash(store_id), "directory", "nas", 50, False, "/nas", ())
    return plain._replace(**changes)  # type: ignore[arg-type]  # the test's own field names


def opener_of(base: Path) -> Callable[[str | None], Store]:
    return lambda connection: DirectoryStore(base, connection=connection, clock=SystemClock())


def made(base: Path, store_id: str, name: str = "nas") -> Connected:
    """A new store, connected."""
    base.mkdir()
    store = opener_of(base)(PEER.connection(store_id))
    initialise(store, config_of(store_id), os.urandom)
    store.close()
    return connect(opener_of(base), Expected(name, store_id, 50, False), PEER)


@pytest.fixture
def nas(tmp_path: Path) -> Connected:
    return made(tmp_path / "nas", "a" * 16)


# --- which store is it --------------------------------------------------------------------------


def test_store_that_goes_meanwhile_is_noticed_before_a_write(
    tmp_path: Path, nas: Connected
) -> None:
    """What takes its place is not written into: nothing, another generation, no directory."""
    nas.require_current()
    current = tmp_path / "nas" / "stores" / nas.store_id / "is_current"
    body = current.read_bytes()
    current.write_text("0" * 16)
    with pytest.raises(ReplacedError) as caught:
        nas.require_current()
    assert caught.value.refilled
    current.unlink()
    with pytest.raises(ReplacedError) as caught:
        nas.require_current()
    assert caught.value.found is None
    current.write_bytes(body)
    nas.require_current()
    (tmp_path / "nas").rename(tmp_path / "away")
    with pytest.raises(StoreError):
        nas.require_current()


def test_connect_tells_generation_and_connection(tmp_path: Path, nas: Connected) -> None:
    """A connection knows the store's generation and its own CONNHASH, which the token decides."""
    found = identity.read_identity(nas.store)
    assert found == Identity(StoreHash("a" * 16), nas.generation)
    assert nas.connection == PEER.connection("a" * 16)
    assert nas.connection != PEER._replace(token=b"other").connection("a" * 16)


def test_empty_directory_is_not_the_store(tmp_path: Path) -> None:
    """A mount that is not mounted is an empty directory: nothing is written there."""
    base = tmp_path / "empty"
    base.mkdir()
    with pytest.raises(ReplacedError) as caught:
        connect(opener_of(base), Expected("nas", "a" * 16, 50, False), PEER)
    assert caught.value.found is None
    assert list(base.iterdir()) == []


def test_other_store_is_not_the_store(tmp_path: Path, nas: Connected) -> None:
    """Another store in the expected one's place is told apart by its id."""
    with pytest.raises(ReplacedError) as caught:
        connect(opener_of(tmp_path / "nas"), Expected("nas", "b" * 16, 50, False), PEER)
    assert caught.value.found == "a" * 16


def test_missing_directory_is_out_of_reach(tmp_path: Path) -> None:
    """A store whose directory is not there can be reached again later."""
    with pytest.raises(UnavailableError):
        connect(opener_of(tmp_path / "gone"), Expected("nas", "a" * 16, 50, False), PEER)


def test_reading_connection_leaves_no_trace(tmp_path: Path, nas: Connected) -> None:
    """A connection that only reads does not make its directory in the store."""
    nas.store.close()
    other = PEER._replace(device=DeviceId("bbbbbbbb"))
    expected = Expected("nas", "a" * 16, 50, False)
    reading = connect(opener_of(tmp_path / "nas"), expected, other, write=False)
    assert not (tmp_path / "nas" / "connections" / reading.connection).exists()


def test_of_two_claims_the_smaller_holds(tmp_path: Path, nas: Connected) -> None:
    """Two devices that made one directory a store at the same time agree on one of the claims."""
    assert initialise(nas.store, config_of("0" * 16), os.urandom).store == "0" * 16
    assert initialise(nas.store, config_of("v" * 16), os.urandom).store == "0" * 16


# --- devices ------------------------------------------------------------------------------------


def test_announce_writes_what_is_new(tmp_path: Path, nas: Connected) -> None:
    """A device's record is written when it is missing or says something else, and only then."""
    announce(nas, ANNA)
    record = tmp_path / "nas" / "devices" / "aaaaaaaa"
    first = record.stat().st_ino
    announce(nas, ANNA)
    assert record.stat().st_ino == first
    announce(nas, ANNA._replace(name="anna's laptop"))
    assert device_names(nas.store) == {"aaaaaaaa": "anna's laptop"}


def test_damaged_device_records_are_left_out(tmp_path: Path, nas: Connected) -> None:
    """One damaged record, or a file that is none, hides no other device."""
    announce(nas, ANNA)
    (tmp_path / "nas" / "devices" / "bbbbbbbb").write_text("garbage")
    (tmp_path / "nas" / "devices" / "README").write_text("{}")
    assert device_names(nas.store) == {"aaaaaaaa": "anna"}


# --- folders ------------------------------------------------------------------------------------


def test_registered_folder_is_found(nas: Connected) -> None:
    """After registering, the store has the folder, and its own config names it once."""
    register_folder(nas, LAYOUT, FOLDER)
    register_folder(nas, LAYOUT, FOLDER)
    (found,) = folders_in(nas.store).folders
    assert (found.layout, found.config) == (LAYOUT, FOLDER)
    config = own_config(nas)
    assert config is not None
    assert (config.folders, config.revision) == ((FOLDER.folder_id,), 2)


def test_one_folder_has_one_directory(nas: Connected) -> None:
    """A second directory for the same folder is refused: it would hold half of its log."""
    register_folder(nas, LAYOUT, FOLDER)
    with pytest.raises(CorruptError):
        register_folder(nas, FolderLayout("other", FOLDER.folder_id), FOLDER)
    assert len(folders_in(nas.store).folders) == 1


def test_what_is_no_folder_is_passed_over(tmp_path: Path, nas: Connected) -> None:
    """Directories without a config are nothing, damaged ones are told, the others are found."""
    register_folder(nas, LAYOUT, FOLDER)
    (tmp_path / "nas" / "empty-00000000").mkdir()
    (tmp_path / "nas" / "bad-11111111").mkdir()
    (tmp_path / "nas" / "bad-11111111" / "config").write_text("{")
    found = folders_in(nas.store)
    assert [folder.config.folder_name for folder in found.folders] == ["My photos"]
    assert [error.path for error in found.refused] == ["bad-11111111/config"]


def test_folder_of_a_later_version_is_not_touched(tmp_path: Path, nas: Connected) -> None:
    """A config of a later format stops everything for that folder in that store."""
    directory = tmp_path / "nas" / LAYOUT.root
    directory.mkdir()
    (directory / "config").write_text('{"format": 2}')
    with pytest.raises(FutureFormatError):
        register_folder(nas, LAYOUT, FOLDER)


def test_folder_is_found_by_its_id_whatever_its_slug(nas: Connected) -> None:
    """A reader goes by the 8 characters and the id, not by the readable part."""
    register_folder(nas, LAYOUT, FOLDER)
    found = find_folder(nas.store, FOLDER.folder_id)
    assert found is not None
    assert found.layout.slug == "my-photos"
    assert find_folder(nas.store, FOLDER.folder_id[:8] + "1" * 8) is None


# --- what stores know of one another ------------------------------------------------------------


def test_describe_writes_only_what_is_new(nas: Connected) -> None:
    """Saying the same again makes no new revision."""
    describe(nas, config_of("a" * 16))
    config = own_config(nas)
    assert config is not None
    assert config.revision == 1


def test_store_without_its_own_config_gets_one(tmp_path: Path, nas: Connected) -> None:
    """A config that was lost is written again by the next description."""
    (tmp_path / "nas" / "stores" / ("a" * 16) / "config").unlink()
    assert own_config(nas) is None
    describe(nas, config_of("a" * 16, rating=3))
    config = own_config(nas)
    assert config is not None
    assert config.rating == 3
