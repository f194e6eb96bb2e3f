"""From the arguments of a command to an open profile."""

import os
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager

from firnline.config.places import Places
from firnline.engine.runtime import Engine, Surroundings
from firnline.engine.system import SystemClock, system_random
from firnline.sync.context import Progress


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
    return Engine.open(places_of(arguments), surroundings(progress, cancelled), lock=lock)


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
    try:
        return Places.find(arguments.profile, os.environ)
    except ValueError as error:
        from firnline.engine.errors import UsageError

        raise UsageError(str(error)) from error
