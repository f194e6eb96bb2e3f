"""Ending `firnline run` before it runs."""

import signal
from collections.abc import Callable

import pytest

from firnline.cli.main import main


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_while_it_starts(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends at once, in peace, and the handlers are those from before."""
    before = signal.getsignal(number)
    monkeypatch.setattr("firnline.cli.run.run", lambda *_: signal.raise_signal(number))
    assert main(["run"]) == 0
    assert capsys.readouterr() == ("", "Stopped.\n")
    assert signal.getsignal(number) is before


def test_signal_whose_exception_got_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known all the same."""

    def run(arguments: object, asked_to_stop: Callable[[], bool]) -> int:
        assert not asked_to_stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert asked_to_stop()
        return 0

    monkeypatch.setattr("firnline.cli.run.run", run)
    assert main(["run"]) == 0
