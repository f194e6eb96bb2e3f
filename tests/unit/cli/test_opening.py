"""A profile that another command holds: who waits for it, and how long."""

import asyncio
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.cli.conftest import Shell
from tests.unit.engine.control.callers import asked, during, echo

from firnline.cli import opening
from firnline.cli.opening import Patience
from firnline.config.profile_lock import ProfileBusy, ProfileLock

BUSY = ProfileBusy(Path("/profile/lock"), 7)


def test_it_is_waited_for_a_bounded_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And said once for whom."""
    clock = StillClock()
    patience = Patience(tmp_path / "control", 10, clock=clock)
    begun, tries = clock.monotonic(), 0
    while patience(BUSY):
        tries += 1
    assert 10 <= clock.monotonic() - begun < 11
    assert tries > 10
    assert capsys.readouterr().err == (
        "firnline: waiting until another Firnline (process 7) is done with this profile"
        " (/profile/lock), 10 s at most\n"
    )


def test_who_is_to_stop_does_not_wait(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The time that the user gave is over."""
    assert not Patience(tmp_path / "control", 10, lambda: True)(BUSY)
    assert capsys.readouterr().err == ""


def test_who_takes_commands_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds the profile without end, and is given the command."""
    place = tmp_path / "control"

    async def ask() -> bool:
        answer = await asyncio.to_thread(Patience(place, 10), BUSY)
        await asyncio.to_thread(asked, place)
        return answer

    assert during(place, echo, ask) is False
    assert capsys.readouterr().err == ""
    assert Patience(place, 10, clock=StillClock())(BUSY)


def test_command_goes_on_when_the_other_one_is_done(
    docs: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has waited, and does its work."""
    lock = ProfileLock(docs.profile.places.lock_file)

    class Clock(StillClock):
        def sleep(self, seconds: float) -> None:
            lock.__exit__()

    def waiting(control: Path, seconds: float, cancelled: object) -> Patience:
        return Patience(control, seconds, clock=Clock())

    monkeypatch.setattr(opening, "Patience", waiting)
    with lock:
        assert docs("folder", "pause", "docs") == "docs is paused\n"
    assert "waiting until another Firnline" in docs.err


@pytest.mark.parametrize(
    "command", [["sync"], ["folder", "pause", "docs"], ["config", "set", "log.count", "1"]]
)
def test_profile_that_stays_busy_is_4_and_can_be_read(
    docs: Shell, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """While another process holds it nothing is changed, and everything can be read."""
    monkeypatch.setattr(opening, "COMMAND_PATIENCE", 0.01)
    with ProfileLock(docs.profile.places.lock_file):
        assert docs(*command, code=4) == ""
        assert "holds this profile" in docs.err
        docs("status")
        docs("log")
        docs("cat", "docs:a.txt")
