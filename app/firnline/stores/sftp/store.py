"""The SFTP store. See `stores.base.Store`.

Assumes an SFTP server of protocol version 3; uses of its extensions what it has. Calls block; the
requests of one call, and of several threads, are all on their way at once over one connection,
which is made when it is first needed and anew when it broke.

Only one instance at a time may use a CONNHASH: opening it sweeps what its last run left.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Capabilities, Listed
from firnline.stores.errors import DeniedError, FullError, StoreError
from firnline.stores.foreseen import LIMIT, Foreseen
from firnline.stores.foresight import Questions
from firnline.stores.layout import ConnectionLayout
from firnline.stores.loop_thread import Job, LoopThread
from firnline.stores.sftp import copying, writing
from firnline.stores.sftp.address import SftpAddress
from firnline.stores.sftp.dialling import Login, Secret, dial
from firnline.stores.sftp.faults import translated
from firnline.stores.sftp.reading import OpenFile, listing, read_small, whole_listing, whole_tree
from firnline.stores.sftp.session import Session, together
from firnline.stores.sftp.transfer import SftpReader, SftpUpload
from firnline.stores.sftp.trust import Trust
from firnline.stores.sftp.writing import Temporary
from firnline.stores.store_path import check_store_directory, check_store_path

PATIENCE = 60.0
"""Seconds for one call without progress."""
SLOWEST = 1 << 20
"""Bytes a second at which a server copies a file, or makes it durable: nobody hears of it
meanwhile."""
_PORTION = 8 << 20
"""Bytes of small files that are sent at once."""
_CLOCK_HOLDS = 600.0
"""Seconds after which the store's clock is looked at again."""
_Files = list[tuple[str, bytes]]
_Result = TypeVar("_Result")


def login_by(options: Mapping[str, str], secret: Secret) -> Login:
    """As the options of a store's settings say."""
    return Login(secret, key=options.get("key"), agent=options.get("agent", "yes") != "no")


def create_base(
    address: SftpAddress,
    login: Login,
    *,
    fingerprint: str | None = None,
    known_hosts: str | None = None,
) -> None:
    """Make the base directory of a store; one that is there stays.

    Raises NotFoundError when the directory above it is missing, and other StoreErrors.
    """
    session = Session(
        partial(dial, address, Trust(address, fingerprint, known_hosts), login), address.path
    )
    thread = LoopThread()
    try:
        thread.call(copying.make_base(session), PATIENCE)
    finally:
        with suppress(StoreError):
            thread.call(session.close(), PATIENCE)
        thread.close()


class SftpStore:
    """See `stores.base.Store`."""

    kind = "sftp"
    foresees = True

    def __init__(
        self,
        address: SftpAddress,
        login: Login,
        *,
        connection: str | None,
        clock: Clock,
        fingerprint: str | None = None,
        known_hosts: str | None = None,
        steps: Steps = no_steps,
    ) -> None:
        """Connects, so that what is wrong is known at once. Raises StoreError: UntrustedError for
        a host key that is not trusted, CredentialsError for a login that is refused."""
        trust = Trust(address, fingerprint, known_hosts)
        self._steps = steps
        self._clock = clock
        self._session = Session(partial(dial, address, trust, login), address.path)
        directory = ConnectionLayout(connection).tmp if connection is not None else None
        self._files = Temporary(self._session, directory)
        self._offset: tuple[float, timedelta] | None = None
        self._thread = LoopThread()
        self._foreseen = Foreseen(self._begin_to_ask, clock.monotonic, PATIENCE)
        try:
            wire = self._call(self._session.wire())
            if directory is not None:
                self._call(self._begin_sweep())
        except BaseException:
            self.close()
            raise
        self._able = Capabilities(
            exclusive_create=wire.in_order,
            atomic_rename=wire.replaces,
            server_copy=wire.copies,
            lists_after=False,
            watchable=False,
            clones=False,
        )

    def _call(self, work: Coroutine[Any, Any, _Result], size: int = 0) -> _Result:
        with translated(""):
            return self._thread.call(work, PATIENCE + size / SLOWEST)

    def _begin_to_ask(self, asking: Callable[[], Coroutine[Any, Any, Any]]) -> Job[Any]:
        return self._thread.start(asking(), PATIENCE)

    @property
    def capabilities(self) -> Capabilities:
        return self._able

    async def _begin_sweep(self) -> None:
        """What an earlier run left in `tmp/` is removed while others go on."""
        wire = await self._session.wire()
        wire.later(self._sweep())

    async def _sweep(self) -> None:
        directory = self._files.directory
        wire = await self._session.wire()
        with suppress(StoreError):
            async for entries in listing(self._session, directory, "", sizes=False):
                for entry in entries:
                    if not (entry.is_directory or self._files.is_own(entry.name)):
                        wire.later(wire.remove(self._session.full(f"{directory}/{entry.name}")))

    def expect(self, questions: Questions) -> None:
        """See `stores.foresight`."""
        session, ask = self._session, self._foreseen.ask
        with suppress(StoreError):
            for each in questions.lists:
                ask(("list", each), partial(whole_listing, session, each))
            for each in questions.trees:
                ask(("tree", each), partial(whole_tree, session, each))
            for each in questions.reads:
                ask(("read", each), partial(read_small, session, each, LIMIT))
            for each in questions.sizes:
                ask(("status", each), partial(session.status, each))
            if questions.clock and self._files.is_open and self._clock_is_due():
                ask(("clock", ""), partial(copying.look_at_clock, self._files))

    # --- reading ------------------------------------------------------------------------------

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        check_store_directory(directory)
        return self._list(directory, after, sizes)

    def _list(self, directory: str, after: str, sizes: bool) -> Iterator[Listed]:
        foreseen = self._foreseen.take_listing(directory)
        if foreseen is not None:
            found = (each for each in foreseen if each.name > after)
            yield from found if sizes else (each._replace(size=None) for each in found)
            return
        portions = listing(self._session, directory, after, sizes)
        try:
            while (portion := self._call(anext(portions, None))) is not None:
                yield from portion
        finally:
            with suppress(StoreError):
                self._call(portions.aclose())

    def size(self, path: str) -> int | None:
        check_store_path(path)
        foreseen = self._foreseen.take(("status", path))
        status = foreseen[0] if foreseen else self._call(self._session.status(path))
        return status.size if status is not None and status.is_file else None

    def open(self, path: str, offset: int = 0, length: int | None = None) -> SftpReader:
        opening = OpenFile.open(self._session, check_store_path(path), offset, length)
        return SftpReader(self._call, self._call(opening))

    def read_small(self, path: str, limit: int) -> bytes:
        check_store_path(path)
        foreseen: list[bytes] = self._foreseen.take(("read", path))
        if foreseen and len(foreseen[0]) <= limit:
            return foreseen[0]
        return self._call(read_small(self._session, path, limit), limit)

    # --- writing ------------------------------------------------------------------------------

    def upload(self) -> SftpUpload:
        return SftpUpload(self._call, self._files, self._changing)

    def _changing(self, step: str) -> None:
        """Right before anything is changed."""
        self._foreseen.forget()
        self._steps(step)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        portion: _Files = []
        size = 0
        for path, body in files:
            portion.append((check_store_path(path), body))
            size += len(body)
            if len(portion) == writing.AT_ONCE or size > _PORTION:
                self._put(portion, size)
                portion, size = [], 0
        self._put(portion, size)

    def _put(self, files: _Files, size: int) -> None:
        if files:
            self._changing("store.put")
            self._call(writing.put_many(self._files, files), size)

    def create(self, path: str, body: bytes) -> None:
        check_store_path(path)
        self._changing("store.create")
        self._call(writing.create(self._files, path, body), len(body))

    def rename(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._require_writable()
        self._changing("store.rename")
        self._call(copying.rename(self._session, source, target))

    def copy(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._require_writable()
        if self._able.server_copy:
            self._changing("store.copy")
            size = self.size(source) or 0
            self._call(copying.copy(self._files, source, target), size)
            return
        with self.open(source) as reader, self.upload() as upload:
            while chunk := reader.read(1 << 20):
                upload.write(chunk)
            upload.commit(target)

    def delete(self, path: str) -> None:
        check_store_path(path)
        self._require_writable()
        self._changing("store.delete")
        self._call(copying.delete(self._session, path))

    def delete_many(self, paths: Sequence[str]) -> None:
        """See `stores.deletion`."""
        self._require_writable()
        for path in paths:
            check_store_path(path)
        for start in range(0, len(paths), writing.AT_ONCE):
            some = paths[start : start + writing.AT_ONCE]
            self._changing("store.delete")
            self._call(together(*(copying.delete(self._session, path) for path in some)))

    def _require_writable(self) -> None:
        """Raises DeniedError when the store was opened for reading only."""
        _ = self._files.directory

    # --- the server itself --------------------------------------------------------------------

    def server_time(self) -> datetime | None:
        """By a file that is made for it, now and then; in between by this device's own clock."""
        if self._clock_is_due():
            now = self._clock.monotonic()
            try:
                foreseen = self._foreseen.take(("clock", ""))
                looking = copying.look_at_clock
                seconds = foreseen[0] if foreseen else self._call(looking(self._files))
                moment = datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
            except (DeniedError, FullError, ValueError, OverflowError):
                moment = None
            if moment is None:
                return None
            self._offset = (now, moment - self._clock.now())
        return self._clock.now() + self._offset[1] if self._offset is not None else None

    def _clock_is_due(self) -> bool:
        if self._offset is None:
            return True
        return self._clock.monotonic() - self._offset[0] > _CLOCK_HOLDS

    def free_space(self) -> int | None:
        return self._call(copying.free_space(self._session))

    def close(self) -> None:
        with suppress(StoreError):
            self._call(self._session.close())
        self._thread.close()
