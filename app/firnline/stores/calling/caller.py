"""Makes a call, and makes it again where that is safe and helps."""

import logging
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from firnline.stores.calling.logins import Logins
from firnline.stores.calling.shared import Shared
from firnline.stores.errors import (
    CredentialsError,
    HangingError,
    StoreError,
    UnavailableError,
)
from firnline.stores.line import GoOn

Result = TypeVar("Result")
Call = Callable[[bool], Result]
"""Makes one attempt; it is told whether an earlier one may have had its effect all the same."""
_logger = logging.getLogger(__name__)


class Caller:
    """For one connection. From any thread."""

    def __init__(
        self, shared: Shared, logins: Logins, go_on: GoOn, closed: Event | None = None
    ) -> None:
        """`go_on` is asked while something is waited for, and ends it by raising."""
        self._shared = shared
        self._logins = logins
        self.go_on = go_on
        self._closed = closed or Event()

    def ended_by(self, go_on: GoOn) -> "Caller":
        """The same, for somebody who ends it in another way."""
        return Caller(self._shared, self._logins, go_on, self._closed)

    def close(self) -> None:
        """Nothing is made again from now on."""
        self._closed.set()

    def open(self, opening: Callable[[], Result]) -> Result:
        """Connect. Whoever connects to a store that is away comes again by himself, so this waits
        only where the server asks for a little time. Raises what `opening` raises."""
        self._logins.look()
        result = self._made(lambda unsure: opening(), opens=True)
        self._logins.accepted()
        return result

    def again(self, call: Call[Result], size: int | None = None) -> Result:
        """A call that may be repeated; `size`: bytes that it moves. Raises what the last attempt
        raised, or why there was none."""
        return self._made(call, size)

    def once(self, call: Callable[[], Result], size: int | None = None) -> Result:
        """A call that cannot be repeated."""
        turn = self._shared.turn
        return self._attempt(turn, lambda unsure: call(), size, unsure=False)

    def _made(self, call: Call[Result], size: int | None = None, *, opens: bool = False) -> Result:
        trial = self._shared.trial(opens=opens)
        error: UnavailableError | None = None
        try:
            while True:
                turn = self._shared.admitted(trial, self.go_on)
                if turn is None:
                    raise error or self._shared.reason()
                try:
                    return self._attempt(turn, call, size, unsure=trial.attempts > 0)
                except HangingError:
                    raise
                except UnavailableError as failure:
                    if self._closed.is_set():
                        raise
                    error = failure
                trial = trial.again()
                _logger.info("attempt %d failed: %s", trial.attempts, error)
        finally:
            # Else it and this call would hold each other.
            del error

    def _attempt(self, turn: int, call: Call[Result], size: int | None, *, unsure: bool) -> Result:
        self._logins.check()
        try:
            if size is None:
                result = call(unsure)
            else:
                with self._shared.slots.taken(size, self.go_on):
                    result = call(unsure)
        except UnavailableError as error:
            self._shared.failed(turn, error)
            raise
        except StoreError as error:
            self._shared.worked(turn)
            if isinstance(error, CredentialsError):
                self._logins.refused(error)
            raise
        self._shared.worked(turn)
        return result
