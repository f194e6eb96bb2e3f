"""Contents by their hash: from any store that has them, the home store, or the folder itself.

A body is taken only by its hash (docs/design.md section 2, *Writing*); where it came from does not
matter then. Sources that turn out wrong are passed over for the next one.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

from firnline.core.batch import MAX_HEADER, BadBatchError, manifest_size
from firnline.core.entry import Change
from firnline.core.event import EventText, Kind, Op
from firnline.core.hashing import EMPTY_HASH, DataHash
from firnline.core.paths import MAX_PATH_BYTES
from firnline.folder.errors import FolderError
from firnline.stores.base import Reader
from firnline.stores.errors import CorruptError, StoreError, UnavailableError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.verify_stream import CHUNK, Standing, look, note_lost_at_home

_IN_MEMORY = 8 * 2**20


_WITH_CONTENT = (Kind.FILE, Kind.LINK)


class ContentMissingError(Exception):
    """No store in reach, and no file here, has this content."""

    def __init__(self, data_hash: str) -> None:
        super().__init__(f"no store in reach has the content {data_hash}")
        self.data_hash = data_hash


class ContentTooLargeError(ContentMissingError):
    """There may be such a content, and it is larger than any that is wanted."""


class _Source(NamedTuple):
    """One place where a content should be; `open` may fail, the bytes may be wrong."""

    where: str
    open: Callable[[int | None], Iterator[bytes]]
    """Raises CorruptError for what is known to be larger than so many bytes."""
    event: int | None = None
    """The event whose file it is, and the store where that stands."""
    place: Connected | None = None


class _WrongSourceError(Exception):
    """A source failed, or did not have what it should: the next one may."""


class _TooLongError(CorruptError):
    """A source has more than is wanted."""


def read_range(reader: Reader, length: int) -> Iterator[bytes]:
    """Exactly `length` bytes in chunks. Raises CorruptError when there are fewer."""
    left = length
    with reader:
        while left > 0:
            chunk = reader.read(min(CHUNK, left))
            if not chunk:
                raise CorruptError("", f"ends {left} bytes early")
            left -= len(chunk)
            yield chunk


class Bodies:
    """Finds contents for one pass."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._starts: dict[tuple[str, str], int] = {}

    def copy(
        self,
        data_hash: DataHash,
        write: Callable[[Iterator[bytes]], object],
        most: int | None = None,
    ) -> None:
        """Give the verified content to `write`, an iterator that raises when it proves wrong.

        `write` is called again with the next source then, and has to begin anew. Only the hash
        decides what is right: sizes may be lies. A store with a wrong one is known to lack that
        event, and gets it again. Nothing that is longer than
        `most` is read to its end: an endless body must not keep a right one from being found.
        Raises ContentMissingError when no source is right, ContentTooLargeError when one was too
        long to be tried, and whatever `write` raises by itself.
        """
        wrong: list[_Source] = []
        too_long = False
        for source in self._sources(data_hash):
            try:
                write(self._verified(source, data_hash, most))
            except _WrongSourceError as error:
                too_long = too_long or isinstance(error.__cause__, _TooLongError)
                if not isinstance(error.__cause__, (UnavailableError, _TooLongError)):
                    wrong.append(source)
                continue
            self._note_lost(wrong)
            self._note_wrong_history(data_hash, wrong)
            return
        self._note_lost(self._damaged(wrong))
        raise (ContentTooLargeError if too_long else ContentMissingError)(data_hash)

    def _damaged(self, sources: Iterable[_Source]) -> list[_Source]:
        """Those whose file is wrong: somebody who is not in reach may have it, and who lacks it is
        given it. A batch that ends with its manifest is whole, though it brings nothing."""
        found = []
        for source in sources:
            if source.event is None or source.place is None:
                continue
            row = self._context.state.journal.by_id(source.event)
            with suppress(StoreError):
                if look(self._context, source.place, row) is not Standing.WHOLE:
                    found.append(source)
        return found

    def _note_lost(self, sources: Iterable[_Source]) -> None:
        state = self._context.state
        for source in sources:
            if source.event is None or source.place is None:
                continue
            if source.place is self._context.home:
                note_lost_at_home(self._context, source.event)
                continue
            if state.stores.is_doubtful(source.place.store_id, source.event):
                continue
            with state.transaction("event lost"):
                state.stores.lost(source.place.store_id, source.event, wrong=True)

    def _note_wrong_history(self, data_hash: DataHash, sources: Iterable[_Source]) -> None:
        """What names a content that is damaged in a store's history brings it there once more."""
        state = self._context.state
        damaged = {s.place.store_id: s.place for s in sources if s.place and s.event is None}
        damaged.pop(self._context.home.store_id, None)
        for store_id, connected in damaged.items():
            with suppress(StoreError):
                if connected.store.size(self._context.layout.history(data_hash)) is None:
                    continue
                with state.transaction("content lost"):
                    for event in state.journal.naming(data_hash):
                        state.stores.lost(store_id, event, wrong=True)

    def read(self, data_hash: DataHash, limit: int) -> bytes:
        """A content of at most `limit` bytes. Raises ContentMissingError, ContentTooLargeError."""
        found: list[bytes] = []

        def collect(chunks: Iterator[bytes]) -> None:
            found[:] = chunks

        self.copy(data_hash, collect, limit)
        return b"".join(found)

    def read_twice(self, data_hash: DataHash) -> Iterator[bytes]:
        """A content of any size, from a source that was found right at a first reading.

        Raises ContentMissingError; after some bytes when the source fails at the second one.
        """
        source = self._right_source(data_hash)
        try:
            yield from self._verified(source, data_hash)
        except _WrongSourceError as error:
            raise ContentMissingError(data_hash) from error

    def _right_source(self, data_hash: DataHash) -> _Source:
        wrong: list[_Source] = []
        for source in self._sources(data_hash):
            try:
                for _ in self._verified(source, data_hash):
                    self._context.check_cancelled()
            except _WrongSourceError as error:
                if not isinstance(error.__cause__, UnavailableError):
                    wrong.append(source)
                continue
            self._note_lost(wrong)
            self._note_wrong_history(data_hash, wrong)
            return source
        self._note_lost(self._damaged(wrong))
        raise ContentMissingError(data_hash)

    def is_at_hand(self, data_hash: DataHash) -> bool:
        """True when the content can be read now, to its last byte."""
        try:
            self._right_source(data_hash)
        except ContentMissingError:
            return False
        return True

    def _verified(
        self, source: _Source, data_hash: DataHash, most: int | None = None
    ) -> Iterator[bytes]:
        """The chunks of a source; raises _WrongSourceError, also after the last one."""
        digest = self._context.hasher.running()
        size = 0
        try:
            for chunk in self._timed(source, most):
                size += len(chunk)
                if most is not None and size > most:
                    raise _TooLongError(source.where, f"longer than {most} bytes")
                digest.update(chunk)
                yield chunk
        except (StoreError, FolderError, BadBatchError) as error:
            raise _WrongSourceError(source.where) from error
        if digest.data_hash() != data_hash:
            raise _WrongSourceError(source.where)

    def _timed(self, source: _Source, most: int | None) -> Iterator[bytes]:
        """The chunks, while it is measured how fast they come."""
        clock, spent, size = self._context.clock, 0.0, 0
        begun = clock.monotonic()
        for chunk in source.open(most):
            spent += clock.monotonic() - begun
            size += len(chunk)
            yield chunk
            begun = clock.monotonic()
        if source.place is not None:
            self._context.note_speed(source.place, size, spent)

    def _sources(self, data_hash: DataHash) -> Iterator[_Source]:
        if data_hash == EMPTY_HASH:
            yield _Source("nothing", lambda most: iter([b""]))
        yield from self._in_folder(data_hash, self._context.state.journal.paths_of(data_hash))
        yield from self._in_events(data_hash)
        for connected in self._places():
            path = self._context.layout.history(data_hash)
            yield _Source(path, partial(_whole, connected, path), None, connected)
        # Last, since it reads the whole table: what was brought here under another name.
        yield from self._in_folder(data_hash, self._context.state.files.with_content(data_hash))

    def _places(self) -> list[Connected]:
        return [self._context.home, *self._context.sources]

    def _in_events(self, data_hash: DataHash) -> Iterator[_Source]:
        """Whole events first. A batch that is not whole may have the wanted content all the same,
        so only where nothing stands nothing is looked for."""
        stores = self._context.state.stores
        for event, name, op, offset, size in self._context.state.journal.carriers(data_hash):
            doubtful: list[_Source] = []
            for connected in self._places():
                opened = partial(self._from_event, connected, name, op, offset, size)
                source = _Source(name, opened, event, connected)
                if connected is self._context.home:
                    if stores.holds(event):
                        yield source
                elif not stores.lacks(connected.store_id, event):
                    yield source
                elif not stores.lacks_name(connected.store_id, event):
                    doubtful.append(source)
            yield from doubtful

    def _from_event(
        self,
        connected: Connected,
        name: EventText,
        op: Op,
        offset: int,
        size: int,
        most: int | None,
    ) -> Iterator[bytes]:
        path = self._context.layout.event(name)
        if op is Op.PAT:
            raise CorruptError(path, "a delta, which this version cannot read yet")
        if op is not Op.BAT:
            # A name does not say how large its body is, and a store may lie.
            return _whole(connected, path, most)
        offset += self.bodies_start(connected, name)
        return read_range(connected.store.open(path, offset, size), size)

    def bodies_start(self, connected: Connected, name: EventText) -> int:
        """Where the bodies of a batch begin in its file. Raises StoreError, BadBatchError."""
        key = (connected.store_id, name)
        if key not in self._starts:
            with connected.store.open(self._context.layout.event(name), 0, MAX_HEADER) as reader:
                header, manifest = manifest_size(reader.read(MAX_HEADER))
            self._starts[key] = header + manifest
        return self._starts[key]

    def _in_folder(self, data_hash: DataHash, paths: Iterable[str]) -> Iterator[_Source]:
        """Files and links of this folder that had this content when they were last looked at."""
        context = self._context
        for path in paths:
            row = context.state.files.get(path)
            if row is not None and row.data_hash == data_hash and row.kind in _WITH_CONTENT:
                read = _local_link if row.kind is Kind.LINK else _local
                yield _Source(path, partial(read, context, row.local or path))


def _whole(connected: Connected, path: str, most: int | None) -> Iterator[bytes]:
    reader = connected.store.open(path)
    if most is not None and reader.size > most:
        with reader:
            raise _TooLongError(path, f"longer than {most} bytes")
    return read_range(reader, reader.size)


@contextmanager
def descriptor_of(context: FolderContext, local: str) -> Iterator[int]:
    """A file of the folder, open to be read. Raises FolderError."""
    descriptor = context.root.open_read(local)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _local(context: FolderContext, path: str, most: int | None) -> Iterator[bytes]:
    return chunks_of(context.root.open_read(path))


def _local_link(context: FolderContext, path: str, most: int | None) -> Iterator[bytes]:
    yield context.root.read_link(path).encode()


def chunks_of(descriptor: int) -> Iterator[bytes]:
    """What an open local file holds; closes it at the end."""
    try:
        while chunk := os.read(descriptor, CHUNK):
            yield chunk
    finally:
        os.close(descriptor)


def with_link_texts(
    context: FolderContext, changes: Iterable[Change]
) -> list[tuple[Change, bytes | None]]:
    """Changes for a batch, each with what it has to bring: a link its text, others nothing.

    A link whose text nobody in reach has brings nothing either.
    """
    bodies = Bodies(context)
    members: list[tuple[Change, bytes | None]] = []
    for change in changes:
        text = None
        if change.op is Op.LNK:
            with suppress(ContentMissingError):
                text = bodies.read(change.data_hash, MAX_PATH_BYTES)
        members.append((change if text is None else change._replace(size=len(text)), text))
    return members


def hash_of_local(context: FolderContext, local: str, kind: Kind) -> DataHash:
    """The hash of the file or link that stands in the folder now. Raises FolderError."""
    if kind is Kind.LINK:
        return context.hasher.data(context.root.read_link(local).encode())
    digest = context.hasher.running()
    for chunk in chunks_of(context.root.open_read(local)):
        digest.update(chunk)
    return digest.data_hash()


def open_content(context: FolderContext, data_hash: DataHash, size: int) -> Iterator[bytes]:
    """The bytes of a content, checked before the first one is handed out.

    Raises ContentMissingError. What is large is read twice rather than held in memory; a source
    that fails at the second time raises it after some bytes, and no other is tried then.
    """
    bodies = Bodies(context)
    if size <= _IN_MEMORY:
        with suppress(ContentTooLargeError):
            yield bodies.read(data_hash, _IN_MEMORY)
            return
    yield from bodies.read_twice(data_hash)
