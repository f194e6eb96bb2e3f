"""What `sync`, `status`, `conflicts`, `config` and `demo` say."""

import signal
from pathlib import Path

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.cli.conftest import Shell, Shells

from firnline.cli import sync as command
from firnline.engine.sync_command import Deadline


def test_sync_says_what_it_did(docs: Shell) -> None:
    """A line for each folder."""
    assert docs("sync") == "docs: up to date\n"
    docs.profile.write("b.txt", "b")
    assert docs("sync") == "docs: 1 event written; up to date\n"


def test_sync_says_what_is_left_and_why(docs: Shell, tmp_path: Path) -> None:
    """A line for each cause on standard error, exit code 1."""
    (tmp_path / "nas").rename(tmp_path / "away")
    docs.profile.write("b.txt", "b")
    (docs.profile.folder / "bad\udcff").write_text("x")
    assert docs("sync", code=1) == "docs: 1 event written\n"
    problem, store = docs.err.splitlines()
    assert problem.startswith("docs:bad\\udcff: ")
    assert store.startswith("store nas cannot be reached")
    (docs.profile.folder / "bad\udcff").unlink()
    docs("sync", code=1)
    assert docs.out == "docs: nothing new\n"


def test_one_notice_for_one_cause(docs: Shell) -> None:
    """Not one line for each file; `status` has them all."""
    for number in range(30):
        (docs.profile.folder / f"bad {number}\udcff").write_text("x")
    docs("sync", code=1)
    (line,) = docs.err.splitlines()
    assert line.endswith("(29 more for this reason: `firnline status` lists them.)")
    shown = docs("status")
    assert all(f"bad {number}\\udcff" in shown for number in range(30))


def test_folder_that_is_away_is_told(docs: Shell) -> None:
    """With how to bring it back."""
    docs.profile.folder.rename(docs.profile.base / "elsewhere")
    assert docs("sync", code=1) == "docs: not finished\n"
    assert "folder docs: the folder is not there" in docs.err
    assert "the folder is not there" in docs("status")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_ask_first(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    """The first one asks the pass to stop, the second one stops it."""
    deadline = Deadline(StillClock(), None)
    before = signal.getsignal(number)
    with command.stopping_softly(deadline):
        signal.raise_signal(number)
        assert deadline.asked
        assert "safe place" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_status_for_people(docs: Shell, tmp_path: Path) -> None:
    """State in words, files, stores, and why one is not in reach."""
    shown = docs("status")
    assert "up to date after the last sync; 1 file, 6 B" in shown
    assert "store nas: 1 event\n" in shown
    (tmp_path / "nas").rename(tmp_path / "away")
    docs.profile.write("b.txt", "b")
    docs("sync", code=1)
    shown = docs("status")
    assert "something is left to do" in shown
    assert "store nas: 1 event, 1 to be sent; store nas cannot be reached" in shown


def test_conflict_for_people(docs: Shell, shells: Shells, tmp_path: Path) -> None:
    """Both versions with their events, and one line when it is decided."""
    bert = shells("bert")
    bert("store", "add", "nas", str(tmp_path / "nas"))
    bert("folder", "join", "docs", str(bert.profile.folder))
    bert("sync")
    docs.profile.write("a.txt", "anna's")
    docs("sync")
    bert.profile.write("a.txt", "bert's words")
    bert("sync")
    shown = bert("conflicts").splitlines()
    assert shown[0].startswith("docs:a.txt  (bert and anna, ")
    assert [line.split()[0] for line in shown[1:]] == ["kept", "lost", "is"]
    assert "1 open conflict" in bert("status")
    (tmp_path / "nas").rename(tmp_path / "away")
    assert "decided" in bert("conflicts", "resolve", "docs:a.txt", "--keep-both", code=1)
    assert "nas cannot be reached" in bert.err
    assert bert("conflicts", "docs") == ""
    assert "no open conflicts" in bert.err


def test_conflict_settled_while_something_waits(
    docs: Shell, shells: Shells, tmp_path: Path
) -> None:
    """It is decided, and the exit code says what else is to be."""
    for number in range(12):
        docs.profile.write(f"{number}", f"{number}")
    docs("sync")
    bert = shells("bert")
    bert("store", "add", "nas", str(tmp_path / "nas"))
    bert("folder", "join", "docs", str(bert.profile.folder))
    bert("sync")
    docs.profile.write("a.txt", "anna's")
    docs("sync")
    bert.profile.write("a.txt", "bert's words")
    bert("sync")
    for number in range(12):
        (bert.profile.folder / f"{number}").unlink()
    assert "decided" in bert("conflicts", "resolve", "docs:a.txt", "--keep-both", code=3)
    assert "firnline answer" in bert.err
    assert "waits for your decision" in bert("status")
    assert "12 files of 14" in bert("questions")
    assert bert.document("questions")[0]["details"]["side"] == "here"
    assert bert("sync", "--yes") == "docs: 1 event written; up to date\n"
    assert bert("questions") == ""
    assert "Nothing waits" in bert.err


@pytest.mark.parametrize(
    "words",
    [
        ["resolve"],
        ["resolve", "docs:a.txt"],
        ["docs", "docs"],
        ["docs", "--keep-both"],
        ["resolve", "docs:", "--keep-both"],
    ],
)
def test_conflicts_asked_for_wrongly(docs: Shell, words: list[str]) -> None:
    """Wrong usage, and nothing is decided."""
    docs("conflicts", *words, code=2)


def test_settings_are_shown_and_changed(anna: Shell) -> None:
    """One, or all with their meaning."""
    assert anna("config", "get", "device.name") == "anna\n"
    assert anna("config", "set", "home.keep", "all") == "home.keep = all\n"
    assert anna.document("config", "get", "home.keep") == {"home.keep": "all"}
    assert anna("config", "get") == anna("config", "list")
    assert "KEY" in anna.out
    assert anna.document("config", "list")["home.keep"] == "all"
    anna("config", "set", "home.keep", "some", code=2)
    anna("config", "get", "nope", code=2)


def test_demo_says_how_long_it_took(anna: Shell, tmp_path: Path) -> None:
    """And where it can be looked at."""
    shown = anna("demo", "--keep", str(tmp_path / "kept"))
    assert str(tmp_path / "kept") in shown
    assert shown.splitlines()[-1].startswith("Done in ")
