"""Bodies as the engine reads and writes them, over the coroutines of a WebDAV store."""

from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import IO, Any, Protocol, TypeVar

from firnline.core.steps import Steps
from firnline.stores.errors import StoreError, UnavailableError
from firnline.stores.loop_streams import Incoming
from firnline.stores.loop_thread import GRACE, LoopThread
from firnline.stores.store_path import check_store_path
from firnline.stores.webdav.reading import OpenBody
from firnline.stores.webdav.writing import Temporary, publish, spooled

_CHUNK = 1 << 20
_Result = TypeVar("_Result")


class Call(Protocol):
    """Runs a coroutine on the loop; `size`: bytes that it sends or waits for."""

    def __call__(self, work: Coroutine[Any, Any, _Result], size: int = 0) -> _Result: ...


class WebDavReader:
    """See `stores.base.Reader`."""

    def __init__(self, thread: LoopThread, body: OpenBody, seconds: float) -> None:
        self._thread = thread
        self._body = body
        self._incoming = Incoming(thread, body.pieces(), seconds)
        self.size = body.size

    def __enter__(self) -> "WebDavReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._incoming.__exit__(*exc)
        # Where nothing was read yet, the pieces never began, and so do not end.
        with suppress(StoreError):
            self._thread.call(self._body.close(), GRACE)

    def read(self, count: int) -> bytes:
        return self._incoming.read(count)


class WebDavUpload:
    """See `stores.base.Upload`. `spool` is an empty file that the caller closes."""

    is_repeatable = True

    def __init__(self, call: Call, files: Temporary, steps: Steps, spool: IO[bytes]) -> None:
        self._call = call
        self._files = files
        self._steps = steps
        self._spool = spool
        self._size = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._steps("store.write")
        try:
            self._spool.seek(self._size)
            self._spool.write(chunk)
        except OSError as error:
            raise UnavailableError("", f"this device's own disk: {error.strerror}") from error
        self._size += len(chunk)

    def clone(self, descriptor: int) -> bool:
        return False

    def read_back(self) -> Iterator[bytes]:
        position = 0
        while position < self._size:
            self._spool.seek(position)
            chunk = self._spool.read(min(_CHUNK, self._size - position))
            position += len(chunk)
            yield chunk

    def flush(self) -> None:
        """It is sent with its name."""

    def commit(self, path: str) -> None:
        check_store_path(path)
        self._steps("store.rename")
        self._call(self._commit(path), self._size)

    async def _commit(self, path: str) -> None:
        body = spooled(self._spool)
        await publish(self._files, await self._files.put(self._size, body), path)
