"""Disks and servers that are mounted and answer no more.

The commands are real processes on a real file system whose program is stopped: a call into it waits
for ever. Only the deadlines are shorter than in life. That a process ends at all is half of what is
shown here.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.profile import Profile
from tests.scenario.commands.device import APP
from tests.scenario.commands.running import STOPS_WITHIN, until
from tests.scenario.hanging_disk import HangingDisk, hanging_disk

from firnline.core.replication import LARGE
from firnline.engine.folder_commands import create_folder, join_folder
from firnline.engine.store_commands import StoreWish

COMMAND = """\
import os, signal, sys
from firnline.cli.main import main
from firnline.engine import mounts
from firnline.stores import deadline, transfer

mounts.PATIENCE, deadline.PATIENCE = 0.5, float(os.environ.get("DEADLINE", "3"))
step, program = sys.argv.pop(1), int(sys.argv.pop(1))
real = getattr(transfer.DirectoryUpload, step, None)


def stop_first(*arguments):
    os.kill(program, signal.SIGSTOP)
    return real(*arguments)


if real is not None:
    setattr(transfer.DirectoryUpload, step, stop_first)
sys.exit(main())
"""
"""The disk's program is stopped just before this device's uploads do the named step."""


MINUTES = 600.0
STILL = 300
"""Looks: a file on exFAT is looked at again after two seconds, since its times are so coarse."""


def run(profile: Profile, disk: HangingDisk, *arguments: str, step: str = "-") -> tuple[int, str]:
    """A command's exit code and all that it says."""
    command = [sys.executable, "-c", COMMAND, step, str(disk.program), *arguments]
    environment = {"PYTHONPATH": str(APP), "FIRNLINE_PROFILE": str(profile.base / "profile")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=25)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[HangingDisk]:
    with hanging_disk(tmp_path) as found:
        yield found


@pytest.fixture
def anna(tmp_path: Path, disk: HangingDisk) -> Profile:
    """A folder with two stores, one of them on the disk."""
    profile = Profile(tmp_path / "anna")
    profile.add_store("stick", disk.place / "store")
    profile.add_store("nas", tmp_path / "nas")
    with profile.engine() as engine:
        create_folder(engine, str(profile.folder), "docs", [])
    profile.write("a.txt", "a")
    assert profile.sync()[0].complete
    return profile


def status(profile: Profile, disk: HangingDisk) -> Any:
    code, said = run(profile, disk, "status", "--json")
    (folder,) = json.loads(said)["folders"]
    return code, folder


def test_store_on_a_dead_mount(anna: Profile, disk: HangingDisk, tmp_path: Path) -> None:
    """It is not in reach, and the rest is done without it; later it gets all that it lacks."""
    disk.stop()
    anna.write("b.txt", "b")
    code, said = run(anna, disk, "sync")
    assert code == 1
    assert "stick does not answer" in said
    assert "mount it anew" in said
    _, folder = status(anna, disk)
    states = {store["name"]: store["state"] for store in folder["stores"]}
    assert states == {"stick": "offline", "nas": "connected", "home": "connected"}
    assert folder["pending"]["upload"] == 1
    assert run(anna, disk, "folder", "create", str(tmp_path / "other"))[0] == 0
    place = str(disk.place / "new")
    for command in (("store", "add", "again", place), ("folder", "create", place)):
        code, said = run(anna, disk, *command)
        assert code == 1, said
        assert "does not answer" in said
    disk.go_on()
    assert run(anna, disk, "sync")[0] == 0
    assert _events(tmp_path / "nas") == _events(disk.place / "store")


@pytest.mark.parametrize("step", ["write", "place"])
def test_mount_dies_in_the_middle_of_a_pass(
    anna: Profile, disk: HangingDisk, tmp_path: Path, step: str
) -> None:
    """The pass goes on without the store, ends, and so does the process. What it was given, or was
    not, is sorted out by the next one."""
    anna.write("b.txt", "b")
    code, said = run(anna, disk, "sync", step=step)
    assert code == 1
    assert "stick does not answer" in said
    assert len(_events(tmp_path / "nas")) == 2
    disk.go_on()
    assert run(anna, disk, "sync")[0] == 0
    assert _events(tmp_path / "nas") == _events(disk.place / "store")
    code, said = run(anna, disk, "verify")
    assert code == 0, said


def test_folder_on_a_dead_mount(tmp_path: Path, disk: HangingDisk) -> None:
    """It is away: nothing is deleted, others are synced, and it goes on when the disk does."""
    anna, bert = Profile(tmp_path / "anna"), Profile(tmp_path / "bert")
    bert.folder = disk.place / "Documents"
    for profile in (anna, bert):
        profile.add_store("nas", tmp_path / "nas")
    anna.write("a.txt", "a")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
        create_folder(engine, str(tmp_path / "other"), "other", [])
    assert all(outcome.complete for outcome in bert.sync())
    (tmp_path / "other" / "new.txt").write_text("new")
    disk.stop()
    code, said = run(bert, disk, "sync")
    assert code == 1
    assert "disk or server does not answer" in said
    _, folder = _folders(bert, disk)
    assert folder["pending"]["upload"] == 0
    assert folder["files"] == 1
    away, _ = _folders(bert, disk)
    assert (away["state"], away["stores"]) == ("error", [])
    assert "does not answer" in away["problems"][0]["message"]
    disk.go_on()
    anna.write("b.txt", "b")
    anna.sync()
    assert run(bert, disk, "sync")[0] == 0
    assert {path.name for path in bert.folder.glob("*.txt")} == {"a.txt", "b.txt"}


def test_folder_on_a_mount_that_dies_while_it_is_kept(tmp_path: Path, disk: HangingDisk) -> None:
    """It is away and told; commands are carried out all the same, the end comes in time, and the
    folder is taken up again when the disk goes on."""
    anna, bert = Profile(tmp_path / "anna"), Profile(tmp_path / "bert")
    bert.folder = disk.place / "Documents"
    for profile in (anna, bert):
        profile.add_store("nas", tmp_path / "nas")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.sync()
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    with kept(bert, disk) as process:
        said = bert.base / "run.err"
        anna.write("a.txt", "a")
        anna.sync()
        until((bert.folder / "a.txt").exists)
        # A call that is under way when the disk stops waits for it, whatever the program does.
        until(rests(process))
        disk.stop()
        anna.write("b.txt", "b")
        anna.sync()
        until(lambda: "does not answer" in said.read_text())
        code, answer = run(bert, disk, "config", "set", "device.name", "other")
        assert (code, answer) == (0, "device.name = other\n")
        disk.go_on()
        assert run(bert, disk, "sync")[0] == 0
        assert (bert.folder / "b.txt").exists()


def test_store_that_takes_minutes_for_a_call(
    anna: Profile, disk: HangingDisk, tmp_path: Path
) -> None:
    """Saves reach the other store at once meanwhile; when it answers, it gets all that it lacks."""
    nas = tmp_path / "nas"
    with kept(anna, disk, MINUTES) as process:
        until(rests(process))
        disk.stop()
        save(anna, nas, "large", LARGE)
        for number in range(3):
            save(anna, nas, str(number))
        disk.go_on()
        until(lambda: _events(nas) == _events(disk.place / "store"))
    code, said = run(anna, disk, "verify")
    assert code == 0, said


def test_best_store_takes_minutes_for_a_call(tmp_path: Path, disk: HangingDisk) -> None:
    """The one that a pass writes to and reads from first: what is saved here reaches the other
    store at once, what is saved elsewhere arrives from there, and a listing waits for nobody."""
    anna, bert = Profile(tmp_path / "anna"), Profile(tmp_path / "bert")
    nas = tmp_path / "nas"
    anna.add_store("stick", disk.place / "store", StoreWish(rating=90))
    for profile in (anna, bert):
        profile.add_store("nas", nas)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.write("a.txt", "a")
    anna.sync()
    with bert.engine() as engine:
        join_folder(engine, "docs", str(bert.folder), None, [])
    bert.sync()
    with kept(anna, disk, MINUTES) as process:
        until(rests(process))
        disk.stop()
        save(anna, nas, "large", LARGE)
        for number in range(3):
            save(anna, nas, str(number))
        own = _events(nas)
        bert.write("from bert", "b")
        bert.sync()
        others = _events(nas) - own
        until((anna.folder / "from bert").exists)
        # A look at everything.
        anna.write(".firnlineignore", "nothing")
        save(anna, nas, "at last")
        disk.go_on()
        # What others wrote is left to them for a while.
        until(lambda: _events(nas) - others == _events(disk.place / "store") - others)
    assert run(anna, disk, "sync")[0] == 0
    code, said = run(anna, disk, "verify")
    assert code == 0, said


def test_only_store_takes_minutes_for_a_call(tmp_path: Path, disk: HangingDisk) -> None:
    """What is saved meanwhile is recorded at once, and waits on this device."""
    anna = Profile(tmp_path / "anna")
    anna.add_store("stick", disk.place / "store")
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", [])
    anna.write("a.txt", "a")
    anna.sync()
    home = anna.places.home_store
    with kept(anna, disk, MINUTES) as process:
        until(rests(process))
        disk.stop()
        for number in range(3):
            save(anna, home, str(number))
        disk.go_on()
        until(lambda: len(_events(disk.place / "store")) == 4 and not _events(home))
    code, said = run(anna, disk, "verify")
    assert code == 0, said


def test_command_while_a_store_takes_minutes(
    anna: Profile, disk: HangingDisk, tmp_path: Path
) -> None:
    """It is carried out, saves go on after it, and the end comes in time. Nothing is lost."""
    nas = tmp_path / "nas"
    with kept(anna, disk, MINUTES) as process:
        until(rests(process))
        disk.stop()
        save(anna, nas, "before")
        code, answer = run(anna, disk, "config", "set", "device.name", "other")
        assert (code, answer) == (0, "device.name = other\n")
        save(anna, nas, "after")
    code, said = run(anna, disk, "sync")
    assert code == 0, said
    assert _events(nas) == _events(disk.place / "store")


def save(profile: Profile, store: Path, name: str, size: int = 1) -> None:
    """Returns when it is in the store."""
    before = len(_events(store))
    profile.write(name, name[0] * size)
    until(lambda: len(_events(store)) == before + 1)


@contextmanager
def kept(profile: Profile, disk: HangingDisk, deadline: float = 3.0) -> Iterator[int]:
    """`firnline run`, which ends in peace at the end; gives its process id. `deadline`: seconds
    for a call into a store."""
    command = [sys.executable, "-c", COMMAND, "-", str(disk.program), "run"]
    environment = {"PYTHONPATH": str(APP), "FIRNLINE_PROFILE": str(profile.base / "profile")}
    environment["DEADLINE"] = str(deadline)
    spoken = profile.base / "run.err"
    with spoken.open("wb") as errors:
        process = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)
    try:
        until(lambda: "Keeping" in spoken.read_text())
        yield process.pid
        process.terminate()
        assert process.wait(STOPS_WITHIN) == 0, spoken.read_text()
    finally:
        disk.go_on()
        process.kill()
        process.wait()


def rests(process: int) -> Callable[[], bool]:
    """Whether none of its threads woke up at many looks in a row."""
    seen: list[str] = []

    def look() -> bool:
        tasks = Path(f"/proc/{process}/task").glob("*/status")
        lines = [line for task in tasks for line in task.read_text().splitlines()]
        seen.append("".join(line for line in lines if "ctxt_switches" in line))
        return len(seen) > STILL and len(set(seen[-STILL:])) == 1

    return look


def _folders(profile: Profile, disk: HangingDisk) -> Any:
    _, said = run(profile, disk, "status", "--json")
    return json.loads(said)["folders"]


def _events(store: Path) -> set[str]:
    return {path.name for path in store.glob("docs-*/events/*/*")}
