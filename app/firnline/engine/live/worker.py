"""A thread of its own for one folder or one store, on which all that blocks is done in turn."""

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from firnline.engine.live.loop_gate import LoopGate

_Result = TypeVar("_Result")
_logger = logging.getLogger(__name__)


class Worker:
    """Calls functions on its thread, one at a time, in the order in which they came.

    The thread waits without a tick. It does not keep the program from ending: what hangs in a dead
    mount would hold it for ever, and every point is a safe one to be killed at (docs/design.md
    section 10, *Crash safety*).
    """

    def __init__(self, name: str, gate: LoopGate) -> None:
        self._name = name
        self._gate = gate
        self._queue: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        threading.Thread(target=self._live, name=name, daemon=True).start()

    def call(self, function: Callable[[], _Result]) -> "asyncio.Future[_Result]":
        """What `function` returns or raises. To be called on the loop."""
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()

        def work() -> None:
            try:
                result = function()
            except Exception as error:
                _logger.debug("%s", self._name, exc_info=error)
                self._gate.post(partial(_fail, future, error))
            else:
                self._gate.post(partial(_settle, future, result))

        self._queue.put(work)
        return future

    def send(self, function: Callable[[], object]) -> None:
        """As `call`, where nobody waits for the end of it. `function` raises nothing."""
        self._queue.put(function)

    def end(self) -> None:
        """The thread ends after what was asked for until now."""
        self._queue.put(None)

    def _live(self) -> None:
        while (work := self._queue.get()) is not None:
            work()


def _settle(future: "asyncio.Future[_Result]", result: _Result) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[_Result]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
