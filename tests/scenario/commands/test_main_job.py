"""The main job from the command line: two devices, a store, history, a conflict."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.scenario.commands.device import Device


def test_folder_is_kept_equal_on_two_devices(anna: Device, bert: Device) -> None:
    """Files, directories, modes and deletions go both ways."""
    anna.write("a.txt", "first")
    anna.write("dir/script.sh", "#!/bin/sh\n")
    (anna.folder / "dir" / "script.sh").chmod(0o755)
    (anna.folder / "empty").mkdir()
    anna.run("sync")
    bert.run("sync")
    assert bert.read("a.txt") == "first"
    assert (bert.folder / "dir" / "script.sh").stat().st_mode & 0o100
    assert (bert.folder / "empty").is_dir()
    bert.write("a.txt", "second")
    (bert.folder / "dir" / "script.sh").unlink()
    bert.run("sync")
    anna.run("sync")
    assert anna.read("a.txt") == "second"
    assert not (anna.folder / "dir" / "script.sh").exists()
    assert anna.text("sync") == "docs: up to date\n"


def test_history_is_read_back(anna: Device, bert: Device) -> None:
    """Every version can be read, by time, by event and by span, on any device."""
    anna.write("a.txt", "first")
    anna.run("sync")
    bert.run("sync")
    bert.write("a.txt", "second")
    bert.run("sync")
    newest, oldest = bert.records("log", "docs:a.txt")
    assert bert.run("cat", "docs:a.txt").stdout == b"second"
    assert bert.run("cat", "docs:a.txt", "--at", oldest["event"]).stdout == b"first"
    assert bert.run("cat", "docs:a.txt", "--at", oldest["time"]).stdout == b"first"
    assert bert.run("cat", "docs:a.txt", "--at", "now").stdout == b"second"
    assert "does not exist" in bert.complaint("cat", "docs:a.txt", "--at", "-1h", code=1)
    assert (newest["device"], oldest["device"]) == ("bert", "anna")
    diff = bert.text("diff", "docs:a.txt")
    assert "-first" in diff
    assert "+second" in diff


def test_times_without_a_zone_are_local(anna: Device) -> None:
    """The same moment in UTC, with an offset, and in this computer's own zone."""
    anna.write("a.txt", "first")
    anna.run("sync")
    (line,) = anna.records("log")
    utc = datetime.fromisoformat(line["time"])
    local = (utc + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat()
    for there in (line["time"], f"{local}+05:30", local):
        assert anna.run("cat", "docs:a.txt", "--at", there).stdout == b"first"
    before = (utc - timedelta(microseconds=1)).replace(tzinfo=None).isoformat()
    anna.run("cat", "docs:a.txt", "--at", f"{before}Z", code=1)
    # In UTC this is hours from now, and the log has nothing to say against it.
    assert anna.run("ls", "docs:", "--at", f"{local}Z", "--json").stdout
    assert anna.run("ls", "docs:", "--at", before).stdout == b""


def test_conflict_is_shown_and_decided(anna: Device, bert: Device) -> None:
    """Both versions are there until somebody decides, and then on both devices."""
    anna.write("a.txt", "start")
    anna.run("sync")
    bert.run("sync")
    anna.write("a.txt", "from anna")
    bert.write("a.txt", "from bert!")
    anna.run("sync")
    bert.run("sync")
    anna.run("sync")
    (conflict,) = anna.document("conflicts")
    assert set(conflict) == {"folder", "path", "kept", "copy", "lost", "devices", "time"}
    assert sorted(conflict["devices"]) == ["anna", "bert"]
    assert {anna.read(conflict["path"]), anna.read(conflict["copy"])} == {"from anna", "from bert!"}
    assert conflict["kept"] in anna.text("conflicts", "docs")
    assert anna.document("status")["folders"][0]["conflicts"] == 1
    anna.complaint("conflicts", "resolve", "docs:a.txt", code=2)
    anna.complaint("conflicts", "resolve", "docs:a.txt", "--keep", "nonsense", code=1)
    anna.run("conflicts", "resolve", "docs:a.txt", "--keep", conflict["lost"])
    bert.run("sync")
    assert anna.read("a.txt") == bert.read("a.txt") == "from anna"
    assert anna.document("conflicts") == bert.document("conflicts") == []
    assert [path.name for path in bert.folder.iterdir() if path.is_file()] == ["a.txt"]


def test_missing_store_is_named_and_the_rest_is_done(
    anna: Device, nas: Path, tmp_path: Path
) -> None:
    """Exit code 1, one line with the store and what to do, the other store has everything."""
    anna.run("store", "add", "usb", str(tmp_path / "usb"))
    anna.run("folder", "stores", "docs", "--add", "usb")
    nas.rename(tmp_path / "away")
    anna.write("a.txt", "a")
    done = anna.run("sync", code=1)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("store nas cannot be reached")
    assert len(list((tmp_path / "usb").glob("docs-*/events/*/*"))) == 1
    (tmp_path / "away").rename(nas)
    anna.run("sync")
    assert len(list(nas.glob("docs-*/events/*/*"))) == 1
