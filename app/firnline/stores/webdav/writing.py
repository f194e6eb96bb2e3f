"""Files on their way into a WebDAV store.

Each is put under a random name in the connection's own `tmp/` and gets its place by one MOVE. A
MOVE that may replace would remove a whole directory that stands there, so the first one may not;
only when it says that there is something, and that is a file, a second one may.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import IO

from firnline.stores.errors import (
    AlreadyExistsError,
    BusyError,
    DeniedError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
)
from firnline.stores.loop_thread import moved
from firnline.stores.webdav.connection import AT_ONCE, Body, Connection
from firnline.stores.webdav.properties import look_at

_PIECE = 256 * 1024
_ATTEMPTS = 5
_PAUSE = 0.1
"""Seconds, about, between two attempts at a name that somebody else is at."""
_PUT = frozenset({200, 201, 204})
_MADE = frozenset({200, 201, 204})
_EXISTS = 405
_NO_PARENT = frozenset({404, 409})
_TAKEN = 412
_GONE = frozenset({200, 202, 204, 404})


def parent(path: str) -> str:
    """The directory of a path; '' for the base."""
    return path.rpartition("/")[0]


class Directories:
    """Those that stood when they were last used."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._made = {""}
        self._making: dict[str, asyncio.Lock] = {}

    async def make(self, directory: str) -> None:
        """With all that is above it, up to the base. Raises StoreError."""
        if directory in self._made:
            return
        async with self._making.setdefault(directory, asyncio.Lock()):
            if directory not in self._made and await self._lacks_parent(directory):
                if not directory:
                    raise ServerError("", "the store's directory is not there")
                await self.make(parent(directory))
                if await self._lacks_parent(directory):
                    raise ServerError(directory, "the store's directory is not there")
        self._made.add(directory)

    async def _lacks_parent(self, directory: str) -> bool:
        expected = _MADE | _NO_PARENT | {_EXISTS}
        ask = self.connection.ask
        async with ask("MKCOL", directory, expected=expected, directory=True) as answer:
            return answer.status in _NO_PARENT

    def forget(self) -> None:
        """Somebody else has removed some."""
        self._made = {""}


class Temporary:
    """The `tmp/` of one connection, and the names that this process makes there."""

    def __init__(self, connection: Connection, directory: str | None) -> None:
        """`directory` None: the store was opened for reading only."""
        self.connection = connection
        self.directories = Directories(connection)
        self._directory = directory
        self._prefix = os.urandom(6).hex()
        self._count = 0

    @property
    def directory(self) -> str:
        """Raises DeniedError when there is none."""
        if self._directory is None:
            raise DeniedError("", "the store was opened for reading only")
        return self._directory

    def name(self) -> str:
        """A path that nobody else uses."""
        self._count += 1
        return f"{self.directory}/{self._prefix}{self._count:08x}{os.urandom(2).hex()}"

    def is_in(self, path: str) -> bool:
        """Whether it lies there, where nobody else keeps anything."""
        return parent(path) == self._directory

    async def put(self, size: int, body: Body) -> str:
        """A new file in `tmp/`: its path. Raises StoreError."""
        path = self.name()
        await self.directories.make(self.directory)
        if await self._put(path, size, body):
            return path
        self.directories.forget()
        await self.directories.make(self.directory)
        if await self._put(path, size, body):
            return path
        raise ServerError(path, "the store's directory is not there")

    async def _put(self, path: str, size: int, body: Body) -> bool:
        """False when its directory is missing."""
        async with self.connection.ask(
            "PUT",
            path,
            expected=_PUT | _NO_PARENT,
            headers={"Content-Type": "application/octet-stream"},
            body=(size, body),
        ) as answer:
            return answer.status in _PUT

    async def discard(self, path: str) -> None:
        """What cannot be removed now is swept when the store is opened next."""
        with suppress(StoreError):
            await remove(self.connection, path)

    async def discard_all(self, paths: Iterable[str]) -> None:
        """As `discard`, of what an earlier run left."""
        await asyncio.gather(*(self.discard(path) for path in paths))


async def remove(connection: Connection, path: str) -> None:
    """A file that is known to be one; that it is gone is no error. Raises StoreError."""
    async with connection.ask("DELETE", path, expected=_GONE):
        return


async def transfer(
    directories: Directories, method: str, source: str, target: str, *, replaces: bool
) -> None:
    """MOVE or COPY a file, whose new directory is made.

    Raises NotFoundError about `source`, AlreadyExistsError unless it `replaces`, and other
    StoreErrors.
    """
    await directories.make(parent(target))
    status = await _attempt(directories, method, source, target, overwrite=False)
    if status in _NO_PARENT:
        status = await _again(directories, method, source, target)
    if status == _TAKEN:
        if not replaces:
            raise AlreadyExistsError(target, "it is there already")
        there = await look_at(directories.connection, target)
        if there is not None and there.is_directory:
            raise DeniedError(target, "a directory stands there")
        status = await _attempt(directories, method, source, target, overwrite=True)
    if status in _NO_PARENT:
        raise NotFoundError(source, "no such file")
    if status == _TAKEN:
        raise ServerError(target, "the server does not replace it")


async def _again(directories: Directories, method: str, source: str, target: str) -> int:
    """Either the source is gone, or the directory is."""
    there = await look_at(directories.connection, source)
    if there is None or there.is_directory:
        raise NotFoundError(source, "no such file")
    directories.forget()
    await directories.make(parent(target))
    return await _attempt(directories, method, source, target, overwrite=False)


async def _attempt(
    directories: Directories, method: str, source: str, target: str, *, overwrite: bool
) -> int:
    connection = directories.connection
    headers = {
        "Destination": connection.address.url(target),
        "Overwrite": "T" if overwrite else "F",
    }
    expected = _MADE | _NO_PARENT | {_TAKEN}
    async with connection.ask(method, source, expected=expected, headers=headers) as answer:
        return answer.status


async def publish(files: Temporary, name: str, path: str, *, replaces: bool = True) -> None:
    """A file of `tmp/` gets its place; when that fails it is removed. Raises StoreError."""
    try:
        for _ in range(_ATTEMPTS - 1):
            if await _published(files, name, path, replaces=replaces):
                return
            await asyncio.sleep(_PAUSE * (0.5 + os.urandom(1)[0] / 255))
        await transfer(files.directories, "MOVE", name, path, replaces=replaces)
    except NotFoundError as error:
        raise ServerError(path, "what was sent is gone from the server") from error
    except StoreError:
        await files.discard(name)
        raise


async def _published(files: Temporary, name: str, path: str, *, replaces: bool) -> bool:
    """False when it is worth another attempt at once: somebody else was at the same name.

    An answer that was lost is looked for: nobody else uses `name`, so where it is gone it was
    moved. Raises StoreError.
    """
    try:
        await transfer(files.directories, "MOVE", name, path, replaces=replaces)
    except BusyError:
        raise
    except UnavailableError:
        if await look_at(files.connection, name) is not None:
            return False
        there = await look_at(files.connection, path)
        if there is None or there.is_directory:
            raise
    return True


async def put_many(files: Temporary, portion: Sequence[tuple[str, bytes]]) -> None:
    """All at once; of two bodies for one path the later one stays. Raises StoreError."""
    for wave in _waves(portion):
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(path: str, body: bytes, limit: asyncio.Semaphore = limit) -> None:
            async with limit:
                await publish(files, await files.put(len(body), held(body)), path)
                moved()

        results = await asyncio.gather(
            *(one(path, body) for path, body in wave), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result


def _waves(portion: Iterable[tuple[str, bytes]]) -> list[list[tuple[str, bytes]]]:
    """In each wave a path stands once."""
    waves: list[list[tuple[str, bytes]]] = []
    times: dict[str, int] = {}
    for path, body in portion:
        number = times[path] = times.get(path, -1) + 1
        if number == len(waves):
            waves.append([])
        waves[number].append((path, body))
    return waves


def held(body: bytes) -> Body:
    """A body that is in memory."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), _PIECE):
            yield body[start : start + _PIECE]
            moved()

    return pieces


def spooled(file: IO[bytes]) -> Body:
    """A body that is in a local file, from its start."""

    async def pieces() -> AsyncIterator[bytes]:
        await asyncio.to_thread(file.seek, 0)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
            # Who asks for the next one has sent this one.
            moved()

    return pieces
