"""Commands while `firnline run` holds the profile: carried out by it, as if it were not there."""

import os
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.scenario.commands.device import Device
from tests.scenario.commands.running import PATIENCE, Running, holds, running, until


def test_settings_are_changed_and_hold_at_once(anna: Device, bert: Device, nas: Path) -> None:
    """A folder that is made, a store that is added, a folder that is paused: by the one that runs,
    from where the caller stands."""
    (anna.base / "more").mkdir()
    with running(anna), running(bert):
        assert "more is a folder now" in anna.text("folder", "create", "more")
        assert "docs" in anna.text("folder", "pause", "docs")
        (anna.base / "more" / "b.txt").write_text("b")
        until(lambda: any(line["path"] == "b.txt" for line in anna.records("log", "more")))
        anna.write("a.txt", "a")
        bert.text("folder", "join", "more", "more")
        until((bert.base / "more" / "b.txt").exists)
        assert not holds(bert, "a.txt", "a")()
        anna.run("folder", "resume", "docs")
        until(holds(bert, "a.txt", "a"))
        assert anna.text("config", "set", "device.name", "Anna's") == "device.name = Anna's\n"
        assert anna.document("status")["device"]["name"] == "Anna's"


def test_a_pass_on_demand_is_one_pass(anna: Device, bert: Device) -> None:
    """`firnline sync` says what it says without anybody running, and its exit code."""
    with running(anna):
        for number in range(3):
            anna.write("a.txt", str(number))
            assert anna.text("sync").startswith("docs: ")
            assert bert.text("sync").startswith("docs: ")
            assert bert.read("a.txt") == str(number)
        assert anna.text("sync", "docs") == "docs: up to date\n"
        assert "no folder here is called 'none'" in anna.complaint("sync", "none", code=2)


def test_json_is_not_touched(anna: Device) -> None:
    """A document stays one, and standard error stays apart."""
    anna.write("a.txt", "a")
    with running(anna):
        anna.run("sync")
        [home, nas] = sorted(anna.document("verify", "--repair"), key=lambda each: each["store"])
        assert (home["bad"], nas["bad"]) == ([], [])


def test_a_question_is_answered(anna: Device, bert: Device) -> None:
    """And carried out at once."""
    for number in range(12):
        anna.write(f"{number}.txt", "x")
    anna.run("sync")
    bert.run("sync")
    with running(anna) as process:
        for number in range(12):
            (anna.folder / f"{number}.txt").unlink()
        until(lambda: anna.document("questions"))
        [question] = anna.document("questions")
        anna.run("answer", question["id"], "keep")
        until(holds(anna, "7.txt", "x"))
        assert anna.document("questions") == []
        assert "mistake" not in process.said


def test_commands_one_after_another(anna: Device) -> None:
    """Five at once, each done."""
    with running(anna):
        commands = [
            subprocess.Popen(
                anna.command("config", "set", "device.name", f"name {number}"),
                env=anna.environment,
                cwd=anna.base,
                stdout=subprocess.PIPE,
            )
            for number in range(5)
        ]
        said = [each.communicate(timeout=PATIENCE)[0].decode() for each in commands]
        assert [each.returncode for each in commands] == [0] * 5
        assert said == [f"device.name = name {number}\n" for number in range(5)]


def test_the_socket_is_this_users_and_goes_with_the_process(anna: Device) -> None:
    """Kill it, and the profile is free: what is left of the socket holds nobody up."""
    control = anna.base / "profile" / "control"
    process = Running(anna)
    try:
        until(lambda: (control / "socket").exists())
        assert stat.S_IMODE(os.stat(control).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(control / "socket").st_mode) == 0o600
    finally:
        process.kill()
    assert (control / "socket").exists()
    anna.run("config", "set", "device.name", "anna again")
    with running(anna):
        anna.run("sync")
    assert not (control / "socket").exists()


def test_a_profile_that_nobody_listens_for_is_busy(anna: Device) -> None:
    """Exit code 4 where nobody waits, and the words say who holds it."""
    with running(anna) as process:
        (anna.base / "profile" / "control" / "socket").unlink()
        said = anna.complaint("sync", "--timeout", "0", code=4)
        assert f"process {process.process.pid}" in said


def test_a_second_one_that_runs_is_refused_at_once(anna: Device) -> None:
    """It would wait for ever."""
    with running(anna) as process:
        said = anna.complaint("run", code=4)
        assert f"process {process.process.pid}" in said
        assert "waiting" not in said


def has_socket(process: int) -> bool:
    """Whether it has one open; files come and go meanwhile."""
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            if "socket" in os.readlink(each):
                return True
    return False


def test_a_process_that_is_killed_meanwhile_breaks_off(anna: Device) -> None:
    """Exit code 1: nobody knows how far it came; the command can be given again."""
    anna.write("a.txt", "a")
    process = Running(anna)
    try:
        until((anna.base / "profile" / "control" / "socket").exists)
        process.process.send_signal(signal.SIGSTOP)
        command = subprocess.Popen(
            anna.command("sync"),
            env=anna.environment,
            cwd=anna.base,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until(lambda: has_socket(command.pid))
    finally:
        process.kill()
    said = command.communicate(timeout=PATIENCE)[1].decode()
    # 4 when the kill came before it was handed over, and 0 when it found the profile free then.
    words = {0: "", 1: "ended before it was done", 4: "holds this profile"}
    assert words[command.returncode] in said
    assert "Traceback" not in said
    anna.run("sync")
    assert anna.text("sync") == "docs: up to date\n"
