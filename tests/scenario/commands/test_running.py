"""`firnline run`: real processes that keep a folder equal while people work and things go wrong."""

import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from tests.scenario.commands.device import Device
from tests.scenario.commands.running import Running, holds, is_gone, running, until

from firnline.config.profile_lock import ProfileLock
from firnline.core.clock import format_time, parse_time
from firnline.core.event import parse_name


def test_saved_file_is_there_a_moment_later(anna: Device, bert: Device) -> None:
    """Saves, new directories, renames and deletions, both ways, without anybody asking."""
    anna.write("before.txt", "from before")
    with running(anna), running(bert):
        until(holds(bert, "before.txt", "from before"))
        anna.write("a.txt", "first")
        until(holds(bert, "a.txt", "first"))
        bert.write("a.txt", "second")
        until(holds(anna, "a.txt", "second"))
        bert.write("dir/deep/b.txt", "b")
        until(holds(anna, "dir/deep/b.txt", "b"))
        (anna.folder / "dir").rename(anna.folder / "moved")
        until(holds(bert, "moved/deep/b.txt", "b"))
        (bert.folder / "a.txt").unlink()
        until(is_gone(anna.folder / "a.txt"))
    assert [line["op"] for line in anna.records("log", "docs:a.txt")] == ["del", "put", "put"]
    assert anna.records("log", "docs:moved/deep/b.txt")[0]["op"] == "mov"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_in_peace(anna: Device, number: int) -> None:
    """Exit code 0 within five seconds, with one word and no traceback; nothing is left locked."""
    with running(anna) as process:
        anna.write("a.txt", "a")
        until(lambda: "1 event written" in process.reported)
        assert process.stop(number) == 0
        assert process.said.splitlines()[-1] == "Stopped."
        assert "Traceback" not in process.said
    assert anna.text("sync") == "docs: up to date\n"


def test_signal_in_the_middle_of_much_work(anna: Device, bert: Device) -> None:
    """It ends at a safe point, and what was not done is done the next time."""
    for number in range(2000):
        anna.write(f"{number % 50}/{number}.txt", str(number))
    with running(anna) as process:
        assert process.stop() == 0
    with running(anna), running(bert):
        until(lambda: sum(1 for _ in bert.folder.glob("*/*.txt")) == 2000)
    assert bert.text("sync") == "docs: up to date\n"


def test_killed_process_carries_on(anna: Device, bert: Device) -> None:
    """What happened while nobody ran is taken in, whatever the end was like."""
    process = Running(anna)
    until(lambda: "Keeping" in process.said)
    anna.write("a.txt", "a")
    process.kill()
    anna.write("b.txt", "b")
    with running(bert), running(anna):
        until(holds(bert, "a.txt", "a"))
        until(holds(bert, "b.txt", "b"))
        anna.write("c.txt", "c")
        until(holds(bert, "c.txt", "c"))


def test_who_holds_the_profile_for_a_moment_is_waited_for(anna: Device) -> None:
    """As a command does; then it begins."""
    with ProfileLock(anna.base / "profile" / "lock"):
        process = Running(anna)
        until(lambda: f"another Firnline (process {os.getpid()})" in process.said)
        assert "30 s at most" in process.said
    try:
        until(lambda: "Keeping" in process.said)
        assert process.stop() == 0
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_it_waits_for_the_profile(anna: Device, number: int) -> None:
    """It ends at once."""
    with ProfileLock(anna.base / "profile" / "lock"):
        process = Running(anna)
        until(lambda: "waiting until another Firnline" in process.said)
        assert process.stop(number) == 0
    assert process.said.splitlines()[-1] == "Stopped."
    assert "Traceback" not in process.said


TERM_ON_IMPORT = """
import os, signal


class Terminate:
    def find_spec(self, name, path=None, target=None):
        if name == "firnline.cli.run":
            os.kill(os.getpid(), signal.SIGTERM)


sys.meta_path.insert(0, Terminate())
"""


def test_signal_while_the_program_is_loaded(anna: Device) -> None:
    """Exit code 0, and no traceback."""
    with (anna.base / "site" / "sitecustomize.py").open("a") as file:
        file.write(TERM_ON_IMPORT)
    assert anna.run("run").stderr == b"Stopped.\n"


def test_all_that_it_has_is_paused(anna: Device) -> None:
    """It says so, rather than that there is nothing, and goes on by a command."""
    anna.run("folder", "pause", "docs")
    process = Running(anna)
    try:
        until(lambda: "paused" in process.said)
        assert "no folders" not in process.said
        anna.run("folder", "resume", "docs")
        anna.write("new.txt", "new")
        until(lambda: "new.txt" in anna.text("ls", "docs"))
    finally:
        assert process.stop() == 0


def test_store_that_vanishes_and_returns(
    anna: Device, bert: Device, nas: Path, tmp_path: Path
) -> None:
    """It is named; what was done meanwhile goes out when it is back, without anybody asking."""
    with running(anna) as process, running(bert):
        anna.write("a.txt", "a")
        until(holds(bert, "a.txt", "a"))
        nas.rename(tmp_path / "away")
        anna.write("b.txt", "b")
        until(lambda: "store nas cannot be reached" in process.said)
        (tmp_path / "away").rename(nas)
        until(holds(bert, "b.txt", "b"))
        bert.write("c.txt", "c")
        until(holds(anna, "c.txt", "c"))


def test_folder_that_is_away_and_returns(anna: Device, bert: Device) -> None:
    """Its files are not taken for deleted, and it is taken up again when it is back."""
    anna.write("a.txt", "a")
    with running(anna) as process, running(bert):
        until(holds(bert, "a.txt", "a"))
        elsewhere = anna.base / "elsewhere"
        anna.folder.rename(elsewhere)
        until(lambda: "the folder is not there. Connect its disk" in process.said)
        bert.write("b.txt", "b")
        elsewhere.rename(anna.folder)
        until(holds(anna, "b.txt", "b"))
        assert holds(bert, "a.txt", "a")()
        anna.write("c.txt", "c")
        until(holds(bert, "c.txt", "c"))


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_database_that_is_taken_away(anna: Device, bert: Device, how: str) -> None:
    """It is made anew, told once and shown by `status`; saves go both ways as before, and nothing
    is deleted."""
    anna.write("a.txt", "a")
    with running(anna) as process, running(bert):
        until(holds(bert, "a.txt", "a"))
        (table,) = (anna.base / "profile" / "state").glob("*.db")
        if how == "removed":
            table.unlink()
        else:
            (anna.base / "garbage").write_bytes(b"no database" * 1000)
            (anna.base / "garbage").rename(table)
        anna.write("b.txt", "b")
        until(holds(bert, "b.txt", "b"))
        until(lambda: "it was made anew from folder and stores" in process.said)
        (folder,) = anna.document("status")["folders"]
        assert [each["kind"] for each in folder["problems"]] == ["state damaged"]
        bert.write("a.txt", "changed")
        until(holds(anna, "a.txt", "changed"))
        assert process.said.count("made anew") == 1
    assert anna.text("sync") == "docs: up to date\n"
    assert len(anna.records("log")) == 3


def test_settings_that_are_edited_by_hand(anna: Device, bert: Device) -> None:
    """Taken up at once; a mistake is named with its line, and what held before holds."""
    config = anna.base / "profile" / "config.toml"
    good = config.read_text()
    with running(anna) as process, running(bert):
        anna.write("a.txt", "a")
        until(holds(bert, "a.txt", "a"))
        config.write_text(f"{good}\nnonsense = 1\n")
        until(lambda: "The settings from before hold." in process.said)
        assert f"{config}, line " in process.said
        anna.write("b.txt", "b")
        until(holds(bert, "b.txt", "b"))
        config.write_text(good.replace('"anna"', '"by hand"'))
        bert.write("c.txt", "c")
        until(holds(anna, "c.txt", "c"))
        until(lambda: anna.document("status")["device"]["name"] == "by hand")


def test_folder_comes_and_goes_by_commands(anna: Device, bert: Device) -> None:
    """One that is removed is let go of at once, one that is joined again is taken up."""
    with running(anna), running(bert):
        anna.write("a.txt", "a")
        until(holds(bert, "a.txt", "a"))
        bert.run("folder", "remove", "docs")
        assert not (bert.folder / ".firnline" / "id").exists()
        anna.write("b.txt", "b")
        bert.run("folder", "join", "docs", "docs")
        until(holds(bert, "b.txt", "b"))
        bert.write("c.txt", "c")
        until(holds(anna, "c.txt", "c"))
        assert holds(anna, "a.txt", "a")()


def test_store_comes_and_goes_by_commands(anna: Device, tmp_path: Path) -> None:
    """A new one is filled without anybody asking, one that is dropped gets nothing more."""
    with running(anna):
        anna.write("a.txt", "a")
        anna.run("store", "add", "usb", str(tmp_path / "usb"))
        anna.run("folder", "stores", "docs", "--add", "usb")
        events = tmp_path / "usb"
        until(lambda: len(list(events.glob("docs-*/events/*/*"))) == 1)
        anna.run("folder", "stores", "docs", "--drop", "usb")
        anna.write("b.txt", "b")
        until(lambda: len(anna.records("log")) == 2)
        assert len(list(events.glob("docs-*/events/*/*"))) == 1


def test_two_folders_of_which_one_is_away(anna: Device, bert: Device, tmp_path: Path) -> None:
    """The other one goes on, and so does `status`, which names the one."""
    more = anna.base / "more"
    more.mkdir()
    anna.run("folder", "create", "more")
    more.rename(anna.base / "elsewhere")
    with running(anna) as process, running(bert):
        until(lambda: "folder more" in process.said)
        anna.write("a.txt", "a")
        until(holds(bert, "a.txt", "a"))
        states = {each["name"]: each["state"] for each in anna.document("status")["folders"]}
        assert states["more"] == "error"
        assert states["docs"] != "error"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes that are full by themselves")
def test_reader_who_stops_to_read_holds_nobody_up(anna: Device, bert: Device) -> None:
    """A terminal that was told to pause, a pipe that is full: the work goes on."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while os.write(writing, b"." * 4096):
            pass
    os.set_blocking(writing, True)
    with running(anna, writing) as process, running(bert):
        for number in range(3):
            anna.write("a.txt", str(number))
            until(holds(bert, "a.txt", str(number)))
        os.close(writing)
        Thread(target=_read_all, args=[reading]).start()
        assert process.stop() == 0


def _read_all(descriptor: int) -> None:
    while os.read(descriptor, 1 << 16):
        pass
    os.close(descriptor)


def test_others_read_while_it_runs(anna: Device) -> None:
    """`status`, `log`, `ls` and `cat` answer; what changes something is told who holds it."""
    with running(anna) as process:
        anna.write("a.txt", "a")
        until(lambda: "1 event written" in process.reported)
        (folder,) = anna.document("status")["folders"]
        assert (folder["state"], folder["files"], folder["problems"]) == ("idle", 1, [])
        assert [line["path"] for line in anna.records("log")] == ["a.txt"]
        assert [line["path"] for line in anna.records("ls", "docs")] == ["a.txt"]
        assert anna.text("cat", "docs:a.txt") == "a"


def test_clone_of_this_device_makes_it_another_one(anna: Device, bert: Device, nas: Path) -> None:
    """Somebody else beats under this device's identity: it takes a new one, and goes on."""
    anna.write("a.txt", "a")
    with running(anna) as process:
        until(lambda: "1 event written" in process.reported)
        before = anna.document("status")["device"]["id"]
        (beat,) = nas.glob("connections/*/idle_*")
        newer = format_time(parse_time(beat.name[5:]) + timedelta(seconds=1))
        beat.unlink()
        beat.with_name(f"idle_{newer}").write_text("x" * 16)
        (events,) = nas.glob("docs-*/events")
        (events / "20250101").mkdir()
        until(lambda: "takes a new one" in process.said)
        anna.write("b.txt", "b")
        until(lambda: len(list(events.glob("*/*"))) == 2)
        after = anna.document("status")["device"]["id"]
    assert before != after
    bert.text("sync")
    assert (bert.read("a.txt"), bert.read("b.txt")) == ("a", "b")
    assert [parse_name(path.name).device for path in sorted(events.glob("*/*"))] == [before, after]


def test_status_names_one_lead(anna: Device, bert: Device) -> None:
    """Of two devices that run one leads the store; a device that only syncs does not."""

    def leads(device: Device) -> tuple[bool, int]:
        store = device.document("status")["folders"][0]["stores"][0]
        return store["lead"], store["connections"]

    anna.text("sync")
    assert leads(anna) == (False, 1)
    with running(anna):
        until(lambda: leads(anna) == (True, 1))
        with running(bert):
            until(lambda: leads(bert)[1] == 2)
            assert sorted([leads(anna), leads(bert)]) == [(False, 2), (True, 2)]


def test_status_says_what_is_being_done(anna: Device, nas: Path) -> None:
    """That a file is on its way, for as long as it is, also while another command waits; then that
    all is up to date."""

    def state() -> str:
        [folder] = anna.document("status")["folders"]
        return str(folder["state"])

    assert anna.document("status")["running"] is False
    anna.run("config", "set", "limits.upload", "1000")
    with running(anna) as process:
        until(lambda: state() == "idle")
        (anna.folder / "film.bin").write_bytes(os.urandom(3_000_000))
        until(lambda: state() == "syncing")
        assert "`firnline run` is up" in anna.text("status")
        assert "being synced" in anna.text("status")
        assert anna.document("status")["running"] is True
        anna.run("config", "set", "limits.upload", "0")
        until(lambda: state() == "idle")
        assert list(nas.glob("docs-*/events/*/*_put_*"))
        assert "    up to date; " in anna.text("status")
        process.kill()
        assert anna.document("status")["running"] is False
