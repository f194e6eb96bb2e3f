"""The store protocol: a dumb place for files, as all stores look to the engine.

Paths are relative to the store's base, `/` between parts, in the letters that docs/design.md
section 2 allows; a store refuses others with `BadStorePathError` (`stores.store_path`). All calls
block; the engine runs them on worker threads where they may be slow. Every call may raise a
`StoreError` (see `stores.errors`): `Unavailable` means try again later, the others do not.

Safety never rests on what a store promises: `capabilities` only say which way is quick.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol


class Listed(NamedTuple):
    """One name in a directory of a store."""

    name: str
    size: int | None
    """Bytes; None for a directory, and where sizes were not asked for."""
    is_directory: bool


class Capabilities(NamedTuple):
    """What a store can do, as found by probing it (`stores.probe`)."""

    exclusive_create: bool
    """`create` has one winner when many try at once."""
    atomic_rename: bool
    """`rename` shows the old name or the new one, never half a file."""
    server_copy: bool
    """`copy` moves no bytes over this device."""
    lists_after: bool
    """`list(after=…)` does not read what it leaves out."""
    watchable: bool
    """Changes by others can be watched rather than polled."""
    clones: bool
    """`Upload.clone` shares blocks with the source file (reflink) instead of copying them."""


class Reader(Protocol):
    """A body being read; a context manager that closes it."""

    size: int
    """Bytes of the whole file, whatever range is read."""

    def __enter__(self) -> "Reader": ...

    def __exit__(self, *exc: object) -> None: ...

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer only at the end of the range, empty when it is used up."""
        ...


class Upload(Protocol):
    """A body on its way in. It stands nowhere until `commit`; leaving the context without one
    discards it."""

    def write(self, chunk: bytes | bytearray | memoryview) -> None: ...

    def clone(self, descriptor: int) -> bool:
        """Take the whole content of an open local file by sharing its blocks.

        Only before any `write`. False, and nothing done, where the file system cannot.
        """
        ...

    def read_back(self) -> Iterator[bytes]:
        """What was taken so far, from the start: after `clone`, to hash exactly what is kept."""
        ...

    def flush(self) -> None:
        """Make what was written durable, so that `commit` is one rename."""
        ...

    def commit(self, path: str) -> None:
        """The whole body stands at `path`, durably. Missing directories are made.

        It replaces what stands there, in one step where the store can. After an error the old
        body may stand there or the new one, whole; an answer may have been lost.
        """
        ...


class Store(Protocol):
    """A place for files. Instances may be used from several threads at once."""

    @property
    def kind(self) -> str:
        """`directory`, `sftp`, …"""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        """The names in a directory that sort after `after`, in no promised order.

        Files and directories; links and whatever else somebody put there are left out. Sizes only
        where asked for: a disk has to be asked for each. A directory that does not exist lists as
        empty: stores without directories cannot tell. A listing that breaks off raises; it is
        never silently short.
        """
        ...

    def size(self, path: str) -> int | None:
        """Bytes of a file, None when there is none (or it is a directory)."""
        ...

    def open(self, path: str, offset: int = 0, length: int | None = None) -> Reader:
        """Read a file, or a range of it. Raises NotFoundError."""
        ...

    def read_small(self, path: str, limit: int) -> bytes:
        """The whole of a small file. Raises NotFoundError, and CorruptError over `limit` bytes."""
        ...

    def upload(self) -> AbstractContextManager[Upload]:
        """Begin to write one file; see `Upload`."""
        ...

    def put_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write small files, each atomically, in this order, with one durability barrier for all.

        When it returns, all stand durably. After an error any of them may.
        """
        ...

    def create(self, path: str, body: bytes) -> None:
        """Write a small file that must not exist. Raises AlreadyExistsError."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Raises NotFoundError. Replaces the target."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy inside the store, atomically at the target. Raises NotFoundError."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file; that it is gone already is no error."""
        ...

    def server_time(self) -> datetime | None:
        """The store's own clock, UTC; None where it cannot be learnt (a read-only store)."""
        ...

    def free_space(self) -> int | None:
        """Bytes that can still be written, None where unknown."""
        ...

    def close(self) -> None:
        """End connections and drop what was unfinished."""
        ...
