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
    outside = Surroundings(
        clock=SystemClock(),
        random=system_random,
        progress=progress or Progress(),
        cancelled=cancelled,
    )
    return Engine.open(places_of(arguments), outside, lock=lock)


def places_of(arguments: Namespace) -> Places:
    """Raises UsageError for an empty --profile."""
    try:
        return Places.find(arguments.profile, os.environ)
    except ValueError as error:
        from firnline.engine.errors import UsageError

        raise UsageError(str(error)) from error
