"""Threads for calls that block outside Python.

While obstore waits for a server no signal is heard on that thread, so Ctrl-C would wait with it.
Its calls run here, and who wants their result waits in Python. The threads are daemons: a server
that hangs keeps nobody from ending the program.
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Task:
    """A call, and where its result goes: also an error is for whoever waits."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self.future: Future[Any] = Future()

    def run(self) -> None:
        if self.future.set_running_or_notify_cancel():
            with self:
                self.future.set_result(self._call())

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is not None:
            self.future.set_exception(error)
        return True


class Workers:
    """Up to so many threads, made when they are needed. From any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._busy = 0
        """Tasks that were begun or wait."""
        self._closed = False

    def submit(self, call: Callable[[], _Result]) -> "Future[_Result]":
        """Begin a call, or let it wait for a thread that is free. After `close` it is cancelled."""
        task = _Task(call)
        with self._lock:
            if self._closed:
                task.future.cancel()
                return task.future
            self._busy += 1
            if len(self._threads) < min(self._busy, self._most):
                thread = Thread(target=self._work, name="firnline-s3", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._tasks.put(task)
        return task.future

    def run(self, call: Callable[[], _Result]) -> _Result:
        """Make a call and wait for it. Raises what it raises."""
        if self._closed or current_thread() in self._threads:
            return call()
        return self.submit(call).result()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.run()
            with self._lock:
                self._busy -= 1

    def close(self) -> None:
        """What waits is not begun any more; what was begun ends by itself."""
        with self._lock:
            threads = 0 if self._closed else len(self._threads)
            self._closed = True
        while not self._tasks.empty():
            task = self._tasks.get()
            if task is not None:
                task.future.cancel()
        for _ in range(threads):
            self._tasks.put(None)
