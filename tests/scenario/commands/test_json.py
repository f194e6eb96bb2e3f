"""What programs read: the JSON of the contract, and names that nobody chose kindly."""

import os
import re

from tests.scenario.commands.device import Device

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EVENT = re.compile(r"\d{20}_[0-9a-v]{32}_[a-z]{3}_[0-9a-v]{26}(_[0-9a-v]{26})?\.[0-9a-v-]+[-xl]")


def test_log_json(anna: Device) -> None:
    """The fields of the contract, batch members one by one, newest first."""
    anna.write("a.txt", "abc")
    anna.write("b.txt", "b")
    anna.run("sync")
    (anna.folder / "a.txt").rename(anna.folder / "c.txt")
    anna.run("sync")
    moved, *members = anna.records("log")
    assert set(moved) >= {
        *("event", "time", "device", "device_id", "op", "path", "source", "size"),
        *("hash", "parent", "batch", "frozen", "stores"),
    }
    assert (moved["op"], moved["path"], moved["source"]) == ("mov", "c.txt", "a.txt")
    assert moved["batch"] is None
    assert moved["parent"] == members[0]["event"] == members[0]["batch"]
    assert {member["path"] for member in members} == {"a.txt", "b.txt"}
    assert all(EVENT.fullmatch(line["event"]) for line in (moved, *members))
    assert all(TIME.fullmatch(line["time"]) for line in (moved, *members))
    assert moved["device"] == "anna"
    assert moved["stores"]["nas"] == 2
    assert moved["frozen"] is False
    assert len(anna.records("log", "--limit", "1")) == 1
    assert len(anna.records("log", "--op", "put")) == 2
    assert anna.records("log", "docs:b.txt") == [
        line for line in members if line["path"] == "b.txt"
    ]
    assert anna.records("log", "--until", members[0]["event"]) == members
    assert anna.records("log", "--device", "anna", "--since", "-1h") == [moved, *members]
    anna.complaint("log", "--device", "nobody", code=1)


def test_ls_json(anna: Device) -> None:
    """Files with hash and event, directories that exist through their files, one level or all."""
    anna.write("dir/a.txt", "abc")
    os.utime(anna.folder / "dir" / "a.txt", ns=(0, 1_795_335_960_123_000_000))
    anna.run("sync")
    (directory,) = anna.records("ls", "docs:")
    assert (directory["path"], directory["kind"], directory["hash"]) == ("dir", "dir", None)
    (file,) = anna.records("ls", "docs:dir")
    assert set(file) == {"path", "kind", "size", "mtime", "hash", "event"}
    assert (file["path"], file["kind"], file["size"]) == ("dir/a.txt", "file", 3)
    assert file["mtime"] == "2026-11-22T08:26:00.123000Z"
    assert file["hash"] == "cgrr7b1o8p8j7vtm7dqieekdml4cam26"
    assert anna.records("ls", "docs:", "--recursive") == [directory, file]


def test_status_json(anna: Device) -> None:
    """The document of the contract."""
    anna.write("a.txt", "abc")
    anna.run("sync")
    found = anna.document("status")
    assert found["device"]["name"] == "anna"
    (folder,) = found["folders"]
    assert set(folder) >= {
        *("id", "name", "path", "state", "files", "bytes", "pending", "conflicts", "problems"),
        "stores",
    }
    assert (folder["state"], folder["files"], folder["bytes"]) == ("idle", 1, 3)
    assert set(folder["pending"]) == {"scan", "upload", "download", "apply"}
    store = next(store for store in folder["stores"] if store["name"] == "nas")
    assert set(store) >= {
        *("name", "kind", "state", "message", "lead", "connections", "events", "missing"),
        *("base", "frozen_until", "rating", "minor"),
    }
    assert (store["state"], store["events"], store["missing"]) == ("connected", 1, 0)


def test_lists_json(anna: Device, bert: Device) -> None:
    """Stores, folders, what is available, and settings."""
    (store,) = anna.document("store", "list")
    assert (store["name"], store["state"], store["folders"]) == ("nas", "connected", ["docs"])
    (folder,) = bert.document("folder", "list")
    assert (folder["name"], folder["stores"]) == ("docs", ["shared"])
    (available,) = bert.document("folder", "available")
    assert (available["id"], available["here"]) == (folder["id"], "docs")
    assert anna.document("config", "get", "device.name") == {"device.name": "anna"}
    assert anna.document("config", "list")["home.keep"] == "auto"
    assert anna.document("diff", "docs") == {"path": "", "changes": []}


def test_hostile_names_are_harmless_for_people_and_whole_for_programs(anna: Device) -> None:
    """A name with escapes, line ends and overrides cannot forge output."""
    name = "a\x1b[31m\nb\u202egpj.exe"
    anna.write(name, "x")
    anna.run("sync")
    for command in (["log"], ["ls", "docs:"], ["diff", "docs"]):
        shown = anna.text(*command)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "a\\x1b[31m\\nb\\u202egpj.exe" in shown
        assert len(shown.splitlines()) == 1
    assert anna.records("ls", "docs:")[0]["path"] == name


def test_output_survives_a_terminal_that_knows_ascii_only(anna: Device) -> None:
    """Names are written as escapes there."""
    anna.write("Übung.txt", "x")
    anna.run("sync")
    done = anna.run("ls", "docs:", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert b"\\xdcbung.txt" in done.stdout
