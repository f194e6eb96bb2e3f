"""Reading back all that a store has of a folder, and comparing it with the names.

Every event, `eventsindex` entry and content of the history is read once, in pieces; of the listing
one day at a time is held. What should stand there and does not is a finding as well. Nothing is
written: `sync.repair_store` makes good what is found here.
"""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from firnline.core.batch import MAX_HEADER, BadBatchError, manifest_size
from firnline.core.event import BadNameError, EventName, Op, parse_name
from firnline.core.hashing import EMPTY_HASH, DataHash
from firnline.core.paths import MAX_PATH_BYTES
from firnline.state.journal import EventRow, EventState
from firnline.stores.base import Listed
from firnline.stores.errors import CorruptError, NotFoundError, StoreError, UnavailableError
from firnline.stores.layout import is_data_hash, is_path_hash, parse_day
from firnline.sync.bodies import read_range
from firnline.sync.context import Connected, FolderContext
from firnline.sync.verify_stream import verified

_PASSED_ON = (EventState.KNOWN, EventState.BODILESS)
"""What cannot be read here is copied to no store, so it is missing in none."""
_AFTER_ALL_DAYS = "99999999"


class Part(Enum):
    """What a finding is about."""

    EVENT = "event"
    INDEX = "index"
    CONTENT = "content"


class Finding(NamedTuple):
    """Something that is not as it should be; `name` is that of the file, `why` a few words."""

    part: Part
    name: str
    why: str
    stands: bool = True
    """False when nothing stands there."""


class StoreCheck:
    """One look at a folder in one store, the home store included."""

    def __init__(self, context: FolderContext, connected: Connected) -> None:
        self.checked = 0
        """Files that were read."""
        self.bytes = 0
        """What they hold."""
        self._context = context
        self._connected = connected
        self._store = connected.store
        self._is_home = connected is context.home
        self._layout = context.layout
        self._told: set[str] = set()
        """Index entries that were found missing."""

    def findings(self) -> Iterator[Finding]:
        """All that is wrong, as it is found. Raises StoreError when the store fails, and
        CancelledError."""
        self._context.progress.begin(f"checking {self._connected.name}", 0, "files")
        yield from self._events()
        yield from self._index()
        yield from self._history()
        if not self._is_home or self._context.keep_all:
            yield from self._named_contents()
        self._context.progress.end()

    def _count(self) -> None:
        self._context.check_cancelled()
        self.checked += 1
        self._context.progress.advance(1)

    def _list(self, directory: str) -> list[Listed]:
        return sorted(self._store.list(directory))

    # --- events -------------------------------------------------------------------------------

    def _events(self) -> Iterator[Finding]:
        looked_to = ""
        for day in self._list(self._layout.events):
            if not day.is_directory or parse_day(day.name) is None:
                continue
            names = self._names(day.name)
            yield from self._missing(looked_to, day.name + "~", names)
            looked_to = day.name + "~"
            for name in sorted(names):
                yield from self._event(names[name])
        yield from self._missing(looked_to, _AFTER_ALL_DAYS, {})

    def _names(self, day: str) -> dict[str, EventName]:
        found: dict[str, EventName] = {}
        for listed in self._store.list(self._layout.events_day(day)):
            if listed.is_directory or listed.name[:8] != day:
                continue
            try:
                found[listed.name] = parse_name(listed.name)
            except BadNameError:
                continue
        return found

    def _missing(self, low: str, high: str, names: dict[str, EventName]) -> Iterator[Finding]:
        """Known events that are not listed; of the home store those that it should hold."""
        state = self._context.state
        for name in sorted(state.journal.known_names(low, high) - names.keys()):
            row = state.journal.event(name)
            assert row is not None
            if row.state not in _PASSED_ON:
                continue
            if self._is_home and not (self._context.keep_all or state.stores.holds(row.id)):
                continue
            if self._store.size(self._layout.event(name)) is None:
                yield Finding(Part.EVENT, name, "is missing", stands=False)

    def _event(self, event: EventName) -> Iterator[Finding]:
        self._count()
        found = self.check_event(event)
        if found is not None:
            yield found
        if event.op is not Op.BAT:
            for path_hash in filter(None, (event.target, event.source)):
                name = self._layout.index(path_hash)
                if name not in self._told and self._store.size(name) is None:
                    self._told.add(name)
                    yield Finding(Part.INDEX, name, "is missing", stands=False)

    def check_event(self, event: EventName) -> Finding | None:
        """Read one event file. Raises UnavailableError."""
        name = event.text
        path = self._layout.event(name)

        def read() -> str | None:
            for chunk in verified(event, self._store.open(path), self._context.hasher):
                self._context.check_cancelled()
                self.bytes += len(chunk)
            return self._bodies_elsewhere(event, path) if event.op is Op.BAT else None

        return self._tried(Part.EVENT, name, read)

    def _bodies_elsewhere(self, event: EventName, path: str) -> str | None:
        """A batch that ends with its manifest brings what stands in the history beside it."""
        row = self._context.state.journal.event(event.text)
        with self._store.open(path, 0, MAX_HEADER) as reader:
            start = sum(manifest_size(reader.read(MAX_HEADER)))
            size = reader.size
        if row is None or size > start:
            return None
        missing = [hash_ for hash_ in self._carried(row) if not self._in_history(hash_)]
        return f"{len(missing):,} of its contents are missing" if missing else None

    def _carried(self, row: EventRow) -> set[DataHash]:
        entries = self._context.state.journal.entries_of_event(row.id)
        return {entry.data_hash for entry in entries if entry.offset is not None} - {EMPTY_HASH}

    def _in_history(self, data_hash: DataHash) -> bool:
        return self._store.size(self._layout.history(data_hash)) is not None

    # --- paths and contents -------------------------------------------------------------------

    def _index(self) -> Iterator[Finding]:
        for directory in self._list(f"{self._layout.root}/eventsindex"):
            if directory.is_directory:
                for listed in self._list(f"{self._layout.root}/eventsindex/{directory.name}"):
                    path = f"{self._layout.root}/eventsindex/{directory.name}/{listed.name}"
                    if is_path_hash(listed.name):
                        self._count()
                        found = self.check_index(path)
                        if found is not None:
                            yield found

    def check_index(self, path: str) -> Finding | None:
        """Read the path whose hash is the leaf of `path`. Raises UnavailableError."""

        def read() -> str | None:
            body = self._store.read_small(path, MAX_PATH_BYTES)
            self.bytes += len(body)
            found = self._context.hasher.path(body.decode("utf-8", "replace"))
            right = self._layout.index(found) == path
            return None if right else "not the path that its name promises"

        return self._tried(Part.INDEX, path, read)

    def _history(self) -> Iterator[Finding]:
        root = f"{self._layout.root}/history/data"
        for directory in self._list(root):
            if directory.is_directory:
                for listed in self._list(f"{root}/{directory.name}"):
                    if is_data_hash(listed.name):
                        self._count()
                        found = self.check_content(DataHash(listed.name))
                        if found is not None:
                            yield found

    def check_content(self, data_hash: DataHash) -> Finding | None:
        """Read a content of the history. Raises UnavailableError."""
        path = self._layout.history(data_hash)

        def read() -> str | None:
            digest = self._context.hasher.running()
            reader = self._store.open(path)
            for chunk in read_range(reader, reader.size):
                self._context.check_cancelled()
                self.bytes += len(chunk)
                digest.update(chunk)
            right = digest.data_hash() == data_hash
            return None if right else "not the content that its name promises"

        return self._tried(Part.CONTENT, data_hash, read)

    def _named_contents(self) -> Iterator[Finding]:
        """What moves, copies and members without a body name has to be somewhere here."""
        journal = self._context.state.journal
        for data_hash in journal.named_contents():
            self._context.check_cancelled()
            if data_hash != EMPTY_HASH and not self.has_content(data_hash):
                why = "named by a move or a copy, and missing"
                yield Finding(Part.CONTENT, data_hash, why, stands=False)

    def has_content(self, data_hash: DataHash) -> bool:
        """In the history, or in an event that stands here."""
        if self._in_history(data_hash):
            return True
        carriers = self._context.state.journal.carriers(data_hash)
        return any(
            self._store.size(self._layout.event(name)) is not None for _, name, *_ in carriers
        )

    def _tried(self, part: Part, name: str, read: Callable[[], str | None]) -> Finding | None:
        try:
            why = read()
        except UnavailableError:
            raise
        except NotFoundError:
            return Finding(part, name, "is missing", stands=False)
        except (CorruptError, BadBatchError) as error:
            why = error.detail if isinstance(error, CorruptError) else str(error)
        except StoreError as error:
            why = f"cannot be read: {error.detail}"
        return None if why is None else Finding(part, name, why)
