"""What a command is given from outside: clock, randomness, secrets, and who wants to know."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from firnline.config.profile_lock import ProfileBusy
from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.errors import CredentialsError
from firnline.sync.context import Progress

if TYPE_CHECKING:
    from firnline.credentials.vault import Credentials


def no_credentials() -> "Credentials":
    """For a profile whose stores have no secrets."""
    from firnline.credentials.vault import nothing_kept

    return nothing_kept()


class Surroundings(NamedTuple):
    """What a command is given from outside: tests pass their own."""

    clock: Clock
    random: Callable[[int], bytes]
    steps: Steps = no_steps
    progress: Progress = Progress()
    cancelled: Callable[[], bool] = lambda: False
    try_again: Callable[[ProfileBusy], bool] = lambda busy: False
    """Asked while another process holds the profile; waits before it says yes."""
    credentials: "Callable[[], Credentials]" = no_credentials
    """Gives the secrets of the profile's stores, the same object each time. A profile with
    directory stores alone never calls it."""
    answer: Callable[[CredentialsError], bool] = lambda error: False
    """Called when a store cannot be opened so; True: a person gave what was missing."""
