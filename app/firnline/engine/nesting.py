"""Which directories may not be inside one another: folders, stores, and the profile itself.

A store inside a folder would be synced into itself; a folder inside a folder would be synced
twice; files in the profile are this program's alone. Paths are compared with links followed.
"""

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from firnline.engine.errors import RefusedError
from firnline.engine.mounts import is_silent
from firnline.engine.runtime import Engine
from firnline.stores.errors import LocationError
from firnline.stores.registry import DIRECTORY, parse_location


class Place(StrEnum):
    """What a directory is for."""

    FOLDER = "folder"
    STORE = "store"
    PROFILE = "profile"


class Known(NamedTuple):
    """A directory that is in use."""

    place: Place
    name: str
    path: Path


def refuse_nesting(engine: Engine, place: Place, path: Path, but: str = "") -> None:
    """Raises RefusedError when `path` cannot be a folder or store, since it is, is in or is around
    a directory that is in use. `but`: the name of the folder or store that it is itself."""
    wanted = _resolved(path)
    for known in in_use(engine):
        if known.place is place and known.name == but:
            continue
        used = _resolved(known.path)
        if wanted == used or used in wanted.parents or wanted in used.parents:
            raise RefusedError(_sentence(path, wanted, known, used), _ADVICE)


_ADVICE = "choose a directory of its own for it"


def in_use(engine: Engine) -> list[Known]:
    """The directories of this profile, its folders and its stores."""
    places = engine.places
    found = [Known(Place.FOLDER, each.name, each.path) for each in engine.settings.folders]
    for store in engine.settings.stores:
        with suppress(LocationError):
            location = parse_location(store.location)
            if location.kind == DIRECTORY:
                found.append(Known(Place.STORE, store.name, Path(location.address)))
    own = {places.state, places.home_store, places.logs, places.config_file.parent}
    return found + [Known(Place.PROFILE, "", path) for path in sorted(own)]


def _resolved(path: Path) -> Path:
    """Links followed, except where that would wait for a disk that does not answer."""
    found = os.path.abspath(path) if is_silent(path) else os.path.realpath(path)
    return Path(os.path.normcase(found))


def _sentence(path: Path, wanted: Path, known: Known, used: Path) -> str:
    what = f"{known.place} {known.name!r}" if known.name else "Firnline's own profile"
    if wanted == used:
        return f"{path} is {what} already"
    relation = "is inside" if used in wanted.parents else "is around"
    return f"{path} {relation} {what} ({known.path})"
