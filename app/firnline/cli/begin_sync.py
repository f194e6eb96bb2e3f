"""`firnline sync`, before the program is loaded: a cold disk is asked at once for what comes next.

Of the program only what `firnline.cli.main` needs is loaded when the disk is asked, and the rest
by both processes at a time; so what is imported here is little.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from firnline.folder.looking_ahead import Stopped, ask_for, look_at, looking_ahead

_PACKAGES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_TELLING = os.path.join("sync", "__pycache__", "applier")
"""A module that only a pass needs."""
_LIBRARY = (
    *("pathlib", "fnmatch", "ipaddress", "datetime", "traceback", "linecache", "tokenize", "token"),
    *("textwrap", "string", "weakref", "bisect", "__future__"),
)
"""Modules of Python's own that a pass needs, and no command needs before it begins."""
_LIBRARY_PACKAGES = ("urllib", "tomllib", "logging", "json", "sqlite3")
_EXTENSIONS = ("math", "_datetime", "_json", "_sqlite3", "unicodedata", "fcntl", "_bisect")


def sync(arguments: Namespace) -> int:
    """See `firnline.cli.sync`."""
    if "inside" in arguments:
        # Carried out for somebody else: all is loaded, and a process with threads is not to fork.
        from firnline.cli.sync import sync as run

        return run(arguments)
    with looking_ahead(telling_module(), partial(look, arguments)):
        from firnline.cli.sync import sync as run

        return run(arguments)


def telling_module() -> str:
    """The file that tells by being in memory whether the program is."""
    return f"{os.path.join(_PACKAGES, _TELLING)}.{_compiled()}"


def look(arguments: Namespace, stopped: Stopped) -> None:
    """At what the pass will need, in its order."""
    ask_for(modules())
    for root, table in _folders(arguments):
        look_at(root, table, stopped)


def modules() -> Iterator[str]:
    """Files that Python will read, about in its order, and directories of them. What does not
    stand there (other Pythons have it built in) is passed over."""
    from importlib.machinery import EXTENSION_SUFFIXES

    library, suffix = os.path.dirname(os.__file__), _compiled()
    for name in _LIBRARY:
        yield f"{library}/__pycache__/{name}.{suffix}"
    for name in _LIBRARY_PACKAGES:
        yield f"{library}/{name}/__pycache__"
    for name in _EXTENSIONS:
        yield f"{library}/lib-dynload/{name}{EXTENSION_SUFFIXES[0]}"
    for place in sys.path:
        yield f"{place}/blake3"
    with suppress(OSError):
        for package in os.listdir(_PACKAGES):
            yield f"{_PACKAGES}/{package}/__pycache__"


def _compiled() -> str:
    """How the names of compiled modules end, told by this one's."""
    return os.path.basename(__spec__.cached or "").partition(".")[2]


def _folders(arguments: Namespace) -> Iterator[tuple[str, str]]:
    """Place and database of what will be synced; what is wrong with the settings is told later."""
    from firnline.config.errors import ConfigError
    from firnline.config.places import Places
    from firnline.config.settings import load
    from firnline.engine.mounts import can_hang

    with suppress(ValueError, ConfigError, OSError):
        places = Places.find(arguments.profile, os.environ)
        for folder in load(places.config_file).folders:
            named = not arguments.folders or {folder.name, folder.folder_id} & {*arguments.folders}
            if named and not folder.paused and not can_hang(folder.path):
                yield str(folder.path), str(places.table(folder.folder_id))
