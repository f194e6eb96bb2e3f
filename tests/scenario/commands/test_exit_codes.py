"""Exit codes, and how a command ends that is not let to its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.scenario.commands.device import Device


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


def test_timeout_ends_a_pass_that_can_be_carried_on(anna: Device) -> None:
    """Exit code 1, and the next pass does the rest."""
    anna.write("a.txt", "a")
    assert "The next sync goes on." in anna.run("sync", "--timeout", "0", code=1).stderr.decode()
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
