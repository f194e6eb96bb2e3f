"""The store's connection: opened when it is needed, and anew when it broke.

All coroutines here run on the loop's thread. A request that finds the connection broken fails with
UnavailableError; the next one connects again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh

from firnline.stores.errors import FullError, NotFoundError, StoreError, UnavailableError
from firnline.stores.sftp.faults import store_error, translated
from firnline.stores.sftp.wire import Status, Wire

Dial = Callable[[], Coroutine[Any, Any, Wire]]


async def together(*works: Awaitable[Any]) -> tuple[Any, ...]:
    """All at once; when one fails, its error, once all have ended."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return tuple(results)


class Session:
    """Requests about paths below the store's base."""

    def __init__(self, dial: Dial, base: str) -> None:
        self._dial = dial
        self._base = base.encode("utf-8", "surrogateescape")
        self._wire: Wire | None = None
        self._dialling = asyncio.Lock()
        self._closed = False
        self._made: set[str] = {""}
        """Directories that stood when they were last used."""

    async def wire(self) -> Wire:
        """The live session. Raises StoreError."""
        async with self._dialling:
            if self._closed:
                raise UnavailableError("", "the store was closed")
            if self._wire is not None and self._wire.broken:
                await self._drop()
            if self._wire is None:
                self._wire = await self._dial()
                self._made = {""}
            return self._wire

    async def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def close(self) -> None:
        """Hang up, for good."""
        self._closed = True
        await self._drop()

    def full(self, path: str) -> bytes:
        """The path on the server."""
        return self._base + b"/" + path.encode() if path else self._base or b"/"

    async def status(self, path: str) -> Status | None:
        """Of a name; None when there is none."""
        wire = await self.wire()
        try:
            with translated(path):
                return await wire.status(self.full(path))
        except NotFoundError:
            return None

    # --- directories --------------------------------------------------------------------------

    async def make_directories(self, directories: Iterable[str], *, again: bool = False) -> None:
        """Make what is missing of these and of what is above them, up to the base.

        One that cannot be made shows when something is written there. `again`: do not go by what
        stood there before.
        """
        wire = await self.wire()
        if again:
            self._made = {""}
        levels = _levels(directories, self._made)
        waiting = [self._make(wire, directory) for level in levels for directory in level]
        if wire.in_order:
            await asyncio.gather(*waiting)
            return
        for making in waiting:
            await making

    async def _make(self, wire: Wire, directory: str) -> None:
        try:
            await wire.make_directory(self.full(directory))
        except asyncssh.SFTPNoSuchFile:
            return
        except (asyncssh.Error, OSError, EOFError) as error:
            found = store_error(error, directory)
            if isinstance(found, UnavailableError):
                raise found from error
        # Version 3 says only "Failure" of one that is there.
        self._made.add(directory)

    def forget(self, directory: str) -> None:
        """It may be gone."""
        self._made.discard(directory)

    # --- handles ------------------------------------------------------------------------------

    @asynccontextmanager
    async def directory_handle(self, directory: str) -> AsyncIterator[bytes | None]:
        """To make a directory's names durable; None where the server opens none, or cannot sync.

        For the context it is there; closing it is not waited for.
        """
        wire = await self.wire()
        handle: bytes | None = None
        if wire.syncs:
            try:
                handle = await wire.open_read(self.full(directory))
            except (asyncssh.Error, OSError, EOFError):
                handle = None
        try:
            yield handle
        finally:
            if handle is not None and not wire.broken:
                wire.later(wire.close_handle(handle))

    async def failure(self, error: Exception, path: str) -> StoreError:
        """The cause of a write that failed: version 3 has one word for "exists" and "no space"."""
        found = store_error(error, path)
        if not isinstance(error, asyncssh.SFTPFailure) or isinstance(found, FullError):
            return found
        wire = await self.wire()
        if wire.tells_space:
            with translated(path, missing=UnavailableError):
                if await wire.free_space(self.full("")) < _ROOM:
                    return FullError(path, "no space left")
        return found


_ROOM = 1 << 20
"""Bytes that any disk in use has left, unless it is full."""


def _levels(directories: Iterable[str], made: set[str]) -> list[list[str]]:
    """What has to be made, the uppermost first."""
    missing: dict[int, dict[str, None]] = {}
    for directory in directories:
        parts = directory.split("/") if directory else []
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            if above not in made:
                missing.setdefault(depth, {})[above] = None
    return [list(missing[depth]) for depth in sorted(missing)]
