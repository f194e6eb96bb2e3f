"""Bringing contents into the folder's own temporary files, verified, before anything is replaced.

Members of one batch are read in the order in which they stand in its file, through one open
reader, so that applying twenty thousand small files is one sequential read.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from firnline.core.batch import BadBatchError
from firnline.core.entry import Entry
from firnline.core.event import EXECUTABLE, EventText, Kind, Op
from firnline.folder.errors import FolderError, NoSpace
from firnline.state.file_index import FileRow
from firnline.stores.base import Reader
from firnline.stores.errors import StoreError
from firnline.sync.apply_plan import Wish
from firnline.sync.bodies import Bodies, ContentMissingError, ContentTooLargeError
from firnline.sync.context import Connected, FolderContext, Problem
from firnline.sync.fetches import LARGE, Coming

_IN_MEMORY = 8 * 2**20
_NO_ROOM = "there is no room for it on this computer's disk"


class _LaterError(Exception):
    """A body comes beside this pass, and a later one takes it."""


class Staged(NamedTuple):
    """A finished temporary file and the wish that it fulfils."""

    wish: Wish
    temporary: str


class Stager:
    """Stages files for one pass. `missing` are wishes whose content nobody has, `problems` say what
    found no space or could not be written."""

    def __init__(self, context: FolderContext) -> None:
        self._context = context
        self._bodies = Bodies(context)
        self._reader = _SequentialReader(context, self._bodies)
        self.missing: list[Wish] = []
        self.problems: list[Problem] = []
        self._room: int | None = 0
        """Bytes that may still be used, as far as this is known; None: nobody knows."""

    def stage(self, wishes: Iterable[Wish]) -> Iterator[Staged]:
        """One temporary file after the other."""
        with self._reader:
            for wish in sorted(wishes, key=_reading_order):
                self._context.check_cancelled()
                try:
                    temporary = self._stage(wish)
                except NoSpace as error:
                    self.problems.append(Problem(wish.path, "no space", error.detail))
                    continue
                except FolderError as error:
                    self.problems.append(Problem(wish.path, "not applied", error.detail))
                    continue
                except _LaterError:
                    continue
                if temporary is None:
                    self.missing.append(wish)
                else:
                    yield Staged(wish, temporary)

    def _stage(self, wish: Wish) -> str | None:
        entry = wish.entry
        assert entry is not None
        self._take_room(wish.path, entry.size)
        fetches = self._context.fetches
        if fetches is None:
            return self._read(wish, entry)
        coming: Coming | None = None
        if fetches or entry.size >= LARGE:
            coming = self._coming(wish, entry)
            arrived = fetches.take(coming)
            if arrived is not None:
                return arrived
            if fetches.take_failure(coming):
                return self._read(wish, entry)
            if fetches.is_coming(coming):
                raise _LaterError
        if entry.size < LARGE or not self._context.patience.reads_slowly():
            with self._context.patience.strictly() as gave_up:
                found = self._read(wish, entry)
            if found is not None or not gave_up:
                return found
        fetches.want(coming or self._coming(wish, entry))
        raise _LaterError

    def _coming(self, wish: Wish, entry: Entry) -> Coming:
        mode = self._mode_of(wish.here)
        return Coming(entry.data_hash, entry.size, entry.mtime, entry.flags, mode)

    def _read(self, wish: Wish, entry: Entry) -> str | None:
        if entry.offset is not None and entry.size <= _IN_MEMORY:
            body = self._reader.body(entry)
            if body is not None:
                return self._write(wish, [body])
        try:
            return self._copy(wish, entry)
        except ContentMissingError:
            return None

    def _take_room(self, path: str, size: int) -> None:
        """What cannot fit is not begun: it would fill the disk before it fails."""
        if self._room is None:
            return
        if size > self._room:
            self._room = self._context.root.free_space()
        if self._room is not None:
            if size > self._room:
                raise NoSpace(path, _NO_ROOM)
            self._room -= size

    def _write(self, wish: Wish, chunks: Iterable[bytes]) -> str:
        entry, like = wish.entry, wish.here
        assert entry is not None
        mode = self._mode_of(like)
        size = 0
        with self._context.root.new_temporary() as temporary:
            for chunk in chunks:
                size += len(chunk)
                if size > max(entry.size, _IN_MEMORY):
                    # A store was wrong about its size, or this is a wrong content without end.
                    self._take_room(wish.path, len(chunk))
                temporary.write(chunk)
            temporary.finish(entry.mtime, entry.flags == EXECUTABLE, mode)
        if size != entry.size:
            with self._context.state.transaction("size of a body"):
                self._context.state.journal.mend_size(entry, size)
        return temporary.name

    def _mode_of(self, replaced: FileRow | None) -> int | None:
        """The permission bits of a file that is replaced are kept."""
        if replaced is None or replaced.kind is not Kind.FILE:
            return None
        with suppress(FolderError):
            found = self._context.root.stat(replaced.local or replaced.path)
            return None if found is None else found.mode
        return None

    def _copy(self, wish: Wish, entry: Entry) -> str:
        made: list[str] = []

        def write(chunks: Iterator[bytes]) -> None:
            made[:] = [self._write(wish, chunks)]

        try:
            self._bodies.copy(entry.data_hash, write, max(entry.size, _IN_MEMORY))
        except ContentTooLargeError:
            # A store was wrong about its size; what cannot fit is not begun all the same.
            self._bodies.copy(entry.data_hash, write, self._context.root.free_space())
        return made[0]


def _reading_order(wish: Wish) -> tuple[str, int]:
    entry = wish.entry
    assert entry is not None
    return (entry.event, -1 if entry.offset is None else entry.offset)


class _SequentialReader:
    """Bodies of events, read on from where the last one ended."""

    def __init__(self, context: FolderContext, bodies: Bodies) -> None:
        self._context = context
        self._bodies = bodies
        self._event: EventText | None = None
        self._reader: Reader | None = None
        self._position = 0

    def __enter__(self) -> "_SequentialReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def body(self, entry: Entry) -> bytes | None:
        """A small body that the event carries; None when it cannot be had in this way."""
        assert entry.offset is not None
        if entry.event != self._event or entry.offset != self._position:
            self._open(entry)
        if self._reader is None:
            return None
        try:
            body = self._reader.read(entry.size) if entry.size else b""
        except StoreError:
            body = b""
        self._position += len(body)
        if len(body) != entry.size or self._context.hasher.data(body) != entry.data_hash:
            self._close()
            return None
        return body

    def _open(self, entry: Entry) -> None:
        self._close()
        assert entry.offset is not None
        for connected in self._places(entry.event):
            with suppress(StoreError, BadBatchError):
                start = entry.offset
                if entry.event[54:57] == Op.BAT:
                    start += self._bodies.bodies_start(connected, entry.event)
                path = self._context.layout.event(entry.event)
                self._reader = connected.store.open(path, start)
                self._event, self._position = entry.event, entry.offset
                return

    def _places(self, name: EventText) -> Iterator[Connected]:
        state = self._context.state
        row = state.journal.event(name)
        assert row is not None
        if state.stores.holds(row.id):
            yield self._context.home
        for connected in self._context.sources:
            if not state.stores.lacks(connected.store_id, row.id):
                yield connected

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.__exit__(None, None, None)
        self._reader = None
        self._event = None
