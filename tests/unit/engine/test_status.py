"""What `status` tells."""

from pathlib import Path
from typing import Any

import pytest
from tests.doubles.profile import Profile

from firnline.core.connection_state import ConnectionState
from firnline.engine.folder_commands import create_folder, join_folder, pause_folder
from firnline.engine.running import FolderNow, Now, Work
from firnline.engine.status import status
from firnline.engine.system import SystemClock
from firnline.stores.directory import DirectoryStore
from firnline.stores.layout import ConnectionLayout


def read(profile: Profile) -> dict[str, Any]:
    with profile.engine(lock=False) as engine:
        return status(engine).to_json()


@pytest.fixture
def docs(anna: Profile, nas: Path) -> Profile:
    anna.add_store("nas", nas)
    anna.write("a.txt", "12345")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    return anna


def test_synced_folder_is_idle(docs: Profile) -> None:
    """All fields of the contract, with the numbers of the last pass."""
    docs.sync()
    found = read(docs)
    (folder,) = found["folders"]
    assert set(found["device"]) == {"id", "name"}
    assert folder["state"] == "idle"
    assert (folder["files"], folder["bytes"], folder["conflicts"]) == (1, 5, 0)
    assert folder["pending"] == {"scan": 0, "upload": 0, "download": 0, "apply": 0}
    assert folder["problems"] == []
    nas, home = folder["stores"]
    assert nas == {
        "name": "nas",
        "kind": "directory",
        "state": "connected",
        "message": "",
        "lead": False,
        "connections": 1,
        "events": 1,
        "missing": 0,
        "base": None,
        "frozen_until": None,
        "rating": 50,
        "minor": False,
        "junk": 0,
    }
    assert (home["name"], home["missing"]) == ("home", 0)


def test_folder_that_was_never_synced(docs: Profile) -> None:
    """It has no files yet, and nothing is wrong."""
    (folder,) = read(docs)["folders"]
    assert (folder["state"], folder["files"]) == ("idle", 0)


def test_missing_store_is_offline_and_owed(docs: Profile, nas: Path) -> None:
    """What waits for it is counted; the message says what to do."""
    docs.sync()
    nas.rename(nas.with_name("away"))
    docs.write("b.txt", "b")
    docs.sync()
    (folder,) = read(docs)["folders"]
    store = folder["stores"][0]
    assert (store["state"], store["events"], store["missing"]) == ("offline", 1, 1)
    assert "nas" in store["message"]
    assert (folder["state"], folder["pending"]["upload"]) == ("waiting", 1)


def test_replaced_store_is_an_error(docs: Profile, nas: Path) -> None:
    """An empty directory in its place is no store that will come back by itself."""
    docs.sync()
    nas.rename(nas.with_name("away"))
    nas.mkdir()
    (folder,) = read(docs)["folders"]
    assert folder["stores"][0]["state"] == "error"


def test_paused_away_and_damaged_folders(docs: Profile, tmp_path: Path) -> None:
    """Each has its own state, and a damaged one hides no other."""
    with docs.engine() as engine:
        away = create_folder(engine, str(tmp_path / "away"), "away", []).settings
        damaged = create_folder(engine, str(tmp_path / "damaged"), "damaged", []).settings
        pause_folder(engine, "docs", paused=True)
    away.path.rename(tmp_path / "elsewhere")
    for suffix in ("-wal", "-shm"):
        (docs.places.state / f"{damaged.folder_id}.db{suffix}").unlink(missing_ok=True)
    (docs.places.state / f"{damaged.folder_id}.db").write_bytes(b"none" * 1000)
    folders = read(docs)["folders"]
    assert [folder["state"] for folder in folders] == ["paused", "error", "error"]
    assert all(folder["problems"] for folder in folders[1:])


def test_problems_of_the_last_pass_are_remembered(docs: Profile) -> None:
    """What could not be synced is still told by a later process."""
    (docs.folder / "bad\udcff").write_text("x")
    docs.sync()
    (folder,) = read(docs)["folders"]
    assert folder["state"] == "error"
    (problem,) = folder["problems"]
    assert set(problem) == {"path", "kind", "message"}


def test_folder_without_stores_is_kept_at_home(anna: Profile) -> None:
    """The home store holds everything."""
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    (folder,) = read(anna)["folders"]
    (home,) = folder["stores"]
    assert (folder["state"], home["events"], home["missing"]) == ("idle", 1, 0)


def test_connections_and_lead_are_as_the_store_shows_them(docs: Profile, nas: Path) -> None:
    """A device that runs beats in the store; this one leads when its own beat does."""
    docs.sync()
    with docs.engine(lock=False) as engine:
        own = engine.peer.connection(engine.store_settings("nas").store_id)
    now = SystemClock().now()
    other = ConnectionLayout("v" * 16)
    store = DirectoryStore(nas, connection="v" * 16, clock=SystemClock())
    store.put_many([(other.idle(now), b"r" * 16), (other.priority, b"60")])
    (folder,) = read(docs)["folders"]
    assert (folder["stores"][0]["lead"], folder["stores"][0]["connections"]) == (False, 2)
    store.put_many([(ConnectionLayout(own).idle(now), b"r" * 16), (other.priority, b"40")])
    (folder,) = read(docs)["folders"]
    assert (folder["stores"][0]["lead"], folder["stores"][0]["connections"]) == (True, 2)


def test_a_store_of_another_device_is_offered(docs: Profile, bert: Profile, nas: Path) -> None:
    """What keeps the folder, too, is known from the records in the store that both use."""
    docs.sync()
    bert.add_store("nas", nas)
    bert.add_store("usb", nas.with_name("usb"))
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, ["nas", "usb"])
    bert.sync()
    (folder,) = read(docs)["folders"]
    (offer,) = folder["offered"]
    assert (offer["name"], offer["kind"]) == ("usb", "directory")
    assert offer["location"] == str(nas.with_name("usb"))
    (folder,) = read(bert)["folders"]
    assert folder["offered"] == []


# --- while somebody runs


def running(profile: Profile, monkeypatch: pytest.MonkeyPatch, **now: Any) -> dict[str, Any]:
    """What is told while the one that runs says this of the folder, and of its connection."""
    with profile.engine(lock=False) as engine:
        folder, store = engine.settings.folders[0], engine.settings.stores[0]
    said = Now(
        {
            folder.folder_id: FolderNow(
                now.get("work", Work.NOTHING), now.get("hints", 0), now.get("trouble", "")
            )
        },
        {store.store_id: now.get("link", ConnectionState.CONNECTED)},
    )
    monkeypatch.setattr("firnline.engine.status.ask_running", lambda directory: said)
    found = read(profile)
    assert found["running"]
    [told] = found["folders"]
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize("work", Work)
def test_what_the_one_that_runs_does(
    docs: Profile, monkeypatch: pytest.MonkeyPatch, work: Work
) -> None:
    """It scans, syncs or is idle, and knows how many paths changed."""
    docs.sync()
    assert not read(docs)["running"]
    hints = 0 if work is Work.NOTHING else 3
    found = running(docs, monkeypatch, work=work, hints=hints)
    assert found["state"] == (work.value or "idle")
    assert found["pending"]["scan"] == hints


def test_what_the_one_that_runs_fails_at(docs: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says that all is well while a folder as a whole cannot be looked after."""
    docs.sync()
    found = running(docs, monkeypatch, trouble="folder docs: no room.")
    assert found["state"] == "error"
    assert [each["message"] for each in found["problems"]] == ["folder docs: no room."]


def test_what_needs_the_user_is_not_hidden(docs: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is over in a moment."""
    docs.sync()
    (docs.folder / "bad\udcff").write_text("x")
    docs.sync()
    assert running(docs, monkeypatch, work=Work.SYNCING)["state"] == "error"
    with docs.engine() as engine:
        pause_folder(engine, "docs", paused=True)
    assert running(docs, monkeypatch, work=Work.SYNCING)["state"] == "paused"


@pytest.mark.parametrize("link", ConnectionState)
def test_a_store_that_the_one_that_runs_has_not_reached(
    docs: Profile, nas: Path, monkeypatch: pytest.MonkeyPatch, link: ConnectionState
) -> None:
    """It is being connected, though we can reach it; one that we cannot reach is offline."""
    docs.sync()
    store = running(docs, monkeypatch, link=link)["stores"][0]
    is_connected = link is ConnectionState.CONNECTED
    assert store["state"] == ("connected" if is_connected else "connecting")
    assert bool(store["message"]) is not is_connected
    nas.rename(nas.with_name("away"))
    assert running(docs, monkeypatch, link=link)["stores"][0]["state"] == "offline"
