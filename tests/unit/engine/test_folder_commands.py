"""Folders: making them, finding them in stores, joining, pausing."""

import json
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.config.errors import ConfigUnreadableError
from firnline.engine.errors import AmbiguousNameError, NoSuchStoreError, RefusedError, UsageError
from firnline.engine.folder_commands import (
    available_folders,
    create_folder,
    join_folder,
    pause_folder,
)
from firnline.engine.open_folder import state_file
from firnline.stores.errors import StoreError


def create(profile: Profile, name: str | None = None, stores: tuple[str, ...] = ()) -> str:
    with profile.engine() as engine:
        return create_folder(engine, str(profile.folder), name, stores).settings.folder_id


def test_new_folder_has_marker_settings_and_a_place_in_its_stores(anna: Profile, nas: Path) -> None:
    """It is named after its directory, goes to all stores, and the stores know it."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        made = create_folder(engine, str(anna.folder), None, [])
    settings = made.settings
    assert (settings.name, settings.stores, settings.path) == ("Documents", ("nas",), anna.folder)
    assert (made.warning, made.unreached) == (None, [])
    assert (anna.folder / ".firnline" / "id").read_text().strip() == settings.folder_id
    for base in (nas, anna.places.home_store):
        config = json.loads((base / f"documents-{settings.folder_id[:8]}" / "config").read_text())
        assert (config["folder_id"], config["folder_name"]) == (settings.folder_id, "Documents")


def test_folder_is_made_where_its_parent_is(anna: Profile, tmp_path: Path) -> None:
    """A missing directory is made, a missing parent is a mistake."""
    with anna.engine() as engine:
        create_folder(engine, str(tmp_path / "new"), None, [])
        assert (tmp_path / "new").is_dir()
        with pytest.raises(RefusedError):
            create_folder(engine, str(tmp_path / "no" / "where"), None, [])


def test_places_that_cannot_be_folders(anna: Profile, tmp_path: Path) -> None:
    """The whole computer, a file, and a path that is no Unicode are refused."""
    (tmp_path / "file").write_text("")
    with anna.engine() as engine:
        for path in ("/", str(tmp_path / "file")):
            with pytest.raises(RefusedError):
                create_folder(engine, path, "x", [])
        with pytest.raises(UsageError):
            create_folder(engine, str(tmp_path / "\udcff"), "x", [])
        assert engine.settings.folders == ()


def test_home_directory_is_warned_of(
    anna: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is allowed, and its user is told what that means."""
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "me"))
    with anna.engine() as engine:
        warning = create_folder(engine, str(tmp_path / "me"), None, []).warning
    assert warning is not None
    assert "home directory" in warning


def test_marker_of_another_folder_is_respected(anna: Profile, bert: Profile) -> None:
    """A directory that is a folder of another profile is not taken over."""
    folder_id = create(anna)
    with bert.engine() as engine:
        with pytest.raises(RefusedError, match=folder_id):
            create_folder(engine, str(anna.folder), None, [])
        assert engine.settings.folders == ()


def test_names_are_checked_and_unique(anna: Profile, tmp_path: Path) -> None:
    """A name must fit the command line and be new on this device."""
    create(anna, "docs")
    with anna.engine() as engine:
        for name in ("docs", "", "a:b", "a/b", "a\nb"):
            with pytest.raises(UsageError):
                create_folder(engine, str(tmp_path / "x"), name, [])
        with pytest.raises(NoSuchStoreError):
            create_folder(engine, str(tmp_path / "x"), "x", ["nope"])
    assert not (tmp_path / "x").exists()


def test_failed_creation_takes_its_marker_back(anna: Profile) -> None:
    """Where the settings cannot be written the directory is as it was, and can be tried again."""
    with anna.engine() as engine:
        engine.places.config_file.mkdir()
        with pytest.raises(ConfigUnreadableError):
            create_folder(engine, str(anna.folder), None, [])
        assert not (anna.folder / ".firnline" / "id").exists()
        engine.places.config_file.rmdir()
        create_folder(engine, str(anna.folder), None, [])


def test_store_out_of_reach_hears_of_the_folder_later(anna: Profile, nas: Path) -> None:
    """The folder is made all the same, and registered by the next sync that reaches the store."""
    anna.add_store("nas", nas)
    away = nas.rename(nas.with_name("away"))
    with anna.engine() as engine:
        made = create_folder(engine, str(anna.folder), None, [])
    assert [each.name for each in made.unreached] == ["nas"]
    away.rename(nas)
    assert list(nas.glob("documents-*")) == []
    anna.sync()
    assert len(list(nas.glob("documents-*/config"))) == 1


# --- in the stores ------------------------------------------------------------------------------


def test_available_folders_and_where_they_are(
    anna: Profile, bert: Profile, nas: Path, tmp_path: Path
) -> None:
    """Every folder of every store in reach, with the name that it has here."""
    usb = tmp_path / "usb"
    anna.add_store("nas", nas)
    anna.add_store("usb", usb)
    folder_id = create(anna, "docs")
    bert.add_store("disk", nas)
    bert.add_store("stick", usb)
    usb.rename(tmp_path / "away")
    (nas / "bad-00000000").mkdir()
    (nas / "bad-00000000" / "config").write_text("{")
    with bert.engine(lock=False) as engine:
        found = available_folders(engine)
    (folder,) = found.folders
    assert (folder.folder_id, folder.name, folder.here) == (folder_id, "docs", None)
    assert folder.stores == ("disk",)
    assert [store for store, _ in found.refused] == ["disk"]
    assert [each.name for each in found.unreached] == ["stick"]
    with anna.engine(lock=False) as engine:
        assert available_folders(engine, ["nas"]).folders[0].here == "docs"


def test_joined_folder_keeps_its_place_in_the_stores(
    anna: Profile, bert: Profile, nas: Path
) -> None:
    """The second device uses the directory that the first one made, whatever its name."""
    anna.add_store("nas", nas)
    folder_id = create(anna, "My docs")
    bert.add_store("nas", nas)
    with bert.engine() as engine:
        made = join_folder(engine, "My docs", str(bert.folder), "theirs", [])
    assert (made.settings.name, made.settings.folder_id) == ("theirs", folder_id)
    assert made.settings.stores == ("nas",)
    assert [path.name for path in nas.glob("*-????????")] == [f"my-docs-{folder_id[:8]}"]


def test_join_goes_to_the_stores_that_have_it(
    anna: Profile, bert: Profile, nas: Path, tmp_path: Path
) -> None:
    """Without --store a folder is not brought to stores that never had it."""
    anna.add_store("nas", nas)
    folder_id = create(anna)
    bert.add_store("nas", nas)
    bert.add_store("own", tmp_path / "own")
    with bert.engine() as engine:
        made = join_folder(engine, folder_id, str(bert.folder), None, [])
        assert made.settings.stores == ("nas",)


def test_join_refuses_what_cannot_be_joined(anna: Profile, bert: Profile, nas: Path) -> None:
    """Unknown and ambiguous names, a folder that is here already, an encrypted one."""
    anna.add_store("nas", nas)
    folder_id = create(anna, "docs")
    bert.add_store("nas", nas)
    with anna.engine() as engine, pytest.raises(RefusedError, match="already"):
        join_folder(engine, folder_id, str(bert.folder), "x", [])
    other = bert.base / "other"
    with bert.engine() as engine:
        create_folder(engine, str(other), "second", ["nas"])
        with pytest.raises(UsageError):
            join_folder(engine, "nope", str(bert.folder), None, [])
    (config,) = nas.glob("docs-*/config")
    config.write_text(config.read_text().replace('"encrypted": false', '"encrypted": true'))
    with bert.engine() as engine, pytest.raises(RefusedError, match="encrypted"):
        join_folder(engine, "docs", str(bert.folder), None, [])


def test_folders_of_one_name_are_told_apart_by_id(
    anna: Profile, bert: Profile, nas: Path, tmp_path: Path
) -> None:
    """Two folders called the same can be joined by id only."""
    ids = []
    for profile in (anna, Profile(tmp_path / "carl")):
        profile.add_store("nas", nas)
        ids.append(create(profile, "docs"))
    bert.add_store("nas", nas)
    with bert.engine() as engine:
        with pytest.raises(AmbiguousNameError) as caught:
            join_folder(engine, "docs", str(bert.folder), None, [])
        assert all(each in caught.value.advice for each in ids)
        assert join_folder(engine, ids[1], str(bert.folder), None, []).settings.folder_id == ids[1]


def test_unreachable_store_is_named_when_a_folder_is_not_found(anna: Profile, nas: Path) -> None:
    """The folder may be in the store that is out of reach."""
    anna.add_store("nas", nas)
    nas.rename(nas.with_name("away"))
    with anna.engine() as engine, pytest.raises(RefusedError) as caught:
        join_folder(engine, "docs", str(anna.folder), None, [])
    assert "nas" in caught.value.advice


def test_left_over_state_does_not_delete_anything(anna: Profile, bert: Profile, nas: Path) -> None:
    """State of an earlier life of a folder is not believed: its files are no deletions now."""
    anna.add_store("nas", nas)
    folder_id = create(anna, "docs")
    anna.write("a.txt", "a")
    anna.sync()
    bert.add_store("nas", nas)
    with bert.engine() as engine:
        state_file(engine, folder_id).write_bytes(state_file_of(anna, folder_id).read_bytes())
        join_folder(engine, "docs", str(bert.folder), None, [])
    bert.sync()
    anna.sync()
    assert (anna.read("a.txt"), bert.read("a.txt")) == ("a", "a")


def state_file_of(profile: Profile, folder_id: str) -> Path:
    with profile.engine(lock=False) as engine:
        return state_file(engine, folder_id)


def test_paused_folder_is_left_alone(anna: Profile, nas: Path) -> None:
    """A pass does nothing with it until it is resumed."""
    anna.add_store("nas", nas)
    create(anna, "docs")
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        pause_folder(engine, "docs", paused=True)
    (outcome,) = anna.sync()
    assert outcome.paused
    assert outcome.complete
    assert list(nas.glob("*/events/*/*")) == []
    with anna.engine() as engine:
        pause_folder(engine, "docs", paused=False)
    (outcome,) = anna.sync()
    assert outcome.report.written == 1


def test_home_store_failure_is_told(anna: Profile) -> None:
    """Without a home store no folder is made."""
    with anna.engine() as engine:
        anna.places.home_store.rmdir()
        anna.places.home_store.write_text("in the way")
        with pytest.raises(StoreError):
            create_folder(engine, str(anna.folder), None, [])
        assert engine.settings.folders == ()
