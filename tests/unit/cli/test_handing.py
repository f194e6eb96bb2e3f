"""Which commands are handed over, and how one is carried out for somebody else."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from firnline import __version__
from firnline.cli import output
from firnline.cli.arguments import build_parser
from firnline.cli.handing import HANDED, carry_out
from firnline.config.places import Places
from firnline.config.profile_lock import ProfileLock
from firnline.engine.control.protocol import Kind, Request

BESIDE = {
    *("store_commands:show_list", "folder_commands:show_list", "folder_commands:available"),
    *("status:status", "history:log", "history:ls", "history:cat", "history:diff"),
    *("questions:questions", "config:get", "config:show_all", "export_logs:export"),
}
"""These only read, beside whoever runs."""
APART = {"demo:demo", "begin_run:run"}
"""These have a profile of their own, or need this one for themselves."""


def commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from commands(each)
    if parser.get_default("run"):
        yield parser.get_default("run")


def test_each_command_is_handed_over_or_reads():
    """Whoever adds a command says which."""
    assert set(commands(build_parser())) == HANDED | BESIDE | APART
    assert not HANDED & (BESIDE | APART)


class Held:
    """A profile that this process holds, and what is said to a caller."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.places = Places.of_profile(base / "profile")
        self.places.prepare()
        self.said: list[tuple[Kind, str]] = []
        self.gone = False

    def carry_out(self, *arguments: str) -> int:
        request = Request(__version__, str(self.base), arguments)
        with ProfileLock(self.places.lock_file):
            return carry_out(
                request, self.places, lambda *said: self.said.append(said), lambda: self.gone
            )

    def text(self, kind: Kind) -> str:
        return "".join(text for each, text in self.said if each is kind)


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Held(tmp_path)


def test_a_command_is_carried_out_by_the_profile_that_is_held(held, tmp_path, capsys):
    """Whichever the caller's arguments name; it is said to the caller, and to nobody else. Paths
    are meant from where the caller stands."""
    (tmp_path / "docs").mkdir()
    assert held.carry_out("store", "add", "nas", "shelf", "--profile", "/nowhere") == 0
    assert held.carry_out("folder", "create", "docs") == 0
    assert held.carry_out("config", "set", "device.name", "anna") == 0
    assert held.carry_out("store", "edit", "nas", "--location", "shelf") == 0
    assert (tmp_path / "shelf" / "READ-ME.txt").exists()
    assert (tmp_path / "docs" / ".firnline").is_dir()
    assert f"nas is a new store: {tmp_path}/shelf\n" in held.text(Kind.OUTPUT)
    assert "device.name = anna\n" in held.text(Kind.OUTPUT)
    assert "Next: `firnline folder create PATH --store nas`.\n" in held.text(Kind.MESSAGE)
    assert capsys.readouterr() == ("", "")


def test_what_a_command_leaves_to_do_is_done_by_the_one_that_runs(held, tmp_path):
    """Nobody is sent to `firnline sync`."""
    (tmp_path / "docs").mkdir()
    held.carry_out("store", "add", "nas", "shelf")
    held.carry_out("folder", "create", "docs")
    held.carry_out("folder", "pause", "docs")
    held.carry_out("folder", "resume", "docs")
    held.carry_out("folder", "stores", "docs", "--drop", "nas")
    held.carry_out("folder", "stores", "docs", "--add", "nas")
    assert "The Firnline that runs keeps it in sync from now on.\n" in held.text(Kind.MESSAGE)
    assert "The Firnline that runs brings them what they lack.\n" in held.text(Kind.MESSAGE)
    assert "docs goes on now\n" in held.text(Kind.OUTPUT)
    assert "sync`" not in held.text(Kind.MESSAGE)


def test_json_comes_as_it_is(held):
    """One document, whatever stands around it."""
    assert held.carry_out("verify", "--json") == 0
    assert [each["store"] for each in json.loads(held.text(Kind.OUTPUT))] == ["home"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("status",), 2, "no command that another Firnline carries out"),
        (("export-logs", "x.zip"), 2, "no command that another Firnline carries out"),
        (("run",), 2, "no command that another Firnline carries out"),
        (("store", "remove", "nas"), 2, "no store here is called 'nas'"),
        (("sync", "docs"), 2, "no folder here is called 'docs'"),
        (("config", "set", "copier.grace", "long"), 2, "copier.grace"),
    ],
)
def test_what_is_refused(held, arguments, code, words):
    """By its words and its exit code."""
    assert held.carry_out(*arguments) == code
    assert words in held.text(Kind.MESSAGE)
    assert held.text(Kind.OUTPUT) == ""


@pytest.mark.parametrize("arguments", [(), ("rm", "-rf", "/"), ("sync", "--no-such-option")])
def test_what_is_no_command(held, arguments):
    """The other command line would not have sent it."""
    assert held.carry_out(*arguments) == 2


def test_a_caller_who_is_gone_stops_the_command(held, tmp_path):
    """At the next safe place."""
    (tmp_path / "docs").mkdir()
    held.carry_out("store", "add", "nas", "shelf")
    held.carry_out("folder", "create", "docs")
    held.gone = True
    assert held.carry_out("sync") == 1


def test_no_process_is_forked_for_somebody_else(held, monkeypatch):
    """The one that runs has threads, whose locks a copy of it would keep for ever."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("looks ahead")

    monkeypatch.setattr("firnline.cli.begin_sync.looking_ahead", refuse)
    assert held.carry_out("sync") == 0


@pytest.mark.logs("a mistake in the program")
def test_a_mistake_is_told_to_the_caller(held, monkeypatch):
    """As it would be told without anybody between."""

    def stumble(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("firnline.config.edits.set_option", stumble)
    assert held.carry_out("config", "set", "device.name", "anna") == 1
    assert "a mistake in the program (ZeroDivisionError" in held.text(Kind.MESSAGE)


def test_nothing_is_drawn_for_somebody_else(held, monkeypatch):
    """A terminal here is not the caller's."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    listeners = output.Listeners(lambda text: None, held.said.append)
    assert output.to_terminal()
    with output.said_to(listeners):
        assert not output.to_terminal()
    assert output.to_terminal()
