"""A wrapper over any store that fails as it is told, in the style of Kopia's FaultyStorage.

Faults are queued for each method; every call takes the first one that fits its path. `verify`
fails when one was never hit: a test of a fault that did not happen proves nothing. What can go
wrong: an error before or after the effect, half of it and then an error, bytes that are cut or
garbled on their way, listings that are old, short, in disorder or break off, slowness, and
(`ANY` method, many times) a store that is gone until its faults are taken back.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from firnline.core.clock import Clock
from firnline.stores.base import Capabilities, Listed, Reader, Store, Upload
from firnline.stores.calling.bodies import Repeatable

METHODS = frozenset(
    {"list", "size", "open", "read", "read_small", "upload", "write", "clone", "read_back"}
    | {"flush", "commit", "put_many", "create", "rename", "copy", "delete"}
    | {"server_time", "free_space", "close"}
)
"""The methods of a store, of its readers (`read`) and of its uploads."""
ANY = "any"
"""For a fault of every method."""
JUNK = (
    Listed("junk", 4, False),
    Listed("..", 4, False),
    Listed("x" * 255, 4, False),
    Listed("20261122", None, False),
    Listed("not-a-day", None, True),
    Listed("\udcff\n \x1b[31m", 4, False),
)
"""What may stand in a directory that is none of ours."""


@dataclass
class Fault:
    """What goes wrong in a call. Several things may, in the order in which they stand here."""

    method: str
    path: str = ""
    """Only calls on a path that contains this."""
    repeat: int = 1
    """For so many calls."""
    skip: int = 0
    """Only after so many calls that would fit."""
    after: int = 0
    """Only after so many calls of any method."""
    delay: float = 0.0
    """Seconds, by the clock that the store was given."""
    callback: Callable[[], object] | None = None
    """Called before the effect: something else happens in that moment."""
    error: BaseException | None = None
    """Raised instead of the effect."""
    error_after: BaseException | None = None
    """Raised after the effect: the answer was lost."""
    error_midway: BaseException | None = None
    """Raised after half of the effect: of several files some stand whole and one is cut, of a
    listing some names came."""
    short: int | None = None
    """Only so many bytes of what is read or written, or entries of a listing."""
    garble: bool = False
    """One bit of what is read or written is another."""
    stale: bool = False
    """A listing shows what it showed when it was last asked for; nothing if it never was."""
    disorder: bool = False
    """A listing comes backwards, each name twice, with junk between."""
    hits: int = 0

    def bend(self, body: bytes) -> bytes:
        """A body as it comes through this fault."""
        kept = body if self.short is None else body[: self.short]
        if self.garble and kept:
            middle = len(kept) // 2
            kept = kept[:middle] + bytes([kept[middle] ^ 1]) + kept[middle + 1 :]
        return kept

    def entries(self, listed: list[Listed], before: list[Listed]) -> Iterator[Listed]:
        """A listing as it comes through this fault; `before` is what it was once."""
        found = before if self.stale else listed
        if self.disorder:
            found = [*JUNK, *reversed(found), *found, *JUNK]
        if self.error_midway is None:
            yield from found[: self.short]
            return
        yield from found[: len(found) // 2]
        raise self.error_midway


@dataclass
class FaultyStore:
    """See `stores.base.Store`."""

    inner: Store
    clock: Clock
    calls: list[tuple[str, str]] = field(default_factory=list)
    """(method, path) of every call, in order."""
    faults: list[Fault] = field(default_factory=list)
    listings: dict[str, list[Listed]] = field(default_factory=dict)
    """By directory, what it listed when it was last asked for: what a stale listing shows."""

    @property
    def kind(self) -> str:
        return self.inner.kind

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def add(self, fault: Fault) -> Fault:
        """Queue a fault. Raises ValueError for a method that no store has."""
        if fault.method not in {*METHODS, ANY}:
            raise ValueError(f"no method of a store: {fault.method}")
        self.faults.append(fault)
        return fault

    def verify(self) -> None:
        """Raises AssertionError when a fault was not hit as often as it was to be."""
        missed = [fault for fault in self.faults if fault.hits < fault.repeat]
        assert not missed, f"never happened: {missed}"

    @contextmanager
    def at(self, method: str, path: str) -> Iterator[Fault]:
        """The call of a method, with the fault that is its turn (or one that does nothing)."""
        self.calls.append((method, path))
        fault = self._next(method, path)
        fault.hits += 1
        if fault.delay:
            self.clock.sleep(fault.delay)
        if fault.callback is not None:
            fault.callback()
        if fault.error is not None:
            raise fault.error
        yield fault
        if fault.error_after is not None:
            raise fault.error_after

    def _next(self, method: str, path: str) -> Fault:
        for fault in self.faults:
            fits = fault.method in (method, ANY) and fault.path in path
            if fits and fault.hits < fault.repeat and len(self.calls) > fault.after:
                if fault.skip == 0:
                    return fault
                fault.skip -= 1
        return Fault(method)

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        with self.at("list", directory) as fault:
            before = self.listings.get(directory, [])
            listed = list(self.inner.list(directory, after, sizes))
            self.listings[directory] = listed
            return fault.entries(listed, before)

    def size(self, path: str) -> int | None:
        with self.at("size", path):
            return self.inner.size(path)

    def open(self, path: str, offset: int = 0, length: int | None = None) -> "FaultyReader":
        with self.at("open", path):
            return FaultyReader(self, path, self.inner.open(path, offset, length))

    def read_small(self, path: str, limit: int) -> bytes:
        with self.at("read_small", path) as fault:
            return fault.bend(self.inner.read_small(path, limit))

    @contextmanager
    def upload(self) -> Iterator["FaultyUpload"]:
        with ExitStack() as stack:
            with self.at("upload", ""):
                upload = stack.enter_context(self.inner.upload())
            yield FaultyUpload(self, upload)

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        with self.at("put_many", "") as fault:
            bent = [(path, fault.bend(body)) for path, body in files]
            if fault.error_midway is None or not bent:
                self.inner.put_many(bent)
                return
            middle = len(bent) // 2
            whole, (path, body) = bent[:middle], bent[middle]
            self.inner.put_many([*whole, (path, body[: len(body) // 2])])
            raise fault.error_midway

    def create(self, path: str, body: bytes) -> None:
        with self.at("create", path) as fault:
            if fault.error_midway is not None:
                self.inner.create(path, body[: len(body) // 2])
                raise fault.error_midway
            self.inner.create(path, fault.bend(body))

    def rename(self, source: str, target: str) -> None:
        with self.at("rename", source):
            self.inner.rename(source, target)

    def copy(self, source: str, target: str) -> None:
        with self.at("copy", source):
            self.inner.copy(source, target)

    def delete(self, path: str) -> None:
        with self.at("delete", path):
            self.inner.delete(path)

    def cut(self, path: str) -> None:
        """Leave half of a file, as a store does whose writes are not atomic."""
        with self.inner.open(path) as reader:
            body = reader.read(reader.size)
        self.inner.put_many([(path, body[: len(body) // 2])])

    def server_time(self) -> datetime | None:
        with self.at("server_time", ""):
            return self.inner.server_time()

    def free_space(self) -> int | None:
        with self.at("free_space", ""):
            return self.inner.free_space()

    def close(self) -> None:
        with self.at("close", ""):
            self.inner.close()


class FaultyReader:
    """See `stores.base.Reader`."""

    def __init__(self, store: FaultyStore, path: str, inner: Reader) -> None:
        self._store = store
        self._path = path
        self._inner = inner
        self.size = inner.size

    def __enter__(self) -> "FaultyReader":
        self._inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)

    def read(self, count: int) -> bytes:
        with self._store.at("read", self._path) as fault:
            return fault.bend(self._inner.read(count))


class FaultyUpload:
    """See `stores.base.Upload`."""

    def __init__(self, store: FaultyStore, inner: Upload) -> None:
        self._store = store
        self._inner = inner

    @property
    def is_repeatable(self) -> bool:
        return isinstance(self._inner, Repeatable) and self._inner.is_repeatable

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        with self._store.at("write", "") as fault:
            if fault.error_midway is not None:
                self._inner.write(bytes(chunk)[: len(chunk) // 2])
                raise fault.error_midway
            self._inner.write(fault.bend(bytes(chunk)))

    def clone(self, descriptor: int) -> bool:
        with self._store.at("clone", ""):
            return self._inner.clone(descriptor)

    def read_back(self) -> Iterator[bytes]:
        with self._store.at("read_back", "") as fault:
            return (fault.bend(chunk) for chunk in self._inner.read_back())

    def flush(self) -> None:
        with self._store.at("flush", ""):
            self._inner.flush()

    def commit(self, path: str) -> None:
        with self._store.at("commit", path) as fault:
            self._inner.commit(path)
            if fault.error_midway is not None:
                self._store.cut(path)
                raise fault.error_midway
