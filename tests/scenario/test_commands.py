"""The command line as a user or a script meets it: real processes on real profiles.

No Qt can be imported in these processes: a `sitecustomize` in their path refuses it.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import firnline

APP = Path(firnline.__file__).parent.parent
NO_QT = """\
import sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6", "qasync"):
            raise ImportError(f"{name} is refused")
        return None


sys.meta_path.insert(0, Refuse())
"""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EVENT = re.compile(r"\d{20}_[0-9a-v]{32}_[a-z]{3}_[0-9a-v]{26}(_[0-9a-v]{26})?\.[0-9a-v-]+[-xl]")


class Device:
    """A profile, a folder, and the command line."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "docs"
        self.folder.mkdir(parents=True)
        (base / "site").mkdir()
        (base / "site" / "sitecustomize.py").write_text(NO_QT)
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("COV")
        } | {
            "PYTHONPATH": f"{base / 'site'}{os.pathsep}{APP}",
            "FIRNLINE_PROFILE": str(base / "profile"),
            "TZ": "IST-5:30",
        }

    def run(
        self, *arguments: str, code: int = 0, **environment: str
    ) -> "subprocess.CompletedProcess[bytes]":
        """One command; its exit code has to be `code`."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment | environment,
            cwd=self.base,
            capture_output=True,
            timeout=25,
        )
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firnline", *arguments]

    def text(self, *arguments: str, code: int = 0) -> str:
        return self.run(*arguments, code=code).stdout.decode()

    def complaint(self, *arguments: str, code: int) -> str:
        """What a command that fails says; its standard output has to be empty."""
        done = self.run(*arguments, code=code)
        assert done.stdout == b"", done.stdout
        return done.stderr.decode()

    def document(self, *arguments: str) -> Any:
        return json.loads(self.text(*arguments, "--json"))

    def records(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in self.text(*arguments, "--json").splitlines()]

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: str) -> str:
        return (self.folder / path).read_text()


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    return tmp_path / "nas"


@pytest.fixture
def anna(tmp_path: Path, nas: Path) -> Device:
    """A device with the folder `docs` in the store `nas`, not synced yet."""
    device = Device(tmp_path / "anna")
    device.run("config", "set", "device.name", "anna")
    device.run("store", "add", "nas", str(nas))
    device.run("folder", "create", "docs")
    return device


@pytest.fixture
def bert(tmp_path: Path, nas: Path, anna: Device) -> Device:
    """A second device that joined it."""
    device = Device(tmp_path / "bert")
    device.run("config", "set", "device.name", "bert")
    device.run("store", "add", "shared", str(nas))
    device.run("folder", "join", "docs", "docs")
    return device


# --- the main job -------------------------------------------------------------------------------


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


# --- what programs read -------------------------------------------------------------------------


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


# --- exit codes ---------------------------------------------------------------------------------


def test_wrong_usage_is_2(anna: Device) -> None:
    """What names nothing that there is, or cannot be understood."""
    for command in (
        ["nope"],
        ["sync", "nope"],
        ["ls", "nope:"],
        ["ls", "docs:../x"],
        ["cat", "docs:"],
        ["log", "--since", "yesterday"],
        ["store", "test", "nope"],
        ["store", "edit", "nas"],
        ["store", "add", "x", "ftp://host/x"],
        ["folder", "pause", "nope"],
        ["folder", "create", "x", "--store", "nope"],
        ["config", "get", "nope"],
        ["config", "set", "log.count", "many"],
        ["conflicts", "docs", "other"],
        ["--profile", "", "sync"],
    ):
        assert anna.complaint(*command, code=2), command


def test_failure_is_1_with_one_line_for_its_cause(anna: Device, nas: Path) -> None:
    """Each says what happened and what to do."""
    for command in (
        ["cat", "docs:nope"],
        ["folder", "create", "docs/inside"],
        ["folder", "create", str(nas / "inside")],
        ["store", "add", "again", str(nas)],
        ["store", "add", "inside", "docs/store"],
        ["conflicts", "resolve", "docs:a.txt", "--keep-both"],
    ):
        assert len(anna.complaint(*command, code=1).splitlines()) == 1, command


def test_broken_settings_are_told_with_key_and_line(anna: Device) -> None:
    """An unknown key stops everything, before anything is done."""
    file = anna.base / "profile" / "config.toml"
    file.write_text(file.read_text() + "\n[devise]\nname = 'x'\n")
    line = file.read_text().splitlines().index("[devise]") + 1
    complaint = anna.complaint("sync", code=1)
    assert "devise" in complaint
    assert f"line {line}" in complaint


def test_busy_profile_is_4_and_can_be_read(anna: Device) -> None:
    """While another process holds it nothing is changed, and everything can be read."""
    from firnline.config.profile_lock import ProfileLock

    anna.write("a.txt", "a")
    anna.run("sync")
    with ProfileLock(anna.base / "profile" / "lock"):
        for command in (["sync"], ["folder", "pause", "docs"], ["config", "set", "log.count", "1"]):
            assert "holds this profile" in anna.complaint(*command, code=4)
        anna.run("status")
        anna.run("log")
        anna.run("cat", "docs:a.txt")


def test_timeout_ends_a_pass_that_can_be_carried_on(anna: Device) -> None:
    """Exit code 1, and the next pass does the rest."""
    anna.write("a.txt", "a")
    assert "carry on" in anna.run("sync", "--timeout", "0", code=1).stderr.decode()
    anna.run("sync", "--timeout", "600")
    assert anna.run("cat", "docs:a.txt").stdout == b"a"


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_ctrl_c_ends_a_pass_softly(anna: Device, bert: Device) -> None:
    """A pass that is asked to stop says so, exits with 1, and loses nothing."""
    for number in range(300):
        anna.write(f"{number}.txt", f"{number}")
    process = subprocess.Popen(
        anna.command("sync"), env=anna.environment, stderr=subprocess.PIPE, cwd=anna.base
    )
    state = anna.base / "profile" / "state"
    while process.poll() is None and not list(state.glob("*.db-wal")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=20)
    assert b"Traceback" not in complaint
    assert process.returncode in (0, 1)
    anna.run("sync")
    bert.run("sync")
    assert len(list(bert.folder.glob("*.txt"))) == 300


@pytest.mark.skipif(os.name == "nt", reason="there is no bash")
def test_reader_that_goes_away_is_no_error(anna: Device) -> None:
    """`firnline log | head -1` is quiet."""
    for number in range(2000):
        anna.write(f"{number}.txt", "")
    anna.run("sync")
    done = subprocess.run(
        f"'{sys.executable}' -m firnline log --json | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        env=anna.environment,
        capture_output=True,
        timeout=25,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


# --- profiles, and what is imported -------------------------------------------------------------


def test_option_beats_environment(anna: Device, tmp_path: Path) -> None:
    """--profile names the profile, whatever the environment says."""
    other = tmp_path / "other"
    assert anna.text("--profile", str(other), "folder", "list") == ""
    assert other.is_dir()
    assert anna.document("folder", "list") != []


def test_first_command_makes_a_private_profile(anna: Device, tmp_path: Path) -> None:
    """Nobody else can look into it."""
    anna.run("--profile", str(tmp_path / "new"), "status")
    made = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_nothing_to_do_imports_little(anna: Device) -> None:
    """A pass without work starts quickly, since it leaves out what only other work needs."""
    anna.run("sync")
    code = (
        "import sys; from firnline.cli.main import main; assert main(['sync']) == 0;"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=anna.environment, capture_output=True, timeout=25
    )
    loaded = set(done.stdout.decode().splitlines()[-1].split())
    assert not loaded & {
        *("tomlkit", "tqdm", "platformdirs", "pathspec", "asyncio", "ctypes", "difflib"),
        *("ssl", "socket", "subprocess", "tempfile", "email", "PySide6"),
    }


def test_unusual_python_warnings_are_none(anna: Device) -> None:
    """Nothing leaks: no file is left open, nothing old is used."""
    anna.write("a.txt", "a")
    done = anna.run("sync", PYTHONWARNINGS="error", PYTHONDEVMODE="1")
    assert done.stderr == b""
    assert anna.run("cat", "docs:a.txt", PYTHONWARNINGS="error", PYTHONDEVMODE="1").stderr == b""


# --- managing -----------------------------------------------------------------------------------


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
