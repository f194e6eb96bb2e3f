"""Work beside one's own: on a second thread; where the system has none left, when it is waited for.

A computer that is short of memory or of processes refuses threads. That makes a pass slower and is
no reason to end it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_Result = TypeVar("_Result")


class Beside:
    """One thread, made when it is first needed. A context manager that waits for what was begun."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._refused = False

    def begin(self, call: Callable[[], _Result]) -> Callable[[], _Result]:
        """Begin `call`. What is returned waits for it, to be called once; it returns and raises
        what `call` does."""
        if self._refused:
            return call
        from concurrent.futures import ThreadPoolExecutor

        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "firnline-beside")
        try:
            return self._pool.submit(call).result
        except RuntimeError:
            # No thread. The call stands in the queue of one that must never take it.
            self._refused = True
            self._pool.shutdown(cancel_futures=True)
            return call

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()
