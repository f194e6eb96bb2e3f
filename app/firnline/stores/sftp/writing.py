"""Files on their way into an SFTP store.

Each is written under a random name in the connection's own `tmp/`, made durable where the server
can (`fsync@openssh.com`, on OpenSSH for directories as well), and gets its place by one rename.
Many are written at once: what counts is how often somebody waits for the far side. One file alone
takes three such waits: for the handles, for the content, for the name.
"""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncssh

from firnline.stores.errors import (
    AlreadyExistsError,
    DeniedError,
    NotFoundError,
    ServerError,
    StoreError,
    UnavailableError,
)
from firnline.stores.loop_thread import moved
from firnline.stores.sftp.faults import store_error, translated
from firnline.stores.sftp.session import Session, together
from firnline.stores.sftp.wire import Wire

AT_ONCE = 256
"""Files that are written at once: each has a handle, and so has its directory, and servers give
about a thousand."""
WINDOW = 8 << 20
"""Bytes of one file that are on their way at once."""


def split(path: str) -> tuple[str, str]:
    """The directory and the last part."""
    directory, _, leaf = path.rpartition("/")
    return directory, leaf


class Temporary:
    """The `tmp/` of one connection, and the names that this process makes there."""

    def __init__(self, session: Session, directory: str | None) -> None:
        """`directory` None: the store was opened for reading only."""
        self.session = session
        self._directory = directory
        self._prefix = os.urandom(6).hex()
        self._count = 0

    @property
    def is_open(self) -> bool:
        """Whether anything can be written."""
        return self._directory is not None

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

    def is_own(self, name: str) -> bool:
        """Whether this process made it."""
        return name.startswith(self._prefix)

    async def open(self) -> tuple[str, bytes]:
        """A new empty file: its path and its handle. Raises StoreError."""
        wire, path = await self.session.wire(), self.name()
        await self.session.make_directories([self.directory])
        try:
            return path, await wire.open_new(self.session.full(path))
        except asyncssh.SFTPNoSuchFile:
            await self.session.make_directories([self.directory], again=True)
        except (asyncssh.Error, OSError, EOFError) as error:
            raise await self.session.failure(error, path) from error
        try:
            return path, await wire.open_new(self.session.full(path))
        except (asyncssh.Error, OSError, EOFError) as error:
            found = await self.session.failure(error, path)
            if isinstance(found, NotFoundError):
                raise ServerError(path, "the store's directory is not there") from error
            raise found from error


class Body:
    """One temporary file that is being written, from its start to its end."""

    def __init__(self, temporary: Temporary, wire: Wire, path: str, handle: bytes) -> None:
        self._session = temporary.session
        self._wire = wire
        self.path = path
        self.handle = handle
        self.size = 0
        self._window = 1 if wire.one_by_one else WINDOW
        self._pending: deque[tuple[asyncio.Task[None], int]] = deque()
        self._in_flight = 0
        self._open = True

    @classmethod
    async def begin(cls, temporary: Temporary) -> "Body":
        path, handle = await temporary.open()
        return cls(temporary, await temporary.session.wire(), path, handle)

    async def write(self, data: bytes) -> None:
        """Send it; waits only for what was sent long before. Raises StoreError."""
        loop, step = asyncio.get_running_loop(), self._wire.write_block
        for start in range(0, len(data), step):
            block = data[start : start + step]
            await self._make_room(len(block))
            sending = self._wire.write(self.handle, self.size, block)
            self._pending.append((loop.create_task(sending), len(block)))
            self._in_flight += len(block)
            self.size += len(block)
        await asyncio.sleep(0)

    async def _make_room(self, size: int) -> None:
        while self._pending and self._in_flight + size > self._window:
            await self._settle_one()

    async def _settle_one(self) -> None:
        task, size = self._pending.popleft()
        self._in_flight -= size
        try:
            await task
        except (asyncssh.Error, OSError, EOFError) as error:
            raise await self._session.failure(error, self.path) from error
        moved()

    async def drain(self) -> None:
        """Everything that was sent has arrived."""
        while self._pending:
            await self._settle_one()

    async def end(self) -> None:
        """All is there, durably where the server can, and the file is closed. Raises StoreError."""
        if not self._open:
            return
        if not self._wire.in_order:
            await self.drain()
        loop = asyncio.get_running_loop()
        if self.size:
            self._pending.append((loop.create_task(self._wire.sync(self.handle)), 0))
        self._pending.append((loop.create_task(self._wire.close_handle(self.handle)), 0))
        self._open = False
        await self.drain()

    async def sync(self) -> None:
        """What was written is durable; more may come."""
        await self.drain()
        try:
            await self._wire.sync(self.handle)
        except (asyncssh.Error, OSError, EOFError) as error:
            raise await self._session.failure(error, self.path) from error

    async def read_back(self, offset: int, count: int) -> bytes:
        """A piece of what has arrived. Raises StoreError."""
        with translated(self.path, missing=UnavailableError):
            handle = await self._wire.open_read(self._session.full(self.path))
            try:
                return await self._wire.read(handle, offset, min(count, self._wire.read_block))
            finally:
                self._wire.later(self._wire.close_handle(handle))

    async def drop(self) -> None:
        """It shall not be: nothing of it is waited for."""
        for task, _ in self._pending:
            task.cancel()
        self._pending.clear()
        if self._wire.broken:
            return
        if self._open:
            self._open = False
            self._wire.later(self._wire.close_handle(self.handle))
        self._wire.later(self._wire.remove(self._session.full(self.path)))


class Places:
    """Directories that get new names, and their handles."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stack = AsyncExitStack()
        self._handles: dict[str, asyncio.Task[bytes | None]] = {}

    async def __aenter__(self) -> "Places":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*self._handles.values(), return_exceptions=True)
        await self._stack.aclose()

    async def prepare(self, directory: str) -> None:
        """It stands, and can be made durable; asked while the contents are on their way."""
        if directory not in self._handles:
            loop = asyncio.get_running_loop()
            self._handles[directory] = loop.create_task(self._open(directory))
        await self._handles[directory]

    async def _open(self, directory: str) -> bytes | None:
        await self._session.make_directories([directory])
        return await self._stack.enter_async_context(self._session.directory_handle(directory))

    async def sync(self, wire: Wire) -> None:
        """The names that were made are durable, where the server can."""
        handles = [task.result() for task in self._handles.values()]
        results = [wire.sync(handle) for handle in handles if handle is not None]
        # A server that opens a directory and does not sync it is no worse than one that opens none.
        await asyncio.gather(*results, return_exceptions=True)


async def publish(session: Session, source: str, target: str) -> None:
    """A finished file gets its place, in one step where the server can. Raises StoreError."""
    wire = await session.wire()
    if not wire.in_order:
        # rclone puts a file in the place of a directory with all that it holds.
        status = await session.status(target)
        if status is not None and status.is_directory:
            raise DeniedError(target, "is a directory")
    try:
        await _replace(session, wire, source, target)
    except asyncssh.SFTPNoSuchFile:
        await session.make_directories([split(target)[0]], again=True)
    except (asyncssh.Error, OSError, EOFError) as error:
        raise await session.failure(error, target) from error
    else:
        return
    try:
        await _replace(session, wire, source, target)
    except asyncssh.SFTPNoSuchFile as error:
        raise ServerError(target, "its directory, or what was written, is gone") from error
    except (asyncssh.Error, OSError, EOFError) as error:
        raise await session.failure(error, target) from error


async def _replace(session: Session, wire: Wire, source: str, target: str) -> None:
    old, new = session.full(source), session.full(target)
    if wire.replaces:
        await wire.replace(old, new)
        return
    try:
        await wire.rename(old, new)
    except asyncssh.SFTPFailure:
        if not (await wire.status(new)).is_file:
            raise
        await wire.remove(new)
        await wire.rename(old, new)


@asynccontextmanager
async def written(temporary: Temporary, body: bytes) -> AsyncIterator[Body]:
    """A small file, whole and durable under its temporary name; dropped unless it was renamed."""
    file = await Body.begin(temporary)
    try:
        await file.write(body)
        await file.end()
        yield file
    except Exception:
        await file.drop()
        raise


async def put_many(temporary: Temporary, files: Sequence[tuple[str, bytes]]) -> None:
    """Write (path, body) pairs, `AT_ONCE` at most; they get their names in this order.

    Raises StoreError.
    """
    session = temporary.session
    wire = await session.wire()
    async with Places(session) as places:

        async def send(path: str, body: bytes) -> Body:
            preparing = places.prepare(split(path)[0])
            file: Body
            file, _ = await together(_finished(temporary, body), preparing)
            return file

        loop = asyncio.get_running_loop()
        sending = [(path, loop.create_task(send(path, body))) for path, body in files]
        naming: deque[asyncio.Task[None]] = deque()
        try:
            for path, task in sending:
                file = await task
                naming.append(loop.create_task(publish(session, file.path, path)))
                if not wire.in_order:
                    await naming.popleft()
            while naming:
                await naming.popleft()
            await places.sync(wire)
        except BaseException:
            await _abandon([*naming], [task for _, task in sending])
            raise


async def _finished(temporary: Temporary, body: bytes) -> Body:
    async with written(temporary, body) as file:
        return file


async def _abandon(naming: list["asyncio.Task[None]"], sending: list["asyncio.Task[Body]"]) -> None:
    """Stop what is under way, and remove what was written."""
    for task in [*naming, *sending]:
        task.cancel()
    await asyncio.gather(*naming, return_exceptions=True)
    for found in await asyncio.gather(*sending, return_exceptions=True):
        if isinstance(found, Body):
            await _drop_quietly(found)


async def _drop_quietly(body: Body) -> None:
    try:
        await body.drop()
    except StoreError:
        return


async def create(temporary: Temporary, path: str, body: bytes) -> None:
    """Write a file that must not exist. Raises AlreadyExistsError and other StoreErrors.

    A plain rename has one winner on OpenSSH; on a server where it replaces, the look before it is
    all that there is.
    """
    session, directory = temporary.session, split(path)[0]
    wire = await session.wire()
    async with Places(session) as places:
        file, found, _ = await together(
            _finished(temporary, body), session.status(path), places.prepare(directory)
        )
        try:
            if found is not None:
                raise AlreadyExistsError(path, "it is there already")
            await _claim(session, wire, file.path, path)
        except Exception:
            await _drop_quietly(file)
            raise
        await places.sync(wire)


async def _claim(session: Session, wire: Wire, source: str, target: str) -> None:
    try:
        await wire.rename(session.full(source), session.full(target))
    except asyncssh.SFTPNoSuchFile as error:
        raise ServerError(target, "its directory, or what was written, is gone") from error
    except asyncssh.SFTPFailure as error:
        if await session.status(target) is not None:
            raise AlreadyExistsError(target, "it is there already") from error
        raise await session.failure(error, target) from error
    except (asyncssh.Error, OSError, EOFError) as error:
        raise store_error(error, target) from error
