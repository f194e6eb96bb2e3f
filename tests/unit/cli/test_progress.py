"""Bars for long work, on a terminal only."""

import pytest
from tests.doubles.still_clock import StillClock

from firnline.cli import output
from firnline.cli.progress import PATIENCE, Bars, bars_for_terminal

Screen = pytest.CaptureFixture[str]


def test_short_work_has_no_bar(capsys: Screen) -> None:
    """Nothing is drawn before the patience is over."""
    bars = Bars(StillClock())
    bars.begin("sending", 10, "files")
    for _ in range(10):
        bars.advance(1)
    bars.end()
    assert capsys.readouterr().err == ""


def test_long_work_has_a_bar_with_all_that_was_done(capsys: Screen) -> None:
    """The bar counts what was done before it was drawn, and is gone at the end."""
    clock = StillClock()
    bars = Bars(clock)
    bars.begin("sending\x1b[2J", 10, "files")
    bars.advance(3)
    clock.sleep(PATIENCE)
    bars.advance(4)
    bars.advance(1)
    text = capsys.readouterr().err
    assert "sending\\x1b[2J" in text
    assert "7/10" in text
    bars.end()
    assert capsys.readouterr().err.endswith("\r")


def test_bytes_are_scaled(capsys: Screen) -> None:
    """Large numbers of bytes are shown in units."""
    clock = StillClock()
    bars = Bars(clock)
    bars.begin("sending", 2**31, "bytes")
    clock.sleep(PATIENCE)
    bars.advance(2**30)
    bars.end()
    assert "1.00G/2.00G" in capsys.readouterr().err


def test_inner_work_is_shown_while_it_lasts(capsys: Screen) -> None:
    """The bar around it comes back with its own count; patience is asked for once."""
    clock = StillClock()
    bars = Bars(clock)
    bars.begin("files", 10, "files")
    clock.sleep(PATIENCE)
    bars.advance(1)
    capsys.readouterr()
    bars.begin("one of them", 2**20, "bytes")
    bars.advance(2**19)
    assert "one of them" in capsys.readouterr().err
    bars.end()
    bars.advance(1)
    assert "2/10" in capsys.readouterr().err
    bars.clear()


def test_broken_off_work_leaves_no_bar(capsys: Screen) -> None:
    """After clearing nothing is drawn, and what nobody began advances nothing."""
    clock = StillClock()
    bars = Bars(clock)
    bars.begin("first", 10, "files")
    bars.begin("second", 10, "files")
    clock.sleep(PATIENCE)
    bars.advance(1)
    bars.clear()
    capsys.readouterr()
    clock.sleep(PATIENCE)
    bars.advance(1)
    bars.end()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("watched", [True, False])
def test_silence_where_nobody_watches(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or pipe gets no bars, a terminal does."""
    monkeypatch.setattr(output, "to_terminal", lambda: watched)
    assert (bars_for_terminal(StillClock()) is not None) is watched
