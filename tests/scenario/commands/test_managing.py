"""Folders and stores from their beginning to their end, and the demo."""

import hashlib
from pathlib import Path

from tests.scenario.commands.device import Device


def test_folder_is_paused_resumed_and_removed(anna: Device) -> None:
    """Each is one command, and the files stay."""
    anna.write("a.txt", "a")
    anna.run("folder", "pause", "docs")
    assert "paused" in anna.run("sync").stderr.decode()
    assert anna.document("status")["folders"][0]["state"] == "paused"
    anna.run("folder", "resume", "docs")
    anna.run("sync")
    anna.run("folder", "remove", "docs")
    assert anna.document("folder", "list") == []
    assert anna.read("a.txt") == "a"
    assert not (anna.folder / ".firnline").exists()


def test_store_is_tested_edited_moved_and_removed(anna: Device, nas: Path, tmp_path: Path) -> None:
    """A store goes by what it is, not by where it is."""
    assert "yes  write and read" in anna.text("store", "test", "nas")
    anna.run("store", "edit", "nas", "--rating", "80", "--minor")
    nas.rename(tmp_path / "moved")
    assert "nas cannot be reached" in anna.complaint("store", "test", "nas", code=1)
    anna.run("store", "edit", "nas", "--location", str(tmp_path / "moved"), "--no-minor")
    (store,) = anna.document("store", "list")
    assert (store["rating"], store["minor"], store["state"]) == (80, False, "connected")
    anna.run("folder", "stores", "docs", "--drop", "nas", "--force")
    anna.run("store", "remove", "nas")
    assert anna.document("store", "list") == []
    assert "only" in anna.text("folder", "stores", "docs")


def test_demo_plays(tmp_path: Path) -> None:
    """It says each step in one line and leaves nothing but what it is told to keep."""
    device = Device(tmp_path / "demo")
    text = device.text("demo", "--keep", str(tmp_path / "kept"))
    assert "conflict" in text
    assert device.text("--profile", str(tmp_path / "kept" / "laptop" / "profile"), "log")
    trees = [
        {
            path.relative_to(base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in base.rglob("*")
            if path.is_file() and ".firnline" not in path.parts
        }
        for base in (tmp_path / "kept").glob("*/Documents")
    ]
    assert len(trees) == 2
    assert trees[0] == trees[1] != {}
    device.complaint("demo", "--keep", str(tmp_path / "kept"), code=1)
