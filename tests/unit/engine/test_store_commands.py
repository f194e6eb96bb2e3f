"""Stores: adding, editing, trying, forgetting."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.engine.errors import NoSuchStoreError, RefusedError, UsageError
from firnline.engine.folder_commands import create_folder
from firnline.engine.store_commands import (
    StoreWish,
    add_store,
    edit_store,
    list_stores,
    remove_store,
    try_store,
)
from firnline.stores.configs import StoreConfig
from firnline.stores.errors import UnavailableError


def stored_config(store: Path) -> StoreConfig:
    (path,) = store.glob("stores/*/config")
    return StoreConfig.parse(path.read_bytes(), "config")


def test_new_store_is_made(anna: Profile, nas: Path) -> None:
    """An empty place becomes a store that says what it is."""
    with anna.engine() as engine:
        added = add_store(engine, "nas", str(nas), StoreWish(rating=70))
        device = engine.peer.device
    assert added.created
    assert added.report.usable
    assert (nas / "READ-ME.txt").is_file()
    assert (nas / "stores" / added.settings.store_id / "is_current").stat().st_size == 16
    assert (nas / "devices" / device).is_file()
    assert stored_config(nas).rating == 70
    with anna.engine() as engine:
        assert engine.settings.store("nas") == added.settings


def test_probe_leaves_nothing(anna: Profile, nas: Path) -> None:
    """What was tried is removed again."""
    anna.add_store("nas", nas)
    assert list(nas.glob("connections/*/tmp/*")) == []


def test_store_of_another_device_is_taken_up(anna: Profile, bert: Profile, nas: Path) -> None:
    """The second device uses what is there, with the rating that it has."""
    anna.add_store("nas", nas, StoreWish(rating=70, minor=True))
    with bert.engine() as engine:
        added = add_store(engine, "shared", nas.as_uri(), StoreWish())
    assert not added.created
    assert (added.settings.rating, added.settings.minor) == (70, True)
    assert len(list((nas / "devices").iterdir())) == 2
    assert len(list((nas / "stores").iterdir())) == 1


def test_store_without_its_config_is_taken_up(anna: Profile, bert: Profile, nas: Path) -> None:
    """`is_current` alone says which store it is."""
    anna.add_store("nas", nas)
    next(nas.glob("stores/*/config")).unlink()
    with bert.engine() as engine:
        assert not add_store(engine, "nas", str(nas), StoreWish()).created


def test_one_store_has_one_name(anna: Profile, nas: Path, tmp_path: Path) -> None:
    """The same directory, a link to it and a copy of it are all refused, and nothing is written."""
    anna.add_store("nas", nas)
    copy, link = tmp_path / "copy", tmp_path / "link"
    shutil.copytree(nas, copy)
    link.symlink_to(nas)
    before = sorted(copy.rglob("*"))
    with anna.engine() as engine:
        for place in (nas, copy, link):
            with pytest.raises(RefusedError):
                add_store(engine, "second", str(place), StoreWish())
        assert [store.name for store in engine.settings.stores] == ["nas"]
    assert sorted(copy.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "location"),
    [("", "x"), ("home", "x"), ("a:b", "x"), ("a/b", "x"), ("new", "ftp://host/x"), ("new", "")],
)
def test_impossible_stores_are_wrong_usage(anna: Profile, name: str, location: str) -> None:
    """Names and locations that cannot be are refused before anything is made."""
    with anna.engine() as engine, pytest.raises(UsageError):
        add_store(engine, name, location, StoreWish())


def test_taken_name_and_unknown_option_are_wrong_usage(anna: Profile, nas: Path) -> None:
    """A name is in use in any case of its letters; a directory has no options."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        with pytest.raises(UsageError):
            add_store(engine, "NAS", str(nas.with_name("b")), StoreWish())
        with pytest.raises(UsageError):
            add_store(engine, "b", str(nas.with_name("b")), StoreWish(options={"key": "x"}))
    assert not nas.with_name("b").exists()


def test_directory_without_a_parent_is_not_made(anna: Profile, tmp_path: Path) -> None:
    """A parent that is missing is a typing mistake, or a disk that is not mounted."""
    with anna.engine() as engine, pytest.raises(RefusedError):
        add_store(engine, "nas", str(tmp_path / "no" / "where"), StoreWish())
    assert not (tmp_path / "no").exists()


def test_store_that_cannot_be_written_is_refused(anna: Profile, tmp_path: Path) -> None:
    """A file in place of the directory is no store."""
    (tmp_path / "file").write_text("")
    with anna.engine() as engine, pytest.raises(RefusedError):
        add_store(engine, "nas", str(tmp_path / "file"), StoreWish())


def test_edit_changes_settings_and_tells_the_store(anna: Profile, nas: Path) -> None:
    """What concerns others is written into the store as well."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        after = edit_store(engine, "nas", StoreWish(rating=5, minor=True)).settings
    assert (after.rating, after.minor) == (5, True)
    config = stored_config(nas)
    assert (config.rating, config.minor, config.revision) == (5, True, 2)


def test_edit_without_the_store_in_reach_keeps_the_settings(anna: Profile, nas: Path) -> None:
    """Settings are this device's own and wait for nothing."""
    anna.add_store("nas", nas)
    nas.rename(nas.with_name("away"))
    with anna.engine() as engine:
        edit_store(engine, "nas", StoreWish(rating=5))
    with anna.engine() as engine:
        assert engine.store_settings("nas").rating == 5


def test_moved_store_is_found_at_its_new_place(anna: Profile, nas: Path, tmp_path: Path) -> None:
    """A new location must lead to the same store."""
    anna.add_store("nas", nas)
    anna.add_store("other", tmp_path / "other")
    moved = nas.rename(tmp_path / "moved")
    (tmp_path / "empty").mkdir()
    with anna.engine() as engine:
        for wrong in ("other/..", "empty"):
            with pytest.raises(RefusedError):
                edit_store(engine, "nas", StoreWish(location=str(tmp_path / wrong)))
        with pytest.raises(UnavailableError):
            edit_store(engine, "nas", StoreWish(location=str(tmp_path / "nowhere")))
        edit_store(engine, "nas", StoreWish(location=str(moved)))
        assert engine.connected("nas").store_id == engine.store_settings("nas").store_id


def test_list_tells_what_cannot_be_reached(anna: Profile, nas: Path, tmp_path: Path) -> None:
    """Each store has its state, its folders and the space that is left."""
    anna.add_store("nas", nas)
    anna.add_store("usb", tmp_path / "usb")
    (tmp_path / "usb").rename(tmp_path / "away")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", ["nas"])
    with anna.engine(lock=False) as engine:
        first, second = list_stores(engine)
    assert (first.error, first.folders, first.kind) == (None, ("docs",), "directory")
    assert first.free is not None
    assert isinstance(second.error, UnavailableError)


def test_try_tells_what_a_store_can_do(anna: Profile, nas: Path) -> None:
    """`store test` tries the same as adding does."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        assert try_store(engine, "nas").usable


def test_store_without_folders_is_forgotten(anna: Profile, nas: Path) -> None:
    """The settings forget it, what it holds stays."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        remove_store(engine, "nas")
        with pytest.raises(NoSuchStoreError):
            remove_store(engine, "nas")
    assert (nas / "READ-ME.txt").is_file()


def test_store_with_the_only_copy_is_not_forgotten(anna: Profile, nas: Path) -> None:
    """A store that alone has a folder's contents goes only by force."""
    anna.add_store("nas", nas)
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    with anna.engine() as engine:
        with pytest.raises(RefusedError):
            remove_store(engine, "nas")
        remove_store(engine, "nas", force=True)
        assert engine.folder("docs").stores == ()
