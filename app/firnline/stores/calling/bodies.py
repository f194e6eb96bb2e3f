"""Bodies of a store whose line may break."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Protocol, runtime_checkable

from firnline.core.hashing import PLAIN
from firnline.stores.base import Reader, Upload
from firnline.stores.calling.caller import Caller
from firnline.stores.errors import StoreError, UnavailableError

KEPT = 8 << 20
"""Bytes of one body on its way in that are kept until it stands."""
_CHUNK = 1 << 20


@runtime_checkable
class Repeatable(Protocol):
    """An upload that still has the whole body after a `commit` that failed."""

    @property
    def is_repeatable(self) -> bool:
        """Whether `commit` may be called again."""
        ...


class CallingReader:
    """See `stores.base.Reader`. One that breaks off is begun anew and read up to where it was.

    What was given already is hashed, and what comes in its place has to be the same: no body is
    ever put together of two.
    """

    def __init__(self, caller: Caller, path: str, opening: Callable[[], Reader]) -> None:
        self._caller = caller
        self._path = path
        self._opening = opening
        self._inner: Reader | None = caller.again(lambda unsure: opening())
        self.size = self._inner.size
        self._given = 0
        self._digest = PLAIN.running()

    def __enter__(self) -> "CallingReader":
        return self

    def __exit__(self, *exc: object) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.__exit__(*exc)

    def read(self, count: int) -> bytes:
        chunk = self._caller.again(lambda unsure: self._read(count), count)
        self._given += len(chunk)
        self._digest.update(chunk)
        return chunk

    def _read(self, count: int) -> bytes:
        inner = self._inner or self._begun_anew()
        try:
            return inner.read(count)
        except UnavailableError:
            self._drop()
            raise

    def _drop(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            with suppress(StoreError):
                inner.__exit__(None, None, None)

    def _begun_anew(self) -> Reader:
        """Raises StoreError when it is another file by now."""
        inner = self._inner = self._opening()
        digest, missing = PLAIN.running(), self._given
        try:
            while missing and (chunk := inner.read(min(missing, _CHUNK))):
                digest.update(chunk)
                missing -= len(chunk)
        except UnavailableError:
            self._drop()
            raise
        if missing or inner.size != self.size or digest.data_hash() != self._digest.data_hash():
            self._drop()
            raise StoreError(self._path, "it was replaced while it was read")
        return inner


class CallingUpload:
    """See `stores.base.Upload`. One that breaks is begun anew with all that was written, where that
    is still here; else the error comes out, and the body stands nowhere."""

    def __init__(
        self, caller: Caller, beginning: Callable[[], AbstractContextManager[Upload]]
    ) -> None:
        self._caller = caller
        self._beginning = beginning
        self._context = beginning()
        self._kept: bytearray | None = bytearray()
        """All that was written; None when it is too much to be kept."""
        self._size = 0
        self._broken = False

    def __enter__(self) -> Upload:
        self._inner = self._caller.once(self._context.__enter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._context.__exit__(kind, error, trace)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._made(lambda inner: inner.write(chunk), len(chunk))
        self._size += len(chunk)
        if self._kept is not None and self._size > KEPT:
            self._kept = None
        if self._kept is not None:
            self._kept += chunk

    def clone(self, descriptor: int) -> bool:
        cloned = self._caller.once(lambda: self._inner.clone(descriptor))
        if cloned:
            self._kept = None
        return cloned

    def read_back(self) -> Iterator[bytes]:
        pieces = self._inner.read_back()
        while piece := self._caller.once(lambda: next(pieces, b"")):
            yield piece

    def flush(self) -> None:
        self._made(lambda inner: inner.flush(), self._size)

    def commit(self, path: str) -> None:
        inner = self._inner
        if self._kept is None and isinstance(inner, Repeatable) and inner.is_repeatable:
            self._caller.again(lambda unsure: inner.commit(path), self._size)
        else:
            self._made(lambda inner: inner.commit(path), self._size)

    def _made(self, step: Callable[[Upload], None], size: int) -> None:
        if self._kept is None:
            self._caller.once(lambda: step(self._inner), size)
        else:
            self._caller.again(lambda unsure: self._step(step), size)

    def _step(self, step: Callable[[Upload], None]) -> None:
        try:
            if self._broken:
                self._begin_anew()
            step(self._inner)
        except UnavailableError:
            self._broken = True
            raise

    def _begin_anew(self) -> None:
        with suppress(StoreError):
            self._context.__exit__(None, None, None)
        self._context = self._beginning()
        self._inner = self._context.__enter__()
        if self._kept:
            self._inner.write(self._kept)
        self._broken = False
