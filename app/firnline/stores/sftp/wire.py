"""One SFTP session: requests, as many at once as one likes, over one connection.

The few calls of asyncssh's session handler that the store needs, with the errors of asyncssh. It is
the only module that knows the handler, which asyncssh does not document: its file objects would
cost a round trip and a task more for each small file. Whoever uses it holds paths as bytes.
"""

import asyncio
import stat
from collections.abc import Coroutine
from typing import Any, NamedTuple

import asyncssh
from asyncssh.sftp import SFTPClientHandler

BLOCK = 256 * 1024
_LEAST_BLOCK = 32 * 1024
"""What every server takes (draft-ietf-secsh-filexfer-02, section 3)."""
_ONE_BY_ONE = "rclone"
"""In the version of servers that take one piece of a file after the other, and wait for the next
one with all the hands they have when another comes first. They take larger pieces."""
_LARGER_BLOCK = 128 * 1024
_FAREWELL = 2.0
"""Seconds that hanging up may take."""
_IN_ORDER = "OpenSSH"
"""In the version of servers that carry requests out one after the other, in their order."""


class Status(NamedTuple):
    """What the server says of a name."""

    size: int
    is_file: bool
    is_directory: bool
    mtime: int | None


class Wire:
    """A live session."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient
    ) -> None:
        self._connection = connection
        self._handler: SFTPClientHandler = client._handler
        self._background: set[asyncio.Task[None]] = set()
        handler, limits = self._handler, self._handler.limits
        version = str(connection.get_extra_info("server_version", ""))
        self.in_order = _IN_ORDER in version
        self.one_by_one = _ONE_BY_ONE in version
        self.read_block = _block(limits.max_read_len)
        least = _LARGER_BLOCK if self.one_by_one else _LEAST_BLOCK
        self.write_block = _block(max(limits.max_write_len, least))
        self.replaces = handler._supports_posix_rename
        self.syncs = handler._supports_fsync
        self.copies = handler.supports_copy_data
        self.tells_space = handler._supports_statvfs

    @property
    def broken(self) -> bool:
        """Nothing can be asked over it any more."""
        return self._connection.is_closed() or self._handler._writer is None

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run what nobody waits for: its errors concern nobody either."""
        task = asyncio.get_running_loop().create_task(_quietly(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """Let what nobody waits for come to its end, and hang up."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _FAREWELL
        # What nobody waits for may begin more of its kind.
        while self._background and not self.broken and (left := end - loop.time()) > 0:
            await asyncio.wait(self._background, timeout=left)
        for task in list(self._background):
            task.cancel()
        self._connection.close()
        try:
            await asyncio.wait_for(self._connection.wait_closed(), _FAREWELL)
        except TimeoutError:
            self._connection.abort()

    # --- requests, one each -------------------------------------------------------------------

    async def open_read(self, path: bytes) -> bytes:
        """The handle of a file, or of a directory where the server can."""
        return await self._handler.open(path, asyncssh.FXF_READ, asyncssh.SFTPAttrs())

    async def open_new(self, path: bytes) -> bytes:
        """The handle of a file that did not exist; only to write, since some servers give no
        other."""
        flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_EXCL
        return await self._handler.open(path, flags, asyncssh.SFTPAttrs())

    async def close_handle(self, handle: bytes) -> None:
        await self._handler.close(handle)

    async def read(self, handle: bytes, offset: int, length: int) -> bytes:
        """Up to `length` bytes; empty at the end."""
        try:
            data, _ = await self._handler.read(handle, offset, length)
        except asyncssh.SFTPEOFError:
            return b""
        if len(data) > length:
            raise asyncssh.SFTPBadMessage("more data than was asked for")
        return data

    async def write(self, handle: bytes, offset: int, data: bytes) -> None:
        await self._handler.write(handle, offset, data)

    async def sync(self, handle: bytes) -> None:
        """Make it durable, where the server can."""
        if self.syncs:
            await self._handler.fsync(handle)

    async def status(self, path: bytes) -> Status:
        """Of the name itself: links are not followed."""
        return status_of(await self._handler.lstat(path, 0))

    async def handle_status(self, handle: bytes) -> Status:
        return status_of(await self._handler.fstat(handle, 0))

    async def make_directory(self, path: bytes) -> None:
        await self._handler.mkdir(path, asyncssh.SFTPAttrs())

    async def remove(self, path: bytes) -> None:
        await self._handler.remove(path)

    async def rename(self, source: bytes, target: bytes) -> None:
        """Only onto a name that is free, where the server keeps to the protocol."""
        await self._handler.rename(source, target, 0)

    async def replace(self, source: bytes, target: bytes) -> None:
        await self._handler.posix_rename(source, target)

    async def copy(self, source: bytes, target: bytes) -> None:
        """All of one open file behind another handle's start."""
        await self._handler.copy_data(source, 0, 0, target, 0)

    async def free_space(self, path: bytes) -> int:
        room = await self._handler.statvfs(path)
        return room.bavail * (room.frsize or room.bsize)

    async def open_directory(self, path: bytes) -> bytes:
        return await self._handler.opendir(path)

    async def names(self, handle: bytes) -> list[tuple[bytes, Status]] | None:
        """Some of a directory's names; None at its end."""
        try:
            found, _ = await self._handler.readdir(handle)
        except asyncssh.SFTPEOFError:
            return None
        return [(_raw(each.filename), status_of(each.attrs)) for each in found]


def status_of(attributes: asyncssh.SFTPAttrs) -> Status:
    """What cannot be told from the mode is neither file nor directory."""
    mode = attributes.permissions or 0
    return Status(
        size=attributes.size or 0,
        is_file=stat.S_ISREG(mode),
        is_directory=stat.S_ISDIR(mode),
        mtime=attributes.mtime,
    )


def _raw(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


def _block(limit: int) -> int:
    return min(BLOCK, max(_LEAST_BLOCK, limit))


async def _quietly(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except (asyncssh.Error, OSError, EOFError):
        return
