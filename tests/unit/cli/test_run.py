"""What `firnline run` says of the passes that it does."""

import sys
from collections.abc import Callable
from unittest.mock import patch

import pytest

from firnline.cli.run import Teller
from firnline.engine.folder_root import FolderAwayError
from firnline.engine.sync_command import FolderOutcome
from firnline.stores.errors import UnavailableError
from firnline.sync.context import CancelledError, Problem, Unreached

LOCKED = Problem("a.txt", "unreadable", "another program has it")


@pytest.fixture
def teller() -> Teller:
    return Teller()


def outcome(change: Callable[[FolderOutcome], object] = lambda outcome: None) -> FolderOutcome:
    made = FolderOutcome("docs")
    change(made)
    return made


def locked(made: FolderOutcome) -> None:
    made.report.problems.append(LOCKED)


def test_pass_without_work_says_nothing(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """There are many of them."""
    teller.tell(outcome())
    assert capsys.readouterr() == ("", "")


def test_work_is_told_at_once(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """A line on standard output, whatever it is."""

    def worked(made: FolderOutcome) -> None:
        made.report.written, made.report.applied = 1, 2

    teller.tell(outcome(worked))
    assert capsys.readouterr() == ("docs: 1 event written, 2 changes brought here\n", "")


def test_what_is_left_is_told_once(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """Until it is gone, which is told as well."""
    teller.tell(outcome(locked))
    said = capsys.readouterr()
    assert said.out == ""
    assert "docs:a.txt: another program has it" in said.err
    teller.tell(outcome(locked))
    assert capsys.readouterr() == ("", "")
    teller.tell(outcome())
    assert capsys.readouterr() == ("docs: up to date\n", "")
    teller.tell(outcome(locked))
    assert "docs:a.txt" in capsys.readouterr().err


def test_store_that_is_away_is_named(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do about it."""

    def lost(made: FolderOutcome) -> None:
        why = UnavailableError("", "it is not there")
        made.unreached.append(Unreached("nas", "id", False, why))

    teller.tell(outcome(lost))
    teller.tell(outcome(lost))
    said = capsys.readouterr().err
    assert said.count("store nas cannot be reached") == 1


def test_folder_that_is_away_is_named(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """As any other cause."""

    def away(made: FolderOutcome) -> None:
        made.error = FolderAwayError("the folder is not there", "connect its disk")

    teller.tell(outcome(away))
    assert capsys.readouterr().err == "folder docs: the folder is not there. Connect its disk.\n"


def test_stop_is_no_trouble(teller: Teller, capsys: pytest.CaptureFixture[str]) -> None:
    """A pass that was stopped with the program says nothing."""

    def stopped(made: FolderOutcome) -> None:
        made.error = CancelledError()

    teller.tell(outcome(stopped))
    assert capsys.readouterr() == ("", "")


def test_nobody_listens_any_more(teller: Teller) -> None:
    """The reader of the output went away: the work goes on."""
    with (
        patch.object(sys.stdout, "flush", side_effect=BrokenPipeError),
        patch("firnline.cli.output.drop_output") as dropped,
    ):
        teller.tell(outcome(lambda made: setattr(made.report, "written", 1)))
    dropped.assert_called_once()
