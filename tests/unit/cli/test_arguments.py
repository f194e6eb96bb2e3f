"""The grammar of the command line."""

import argparse
import importlib
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator

import pytest

from firnline import __version__
from firnline.cli.arguments import build_parser, parse


def commands(parser: ArgumentParser) -> Iterator[tuple[str, ArgumentParser]]:
    """Every command with its whole name."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for name, sub in action.choices.items():
                yield name, sub
                yield from ((f"{name} {below}", each) for below, each in commands(sub))


def test_commands_are_those_of_the_contract() -> None:
    """Names are a contract; what comes later is absent."""
    assert {name for name, sub in commands(build_parser()) if sub.get_default("run")} == {
        "store add",
        "store list",
        "store test",
        "store edit",
        "store remove",
        "store unlock",
        "store refill",
        "folder create",
        "folder available",
        "folder join",
        "folder list",
        "folder pause",
        "folder resume",
        "folder remove",
        "folder stores",
        "sync",
        "run",
        "status",
        "verify",
        "log",
        "ls",
        "cat",
        "diff",
        "conflicts",
        "questions",
        "answer",
        "config get",
        "config set",
        "config list",
        "export-logs",
        "demo",
    }


@pytest.mark.parametrize(
    "run", sorted({sub.get_default("run") for _, sub in commands(build_parser())} - {None})
)
def test_every_command_has_its_function(run: str) -> None:
    """What carries it out can be imported."""
    module, _, function = run.partition(":")
    assert callable(getattr(importlib.import_module(f"firnline.cli.{module}"), function))


@pytest.mark.parametrize("name", ["", *(name for name, _ in commands(build_parser()))])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help works everywhere and exits with 0."""
    with pytest.raises(SystemExit) as caught:
        parse([*name.split(), "--help"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("usage: firnline")


@pytest.mark.parametrize("option", ["--at", "--since"])
@pytest.mark.parametrize("text", ["-1h", "-30m", "now"])
def test_spans_may_stand_apart(option: str, text: str) -> None:
    """`--at -1h` is a time and no option."""
    command = ["ls", "docs:", "--at"] if option == "--at" else ["log", "--since"]
    parsed = parse([*command, text])
    assert (parsed.at if option == "--at" else parsed.since) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "p", "sync", "docs"],
        ["sync", "--profile", "p", "docs"],
        ["sync", "docs", "--profile", "p"],
        ["sync", "docs", "--profile=p"],
    ],
)
def test_profile_may_stand_anywhere(arguments: list[str]) -> None:
    """Before or behind the command, in one word or two."""
    parsed = parse(arguments)
    assert (parsed.profile, parsed.folders) == ("p", ["docs"])


def test_what_stands_behind_two_strokes_is_no_option() -> None:
    """A folder may be called like an option."""
    assert parse(["sync", "--", "--profile=p"]).folders == ["--profile=p"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["store"],
        ["store", "add", "nas"],
        ["store", "add", "nas", "x", "--rating", "101"],
        ["store", "add", "nas", "x", "--rating", "many"],
        ["sync", "--timeout", "-1"],
        ["sync", "--timeout", "nan"],
        ["log", "--limit", "-1"],
        ["log", "--op", "mv"],
        ["ls"],
        ["stat"],
        ["conflicts", "resolve", "docs:a", "--keep", "x", "--keep-both"],
        ["--prof", "x", "sync"],
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told on standard error, and nothing is done. Options are not abbreviated: a later one
    would make an abbreviation mean something else."""
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: firnline" in captured.err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is that of the package."""
    with pytest.raises(SystemExit) as caught:
        parse(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"firnline {__version__}\n"


@pytest.mark.parametrize("columns", ["60", "100", "0", "wide", ""])
def test_help_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """As argparse by itself would lay it out: COLUMNS, the terminal, else 80."""
    monkeypatch.setenv("COLUMNS", columns)
    parser = build_parser()
    found = parser.format_help()
    parser.formatter_class = argparse.HelpFormatter
    assert found == parser.format_help()
