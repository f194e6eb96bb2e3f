"""Bodies and names on their way out of an SFTP store.

Whoever reads on is read ahead for, twice as far each time; whoever reads one piece gets one piece.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

import asyncssh

from firnline.stores.base import Listed
from firnline.stores.errors import CorruptError, NotFoundError
from firnline.stores.loop_thread import moved
from firnline.stores.sftp.faults import translated
from firnline.stores.sftp.session import Session, together
from firnline.stores.sftp.wire import Status, Wire

AHEAD = 8 << 20
"""Bytes that are asked for ahead of the reader at most."""
_MANY = 64
"""Names in one answer after which there are most likely more."""
_LISTING_AHEAD = 16
"""Requests for names at once, in a long listing."""


class OpenFile:
    """An open file, or a range of it, read from its start to its end."""

    def __init__(self, wire: Wire, path: str, handle: bytes, size: int, offset: int, end: int):
        self._wire = wire
        self._path = path
        self.handle = handle
        self.size = size
        self._asked = min(offset, end)
        """Up to here it was asked for."""
        self._end = end
        self._ahead = 0
        self._coming: deque[asyncio.Task[bytes]] = deque()
        self._rest = b""
        self._short = False

    @classmethod
    async def open(
        cls, session: Session, path: str, offset: int = 0, length: int | None = None
    ) -> "OpenFile":
        """Raises NotFoundError for anything that is no plain file, and other StoreErrors."""
        wire = await session.wire()
        full = session.full(path)
        status, handle = await asyncio.gather(
            wire.status(full), wire.open_read(full), return_exceptions=True
        )
        with translated(path):
            if isinstance(status, BaseException) or isinstance(handle, BaseException):
                if not isinstance(handle, BaseException):
                    wire.later(wire.close_handle(handle))
                raise status if isinstance(status, BaseException) else _error(handle)
        if not status.is_file:
            wire.later(wire.close_handle(handle))
            raise NotFoundError(path, "not a file")
        end = status.size if length is None else min(status.size, offset + length)
        return cls(wire, path, handle, status.size, offset, end)

    async def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end. Raises StoreError."""
        pieces = [self._rest[:count]]
        missing = count - len(pieces[0])
        self._rest = self._rest[count:]
        self._ask(missing)
        while missing and self._coming and not self._short:
            piece = await self._next()
            pieces.append(piece[:missing])
            self._rest = piece[missing:]
            missing -= len(pieces[-1])
            self._ask(missing)
        self._ahead = min(AHEAD, max(2 * self._ahead, count))
        return b"".join(pieces)

    def _ask(self, wanted: int) -> None:
        loop, step = asyncio.get_running_loop(), self._wire.read_block
        goal = wanted + self._ahead
        while self._asked < self._end and len(self._coming) * step < goal:
            length = min(step, self._end - self._asked)
            self._coming.append(loop.create_task(self._block(self._asked, length)))
            self._asked += length

    async def _block(self, offset: int, length: int) -> bytes:
        """All of a block; less only where the file ends."""
        data = await self._wire.read(self.handle, offset, length)
        while 0 < len(data) < length:
            more = await self._wire.read(self.handle, offset + len(data), length - len(data))
            if not more:
                break
            data += more
        self._short = self._short or len(data) < length
        return data

    async def _next(self) -> bytes:
        with translated(self._path):
            piece = await self._coming.popleft()
        moved()
        return piece

    async def __aenter__(self) -> "OpenFile":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        for task in self._coming:
            task.cancel()
        await asyncio.gather(*self._coming, return_exceptions=True)
        self._coming.clear()
        if not self._wire.broken:
            self._wire.later(self._wire.close_handle(self.handle))


def _error(found: bytes | BaseException) -> BaseException:
    return found if isinstance(found, BaseException) else AssertionError("no error")


async def read_small(session: Session, path: str, limit: int) -> bytes:
    """The whole of a small file. Raises NotFoundError, CorruptError and other StoreErrors."""
    async with await OpenFile.open(session, path) as file:
        if file.size > limit:
            raise CorruptError(path, f"larger than {limit} bytes")
        return await file.read(limit)


async def listing(
    session: Session, directory: str, after: str, sizes: bool
) -> AsyncGenerator[list[Listed], None]:
    """The names in a directory, in portions. A directory that is not there has none.

    Raises StoreError, also when it breaks off.
    """
    wire = await session.wire()
    with translated(directory):
        try:
            handle = await wire.open_directory(session.full(directory))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory):
            return
        except asyncssh.SFTPFailure:
            status = await session.status(directory)
            if status is None or not status.is_directory:
                return
            raise
        try:
            async for names in _portions(wire, handle):
                found = (listed(name, status, sizes) for name, status in names)
                yield [each for each in found if each is not None and each.name > after]
        finally:
            if not wire.broken:
                wire.later(wire.close_handle(handle))


async def _portions(wire: Wire, handle: bytes) -> AsyncGenerator[list[tuple[bytes, Status]], None]:
    """Two requests at first, most often names and their end; more where there are more."""
    loop = asyncio.get_running_loop()
    coming: deque[asyncio.Task[list[tuple[bytes, Status]] | None]] = deque()
    at_once, ended = 2 if wire.in_order else 1, False
    try:
        while not ended:
            while len(coming) < at_once:
                coming.append(loop.create_task(wire.names(handle)))
            names = await coming.popleft()
            if names is None:
                ended = True
            else:
                yield names
                if len(names) < _MANY:
                    at_once = 1
                elif wire.in_order:
                    at_once = min(2 * at_once, _LISTING_AHEAD)
    finally:
        for task in coming:
            wire.later(_ended(task))


async def _ended(task: asyncio.Task[object]) -> None:
    await task


async def whole_listing(session: Session, directory: str) -> list[Listed]:
    """All names in a directory, with sizes. Raises StoreError."""
    portions = listing(session, directory, "", sizes=True)
    return [entry async for portion in portions for entry in portion]


async def whole_tree(session: Session, directory: str) -> dict[str, list[Listed]]:
    """The same of a directory and of those directly in it. Raises StoreError."""
    found = {directory: await whole_listing(session, directory)}
    below = [f"{directory}/{each.name}" for each in found[directory] if each.is_directory]
    for start in range(0, len(below), _LISTING_AHEAD):
        some = below[start : start + _LISTING_AHEAD]
        lists = await together(*(whole_listing(session, each) for each in some))
        found.update(zip(some, lists, strict=True))
    return found


def listed(name: bytes, status: Status, sizes: bool) -> Listed | None:
    """None for what is neither file nor directory, and for names that are no names."""
    if name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
        return None
    text = name.decode("utf-8", "replace")
    if status.is_directory:
        return Listed(text, None, True)
    return Listed(text, status.size if sizes else None, False) if status.is_file else None
