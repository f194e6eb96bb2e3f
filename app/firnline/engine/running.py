"""What the Firnline that runs says of itself to `status`, which reads all else by itself.

Only what nobody else can know: what is being done at this moment, and how its connections stand. It
is a few lines of JSON, made by the loop from what it has at hand, so asking disturbs nothing.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from firnline.core.connection_state import ConnectionState
from firnline.engine.control.client import look


class Work(StrEnum):
    """What is done with a folder."""

    NOTHING = ""
    SCANNING = "scanning"
    SYNCING = "syncing"


class FolderNow(NamedTuple):
    """A folder that is looked after."""

    work: Work = Work.NOTHING
    hints: int = 0
    """Paths that changed and are still to be looked at; 0 where everything is."""
    trouble: str = ""
    """Why the folder as a whole was not looked after the last time, for people."""


class Now(NamedTuple):
    """The process that runs, at one moment."""

    folders: Mapping[str, FolderNow]
    """By id; those that are looked after."""
    stores: Mapping[str, ConnectionState]
    """By STOREHASH."""

    def to_text(self) -> str:
        folders = {each: list(folder) for each, folder in self.folders.items()}
        return json.dumps({"folders": folders, "stores": dict(self.stores)})


NOTHING = Now({}, {})
"""It is just beginning, or ending."""


def ask_running(directory: Path) -> Now | None:
    """Of the process whose control socket is in `directory`; None when nobody answers."""
    text = look(directory)
    return None if text is None else parse_now(text)


def parse_now(text: str) -> Now | None:
    """None for what is no such text."""
    try:
        value = json.loads(text)
        folders = {
            str(each): FolderNow(Work(work), int(hints), str(trouble))
            for each, (work, hints, trouble) in value["folders"].items()
        }
        stores = {str(each): ConnectionState(state) for each, state in value["stores"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Now(folders, stores)
