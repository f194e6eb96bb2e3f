"""What all who use one store in this process know of it.

When one of them learns that the store is busy or gone, the others wait as well, or fail without
asking. It outlives connections, and is found by what the store is called here, its location.
"""

import threading
from collections.abc import Callable

from firnline.core.circuit import Circuit, Trial
from firnline.core.clock import Clock
from firnline.stores.calling.slots import STEP, Slots
from firnline.stores.errors import BusyError, ServerError, UnavailableError
from firnline.stores.line import GoOn, Wait

Random = Callable[[int], bytes]
"""Gives so many random bytes."""


class Shared:
    """For one store. From any thread."""

    def __init__(self, clock: Clock, random: Random, wait: Wait = threading.Condition.wait) -> None:
        self._clock = clock
        self._random = random
        self._wait = wait
        self._condition = threading.Condition()
        self._circuit = Circuit()
        self._detail = ""
        self.slots = Slots(wait)

    def trial(self, *, opens: bool = False) -> Trial:
        """A call that begins now."""
        return Trial(self._clock.monotonic(), opens=opens)

    @property
    def turn(self) -> int:
        """In which a call begins that waits for nobody."""
        return self._circuit.turn

    def admitted(self, trial: Trial, go_on: GoOn) -> int | None:
        """The turn in which the next attempt begins, waited for; None: there is none.

        Raises what `go_on` raises, which is asked while this one waits.
        """
        with self._condition:
            while True:
                seconds = trial.wait(self._circuit, self._clock.monotonic())
                if seconds is None:
                    return None
                if not seconds:
                    return self._circuit.turn
                self._wait(self._condition, min(seconds, STEP))
                go_on()

    def failed(self, turn: int, error: UnavailableError) -> None:
        """A call that began in `turn` did not reach the store, or it asked for time."""
        asked = error.seconds if isinstance(error, BusyError) else None
        share = int.from_bytes(self._random(2), "big") / 65535
        with self._condition:
            now = self._clock.monotonic()
            answered = isinstance(error, ServerError)
            self._circuit = self._circuit.failed(turn, now, share, asked, answered=answered)
            self._detail = error.detail

    def worked(self, turn: int) -> None:
        """A call that began in `turn` was answered."""
        with self._condition:
            before, self._circuit = self._circuit, self._circuit.worked(turn)
            if before is not self._circuit:
                self._condition.notify_all()

    def reason(self) -> UnavailableError:
        """Why nobody asks now."""
        with self._condition:
            if self._circuit.asked:
                left = self._circuit.pause(self._clock.monotonic())
                return BusyError("", self._detail, left)
            return UnavailableError("", self._detail)


_known: dict[str, Shared] = {}
_lock = threading.Lock()


def shared_of(location: str, clock: Clock, random: Random) -> Shared:
    """The one of a store in this process, made with the first."""
    with _lock:
        found = _known.get(location)
        if found is None:
            found = _known[location] = Shared(clock, random)
        return found
