"""What the command line understands; the names are a contract with other programs.

Each command names the function that carries it out as `module:function` inside this package, so
that a command imports only what it needs.
"""

import argparse
import os
import re
from collections.abc import Sequence

from firnline import __version__

DESCRIPTION = """\
Keeps folders equal on several devices through stores that you own, with every version kept.
"""
EPILOG = """\
A path in a folder is written FOLDER:some/path. Exit codes: 0 done; 1 something failed or is left to
do; 2 wrong usage; 3 waits for your decision; 4 another Firnline holds this profile.
"""
TIME = "a time (2026-11-22, 2026-11-22T08:26Z), now, -1h, -2d, or the name of an event"
_MOMENT_OPTIONS = frozenset({"--at", "--from", "--to", "--since", "--until"})
_USUAL_COLUMNS = 80
_SPAN = re.compile("-[0-9]+[a-z]")
_OPERATIONS = ("put", "pat", "del", "mov", "cpy", "mkd", "rmd", "lnk", "bat")

Parser = argparse.ArgumentParser


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command, its function in `run`; `run` is None when no command was named.

    Exits with 2 for wrong usage and with 0 after --help and --version, as argparse does.
    """
    ordered = _profile_first(_joined(arguments))
    return build_parser(_command(ordered)).parse_args(ordered)


def _command(arguments: Sequence[str]) -> str:
    """The word after the options of the program; '' where there is none."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--profile":
            next(rest, None)
        elif not argument.startswith("-"):
            return argument
    return ""


def _joined(arguments: Sequence[str]) -> list[str]:
    """`--at -1h` as `--at=-1h`: argparse would take the span for an option."""
    found: list[str] = []
    for argument in arguments:
        if found and found[-1] in _MOMENT_OPTIONS and _SPAN.fullmatch(argument):
            found[-1] += f"={argument}"
        else:
            found.append(argument)
    return found


def _profile_first(arguments: Sequence[str]) -> list[str]:
    """`--profile` may stand behind the command as well, as people write it."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--profile" or argument.startswith("--profile="):
            end = place + 1 if "=" in argument else place + 2
            return [*arguments[place:end], *arguments[:place], *arguments[end:]]
    return list(arguments)


class _Formatter(argparse.HelpFormatter):
    """As wide as the terminal. argparse makes one for each argument to try out its name, and by
    itself would load `shutil` and three compressors for the width, before any command begins."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """The width of the terminal as `shutil.get_terminal_size` has it."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(1).columns or _USUAL_COLUMNS
    except OSError:
        return _USUAL_COLUMNS


class Group:
    """Commands that stand beside one another under one word (or under none)."""

    def __init__(self, parser: Parser, title: str = "commands", *, required: bool = True) -> None:
        # Without `prog` argparse lays out a whole usage text to find it.
        self._commands = parser.add_subparsers(
            metavar="COMMAND", title=title, required=required, prog=parser.prog
        )

    def add(self, name: str, run: str, text: str) -> Parser:
        """A command that `run` carries out: `module:function` in this package."""
        parser = self._parser(name, text)
        parser.set_defaults(run=run)
        return parser

    def group(self, name: str, text: str) -> "Group":
        """A word with commands of its own."""
        return Group(self._parser(name, text))

    def _parser(self, name: str, text: str) -> Parser:
        return self._commands.add_parser(
            name,
            help=text,
            description=f"{text[:1].upper()}{text[1:]}.",
            allow_abbrev=False,
            formatter_class=_Formatter,
        )


def build_parser(command: str = "") -> Parser:
    """The parser of one command, which takes a tenth of the time, or of all."""
    parser = Parser(
        prog="firnline",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=_Formatter,
    )
    parser.add_argument("--version", action="version", version=f"firnline {__version__}")
    parser.add_argument(
        "--profile",
        metavar="DIR",
        help="where this device keeps its settings, state and logs; or FIRNLINE_PROFILE",
    )
    parser.set_defaults(run=None, subject=None)
    commands = Group(parser, required=False)
    for add in [_COMMANDS[command]] if command in _COMMANDS else dict.fromkeys(_COMMANDS.values()):
        add(commands)
    return parser


def _add_stores(commands: Group) -> None:
    stores = commands.group("store", "the places that folders are kept in")
    add = stores.add("add", "store_commands:add", "add a store, made where there is none yet")
    _store_name(add)
    add.add_argument(
        "location", metavar="LOCATION", help="a path, sftp://..., webdavs://... or s3://..."
    )
    _store_options(add)
    _password_stdin(add, "its password")
    _json(stores.add("list", "store_commands:show_list", "show the stores of this device"))
    test = stores.add("test", "store_commands:test", "try what a store can do")
    _store_name(test)
    edit = stores.add("edit", "store_commands:edit", "change what is known of a store")
    _store_name(edit)
    edit.add_argument("--location", metavar="LOCATION", help="where the same store is now")
    _store_options(edit)
    edit.add_argument(
        "--no-minor", dest="minor", action="store_false", default=None, help="others wait for it"
    )
    _password_stdin(edit, "its new password").add_argument(
        "--password", action="store_true", help="ask at the terminal for a new password to keep"
    )
    remove = stores.add("remove", "store_commands:remove", "forget a store; what it holds stays")
    _store_name(remove)
    _force(remove)
    unlock = stores.add(
        "unlock",
        "store_commands:unlock",
        "open the sealed file with your passwords, for the Firnline that runs",
    )
    _password_stdin(unlock, "its passphrase")
    refill = stores.add(
        "refill", "refill:refill", "fill a store that was wiped again from the other places"
    )
    _store_name(refill)


def _store_name(parser: Parser) -> None:
    """The command is about one store, and so are its errors."""
    parser.add_argument("name", metavar="NAME", help="what it is called on this device")
    parser.set_defaults(subject="store")


def _store_options(parser: Parser) -> None:
    parser.add_argument(
        "--rating", type=_rating, metavar="0..100", help="how good it is to read from"
    )
    parser.add_argument(
        "--minor", action="store_true", default=None, help="others need not wait for it"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="for its kind of store"
    )


def _password_stdin(parser: Parser, what: str) -> "argparse._MutuallyExclusiveGroup":
    """A secret never stands in an argument: others can read those."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--password-stdin", action="store_true", help=f"read {what} from standard input"
    )
    parser.set_defaults(password=False, given=None, question="", times_asked=0)
    return group


def _rating(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:
        raise ValueError
    return number


_rating.__name__ = "rating"
"""argparse names it in its message: *invalid rating value*."""


def _add_folders(commands: Group) -> None:
    folders = commands.group("folder", "the folders that are kept equal")
    create = folders.add("create", "folder_commands:create", "make a directory a folder")
    create.add_argument("path", metavar="PATH", help="made when only its parent is there")
    _new_folder(create, "a store it goes to; all stores of this device when none is named")
    available = folders.add(
        "available", "folder_commands:available", "show the folders that the stores have"
    )
    available.add_argument("--store", action="append", default=[], metavar="STORE")
    _json(available)
    join = folders.add("join", "folder_commands:join", "have a folder of the stores here too")
    join.add_argument("folder", metavar="NAME_OR_ID")
    join.add_argument("path", metavar="PATH", help="what is there already is matched by content")
    _new_folder(join, "a store it goes to; those that have it when none is named")
    _json(folders.add("list", "folder_commands:show_list", "show the folders of this device"))
    for name, text in (("pause", "leave a folder alone"), ("resume", "go on with a folder")):
        command = folders.add(name, f"folder_commands:{name}", text)
        command.add_argument("name", metavar="NAME")
    remove = folders.add(
        "remove", "folder_commands:remove", "forget a folder on this device; its files stay"
    )
    remove.add_argument("name", metavar="NAME")
    _force(remove)
    stores = folders.add("stores", "folder_commands:stores", "show or change a folder's stores")
    stores.add_argument("name", metavar="NAME")
    stores.add_argument("--add", action="append", default=[], metavar="STORE")
    stores.add_argument("--drop", action="append", default=[], metavar="STORE")
    _force(stores)


def _new_folder(parser: Parser, stores: str) -> None:
    parser.add_argument("--name", metavar="NAME", help="what to call it on this device")
    parser.add_argument("--store", action="append", default=[], metavar="STORE", help=stores)


def _force(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="even where something is then out of reach"
    )


def _add_sync(commands: Group) -> None:
    help_text = "one pass over the folders, until nothing is left"
    sync = commands.add("sync", "begin_sync:sync", help_text)
    sync.add_argument("folders", nargs="*", metavar="FOLDER", help="all when none is named")
    sync.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="stop at a safe place after that time"
    )
    sync.add_argument(
        "--yes", action="store_true", help="delete what is gone, however much of a folder it is"
    )
    commands.add("run", "begin_run:run", "keep all folders in sync until it is stopped")
    _json(commands.add("status", "status:status", "show how everything is"))


def _add_verify(commands: Group) -> None:
    verify = commands.add(
        "verify", "verify:verify", "read back what the stores have, and check all of it"
    )
    verify.add_argument("folder", nargs="?", metavar="FOLDER", help="all when none is named")
    verify.add_argument("--store", metavar="STORE", help="only this one; home is the home store")
    verify.add_argument(
        "--repair", action="store_true", help="replace what is bad from another place"
    )
    _json(verify)


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


_seconds.__name__ = "number of seconds"


def _add_history(commands: Group) -> None:
    log = commands.add("log", "history:log", "show what happened, newest first")
    log.add_argument("target", nargs="?", metavar="FOLDER[:PATH]")
    log.add_argument("--since", metavar="T", help=TIME)
    log.add_argument("--until", metavar="T", help="as --since")
    log.add_argument("--device", metavar="D", help="name or id of who did it")
    log.add_argument("--op", choices=_OPERATIONS, help="only changes of this kind")
    log.add_argument("--limit", type=_count, metavar="N", help="at most so many")
    _json(log, "one JSON object per line")
    ls = commands.add("ls", "history:ls", "show what a folder holds, or held")
    ls.add_argument("target", metavar="FOLDER[:DIR]")
    ls.add_argument("--at", metavar="T", help=TIME)
    ls.add_argument("--recursive", action="store_true", help="all levels")
    _json(ls, "one JSON object per line")
    cat = commands.add("cat", "history:cat", "write the bytes of a file to standard output")
    cat.add_argument("target", metavar="FOLDER:PATH")
    cat.add_argument("--at", metavar="T", help=TIME)
    diff = commands.add("diff", "history:diff", "show what differs between two moments")
    diff.add_argument("target", metavar="FOLDER[:PATH]")
    diff.add_argument("--from", dest="start", metavar="T", help=TIME)
    diff.add_argument("--to", dest="end", metavar="T", help="as --from; now when not given")
    _json(diff)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


_count.__name__ = "count"


def _add_conflicts(commands: Group) -> None:
    """`conflicts [FOLDER]` and `conflicts resolve …` share a word, so a folder that is called
    `resolve` has to be named by its id."""
    show = commands.add("conflicts", "conflicts:conflicts", "show open conflicts, or decide one")
    show.usage = (
        "firnline conflicts [-h] [--json] [FOLDER]\n"
        "       firnline conflicts resolve FOLDER:PATH (--keep EVENT | --keep-both)"
    )
    show.add_argument("words", nargs="*", metavar="FOLDER | resolve FOLDER:PATH")
    keep = show.add_mutually_exclusive_group()
    keep.add_argument("--keep", metavar="EVENT", help="resolve: the version that stays")
    keep.add_argument("--keep-both", action="store_true", help="resolve: both versions stay")
    _json(show)


def _add_questions(commands: Group) -> None:
    _json(commands.add("questions", "questions:questions", "show what waits for your decision"))
    answer = commands.add("answer", "questions:answer", "decide what waits for you")
    answer.add_argument("id", metavar="ID", help="as `firnline questions` shows it")
    answer.add_argument("choice", metavar="CHOICE", help="one of its choices")


def _add_config(commands: Group) -> None:
    config = commands.group("config", "the settings of this device")
    get = config.add("get", "config:get", "show a setting; all when none is named")
    get.add_argument("key", nargs="?", metavar="KEY")
    _json(get)
    change = config.add("set", "config:set_value", "change a setting")
    change.add_argument("key", metavar="KEY")
    change.add_argument("value", metavar="VALUE")
    _json(config.add("list", "config:show_all", "show all settings and what they mean"))


def _add_export(commands: Group) -> None:
    export = commands.add(
        "export-logs", "export_logs:export", "make a bundle for a bug report, secrets left out"
    )
    export.add_argument("file", metavar="FILE", help="a new zip file")


def _add_demo(commands: Group) -> None:
    demo = commands.add("demo", "demo:demo", "play two devices and a store in a temporary place")
    demo.add_argument("--keep", metavar="DIR", help="play in DIR, a new one, and leave it there")


def _json(parser: Parser, text: str = "one JSON document on standard output") -> None:
    parser.add_argument("--json", action="store_true", help=text)


_COMMANDS = {
    "store": _add_stores,
    "folder": _add_folders,
    "sync": _add_sync,
    "run": _add_sync,
    "status": _add_sync,
    "verify": _add_verify,
    "log": _add_history,
    "ls": _add_history,
    "cat": _add_history,
    "diff": _add_history,
    "conflicts": _add_conflicts,
    "questions": _add_questions,
    "answer": _add_questions,
    "config": _add_config,
    "export-logs": _add_export,
    "demo": _add_demo,
}
"""What makes the parser of each command, in the order in which help shows them."""
