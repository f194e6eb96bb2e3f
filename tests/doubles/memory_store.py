"""A store in memory, for whole devices that share one without a disk.

Several `MemoryStore`s over one `MemoryDisk` are several connections to one store. It behaves as
the directory store does in everything that the contract suite asks; beyond that a test can take it
off line, limit its room, and look at its files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from firnline.core.clock import Clock
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Capabilities, Listed
from firnline.stores.errors import (
    AlreadyExistsError,
    CorruptError,
    DeniedError,
    FullError,
    NotFoundError,
    UnavailableError,
)
from firnline.stores.store_path import check_store_directory, check_store_path

ABLE = Capabilities(
    exclusive_create=True,
    atomic_rename=True,
    server_copy=True,
    lists_after=False,
    watchable=False,
    clones=False,
)


@dataclass
class MemoryDisk:
    """What all connections to one store see."""

    files: dict[str, bytes] = field(default_factory=dict)
    room: int | None = None
    """Bytes that all files together may have."""
    available: bool = True
    writable: bool = True
    lock: RLock = field(default_factory=RLock)

    def put(self, path: str, body: bytes) -> None:
        if not self.writable:
            raise DeniedError(path, "read-only")
        parent = path
        while parent := parent.rpartition("/")[0]:
            if parent in self.files:
                raise DeniedError(path, "not a directory")
        if path not in self.files and any(name.startswith(f"{path}/") for name in self.files):
            raise DeniedError(path, "a directory")
        others = sum(len(other) for name, other in self.files.items() if name != path)
        if self.room is not None and others + len(body) > self.room:
            raise FullError(path, "no room left")
        self.files[path] = body


class MemoryStore:
    """See `stores.base.Store`."""

    kind = "memory"

    def __init__(
        self, disk: MemoryDisk, clock: Clock, steps: Steps = no_steps, able: Capabilities = ABLE
    ) -> None:
        self.disk = disk
        self.capabilities = able
        self._clock = clock
        self._steps = steps

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        check_store_directory(directory)
        prefix = f"{directory}/" if directory else ""
        found: dict[str, Listed] = {}
        with self._reachable():
            for path, body in self.disk.files.items():
                name, slash, _ = path.removeprefix(prefix).partition("/")
                if path.startswith(prefix) and name > after:
                    size = len(body) if sizes and not slash else None
                    found[name] = Listed(name, size, bool(slash))
        return iter(found.values())

    def size(self, path: str) -> int | None:
        check_store_path(path)
        with self._reachable():
            body = self.disk.files.get(path)
        return None if body is None else len(body)

    def open(self, path: str, offset: int = 0, length: int | None = None) -> "MemoryReader":
        check_store_path(path)
        with self._reachable():
            body = self._body(path)
        end = len(body) if length is None else offset + length
        return MemoryReader(len(body), body[offset:end])

    def read_small(self, path: str, limit: int) -> bytes:
        with self.open(path) as reader:
            if reader.size > limit:
                raise CorruptError(path, f"larger than {limit} bytes")
            return reader.read(limit)

    def upload(self) -> "MemoryUpload":
        with self._reachable():
            return MemoryUpload(self)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        bodies = [(check_store_path(path), body) for path, body in files]
        for path, body in bodies:
            self.put(path, body)

    def create(self, path: str, body: bytes) -> None:
        check_store_path(path)
        self._steps("store.create")
        with self._reachable():
            if path in self.disk.files and self.capabilities.exclusive_create:
                raise AlreadyExistsError(path, "exists")
            self.disk.put(path, bytes(body))

    def rename(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._steps("store.rename")
        with self._reachable():
            body = self._body(source)
            if source != target:
                self.disk.put(target, body)
                del self.disk.files[source]

    def copy(self, source: str, target: str) -> None:
        check_store_path(source)
        check_store_path(target)
        self._steps("store.copy")
        with self._reachable():
            self.disk.put(target, self._body(source))

    def delete(self, path: str) -> None:
        check_store_path(path)
        self._steps("store.delete")
        with self._reachable():
            if not self.disk.writable:
                raise DeniedError(path, "read-only")
            self.disk.files.pop(path, None)

    def server_time(self) -> datetime | None:
        with self._reachable():
            return self._clock.now()

    def free_space(self) -> int | None:
        with self._reachable():
            used = sum(map(len, self.disk.files.values()))
            return None if self.disk.room is None else self.disk.room - used

    def close(self) -> None:
        """Nothing to end."""

    def put(self, path: str, body: bytes) -> None:
        """One file, in one step."""
        self._steps("store.put")
        with self._reachable():
            self.disk.put(path, bytes(body))

    def _body(self, path: str) -> bytes:
        try:
            return self.disk.files[path]
        except KeyError:
            raise NotFoundError(path, "no such file") from None

    def _reachable(self) -> RLock:
        if not self.disk.available:
            raise UnavailableError("", "off line")
        return self.disk.lock


class MemoryReader:
    """See `stores.base.Reader`."""

    def __init__(self, size: int, body: bytes) -> None:
        self.size = size
        self._rest = body

    def __enter__(self) -> "MemoryReader":
        return self

    def __exit__(self, *exc: object) -> None:
        self._rest = b""

    def read(self, count: int) -> bytes:
        chunk, self._rest = self._rest[:count], self._rest[count:]
        return chunk


class MemoryUpload:
    """See `stores.base.Upload`."""

    is_repeatable = True

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._body = bytearray()

    def __enter__(self) -> "MemoryUpload":
        return self

    def __exit__(self, *exc: object) -> None:
        self._body.clear()

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self._body += chunk

    def clone(self, descriptor: int) -> bool:
        return False

    def read_back(self) -> Iterator[bytes]:
        yield bytes(self._body)

    def flush(self) -> None:
        """There is nothing more durable than memory here."""

    def commit(self, path: str) -> None:
        self._store.put(check_store_path(path), bytes(self._body))
