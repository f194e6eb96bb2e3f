"""`sync`: several folders and stores in one pass."""

import sqlite3
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.doubles.profile import Profile
from tests.doubles.still_clock import StillClock

from firnline.engine.errors import NoSuchFolderError
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.open_folder import state_file
from firnline.engine.status import FolderActivity, status
from firnline.engine.sync_command import Deadline, sync_folders
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.stores.errors import UnavailableError
from firnline.sync.connection import ReplacedError
from firnline.sync.context import CancelledError


@pytest.fixture
def both(anna: Profile, bert: Profile, nas: Path) -> tuple[Profile, Profile]:
    """Two devices with one folder in one store."""
    anna.add_store("nas", nas)
    bert.add_store("nas", nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    return anna, bert


def test_file_arrives_on_the_other_device(both: tuple[Profile, Profile]) -> None:
    """One pass here and one there is enough, and a third does nothing."""
    anna, bert = both
    anna.write("a/b.txt", "text")
    anna.sync()
    (outcome,) = bert.sync()
    assert outcome.complete
    assert bert.read("a/b.txt") == "text"
    (outcome,) = bert.sync()
    assert (outcome.report.written, outcome.report.applied) == (0, 0)


def test_missing_store_stops_nothing(both: tuple[Profile, Profile], nas: Path) -> None:
    """The change waits in the home store and is sent when the store is back."""
    anna, bert = both
    away = nas.rename(nas.with_name("away"))
    anna.write("a.txt", "a")
    (outcome,) = anna.sync()
    assert [(each.name, type(each.why)) for each in outcome.unreached] == [
        ("nas", UnavailableError)
    ]
    assert not outcome.complete
    away.rename(nas)
    (outcome,) = anna.sync()
    assert outcome.complete
    bert.sync()
    assert bert.read("a.txt") == "a"


def test_nothing_is_written_into_a_directory_in_a_stores_place(
    both: tuple[Profile, Profile], nas: Path
) -> None:
    """An empty mount point is not the store, and stays empty."""
    anna, _ = both
    nas.rename(nas.with_name("away"))
    nas.mkdir()
    anna.write("a.txt", "a")
    (outcome,) = anna.sync()
    assert isinstance(outcome.unreached[0].why, ReplacedError)
    assert list(nas.iterdir()) == []


def test_refilled_store_is_not_believed(both: tuple[Profile, Profile], nas: Path) -> None:
    """Another generation means that the store may lack what this device takes for safe there."""
    anna, _ = both
    anna.sync()
    (current,) = nas.glob("stores/*/is_current")
    current.write_text("0" * 16)
    (outcome,) = anna.sync()
    assert isinstance(outcome.unreached[0].why, ReplacedError)


def test_folder_that_is_away_stops_no_other(both: tuple[Profile, Profile], tmp_path: Path) -> None:
    """A folder without its root is left alone, the others are synced."""
    anna, bert = both
    anna.write("a.txt", "a")
    other = tmp_path / "other"
    with anna.engine() as engine:
        create_folder(engine, str(other), "other", [])
    anna.sync()
    anna.folder.rename(anna.base / "elsewhere")
    (other / "b.txt").write_text("b")
    docs, rest = anna.sync()
    assert isinstance(docs.error, FolderAwayError)
    assert rest.complete
    assert rest.report.written == 1
    bert.sync()
    assert bert.read("a.txt") == "a"


@pytest.mark.parametrize("replace_by", ["empty directory", "copy"])
def test_folder_that_is_another_is_away(both: tuple[Profile, Profile], replace_by: str) -> None:
    """Neither an empty mount point nor a copy in its place is read as changes."""
    anna, bert = both
    anna.write("a.txt", "a")
    anna.sync()
    old = anna.folder.rename(anna.base / "old")
    anna.folder.mkdir()
    if replace_by == "copy":
        (anna.folder / ".firnline").mkdir()
        (anna.folder / ".firnline" / "id").write_bytes((old / ".firnline" / "id").read_bytes())
    (outcome,) = anna.sync()
    assert isinstance(outcome.error, FolderAwayError)
    bert.sync()
    assert bert.read("a.txt") == "a"


def _damage(profile: Profile, folder: str) -> Path:
    """Make a folder's database none."""
    with profile.engine() as engine:
        path = state_file(engine, engine.folder(folder).folder_id)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(b"no database" * 1000)
    return path


def test_damaged_state_is_made_anew(both: tuple[Profile, Profile], tmp_path: Path) -> None:
    """Local database corrupt: it is kept aside and made anew by the rules for joining, which write
    and delete nothing; that is told once, and the next folder is synced as ever."""
    anna, bert = both
    anna.write("a.txt", "text")
    bert.write("b.txt", "text")
    for profile in (anna, bert, anna):
        profile.sync()
    with anna.engine() as engine:
        create_folder(engine, str(tmp_path / "other"), "other", [])
    path = _damage(anna, "docs")
    docs, other = anna.sync()
    assert docs.error is None
    assert [problem.kind for problem in docs.problems] == ["state damaged"]
    assert (docs.report.written, docs.report.applied) == (0, 0)
    assert other.complete
    assert path.with_name(f"{path.name}.damaged-1").read_bytes().startswith(b"no database")
    assert all(outcome.complete for outcome in [*anna.sync(), *bert.sync()])
    assert anna.read("b.txt") == bert.read("a.txt") == "text"


def test_damage_that_shows_during_a_pass(both: tuple[Profile, Profile]) -> None:
    """A page that turns out to be broken in the middle stops the folder with a plain message; the
    next pass finds the tables made anew."""
    anna, _ = both
    anna.write("a.txt", "text")
    anna.sync()
    with patch("firnline.engine.sync_command.run_pass", side_effect=_malformed()):
        (docs,) = anna.sync()
    assert isinstance(docs.error, DatabaseError)
    assert docs.error.fault is DatabaseFault.DAMAGED
    anna.sync()
    assert anna.sync()[0].complete
    assert anna.read("a.txt") == "text"


def _malformed() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def test_reading_command_leaves_a_damaged_state(both: tuple[Profile, Profile]) -> None:
    """A command that does not hold the profile says so, and changes nothing."""
    anna, _ = both
    path = _damage(anna, "docs")
    with anna.engine(lock=False) as engine:
        (found,) = status(engine).folders
    assert found.state is FolderActivity.ERROR
    assert "anew" in found.message
    assert path.read_bytes().startswith(b"no database")


def test_only_named_folders_are_synced(both: tuple[Profile, Profile], tmp_path: Path) -> None:
    """A name that is none stops all before anything is done."""
    anna, _ = both
    with anna.engine() as engine:
        create_folder(engine, str(tmp_path / "other"), "other", [])
    assert [outcome.name for outcome in anna.sync("other")] == ["other"]
    with pytest.raises(NoSuchFolderError):
        anna.sync("other", "nope")


def test_stopped_pass_can_be_carried_on(both: tuple[Profile, Profile]) -> None:
    """What is asked to stop says so and loses nothing."""
    anna, bert = both
    anna.write("a.txt", "a")
    with anna.engine(cancelled=lambda: True) as engine:
        (outcome,) = sync_folders(engine, [])
    assert isinstance(outcome.error, CancelledError)
    anna.sync()
    bert.sync()
    assert bert.read("a.txt") == "a"


def test_deadline_passes_by_the_clock_and_on_request() -> None:
    """It is over when its seconds are, or when somebody asks."""
    clock = StillClock()
    deadline = Deadline(clock, 10)
    assert not deadline()
    clock.sleep(10)
    assert deadline()
    endless = Deadline(clock, None)
    clock.sleep(1_000_000)
    assert not endless()
    endless.asked = True
    assert endless()


def test_devices_learn_one_anothers_names(both: tuple[Profile, Profile]) -> None:
    """After a change arrived, its device has a name here."""
    anna, bert = both
    anna.write("a.txt", "a")
    anna.sync()
    bert.sync()
    with anna.engine(lock=False) as engine:
        device = engine.peer.device
    assert device in (bert.places.state / "devices.json").read_text()


def test_two_stores_both_get_everything(
    both: tuple[Profile, Profile], nas: Path, tmp_path: Path
) -> None:
    """A device with two stores brings to each what the other has."""
    anna, bert = both
    usb = tmp_path / "usb"
    anna.add_store("usb", usb)
    with anna.engine() as engine:
        folder = engine.folder("docs")
    text = anna.places.config_file.read_text()
    anna.places.config_file.write_text(text.replace('stores = ["nas"]', 'stores = ["nas", "usb"]'))
    bert.write("b.txt", "b")
    bert.sync()
    anna.sync()
    for store in (nas, usb):
        assert len(list(store.glob(f"docs-{folder.folder_id[:8]}/events/*/*"))) == 1
    assert len(list((nas / "stores").iterdir())) == 2
    assert len(list((usb / "stores").iterdir())) == 2
