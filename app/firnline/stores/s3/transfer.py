"""Bodies as the engine reads and writes them, over the objects of an S3 store."""

from collections.abc import Callable, Iterator
from typing import IO

from firnline.core.steps import Steps
from firnline.stores.errors import CorruptError, UnavailableError
from firnline.stores.s3.objects import Body
from firnline.stores.store_path import check_store_path

_CHUNK = 1 << 20
Publish = Callable[[str, IO[bytes], int], None]
"""Puts a whole body, from the start of a file, at a path."""


class S3Reader:
    """See `stores.base.Reader`. `rest`: the bytes that are to come."""

    def __init__(self, path: str, body: Body, rest: int) -> None:
        self.size = body.size
        self._path = path
        self._pieces = body.pieces
        self._rest = rest
        self._begun = b""

    def __enter__(self) -> "S3Reader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._pieces, self._begun, self._rest = iter(()), b"", 0

    def read(self, count: int) -> bytes:
        found: list[bytes] = []
        wanted = min(count, self._rest)
        while wanted > 0:
            piece = self._begun or next(self._pieces, b"")
            if not piece:
                raise CorruptError(self._path, "the server sent less than there is")
            found.append(piece[:wanted])
            self._begun = piece[wanted:]
            self._rest -= len(found[-1])
            wanted -= len(found[-1])
        return found[0] if len(found) == 1 else b"".join(found)


class S3Upload:
    """See `stores.base.Upload`. `spool` is an empty file that the caller closes."""

    is_repeatable = True

    def __init__(self, publish: Publish, steps: Steps, spool: IO[bytes]) -> None:
        self._publish = publish
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
        self._spool.seek(0)
        self._publish(path, self._spool, self._size)
