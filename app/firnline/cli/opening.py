"""From the arguments of a command to an open profile."""

import os
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from firnline.config.places import Places
from firnline.engine.runtime import Engine, Surroundings
from firnline.engine.system import SystemClock, system_random
from firnline.sync.context import Progress


class Inside(NamedTuple):
    """A command that is carried out by the process that holds the profile, for a caller."""

    places: Places
    directory: Path
    """Where the caller stands."""
    gone: Callable[[], bool]
    """The caller waits no more: stop at a safe place."""


def never() -> bool:
    """What is asked whether to stop, where nobody can ask for it."""
    return False


def open_engine(
    arguments: Namespace,
    *,
    lock: bool,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
) -> AbstractContextManager[Engine]:
    """The profile that the arguments or the environment name. See `Engine.open`."""
    inside = inside_of(arguments)
    if inside is None:
        return Engine.open(places_of(arguments), surroundings(progress, cancelled), lock=lock)
    outside = surroundings(progress, lambda: cancelled() or inside.gone())
    return Engine.open(inside.places, outside, lock=lock, held=True)


def inside_of(arguments: Namespace) -> Inside | None:
    """None for a command of this process's own."""
    found: Inside | None = getattr(arguments, "inside", None)
    return found


def from_here(arguments: Namespace, path: str) -> str:
    """A path as the caller meant it, who may stand elsewhere; what is no path stays as it is."""
    inside = inside_of(arguments)
    if inside is None or "://" in path:
        return path
    return str(inside.directory / os.path.expanduser(path))


def surroundings(
    progress: Progress | None = None, cancelled: Callable[[], bool] = never
) -> Surroundings:
    """This computer's clock and randomness."""
    return Surroundings(
        clock=SystemClock(),
        random=system_random,
        progress=progress or Progress(),
        cancelled=cancelled,
    )


def places_of(arguments: Namespace) -> Places:
    """Raises UsageError for an empty --profile."""
    inside = inside_of(arguments)
    if inside is not None:
        return inside.places
    try:
        return Places.find(arguments.profile, os.environ)
    except ValueError as error:
        from firnline.engine.errors import UsageError

        raise UsageError(str(error)) from error
