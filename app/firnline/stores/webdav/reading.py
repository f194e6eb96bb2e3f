"""Bodies on their way out of a WebDAV store."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

from firnline.stores.errors import (
    CorruptError,
    CredentialsError,
    DeniedError,
    NotFoundError,
    ServerError,
    UnavailableError,
    UntrustedError,
)
from firnline.stores.loop_thread import moved
from firnline.stores.webdav.answers import range_start, whole_size
from firnline.stores.webdav.connection import Answer, Connection
from firnline.stores.webdav.properties import look_at

PIECE = 256 * 1024
_WHOLE = frozenset({200})
_PARTS = frozenset({200, 206, 416})


class OpenBody:
    """A file whose answer has begun to come; `pieces` are the range that was asked for."""

    def __init__(self, connection: Connection, path: str, offset: int, length: int | None) -> None:
        self._connection = connection
        self._path = path
        self._offset = offset
        self._length = length
        self._context: AbstractAsyncContextManager[Answer] | None = None
        self._answer: Answer | None = None
        self._skip = 0
        self._rest = 0
        self.size = 0
        """Of the whole file."""

    async def begin(self) -> None:
        """Raises NotFoundError for what is no file, and other StoreErrors."""
        if self._length == 0:
            self.size = await self._told_size()
            return
        context = self._asking()
        try:
            answer = await context.__aenter__()
        except (DeniedError, UnavailableError) as error:
            if isinstance(error, CredentialsError | UntrustedError):
                raise
            # Each server has another word for a directory.
            await self._told_size()
            raise
        self._context = context
        try:
            await self._take(answer)
        except BaseException:
            await self.close()
            raise
        self._answer = answer

    def _asking(self) -> AbstractAsyncContextManager[Answer]:
        if self._offset == 0 and self._length is None:
            return self._connection.ask("GET", self._path, expected=_WHOLE)
        last = "" if self._length is None else str(self._offset + self._length - 1)
        headers = {"Range": f"bytes={self._offset}-{last}"}
        return self._connection.ask("GET", self._path, expected=_PARTS, headers=headers)

    async def _take(self, answer: Answer) -> None:
        # Of a directory, a login page, or what somebody wrote: the server has to say.
        told = await self._told_size() if answer.content_type == "text/html" else None
        if answer.status == 416:
            size = whole_size(answer.headers)
            self.size = await self._told_size() if size is None else size
            return
        size = whole_size(answer.headers) if answer.status == 206 else answer.content_length
        if told is not None and size not in (None, told):
            raise ServerError(self._path, "a web page instead of a file: a login page in between?")
        if answer.status == 206 and range_start(answer.headers) != self._offset:
            raise CorruptError(self._path, "the server sent another range than was asked for")
        self.size = await self._told_size() if size is None else size
        self._skip = self._offset if answer.status == 200 else 0
        rest = max(self.size - self._offset, 0)
        self._rest = rest if self._length is None else min(rest, self._length)

    async def _told_size(self) -> int:
        found = await look_at(self._connection, self._path)
        if found is None or found.is_directory or found.size is None:
            raise NotFoundError(self._path, "not a file")
        return found.size

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Raises StoreError, also when less comes than was said."""
        try:
            while self._rest:
                piece = self._wanted(await self._next())
                if piece:
                    yield piece
        finally:
            await self.close()

    async def _next(self) -> bytes:
        if self._answer is None:
            return b""
        async with self._connection.translated(self._path):
            piece = await self._answer.content.read(PIECE)
        moved()
        return piece

    def _wanted(self, piece: bytes) -> bytes:
        if not piece:
            raise UnavailableError(self._path, "the file broke off")
        skipped = min(self._skip, len(piece))
        self._skip -= skipped
        wanted = piece[skipped : skipped + self._rest]
        self._rest -= len(wanted)
        return wanted

    async def close(self) -> None:
        """Nothing more is wanted: what would still come is not waited for."""
        context, self._context = self._context, None
        if context is not None:
            await context.__aexit__(None, None, None)


async def open_body(
    connection: Connection, path: str, offset: int = 0, length: int | None = None
) -> OpenBody:
    """Raises NotFoundError for what is no file, and other StoreErrors."""
    body = OpenBody(connection, path, offset, length)
    await body.begin()
    return body


async def read_small(connection: Connection, path: str, limit: int) -> bytes:
    """The whole of a small file. Raises NotFoundError, CorruptError and other StoreErrors."""
    body = await open_body(connection, path)
    try:
        if body.size > limit:
            raise CorruptError(path, f"larger than {limit} bytes")
        return b"".join([piece async for piece in body.pieces()])
    finally:
        await body.close()
