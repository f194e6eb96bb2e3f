"""A store whose place may stop answering, made one that fails instead.

For directory stores on network and FUSE mounts: a call into a dead one never comes back, and no
system call has a deadline of its own. So every call runs on a thread that the caller waits for as
long as is sensible; after that the store is *lost*: this call and all later ones raise
`HangingError`, at once and without touching the place, so that a pass goes on without it.

What was given up may still take effect when the mount comes back: that is the lost answer that
every writer reckons with ("timeout after effect"). An upload that was given up is never committed.
The threads are daemons: they keep nobody from ending the program.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Generic, TypeVar

from firnline.stores.base import Capabilities, Listed, Reader, Store, Upload
from firnline.stores.errors import HangingError, UnavailableError

PATIENCE = 60.0
"""Seconds for one call: longer than servers and disks take to wake, or to fail over."""
SLOWEST = 128 * 1024
"""Bytes a second that a call is given time for, since writing waits for all that was written
before: the line of somebody who would rather wait than lose the store."""

_NAMES = 256
"""Names of a listing that are asked for at once."""
_Result = TypeVar("_Result")
_Task = Callable[[], None]


class Answer(Generic[_Result]):
    """What a call will have returned, or raised."""

    def __init__(self, call: Callable[[], _Result]) -> None:
        self._call = call
        self._done: SimpleQueue[None] = SimpleQueue()
        self._result: list[_Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        with self:
            self._result.append(self._call())

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Whatever it is, it is for whoever waits and not for the thread."""
        self._error = error
        self._done.put(None)
        return True

    def get(self, seconds: float) -> _Result:
        """Raises what the call raised, and `queue.Empty` when it took longer."""
        self._done.get(timeout=seconds)
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                # Else it and this call would hold each other.
                del error
        return self._result[0]


class Calls:
    """Runs calls on threads of their own, each with a deadline."""

    def __init__(self, patience: float | None = None) -> None:
        self.patience = PATIENCE if patience is None else patience
        """Seconds for one call."""
        self.lost = False
        """A call was given up."""
        self._idle: list[SimpleQueue[_Task | None]] = []

    def run(self, call: Callable[[], _Result], size: int = 0) -> _Result:
        """The call's result; `size`: bytes that it may have to wait for. Raises what it raises,
        and HangingError."""
        if self.lost:
            raise HangingError("", "it stopped answering")
        answer = Answer(call)
        worker = self._worker()
        worker.put(answer.run)
        try:
            result = answer.get(self.patience + size / SLOWEST)
        except Empty:
            self.lost = True
            raise HangingError("", "it stopped answering") from None
        finally:
            if not self.lost:
                self._idle.append(worker)
        return result

    def run_if_left(self, call: Callable[[], object]) -> None:
        """A call that only tidies up: left out when the store is lost."""
        with suppress(HangingError):
            self.run(call)

    def end(self) -> None:
        """Let the threads go that wait for work."""
        while self._idle:
            self._idle.pop().put(None)

    def _worker(self) -> "SimpleQueue[_Task | None]":
        if self._idle:
            return self._idle.pop()
        tasks: SimpleQueue[_Task | None] = SimpleQueue()
        try:
            Thread(target=_work, args=(tasks,), name="firnline-store", daemon=True).start()
        except RuntimeError as error:
            raise UnavailableError("", str(error)) from error
        return tasks


def _work(tasks: "SimpleQueue[_Task | None]") -> None:
    while (task := tasks.get()) is not None:
        task()


class DeadlineStore:
    """See `stores.base.Store`. `opening` makes the store that is really asked, on such a thread
    as well; raises what it raises, and HangingError."""

    def __init__(self, opening: Callable[[], Store], calls: Calls | None = None) -> None:
        self._calls = calls or Calls()
        self._inner = self._calls.run(opening)

    @property
    def kind(self) -> str:
        return self._inner.kind

    @property
    def capabilities(self) -> Capabilities:
        return self._calls.run(lambda: self._inner.capabilities)

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        return self._pieces(self._calls.run(lambda: self._inner.list(directory, after, sizes)))

    def _pieces(self, names: Iterator[Listed]) -> Iterator[Listed]:
        while piece := self._calls.run(lambda: list(islice(names, _NAMES))):
            yield from piece

    def size(self, path: str) -> int | None:
        return self._calls.run(lambda: self._inner.size(path))

    def open(self, path: str, offset: int = 0, length: int | None = None) -> "DeadlineReader":
        reader = self._calls.run(lambda: self._inner.open(path, offset, length))
        return DeadlineReader(self._calls, reader)

    def read_small(self, path: str, limit: int) -> bytes:
        return self._calls.run(lambda: self._inner.read_small(path, limit))

    def upload(self) -> "DeadlineUpload":
        return DeadlineUpload(self._calls, self._inner)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        """They are taken before anything is written: where they come from may know one thread."""
        taken = list(files)
        size = sum(len(body) for _, body in taken)
        self._calls.run(lambda: self._inner.put_many(taken), size)

    def create(self, path: str, body: bytes) -> None:
        self._calls.run(lambda: self._inner.create(path, body), len(body))

    def rename(self, source: str, target: str) -> None:
        self._calls.run(lambda: self._inner.rename(source, target))

    def copy(self, source: str, target: str) -> None:
        size = self.size(source) or 0
        self._calls.run(lambda: self._inner.copy(source, target), size)

    def delete(self, path: str) -> None:
        self._calls.run(lambda: self._inner.delete(path))

    def server_time(self) -> datetime | None:
        return self._calls.run(lambda: self._inner.server_time())

    def free_space(self) -> int | None:
        return self._calls.run(lambda: self._inner.free_space())

    def close(self) -> None:
        self._calls.run_if_left(self._inner.close)
        self._calls.end()


class DeadlineReader:
    """See `stores.base.Reader`."""

    def __init__(self, calls: Calls, inner: Reader) -> None:
        self._calls = calls
        self._inner = inner
        self.size = inner.size

    def __enter__(self) -> "DeadlineReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._calls.run_if_left(lambda: self._inner.__exit__(*exc))

    def read(self, count: int) -> bytes:
        return self._calls.run(lambda: self._inner.read(count))


class DeadlineUpload:
    """See `stores.base.Upload`."""

    def __init__(self, calls: Calls, store: Store) -> None:
        self._calls = calls
        self._context = calls.run(store.upload)
        self._written = 0

    def __enter__(self) -> Upload:
        self._inner = self._calls.run(self._context.__enter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._calls.run_if_left(lambda: self._context.__exit__(kind, error, trace))

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._written += len(chunk)
        self._calls.run(lambda: self._inner.write(chunk), self._written)

    def clone(self, descriptor: int) -> bool:
        return self._calls.run(lambda: self._inner.clone(descriptor))

    def read_back(self) -> Iterator[bytes]:
        pieces = self._calls.run(self._inner.read_back)
        while piece := self._calls.run(lambda: next(pieces, b"")):
            yield piece

    def flush(self) -> None:
        self._calls.run(self._inner.flush, self._written)

    def commit(self, path: str) -> None:
        self._calls.run(lambda: self._inner.commit(path), self._written)
