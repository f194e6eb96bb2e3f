"""`python -m firnline` is the same program as `firnline`."""

import runpy
import sys

import pytest

from firnline import __version__


def test_the_module_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It answers as the command does, and ends with its exit code."""
    monkeypatch.setattr(sys, "argv", ["firnline", "--version"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("firnline", run_name="__main__")
    assert stopped.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_importing_it_runs_nothing() -> None:
    """Tools that import every module must not start the program."""
    assert "main" in runpy.run_module("firnline.__main__", run_name="imported")
