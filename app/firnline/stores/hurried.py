"""A store that whoever asks waits for only a moment.

For the passes of a folder that is kept: saves wait behind a pass, so a store that is slow or hangs
must not hold it up (docs/decisions/0014). Each call runs on a thread; one that takes longer than a
moment is given up with `SlowError`, and so is every other call at once, until that one has come
back, and who made the `Hurry` is told. What was given up may still take effect: that is the lost
answer that every writer reckons with. Large bodies go in pieces, so that one that was given up
ends and is never committed.

Nothing starves: what was given up lately is waited for twice as long the next time, as long as a
`DeadlineStore` would wait in the end.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty
from threading import Lock
from types import TracebackType
from typing import TypeVar

from firnline.core.clock import Clock
from firnline.stores import deletion, foresight
from firnline.stores.base import Reader, Store, Upload
from firnline.stores.deadline import (
    PATIENCE,
    SLOWEST,
    Answer,
    Calls,
    DeadlineReader,
    DeadlineStore,
    DeadlineUpload,
)
from firnline.stores.errors import SlowError
from firnline.stores.foresight import Questions

MOMENT = 1.0
"""Seconds for one call."""
QUICK = 16 * 2**20
"""Bytes a second that a store has to take, or the pass leaves them to the copier."""
LATELY = 600.0
"""Seconds after which it is no longer held against a store that it was slow."""
_PIECE = 2**18
_Result = TypeVar("_Result")


class Hurry(Calls):
    """How long one store is waited for, and how it did. From any thread."""

    def __init__(
        self, clock: Clock, answers_again: Callable[[], None], at_leisure: Callable[[], bool]
    ) -> None:
        """`answers_again` is called on a thread of its own when what was given up has come back.
        While `at_leisure` says so, calls are waited for, however long they take."""
        super().__init__(MOMENT)
        self._clock = clock
        self._answers_again = answers_again
        self._at_leisure = at_leisure
        self._lock = Lock()
        self._late = 0
        """Calls that were given up and have not come back."""
        self._afterwards: list[Callable[[], object]] = []
        self._slow_at = float("-inf")
        self._speed: tuple[float, float] | None = None
        """Bytes a second that were written, and when that was so."""
        self._ended = False
        self.gave_up = 0
        """How often, for whatever reason."""
        self.read_slowly_at = float("-inf")
        self.strict = False
        """Bodies are not waited for for longer than anything else."""

    @property
    def is_late(self) -> bool:
        """A call that was given up has not come back yet."""
        return self._late > 0

    def require_waited(self) -> None:
        """Raises SlowError where nobody waits any more: what is under way can end."""
        if self._late and not self._at_leisure():
            self.gave_up += 1
            raise SlowError("", "it takes long to answer")

    def is_slow(self, size: int) -> bool:
        """True when it would not take so many bytes in time, going by what it did lately."""
        if self._late:
            return True
        if self._speed is None or self._clock.monotonic() > self._speed[1] + LATELY:
            return False
        return size / self._speed[0] > MOMENT + size / QUICK

    @property
    def now(self) -> float:
        """By the monotonic clock."""
        return self._clock.monotonic()

    def require_quick(self, size: int, seconds: float) -> None:
        """Raises SlowError where so many bytes took longer than a pass has."""
        if seconds > self.allowed + size / QUICK and not self._at_leisure():
            raise SlowError("", "it takes long to write to")

    def require_read(self, size: int, seconds: float) -> None:
        """As `require_quick`, of what was read; that it was slow is remembered."""
        if seconds > self.allowed + size / QUICK and not self._at_leisure():
            self.gave_up += 1
            self.read_slowly_at = self._clock.monotonic()
            raise SlowError("", "it takes long to read from")

    @property
    def reads_slowly(self) -> bool:
        """True when a body was given up lately."""
        return self._clock.monotonic() < self.read_slowly_at + LATELY

    def wrote(self, size: int, seconds: float) -> None:
        """So many bytes were taken in so many seconds, or (of none) were not."""
        if size < _PIECE and seconds < MOMENT:
            return
        self._speed = max(size, 1) / max(seconds, 1e-6), self._clock.monotonic()

    def run(self, call: Callable[[], _Result], size: int = 0, speed: int = QUICK) -> _Result:
        """The call's result; `size`: bytes, of which it is given time for `speed` a second. Raises
        what it raises, and SlowError."""
        if self._at_leisure():
            return call()
        self.require_waited()
        answer, given_up, done = Answer(call), [False], [False]
        worker = self._worker()

        def task() -> None:
            answer.run()
            with self._lock:
                done[0] = True
            if given_up[0]:
                self._came_back()
            self._idle.append(worker)
            if self._ended:
                self.end()

        worker.put(task)
        try:
            return answer.get(self.allowed + size / speed)
        except Empty:
            with self._lock:
                given_up[0] = not done[0]
                self._late += given_up[0]
        if not given_up[0]:
            return answer.get(0.0)
        self._note_slow()
        self.gave_up += 1
        raise SlowError("", "it takes long to answer") from None

    def end(self) -> None:
        """No call follows. The thread of one that was given up ends when that comes back."""
        self._ended = True
        super().end()

    @property
    def allowed(self) -> float:
        """Seconds that a call has at the moment."""
        if self._clock.monotonic() > self._slow_at + LATELY:
            self.patience = MOMENT
        return self.patience

    def _note_slow(self) -> None:
        self._slow_at = self._clock.monotonic()
        self.patience = min(2 * self.patience, PATIENCE)

    def run_if_left(self, call: Callable[[], object]) -> None:
        """A call that only tidies up: later, where nobody waits for the store now."""
        with self._lock:
            if self._late:
                self._afterwards.append(call)
                return
        with suppress(SlowError):
            self.run(call)

    def _came_back(self) -> None:
        with self._lock:
            afterwards, self._afterwards = self._afterwards, []
        for tidy in afterwards:
            with suppress(Exception):
                tidy()
        with self._lock:
            self._late -= 1
        self._answers_again()


class HurriedStore(DeadlineStore):
    """See `stores.base.Store`."""

    def __init__(self, inner: Store, hurry: Hurry) -> None:
        self._inner = inner
        self._calls = self._hurry = hurry

    @property
    def foresees(self) -> bool:
        return foresight.foresees(self._inner)

    def expect(self, questions: Questions) -> None:
        foresight.expect(self._inner, questions)

    def delete_many(self, paths: Sequence[str]) -> None:
        """See `stores.deletion`."""
        self._hurry.run(lambda: deletion.delete_many(self._inner, paths))

    def open(self, path: str, offset: int = 0, length: int | None = None) -> "_HurriedReader":
        reader = self._hurry.run(lambda: self._inner.open(path, offset, length))
        return _HurriedReader(self._hurry, reader)

    def upload(self) -> "_HurriedUpload":
        return _HurriedUpload(self._hurry, self._inner)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Those that are large go by themselves."""
        small: list[tuple[str, bytes]] = []
        for path, body in files:
            if len(body) <= _PIECE:
                small.append((path, body))
                continue
            self._put_small(small)
            with self.upload() as upload:
                upload.write(body)
                upload.flush()
                upload.commit(path)
        self._put_small(small)

    def _put_small(self, small: list[tuple[str, bytes]]) -> None:
        if small:
            super().put_many(small)
            small.clear()

    def close(self) -> None:
        """It is somebody else's."""
        self._hurry.end()


class _HurriedReader(DeadlineReader):
    """See `stores.base.Reader`. Bodies are given all the time that they take on a slow line."""

    def __init__(self, hurry: Hurry, inner: Reader) -> None:
        super().__init__(hurry, inner)
        self._hurry = hurry
        self._read = 0
        self._begun = hurry.now

    def read(self, count: int) -> bytes:
        if not self._hurry.strict:
            return self._hurry.run(lambda: self._inner.read(count), min(count, self.size), SLOWEST)
        pieces: list[bytes] = []
        while count > 0:
            wanted = min(count, _PIECE)
            piece = self._hurry.run(partial(self._inner.read, wanted), wanted)
            pieces.append(piece)
            self._read += len(piece)
            count -= wanted
            if len(piece) < wanted:
                break
            self._hurry.require_read(self._read, self._hurry.now - self._begun)
        return b"".join(pieces)


class _HurriedUpload(DeadlineUpload):
    """See `stores.base.Upload`. One that is too slow as a whole is given up as well."""

    def __init__(self, hurry: Hurry, store: Store) -> None:
        self._hurry = hurry
        self._begun = hurry.now
        super().__init__(hurry, store)

    def __enter__(self) -> Upload:
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, SlowError):
            self._hurry.wrote(self._written, self._hurry.now - self._begun)
        super().__exit__(kind, error, trace)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        rest = memoryview(chunk)
        while rest:
            piece, rest = rest[:_PIECE], rest[_PIECE:]
            self._hurry.run(partial(self._inner.write, piece), len(piece))
            self._written += len(piece)
            self._hurry.require_quick(self._written, self._hurry.now - self._begun)

    def commit(self, path: str) -> None:
        super().commit(path)
        self._hurry.wrote(self._written, self._hurry.now - self._begun)
