"""What the command line understands; the names are a contract with other programs.

Each command names the function that carries it out as `module:function` inside this package, so
that a command imports only what it needs.
"""

import argparse
import re
from collections.abc import Callable, Sequence

from firnline import __version__

DESCRIPTION = """\
Keeps folders equal on several devices through stores that you own, with every version kept.
Exit codes: 0 done; 1 something failed or is left to do; 2 wrong usage; 3 waits for your decision;
4 another Firnline holds this profile.
"""
_MOMENT = "a time (2026-11-22, 2026-11-22T08:26Z), now, -1h, -2d, or an event's name"
_MOMENT_OPTIONS = frozenset({"--at", "--from", "--to", "--since", "--until"})
_SPAN = re.compile("-[0-9]+[a-z]")
_RATING = "0..100"

Parser = argparse.ArgumentParser
_Adder = Callable[..., Parser]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command, its function in `run`; `run` is None when no command was named.

    Exits with 2 for wrong usage and with 0 after --help and --version, as argparse does.
    """
    return build_parser().parse_args(_joined(arguments))


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--at -1h` as `--at=-1h`: argparse would take the span for an option."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] in _MOMENT_OPTIONS and _SPAN.fullmatch(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def build_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog="firnline",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"firnline {__version__}")
    parser.add_argument(
        "--profile",
        metavar="DIR",
        help="where this device keeps its settings, state and logs (or set FIRNLINE_PROFILE)",
    )
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _add_store(_adder(commands, "store", "the places that folders are kept in"))
    _add_folder(_adder(commands, "folder", "the folders that are kept equal"))
    add = _plain_adder(commands)
    _add_sync(add)
    _add_history(add)
    _add_conflicts(add, _adder(commands, "conflicts", "both versions of a conflict, and deciding"))
    _add_config(_adder(commands, "config", "settings of this device"))
    demo = add("demo", "demo:demo", "two devices and a store in a temporary place, played through")
    demo.add_argument("--keep", metavar="DIR", help="play in DIR, which is new, and leave it there")
    return parser


def _plain_adder(commands: "argparse._SubParsersAction[Parser]") -> _Adder:
    def add(name: str, run: str, text: str) -> Parser:
        parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        parser.set_defaults(run=run)
        return parser

    return add


class _Group:
    """A command with commands of its own; `parser` is the group's."""

    def __init__(self, commands: "argparse._SubParsersAction[Parser]", name: str, text: str):
        self.parser = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        self._name = name
        self._sub: argparse._SubParsersAction[Parser] | None = None

    def add(self, name: str, run: str, text: str, required: bool = True) -> Parser:
        if self._sub is None:
            self._sub = self.parser.add_subparsers(
                metavar="COMMAND", required=required, dest=f"{self._name}_command"
            )
        parser = self._sub.add_parser(name, help=text, description=text, allow_abbrev=False)
        parser.set_defaults(run=run)
        return parser


def _adder(commands: "argparse._SubParsersAction[Parser]", name: str, text: str) -> _Group:
    return _Group(commands, name, text)
