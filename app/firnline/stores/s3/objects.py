"""The edge of obstore: whole objects, read and written with its synchronous calls.

Its asynchronous ones are never used: they end the process when it exits soon after one. It looks
into the environment for settings, so every one that could change what a store means is given. It is
imported with this module and nowhere else: two threads that import it at once may find half of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import IO, TYPE_CHECKING, NamedTuple

from obstore.exceptions import BaseError
from obstore.store import S3Store

from firnline.stores.errors import (
    AlreadyExistsError,
    CorruptError,
    DeniedError,
    NotFoundError,
    ServerError,
)
from firnline.stores.s3.address import S3Address
from firnline.stores.s3.asking import SILENCE
from firnline.stores.s3.faults import library_failure, unfinished_upload
from firnline.stores.s3.keys import Keys
from firnline.stores.s3.workers import Workers

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import S3Credential

PART = 8 << 20
"""Bytes of one part of a large body."""
AT_ONCE = 4
"""Parts on their way at once, and in memory."""
_MOST_PARTS = 9_000
_SLOWEST = 16 * 1024
"""Bytes a second that a request is given time for."""
_PIECE = 1 << 20
_QUICK = 64 * 1024
"""Bytes of a body that is sent within the time of a silence."""


class Body(NamedTuple):
    """A body, or a part of one, that is on its way."""

    size: int
    """Bytes of the whole file."""
    pieces: Iterator[bytes]


def part_size(size: int) -> int:
    """Bytes of each part of a body: servers take 10,000 parts at most."""
    return max(PART, -(-size // _MOST_PARTS))


class Objects:
    """The objects below a store's base."""

    def __init__(self, address: S3Address, keys: Keys, workers: Workers) -> None:
        self._address = address
        self._keys = keys
        self._run = workers.run
        self.has_ranges = True
        """False where the server sends the whole file, or says that it does."""
        self.unfinished: list[tuple[str, str]] = []
        """Keys and names of uploads that could not be taken back when they failed."""

    @cached_property
    def _reading(self) -> S3Store:
        """For all that sends little: a silence ends it."""
        return self._client(retries=2, read_timeout=timedelta(seconds=SILENCE))

    @cached_property
    def _writing(self) -> S3Store:
        return self._client(retries=2)

    @cached_property
    def _claiming(self) -> S3Store:
        """Asks once: a second attempt would find what the first one made."""
        return self._client(retries=0, read_timeout=timedelta(seconds=SILENCE))

    @cached_property
    def _removing(self) -> S3Store:
        """One at a time: some servers cannot remove many."""
        return self._client(retries=2, read_timeout=timedelta(seconds=SILENCE), alone=True)

    def _client(
        self, *, retries: int, read_timeout: timedelta | None = None, alone: bool = False
    ) -> S3Store:
        address = self._address
        # A body that is read may take as long as it likes, as long as something comes.
        most = SILENCE + AT_ONCE * PART / _SLOWEST if read_timeout is None else 24 * 3600
        return S3Store(
            address.bucket,
            config={
                "endpoint": address.endpoint,
                "aws_endpoint_url_s3": address.endpoint,
                "region": address.region,
                "virtual_hosted_style_request": address.is_by_host,
                "skip_signature": False,
                "unsigned_payload": False,
                "conditional_put": "etag",
                "disable_bulk_delete": alone,
                "request_payer": False,
                "s3_express": False,
            },
            client_options={
                "allow_http": address.scheme == "http",
                "connect_timeout": timedelta(seconds=SILENCE / 2),
                "timeout": timedelta(seconds=most),
                "default_content_type": "application/octet-stream",
                "user_agent": "Firnline",
                **({"read_timeout": read_timeout} if read_timeout is not None else {}),
            },
            retry_config={
                "max_retries": retries,
                "retry_timeout": timedelta(seconds=20),
                "backoff": {"init_backoff": timedelta(milliseconds=100)},
            },
            credential_provider=self._credential,
        )

    def _credential(self) -> "S3Credential":
        return {
            "access_key_id": self._keys.key_id,
            "secret_access_key": self._keys.secret,
            "token": None,
            "expires_at": None,
        }

    def size(self, path: str) -> int | None:
        """Bytes of a file, None when there is none. Raises StoreError."""
        try:
            with translated(path):
                key = self._address.key(path)
                meta = self._run(lambda: self._reading.head(key))
                return _checked(meta, path)["size"]
        except NotFoundError:
            return None

    def open(self, path: str, offset: int, length: int | None) -> Body:
        """Begin to read. Raises NotFoundError, and other StoreErrors."""
        if length == 0:
            return self._nothing(path)
        if (offset or length is not None) and self.has_ranges:
            try:
                result = self._get(path, offset, length)
                return Body(_checked(result.meta, path)["size"], self._pieces(result, path))
            except DeniedError as error:
                if "(InvalidRange)" in error.detail or "(416)" in error.detail:
                    return self._nothing(path)
                raise
            except CorruptError:
                self.has_ranges = False
        result = self._get(path, 0, None)
        size = _checked(result.meta, path)["size"]
        return Body(size, _within(self._pieces(result, path), offset, length))

    def _get(self, path: str, offset: int, length: int | None) -> "GetResult":
        options: GetOptions = {}
        if length is not None:
            options = {"range": (offset, offset + length)}
        elif offset:
            options = {"range": {"offset": offset}}
        key = self._address.key(path)
        with translated(path):
            return self._run(lambda: self._reading.get(key, options=options))

    def _pieces(self, result: "GetResult", path: str) -> Iterator[bytes]:
        stream = result.stream(_PIECE)
        with translated(path):
            while piece := self._run(lambda: next(stream, b"")):
                yield bytes(piece)

    def _nothing(self, path: str) -> Body:
        """A range with nothing in it, of a file that is there."""
        size = self.size(path)
        if size is None:
            raise NotFoundError(path, "no such file")
        return Body(size, iter(()))

    def read_small(self, path: str, limit: int) -> bytes:
        """Raises CorruptError over `limit` bytes, before they are read, and other StoreErrors."""
        result = self._get(path, 0, None)
        with translated(path):
            if _checked(result.meta, path)["size"] > limit:
                raise CorruptError(path, f"larger than {limit} bytes")
            return bytes(self._run(result.bytes))

    def put(self, path: str, body: bytes) -> None:
        """It stands there when this returns. Raises StoreError."""
        client = self._reading if len(body) <= _QUICK else self._writing
        key = self._address.key(path)
        with translated(path), _into_a_bucket(path):
            self._run(lambda: client.put(key, body, use_multipart=False))

    def put_file(self, path: str, file: IO[bytes], size: int) -> None:
        """A large one, in parts. When that fails nothing stands there. Raises StoreError."""
        key = self._address.key(path)
        with translated(path), _into_a_bucket(path):
            try:
                self._run(
                    lambda: self._writing.put(
                        key,
                        file,
                        use_multipart=True,
                        chunk_size=part_size(size),
                        max_concurrency=AT_ONCE,
                    )
                )
            except BaseError as error:
                if left := unfinished_upload(str(error)):
                    self.unfinished.append((key, left))
                raise

    def claim(self, path: str, body: bytes) -> None:
        """Only where nothing stands, if the server keeps to it. Raises AlreadyExistsError, and
        other StoreErrors."""
        key = self._address.key(path)
        with translated(path), _into_a_bucket(path):
            self._run(lambda: self._claiming.put(key, body, mode="create", use_multipart=False))

    def delete(self, paths: Sequence[str]) -> None:
        """Up to a thousand in one request. Raises StoreError; any of them may be gone then."""
        keys = [self._address.key(path) for path in paths]
        with translated(paths[0]):
            self._run(lambda: self._reading.delete(keys))

    def delete_one(self, path: str) -> None:
        """By itself. Raises StoreError."""
        key = self._address.key(path)
        with translated(path):
            self._run(lambda: self._removing.delete(key))


def _within(pieces: Iterator[bytes], offset: int, length: int | None) -> Iterator[bytes]:
    """A range of what comes whole."""
    left = length
    for piece in pieces:
        skipped = min(offset, len(piece))
        offset -= skipped
        part = piece[skipped:] if left is None else piece[skipped : skipped + left]
        if part:
            yield part
        if left is not None:
            left -= len(part)
            if not left:
                return


def _checked(meta: "ObjectMeta", path: str) -> "ObjectMeta":
    """Raises ServerError for what no server of S3 answers: each object has an ETag there."""
    if not meta["e_tag"]:
        raise ServerError(path, "a web page instead of an answer: a login page in between?")
    return meta


@contextmanager
def _into_a_bucket(path: str) -> Iterator[None]:
    """What is written is never missing; what it is written into may be."""
    try:
        yield
    except FileNotFoundError as error:
        raise ServerError(path, "the bucket is not there") from error


@contextmanager
def translated(path: str) -> Iterator[None]:
    """What obstore raises inside comes out as a StoreError about `path`."""
    try:
        yield
    except (BaseError, FileNotFoundError, OSError, ValueError) as error:
        raise _translation(error, path) from error


def _translation(error: Exception, path: str) -> Exception:
    kind = type(error).__name__
    if kind == "AlreadyExistsError":
        return AlreadyExistsError(path, "it is there already")
    return library_failure(kind, str(error), path)
