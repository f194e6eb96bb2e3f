"""The S3 store. See `stores.base.Store`.

Assumes of the server: whole objects that are put and got, `ListObjectsV2`, `CopyObject`, and
uploads in parts. A put is atomic and durable when it is answered, so no temporary names are needed.
There are no directories: a directory is what keys begin with, and a name may be a file and the
beginning of others. A rename is a copy and a deletion. Whether a server keeps to *create if absent*
is tried, since some take the header and ignore it.

A body waits in a local temporary file until it is committed, since only then its name is known;
the file has no name, and nobody else can read it. Calls block.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import IO

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Capabilities, Listed, Upload
from firnline.stores.errors import DeniedError, NotFoundError, StoreError
from firnline.stores.foreseen import LIMIT, Foreseen
from firnline.stores.foresight import Questions
from firnline.stores.layout import ConnectionLayout
from firnline.stores.remarks import Remark
from firnline.stores.s3 import listing
from firnline.stores.s3.address import S3Address, S3Place, resolve
from firnline.stores.s3.asking import Asker
from firnline.stores.s3.claims import Claims
from firnline.stores.s3.keys import Keys, Secret, keys_by, read_profile
from firnline.stores.s3.objects import PART, Objects
from firnline.stores.s3.transfer import S3Reader, S3Upload
from firnline.stores.s3.workers import Workers
from firnline.stores.s3.writing import delete_all, put_all
from firnline.stores.spool import spool
from firnline.stores.store_path import check_store_directory, check_store_path

PATIENCE = 90.0
"""Seconds for an answer that was asked for in advance."""
AT_ONCE = 16
"""Requests on their way at once."""
_CLOCK_HOLDS = 600.0
"""Seconds after which the store's clock is looked at again."""
_LARGEST_COPY = 5 << 30
"""Bytes; S3 copies no larger object at once."""
_ABLE = Capabilities(
    exclusive_create=False,
    atomic_rename=False,
    server_copy=True,
    lists_after=True,
    watchable=False,
    clones=False,
)


class Account:
    """A bucket, and who asks for it."""

    def __init__(self, place: S3Place, options: Mapping[str, str], secret: Secret) -> None:
        """As the options of a store's settings say. Raises StoreError."""
        profile = read_profile(options["profile"]) if options.get("profile") else None
        named = dict(options)
        for option, name in (("endpoint", "endpoint_url"), ("region", "region")):
            if profile is not None and not named.get(option) and profile.get(name):
                named[option] = profile[name]
        self.address: S3Address = resolve(place, named)
        self.keys: Keys = keys_by(options, secret, profile)


def require_bucket(account: Account) -> None:
    """Whether the bucket is there; it is never made. Raises NotFoundError and other StoreErrors."""
    asker = Asker(account.address, account.keys)
    try:
        listing.look(asker)
    finally:
        asker.close()


class S3Store:
    """See `stores.base.Store`."""

    kind = "s3"
    foresees = True

    def __init__(
        self,
        account: Account,
        *,
        connection: str | None,
        clock: Clock,
        steps: Steps = no_steps,
    ) -> None:
        """Asks for the bucket, so that what is wrong is known at once. Raises StoreError."""
        self._steps = steps
        self._clock = clock
        self._tmp = ConnectionLayout(connection).tmp if connection is not None else None
        self._asker = Asker(account.address, account.keys)
        self._workers = Workers(AT_ONCE)
        self._objects = Objects(account.address, account.keys, self._workers)
        self._claims = Claims(self._objects, self._tmp)
        self._offset: tuple[float, timedelta] | None = None
        self._foreseen = Foreseen(self._workers.submit, clock.monotonic, PATIENCE)
        try:
            listing.look(self._asker)
            if self._tmp is not None:
                self._workers.submit(partial(self._sweep, self._tmp))
        except BaseException:
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        return _ABLE._replace(exclusive_create=self._claims.are_kept())

    def _sweep(self, tmp: str) -> None:
        """What an earlier run left in `tmp/`, and uploads that nobody ended."""
        with suppress(StoreError):
            left = [f"{tmp}/{each.name}" for each in self._list(tmp) if not each.is_directory]
            delete_all(self._objects, [each for each in left if not self._claims.made(each)])
        if self._asker.date is not None:
            listing.sweep_uploads(self._asker, self._asker.date)

    def remarks(self) -> Iterator[Remark]:
        """See `stores.remarks`."""
        yield (
            "sweep unfinished uploads",
            "parts of uploads that broke off may stay and cost money: let a lifecycle rule of the"
            " bucket remove them",
            self._sees_uploads,
        )

    def _sees_uploads(self) -> str | None:
        listing.unfinished_uploads(self._asker)
        return None

    def expect(self, questions: Questions) -> None:
        """See `stores.foresight`."""
        ask = self._foreseen.ask
        for each in questions.lists:
            ask(("list", each), partial(listing.whole_directory, self._asker, each))
        for each in questions.trees:
            ask(("tree", each), partial(listing.whole_tree, self._asker, each))
        for each in questions.reads:
            ask(("read", each), partial(self._objects.read_small, each, LIMIT))
        for each in questions.sizes:
            ask(("size", each), partial(self._objects.size, each))

    # --- reading ------------------------------------------------------------------------------

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        check_store_directory(directory)
        found = self._list(directory, after)
        return found if sizes else (each._replace(size=None) for each in found)

    def _list(self, directory: str, after: str = "") -> Iterator[Listed]:
        foreseen = self._foreseen.take_listing(directory)
        if foreseen is not None:
            yield from (each for each in foreseen if each.name > after)
            return
        for portion in listing.list_directory(self._asker, directory, after):
            yield from portion

    def size(self, path: str) -> int | None:
        check_store_path(path)
        foreseen: list[int | None] = self._foreseen.take(("size", path))
        return foreseen[0] if foreseen else self._objects.size(path)

    def open(self, path: str, offset: int = 0, length: int | None = None) -> S3Reader:
        body = self._objects.open(check_store_path(path), offset, length)
        rest = max(body.size - offset, 0)
        return S3Reader(path, body, rest if length is None else min(rest, length))

    def read_small(self, path: str, limit: int) -> bytes:
        check_store_path(path)
        foreseen: list[bytes] = self._foreseen.take(("read", path))
        if foreseen and len(foreseen[0]) <= limit:
            return foreseen[0]
        return self._objects.read_small(path, limit)

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def upload(self) -> Iterator[Upload]:
        self._require_writable()
        with spool() as body:
            yield S3Upload(self._publish, self._steps, body)

    def _publish(self, path: str, body: IO[bytes], size: int) -> None:
        self._foreseen.forget()
        if size <= PART:
            self._objects.put(path, body.read())
            return
        self._take_back()
        self._objects.put_file(path, body, size)

    def _take_back(self) -> None:
        """Parts of uploads that failed when the line was down."""
        left, self._objects.unfinished = self._objects.unfinished, []
        for key, upload in left:
            with suppress(StoreError):
                listing.abort(self._asker, key, upload)

    def _changing(self, step: str) -> None:
        """Right before anything is changed. Raises DeniedError when the store was opened for
        reading only."""
        self._require_writable()
        self._foreseen.forget()
        self._steps(step)

    def _require_writable(self) -> None:
        if self._tmp is None:
            raise DeniedError("", "the store was opened for reading only")

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        put_all(
            self._objects,
            self._workers,
            ((check_store_path(path), body) for path, body in files),
            partial(self._changing, "store.put"),
        )

    def create(self, path: str, body: bytes) -> None:
        check_store_path(path)
        self._changing("store.create")
        self._claims.create(path, body)

    def rename(self, source: str, target: str) -> None:
        """A copy, and then a deletion: a moment long both are there."""
        check_store_path(source)
        check_store_path(target)
        self._require_writable()
        if source == target:
            if self.size(source) is None:
                raise NotFoundError(source, "no such file")
            return
        self._copy(source, target)
        self._changing("store.rename")
        self._objects.delete([source])

    def copy(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._copy(source, target)

    def _copy(self, source: str, target: str) -> None:
        self._changing("store.copy")
        try:
            listing.copy(self._asker, source, target)
        except DeniedError:
            size = self._objects.size(source)
            if size is None or size <= _LARGEST_COPY:
                raise
            self._copy_over_here(source, target)

    def _copy_over_here(self, source: str, target: str) -> None:
        with self.open(source) as reader, self.upload() as upload:
            while chunk := reader.read(1 << 20):
                upload.write(chunk)
            upload.commit(target)

    def delete(self, path: str) -> None:
        self.delete_many([path])

    def delete_many(self, paths: Sequence[str]) -> None:
        """See `stores.deletion`."""
        for path in paths:
            check_store_path(path)
        self._changing("store.delete")
        delete_all(self._objects, paths)

    # --- the server itself --------------------------------------------------------------------

    def server_time(self) -> datetime | None:
        """By the date of an answer, now and then; in between by this device's own clock."""
        now = self._clock.monotonic()
        if self._offset is None or now - self._offset[0] > _CLOCK_HOLDS:
            if self._offset is not None or self._asker.date is None:
                listing.look(self._asker)
            if self._asker.date is None:
                return None
            self._offset = (now, self._asker.date - self._clock.now())
        return self._clock.now() + self._offset[1]

    def free_space(self) -> int | None:
        """A bucket tells nothing of it."""
        return None

    def close(self) -> None:
        self._foreseen.forget()
        self._workers.close()
        self._take_back()
        self._asker.close()
