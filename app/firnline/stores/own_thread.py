"""A call that may hang, from a coroutine.

`asyncio.to_thread` will not do: the interpreter waits for its threads before it ends, and what asks
a keyring may wait for a person who is not there.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from firnline.stores.errors import UnavailableError

_Result = TypeVar("_Result")
_logger = logging.getLogger(__name__)


async def on_own_thread(work: Callable[[], _Result]) -> _Result:
    """What `work` returns or raises, on a thread that keeps nobody from ending. Raises
    UnavailableError when there can be no thread."""
    future: Future[_Result] = Future()

    def live() -> None:
        try:
            result = work()
        except Exception as error:
            _logger.debug("%s", type(error).__name__, exc_info=error)
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    try:
        Thread(target=live, name="secret", daemon=True).start()
    except RuntimeError as error:
        raise UnavailableError("", str(error)) from error
    return await asyncio.wrap_future(future)
