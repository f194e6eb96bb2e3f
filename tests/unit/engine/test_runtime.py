"""A profile, opened: identity, names, stores, and who holds it."""

import os
import threading
from pathlib import Path

import pytest
from tests.doubles.profile import Profile

from firnline.config.profile_lock import ProfileBusy, ProfileLock
from firnline.engine.errors import AmbiguousNameError, NoSuchFolderError, NoSuchStoreError
from firnline.engine.folder_commands import create_folder
from firnline.engine.runtime import store_kind
from firnline.stores.errors import UnavailableError
from firnline.sync.context import Unreached


def test_device_keeps_its_id(anna: Profile) -> None:
    """Every opening of a profile finds the same device."""
    with anna.engine() as engine:
        first = engine.peer.device
    with anna.engine(lock=False) as engine:
        assert engine.peer.device == first


def test_one_process_at_a_time_changes_a_profile(anna: Profile) -> None:
    """While one holds the profile another may read and cannot write."""
    with anna.engine():
        with anna.engine(lock=False) as reading:
            assert not reading.writes
        with pytest.raises(ProfileBusy), anna.engine():
            pass


def test_first_reader_makes_the_identity(anna: Profile) -> None:
    """A profile may be opened for the first time by a command that only reads."""
    with anna.engine(lock=False) as engine:
        device = engine.peer.device
    with anna.engine() as engine:
        assert engine.peer.device == device


def test_first_reader_waits_for_who_makes_the_identity(anna: Profile) -> None:
    """Two first commands at once agree on one identity."""
    anna.places.prepare()
    lock = ProfileLock(anna.places.lock_file)
    lock.__enter__()
    timer = threading.Timer(0.1, lock.__exit__)
    timer.start()
    with anna.engine(lock=False) as engine:
        device = engine.peer.device
    timer.join()
    with anna.engine() as engine:
        assert engine.peer.device == device


def test_first_reader_gives_up_when_nobody_makes_an_identity(anna: Profile) -> None:
    """A profile that is held and has no identity is busy."""
    anna.places.prepare()
    with (
        ProfileLock(anna.places.lock_file),
        pytest.raises(ProfileBusy),
        anna.engine(lock=False),
    ):
        pass


def test_folders_go_by_name_or_id(anna: Profile) -> None:
    """A folder is found by either; no name means all."""
    with anna.engine() as engine:
        folder = create_folder(engine, str(anna.folder), "docs", []).settings
        assert engine.folder("docs") == engine.folder(folder.folder_id) == folder
        assert engine.folders([]) == engine.folders(["docs", folder.folder_id]) == [folder]
        with pytest.raises(NoSuchFolderError, match="nope"):
            engine.folder("nope")


def test_name_that_is_the_id_of_another_is_ambiguous(anna: Profile, tmp_path: Path) -> None:
    """A folder called like another's id has to be named by its own id."""
    with anna.engine() as engine:
        first = create_folder(engine, str(anna.folder), None, []).settings
        second = create_folder(engine, str(tmp_path / "b"), first.folder_id, []).settings
        with pytest.raises(AmbiguousNameError) as caught:
            engine.folder(first.folder_id)
        assert second.folder_id in caught.value.advice


def test_stores_are_reached_best_rated_first(anna: Profile, tmp_path: Path) -> None:
    """Stores come by rating, and what cannot be reached is named and stops nothing."""
    for name in ("slow", "quick", "away"):
        anna.add_store(name, tmp_path / name)
    (tmp_path / "away").rename(tmp_path / "elsewhere")
    text = anna.places.config_file.read_text()
    anna.places.config_file.write_text(
        text.replace("[stores.quick]\n", "[stores.quick]\nrating = 90\n")
    )
    with anna.engine() as engine:
        reached, unreached = engine.reach(["slow", "away", "quick"])
        assert [each.name for each in reached] == ["quick", "slow"]
        assert [each.name for each in unreached] == ["away"]
        assert isinstance(unreached[0].why, UnavailableError)
        assert engine.connected("quick") is reached[0]
        with pytest.raises(NoSuchStoreError):
            engine.connected("nope")


def test_store_that_failed_is_not_tried_again(anna: Profile, nas: Path) -> None:
    """A store that was lost in the middle stays lost for the rest of the command."""
    anna.add_store("nas", nas)
    with anna.engine() as engine:
        connected = engine.connected("nas")
        why = UnavailableError("", "gone")
        engine.lost(Unreached("nas", connected.store_id, minor=False, why=why))
        with pytest.raises(UnavailableError, match="gone"):
            engine.connected("nas")


def test_home_store_is_made_once_and_private(anna: Profile) -> None:
    """The home store is a store like any other, for this user only."""
    before = os.umask(0)
    try:
        with anna.engine() as engine:
            made = engine.home
    finally:
        os.umask(before)
    with anna.engine() as engine:
        assert engine.home.store_id == made.store_id
    open_to_others = [
        path for path in anna.places.home_store.rglob("*") if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_location_that_is_none_is_a_store_out_of_reach(anna: Profile, nas: Path) -> None:
    """A location that somebody broke in the settings stops no other store."""
    anna.add_store("nas", nas)
    text = anna.places.config_file.read_text()
    anna.places.config_file.write_text(text.replace(f'"{nas}"', '"file://other-host/nas"'))
    with anna.engine() as engine, pytest.raises(UnavailableError):
        engine.connected("nas")
    assert store_kind("file://other-host/nas") == "unknown"


@pytest.mark.logs("a mistake in the program")
def test_mistakes_of_the_program_are_logged(anna: Profile) -> None:
    """What nobody expected is in the log with its traceback; what was expected is not."""
    log = anna.places.logs / "firnline.log"
    with pytest.raises(NoSuchFolderError), anna.engine() as engine:
        engine.folder("nope")
    assert not log.exists()
    with pytest.raises(ZeroDivisionError), anna.engine():
        _ = 1 / 0
    assert "ZeroDivisionError" in log.read_text()
