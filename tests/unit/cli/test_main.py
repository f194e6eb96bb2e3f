"""From exceptions to messages and exit codes."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from firnline.cli import main as cli
from firnline.cli import output
from firnline.cli import status as command
from firnline.config.errors import ConfigSyntaxError
from firnline.config.profile_lock import ProfileBusy
from firnline.engine.errors import RefusedError, UsageError
from firnline.stores.errors import UnavailableError

Raising = Callable[[BaseException], None]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Raising:
    """Makes `firnline status` raise something."""

    def install(error: BaseException) -> None:
        def status(arguments: Namespace) -> int:
            raise error

        monkeypatch.setattr(command, "status", status)

    return install


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError("no", "do this"), 1),
        (UnavailableError("", "gone"), 1),
        (ConfigSyntaxError("not valid TOML", Path("/c"), 3), 1),
        (PermissionError(13, "Permission denied", "/x"), 1),
        (KeyboardInterrupt(), 1),
        (UsageError("what?"), 2),
        (ProfileBusy(Path("/lock"), 7), 4),
    ],
)
def test_errors_have_exit_codes(
    raising: Raising, error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is told in one line on standard error."""
    raising(error)
    assert cli.main(["status"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_mistake_of_the_program_says_where(
    raising: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack trace, but enough for a report."""
    raising(ZeroDivisionError("by\nzero"))
    assert cli.main(["status"]) == 1
    text = capsys.readouterr().err
    assert "ZeroDivisionError: by\\nzero" in text
    assert "test_main.py" in text
    assert "Traceback" not in text


def test_reader_that_went_away_is_no_error(
    raising: Raising, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`firnline log | head` ends quietly."""
    dropped: list[bool] = []
    monkeypatch.setattr(output, "drop_output", lambda: dropped.append(True))
    raising(BrokenPipeError())
    assert cli.main(["status"]) == 0
    assert dropped == [True]


def test_without_a_command_help_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And the exit code is that of wrong usage."""
    assert cli.main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: firnline" in captured.err
