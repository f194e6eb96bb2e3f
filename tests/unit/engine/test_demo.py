"""The demo plays to its end, and notices when something is wrong."""

import os
from pathlib import Path

import pytest

from firnline.engine import demo
from firnline.engine.demo import DemoFailedError, Device, place, play
from firnline.engine.surroundings import Surroundings
from firnline.engine.system import SystemClock


def test_demo_plays_to_its_end(tmp_path: Path) -> None:
    """Every step is told in one line; both folders are equal at the end."""
    told: list[str] = []
    play(tmp_path, Surroundings(SystemClock(), os.urandom), told.append)
    assert all("\n" not in line for line in told)
    assert "same" in told[-1]
    for word in ("conflict", "renamed", "deleted", "as they were"):
        assert any(word in line for line in told), word


def test_demo_tells_when_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync that does nothing does not look like success."""
    monkeypatch.setattr(Device, "sync", lambda self: None)
    with pytest.raises((DemoFailedError, OSError)):
        play(tmp_path, Surroundings(SystemClock(), os.urandom), lambda line: None)


def test_temporary_place_goes_and_a_kept_one_stays(tmp_path: Path) -> None:
    """Without a place of its own the demo leaves nothing."""
    with place(None) as temporary:
        (temporary / "file").write_text("x")
    assert not temporary.exists()
    with place(str(tmp_path / "kept")) as kept:
        (kept / "file").write_text("x")
    assert (kept / "file").exists()
    with pytest.raises(FileExistsError), place(str(tmp_path / "kept")):
        pass


def test_incomplete_sync_fails_the_demo(tmp_path: Path) -> None:
    """What is left to do is told with its reason."""
    device = Device("laptop", tmp_path / "laptop", Surroundings(SystemClock(), os.urandom))
    demo._first_device(device, tmp_path / "store", lambda line: None)
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(DemoFailedError, match="laptop"):
        device.sync()
