"""Calls into a library that may wait for a person, or for a service that died: with a deadline.

Such a call cannot be stopped, so it is left to a thread of its own, which does not keep the program
from ending. While one hangs, no second one is begun: a person is not asked twice. The same question
again waits for its answer; others fail at once. After a while it is given up, so that a service
that died and came back is asked again.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from firnline.credentials.errors import ShelfError, Trouble

_Result = TypeVar("_Result")
GIVEN_UP = 120.0
"""Seconds after which nobody waits for a call any more, and another one may be begun."""
_logger = logging.getLogger(__name__)


class _Call(Generic[_Result]):
    """One call, on its thread."""

    def __init__(self, question: Hashable, work: Callable[[], _Result], begun: float) -> None:
        self.question = question
        self.begun = begun
        self.done = threading.Event()
        self.result: _Result | None = None
        self.error: Exception | None = None
        self._work = work
        threading.Thread(target=self._live, name="keyring", daemon=True).start()

    def _live(self) -> None:
        try:
            self.result = self._work()
        except Exception as error:
            _logger.debug("keyring", exc_info=error)
            self.error = error
        self.done.set()


class Answering:
    """See the module. From any thread."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        """`seconds`: how long a call is waited for."""
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._call: _Call[object] | None = None

    def ask(self, question: Hashable, work: Callable[[], object]) -> object:
        """What `work` returns or raises. Raises ShelfError(SILENT) when that takes too long."""
        call = self._begun(question, work)
        if not call.done.wait(self._seconds):
            raise ShelfError(Trouble.SILENT)
        with self._lock:
            if self._call is call:
                self._call = None
        if call.error is not None:
            raise call.error
        return call.result

    def _begun(self, question: Hashable, work: Callable[[], object]) -> _Call[object]:
        while True:
            with self._lock:
                now, hanging = self._monotonic(), self._call
                if hanging is None or hanging.done.is_set() or now - hanging.begun > GIVEN_UP:
                    self._call = _Call(question, work, now)
                    return self._call
                if hanging.question == question:
                    return hanging
                overdue = now - hanging.begun > self._seconds
            # Another question is being answered: in milliseconds, as a rule.
            if overdue or not hanging.done.wait(self._seconds):
                raise ShelfError(Trouble.SILENT)
