"""Bodies as the engine reads and writes them, over the coroutines of an SFTP store."""

from collections.abc import Coroutine, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, TypeVar

from firnline.core.steps import Steps
from firnline.stores.errors import StoreError
from firnline.stores.sftp.reading import OpenFile
from firnline.stores.sftp.session import Session
from firnline.stores.sftp.writing import Body, Places, Temporary, publish, put_many, split
from firnline.stores.store_path import check_store_path

SMALL = 256 * 1024
"""A body that is not larger is held here until it is committed: one call sends it."""
_CHUNK = 1 << 20
_Result = TypeVar("_Result")


class Call(Protocol):
    """Runs a coroutine on the loop; `size`: bytes that it sends or waits for."""

    def __call__(self, work: Coroutine[Any, Any, _Result], size: int = 0) -> _Result: ...


class SftpReader:
    """See `stores.base.Reader`."""

    def __init__(self, call: Call, file: OpenFile) -> None:
        self._call = call
        self._file = file
        self.size = file.size

    def __enter__(self) -> "SftpReader":
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(StoreError):
            self._call(self._file.close())

    def read(self, count: int) -> bytes:
        return self._call(self._file.read(count), count)


class SftpUpload:
    """See `stores.base.Upload`."""

    def __init__(self, call: Call, files: Temporary, steps: Steps) -> None:
        """Raises DeniedError when the store was opened for reading only."""
        self._call = call
        self._files = files
        self._steps = steps
        self._small: bytearray | None = bytearray()
        self._body: Body | None = None
        self._committed = False
        _ = files.directory

    def __enter__(self) -> "SftpUpload":
        return self

    @property
    def is_repeatable(self) -> bool:
        """What is larger stands on the server in part, and goes with the connection."""
        return self._small is not None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = kind is not None and not issubclass(kind, Exception)
        if self._body is not None and not self._committed and not stopped:
            self._steps("store.discard")
            with suppress(StoreError):
                self._call(self._body.drop())

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._steps("store.write")
        if self._small is not None and len(self._small) + len(chunk) <= SMALL:
            self._small += chunk
            return
        body = self._spilled()
        self._call(body.write(bytes(chunk)), len(chunk) + _CHUNK)

    def _spilled(self) -> Body:
        """The temporary file, with all that was held here."""
        if self._body is None:
            self._body = self._call(Body.begin(self._files))
        if self._small is not None:
            held, self._small = bytes(self._small), None
            self._call(self._body.write(held), len(held))
        return self._body

    def clone(self, descriptor: int) -> bool:
        return False

    def read_back(self) -> Iterator[bytes]:
        if self._small is not None:
            yield bytes(self._small)
            return
        body, position = self._spilled(), 0
        self._call(body.drain(), body.size)
        while chunk := self._call(body.read_back(position, _CHUNK), _CHUNK):
            position += len(chunk)
            yield chunk

    def flush(self) -> None:
        """What is held here is sent with its name."""
        if self._body is not None:
            self._steps("store.sync")
            self._call(self._body.sync(), self._body.size)

    def commit(self, path: str) -> None:
        check_store_path(path)
        self._steps("store.rename")
        if self._small is not None:
            self._call(put_many(self._files, [(path, bytes(self._small))]), len(self._small))
        else:
            body = self._spilled()
            self._call(_commit(self._files.session, body, path), body.size)
        self._committed = True


async def _commit(session: Session, body: Body, path: str) -> None:
    wire = await session.wire()
    async with Places(session) as places:
        await places.prepare(split(path)[0])
        await body.end()
        await publish(session, body.path, path)
        await places.sync(wire)
