"""The WebDAV store. See `stores.base.Store`.

Assumes a server of RFC 4918, class 1, and little of it: what servers promise beyond that differs
too much. Calls block; the requests of one call, and of several threads, are on their way at once.

A body waits in a local temporary file until it is committed, as its length has to be told before
its first byte and nobody knows it then; the file has no name, and nobody else can read it.

Only one instance at a time may use a CONNHASH: opening it sweeps what its last run left.
"""

from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Capabilities, Listed, Upload
from firnline.stores.errors import DeniedError, NotFoundError, OptionsError, StoreError
from firnline.stores.layout import ConnectionLayout
from firnline.stores.loop_thread import LoopThread
from firnline.stores.spool import spool
from firnline.stores.store_path import check_store_directory, check_store_path
from firnline.stores.webdav import properties, reading, writing
from firnline.stores.webdav.address import WebDavAddress
from firnline.stores.webdav.connection import Connection, Login, Secret
from firnline.stores.webdav.fingerprint import parse_fingerprint
from firnline.stores.webdav.transfer import WebDavReader, WebDavUpload
from firnline.stores.webdav.writing import Temporary

PATIENCE = 90.0
"""Seconds for one call without progress."""
SLOWEST = 1 << 20
"""Bytes a second at which a server copies a file, or makes it durable: nobody hears of it
meanwhile."""
_PORTION = 8 << 20
_MANY = 512
"""Small files that are sent in one call."""
_CLOCK_HOLDS = 600.0
"""Seconds after which the store's clock is looked at again."""
_Files = list[tuple[str, bytes]]
_Result = TypeVar("_Result")


def connection_by(address: WebDavAddress, options: Mapping[str, str], secret: Secret) -> Connection:
    """As the options of a store's settings say. Raises OptionsError for a line that everybody on
    the way could read, unless the user said that it may be one."""
    unsealed = options.get("unencrypted", "no") == "yes"
    if not address.is_sealed and not unsealed:
        raise OptionsError(
            "",
            "webdav:// sends everything readable for all on the way: use webdavs://, or say"
            " --option unencrypted=yes",
        )
    pin = options.get("fingerprint")
    login = Login(address.user or "", secret, parse_fingerprint(pin) if pin else None)
    return Connection(address, login, sealed=address.is_sealed or unsealed)


def create_base(connection: Connection) -> None:
    """Make the base directory of a store; one that is there stays.

    Raises NotFoundError when the directory above it is missing, and other StoreErrors.
    """
    thread = LoopThread()
    try:
        thread.call(_make_base(connection), PATIENCE)
    finally:
        with suppress(StoreError):
            thread.call(connection.close(), PATIENCE)
        thread.close()


async def _make_base(connection: Connection) -> None:
    found = await properties.look_at(connection, "")
    if found is None:
        expected = frozenset({200, 201, 204, 404, 409})
        async with connection.ask("MKCOL", "", expected=expected, directory=True) as answer:
            if answer.status in (404, 409):
                raise NotFoundError("", "the directory above it does not exist on the server")
    elif not found.is_directory:
        raise DeniedError("", "its path is no directory on the server")


class WebDavStore:
    """See `stores.base.Store`."""

    kind = "webdav"

    def __init__(
        self,
        connection: Connection,
        *,
        connhash: str | None,
        clock: Clock,
        steps: Steps = no_steps,
    ) -> None:
        """Connects, so that what is wrong is known at once. Raises StoreError."""
        self._steps = steps
        self._clock = clock
        self._connection = connection
        directory = ConnectionLayout(connhash).tmp if connhash is not None else None
        self._files = Temporary(connection, directory)
        self._offset: tuple[float, timedelta] | None = None
        self._thread = LoopThread()
        try:
            self._require_base()
            self._sweep()
        except BaseException:
            self.close()
            raise

    def _call(self, work: Coroutine[Any, Any, _Result], size: int = 0) -> _Result:
        return self._thread.call(work, PATIENCE + size / SLOWEST)

    def _require_base(self) -> None:
        found = self._call(properties.look_at(self._connection, ""))
        if found is None:
            raise NotFoundError("", "the store's directory is not there")
        if not found.is_directory:
            raise DeniedError("", "its path is no directory on the server")

    @property
    def capabilities(self) -> Capabilities:
        """No server keeps rivals apart always, and some remove the old name a moment before."""
        return Capabilities(
            exclusive_create=False,
            atomic_rename=False,
            server_copy=True,
            lists_after=False,
            watchable=False,
            clones=False,
        )

    def _sweep(self) -> None:
        """What an earlier run left in `tmp/`."""
        with suppress(DeniedError):
            directory = self._files.directory
            left = [entry.name for entry in self.list(directory) if not entry.is_directory]
            self._call(self._files.discard_all(f"{directory}/{name}" for name in left))

    # --- reading ------------------------------------------------------------------------------

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        check_store_directory(directory)
        return self._list(directory, after, sizes)

    def _list(self, directory: str, after: str, sizes: bool) -> Iterator[Listed]:
        portions = properties.listing(self._connection, directory, after, sizes)
        try:
            while (portion := self._call(anext(portions, None))) is not None:
                yield from portion
        finally:
            with suppress(StoreError):
                self._call(portions.aclose())

    def size(self, path: str) -> int | None:
        found = self._call(properties.look_at(self._connection, check_store_path(path)))
        return found.size if found is not None and not found.is_directory else None

    def open(self, path: str, offset: int = 0, length: int | None = None) -> WebDavReader:
        opening = reading.open_body(self._connection, check_store_path(path), offset, length)
        return WebDavReader(self._thread, self._call(opening), PATIENCE)

    def read_small(self, path: str, limit: int) -> bytes:
        return self._call(
            reading.read_small(self._connection, check_store_path(path), limit), limit
        )

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def upload(self) -> Iterator[Upload]:
        self._require_writable()
        with spool() as body:
            yield WebDavUpload(self._call, self._files, self._steps, body)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        portion: _Files = []
        size = 0
        for path, body in files:
            portion.append((check_store_path(path), body))
            size += len(body)
            if len(portion) == _MANY or size > _PORTION:
                self._put(portion, size)
                portion, size = [], 0
        self._put(portion, size)

    def _put(self, files: _Files, size: int) -> None:
        if files:
            self._steps("store.put")
            self._call(writing.put_many(self._files, files), size)

    def create(self, path: str, body: bytes) -> None:
        check_store_path(path)
        self._steps("store.create")
        self._call(self._create(path, body), len(body))

    async def _create(self, path: str, body: bytes) -> None:
        name = await self._files.put(len(body), writing.held(body))
        await writing.publish(self._files, name, path, replaces=False)

    def rename(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._require_writable()
        self._require_file(source)
        if source == target:
            return
        self._steps("store.rename")
        self._call(writing.transfer(self._files.directories, "MOVE", source, target, replaces=True))

    def _require_file(self, path: str) -> int:
        """Raises NotFoundError. A server would move, copy or remove a whole directory."""
        size = self.size(path)
        if size is None:
            raise NotFoundError(path, "not a file")
        return size

    def copy(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._require_writable()
        size = self._require_file(source)
        self._steps("store.copy")
        self._call(self._copy(source, target), size)

    async def _copy(self, source: str, target: str) -> None:
        name = self._files.name()
        await writing.transfer(self._files.directories, "COPY", source, name, replaces=False)
        await writing.publish(self._files, name, target)

    def delete(self, path: str) -> None:
        check_store_path(path)
        self._require_writable()
        self._steps("store.delete")
        if self._files.is_in(path) or self.size(path) is not None:
            self._call(writing.remove(self._connection, path))

    def _require_writable(self) -> None:
        """Raises DeniedError when the store was opened for reading only."""
        _ = self._files.directory

    # --- the server itself --------------------------------------------------------------------

    def server_time(self) -> datetime | None:
        """By the date of an answer, now and then; in between by this device's own clock."""
        now = self._clock.monotonic()
        if self._offset is None or now - self._offset[0] > _CLOCK_HOLDS:
            self._call(properties.look_at(self._connection, ""))
            moment = self._connection.date
            if moment is None:
                return None
            self._offset = (now, moment - self._clock.now())
        return self._clock.now() + self._offset[1]

    def free_space(self) -> int | None:
        return self._call(properties.free_space(self._connection))

    def close(self) -> None:
        with suppress(StoreError):
            self._call(self._connection.close())
        self._thread.close()
