"""From the arguments of a command to an open profile."""

import os
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from firnline.cli import output
from firnline.config.places import Places
from firnline.config.profile_lock import ProfileBusy
from firnline.core.clock import Clock
from firnline.engine.runtime import Engine
from firnline.engine.surroundings import Surroundings
from firnline.engine.system import SystemClock, system_random
from firnline.stores.errors import CredentialsError
from firnline.sync.context import Progress

if TYPE_CHECKING:
    from firnline.credentials.vault import Credentials

COMMAND_PATIENCE = 10.0
"""Seconds that a command waits for another one that changes things."""
_BETWEEN_TRIES = 0.1


class Inside(NamedTuple):
    """A command that is carried out by the process that holds the profile, for a caller."""

    places: Places
    directory: Path
    """Where the caller stands."""
    gone: Callable[[], bool]
    """The caller waits no more: stop at a safe place."""
    credentials: "Callable[[], Credentials]"
    """Those of the process that carries it out: what it holds in memory alone is not lost."""
    wanted: Callable[[str], None] | None = None
    """Tells the caller what a person is to be asked for; None: there is nobody to ask."""


def never() -> bool:
    """What is asked whether to stop, where nobody can ask for it."""
    return False


class Patience:
    """Waits for another command to be done with the profile; not for a Firnline that takes
    commands, which holds it without end."""

    def __init__(
        self,
        control: Path,
        seconds: float,
        cancelled: Callable[[], bool] = never,
        clock: Clock | None = None,
    ) -> None:
        """`control`: where commands are taken, if they are. `cancelled`: nobody wants to wait."""
        self._control = control
        self._seconds = seconds
        self._cancelled = cancelled
        self._clock = clock or SystemClock()
        self._end: float | None = None

    def __call__(self, busy: ProfileBusy) -> bool:
        """Whether to try again, after a moment; the first time it is said."""
        from firnline.engine.control.client import is_listening

        if self._cancelled() or is_listening(self._control):
            return False
        now = self._clock.monotonic()
        if self._end is None:
            self._end = now + self._seconds
            output.message(
                output.shown(
                    f"firnline: waiting until {busy.who} is done with this profile"
                    f" ({busy.path}), {self._seconds:.0f} s at most"
                )
            )
        if now >= self._end:
            return False
        self._clock.sleep(_BETWEEN_TRIES)
        return True


def open_engine(
    arguments: Namespace,
    *,
    lock: bool,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = never,
    patience: float | None = None,
) -> AbstractContextManager[Engine]:
    """The profile that the arguments or the environment name. See `Engine.open`.

    `patience`: seconds that another command has to let go of it; None: those of every command.
    """
    inside = inside_of(arguments)
    if inside is None:
        places = places_of(arguments)
        seconds = COMMAND_PATIENCE if patience is None else patience
        wait = Patience(places.control, seconds, cancelled)
        credentials = credentials_of(places)
        outside = surroundings(progress, cancelled)._replace(
            try_again=wait,
            credentials=credentials,
            answer=partial(_answer, credentials) if lock else nobody_answers,
        )
        return Engine.open(places, outside, lock=lock)
    outside = surroundings(progress, lambda: cancelled() or inside.gone())
    outside = outside._replace(credentials=inside.credentials)
    return Engine.open(inside.places, outside, lock=lock, held=True)


def inside_of(arguments: Namespace) -> Inside | None:
    """None for a command of this process's own."""
    found: Inside | None = getattr(arguments, "inside", None)
    return found


def goes_on_by_itself(arguments: Namespace) -> bool:
    """What the command leaves to do is done without anybody asking: a Firnline runs."""
    return inside_of(arguments) is not None


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


def credentials_of(places: Places) -> "Callable[[], Credentials]":
    """Gives the secrets of the profile's stores; nothing is imported before the first call."""

    @cache
    def made() -> "Credentials":
        from firnline.cli.asking import make_credentials

        return make_credentials(places)

    return made


def nobody_answers(error: CredentialsError) -> bool:
    """Where nobody is asked for a secret that is missing."""
    return False


def _answer(credentials: "Callable[[], Credentials]", error: CredentialsError) -> bool:
    """Ask whoever sits at the terminal for the secret that is missing."""
    if not output.can_ask():
        return False
    from firnline.cli.asking import answered

    return answered(credentials(), error)


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
