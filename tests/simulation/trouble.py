"""What goes wrong during one pass: kills, failing commits, disks, stores, and saves in the middle.

All of it is drawn from one generator, so that a seed says everything. A calm pass has no trouble
and draws nothing.
"""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from unittest import mock

from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.crashes import Killed

from firnline.core.clock import Clock
from firnline.folder.handles import HandleDirectory, Handles
from firnline.stores.base import Listed, Store
from firnline.stores.errors import DeniedError, FullError, UnavailableError
from firnline.sync.context import HOME

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EBUSY, errno.EIO)


@dataclass(slots=True)
class Trouble:
    """How likely what is in each call of one pass; all zero is a calm one."""

    chance: Random
    note: Callable[[str], None]
    edit: Callable[[], object] = lambda: None
    kill: float = 0.0
    save: float = 0.0
    commit: float = 0.0
    disk: float = 0.0
    full: float = 0.0
    stores: dict[str, "Storm"] = field(default_factory=dict)
    dead: bool = False

    def __call__(self, name: str) -> None:
        """The `Steps` of the pass."""
        if self.dead:
            raise Killed(name)
        if self._happens(self.kill):
            self.dead = True
            self.note(f"    killed at: {name}")
            raise Killed(name)
        if name.startswith("commit ") and self._happens(self.commit):
            self.note(f"    fails: {name}")
            raise sqlite3.OperationalError("disk I/O error")
        if self._happens(self.save):
            self.note(f"    meanwhile, before: {name}")
            self.edit()

    def _happens(self, likely: float) -> bool:
        return likely > 0 and self.chance.random() < likely

    def touch(self, what: str, path: str, numbers: tuple[int, ...] = _REFUSED) -> None:
        """An action on the disk; raises OSError when it is to fail."""
        if not self.dead and self._happens(self.disk):
            number = self.chance.choice(numbers)
            shown = path.rpartition("/")[2] if path.startswith(".firnline/") else path
            shown = "a file of its own" if path.startswith(".firnline/tmp/") else shown
            self.note(f"    {errno.errorcode[number]}: {what} {shown}")
            raise OSError(number, os.strerror(number))

    @contextmanager
    def full_disks(self) -> Iterator[None]:
        """Writes find no space now and then, some after a part was written."""
        write = os.write

        def writes(descriptor: int, data: bytes) -> int:
            if not self.dead and self._happens(self.full):
                self.note("    ENOSPC: write")
                write(descriptor, bytes(data)[: self.chance.randrange(len(data) + 1)])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(descriptor, data)

        with mock.patch.object(os, "write", writes):
            yield


class FailingHandles(Handles):
    """A folder on a disk that fails now and then."""

    def __init__(self, root: str, trouble: Trouble) -> None:
        super().__init__(root)
        self._trouble = trouble

    def lstat(self, path: str) -> os.stat_result:
        self._trouble.touch("lstat", path, (errno.EIO, errno.EACCES))
        return super().lstat(path)

    def open(self, path: str, flags: int, mode: int = 0o600) -> int:
        self._trouble.touch("open", path, _NO_SPACE if flags & os.O_CREAT else _REFUSED)
        return super().open(path, flags, mode)

    def read_link(self, path: str) -> str:
        self._trouble.touch("readlink", path)
        return super().read_link(path)

    def make_directory(self, path: str, mode: int) -> None:
        self._trouble.touch("mkdir", path, _NO_SPACE)
        super().make_directory(path, mode)

    def remove_directory(self, path: str) -> None:
        self._trouble.touch("rmdir", path)
        super().remove_directory(path)

    def unlink(self, path: str) -> None:
        self._trouble.touch("unlink", path)
        super().unlink(path)

    def rename(self, source: str, target: str) -> None:
        self._trouble.touch("rename", target)
        super().rename(source, target)

    def rename_new(self, source: str, target: str) -> None:
        self._trouble.touch("rename", target)
        super().rename_new(source, target)

    def exchange(self, source: str, target: str) -> None:
        self._trouble.touch("exchange", target)
        super().exchange(source, target)

    def link(self, source: str, target: str) -> None:
        self._trouble.touch("link", target)
        super().link(source, target)

    def symlink(self, text: str, path: str) -> None:
        self._trouble.touch("symlink", path, _NO_SPACE)
        super().symlink(text, path)

    def set_times(self, path: str, nanoseconds: int) -> None:
        self._trouble.touch("utime", path)
        super().set_times(path, nanoseconds)

    def open_directory(self, path: str) -> HandleDirectory:
        self._trouble.touch("list", path)
        return super().open_directory(path)


# --- stores -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Storm:
    """How likely a call of a store fails, and in which ways."""

    likely: float
    ways: tuple[str, ...]


WAYS = ("timeout", "lost answer", "cut", "garbled", "short listing", "full", "denied", "gone")
HOME_WAYS = ("full", "timeout")
_READS = {"list", "size", "open", "read", "read_small", "server_time"}
_WRITES = {"upload", "write", "flush", "commit", "put_many", "create", "rename", "copy", "delete"}


class _Forgetful(Fault):
    """A listing that leaves some out, as a cache does."""

    chance: Random

    def entries(self, listed: list[Listed], before: list[Listed]) -> Iterator[Listed]:
        return iter([entry for entry in listed if self.chance.random() < 0.6])


class StormyStore(FaultyStore):
    """A store whose calls fail at random. Its listings come in the order of names."""

    def __init__(self, name: str, inner: Store, clock: Clock, storm: Storm, trouble: Trouble):
        super().__init__(inner, clock)
        self._name = name
        self._storm = storm
        self._trouble = trouble
        self._gone = self._torn = False

    def list(self, directory: str, after: str = "", sizes: bool = False) -> Iterator[Listed]:
        return iter(sorted(super().list(directory, after, sizes)))

    def _next(self, method: str, path: str) -> Fault:
        trouble = self._trouble
        if trouble.dead or method in ("close", "free_space", "clone", "read_back"):
            return Fault(method)
        if self._gone:
            return Fault(method, error=UnavailableError(path, "gone"))
        if self._torn and method == "commit":
            self._torn = False
            return Fault(method, error_after=UnavailableError(path, "broke off"))
        if trouble.chance.random() >= self._storm.likely:
            return Fault(method)
        way = trouble.chance.choice(self._storm.ways)
        fault = self._fault(way, method, path)
        if fault is None:
            return Fault(method)
        trouble.note(f"    {self._name}, {method}: {way}")
        return fault

    def _fault(self, way: str, method: str, path: str) -> Fault | None:
        """None where a call cannot fail so."""
        gone, chance = UnavailableError(path, way), self._trouble.chance
        writes = method in _WRITES
        if way == "timeout":
            return Fault(method, error=gone)
        if way == "lost answer":
            return Fault(method, error_after=gone)
        if way == "gone":
            self._gone = True
            return Fault(method, error=gone)
        if way in ("full", "denied") and writes and method != "delete":
            kind = FullError if way == "full" else DeniedError
            return Fault(method, error=kind(path, way))
        if way == "short listing" and method == "list":
            fault = _Forgetful(method)
            fault.chance = chance
            return fault
        if way == "cut" and method in ("read", "read_small"):
            return Fault(method, short=chance.randrange(8))
        if way == "garbled" and method in ("read", "read_small"):
            return Fault(method, garble=True)
        return self._torn_write(way, method, path)

    def _torn_write(self, way: str, method: str, path: str) -> Fault | None:
        """A part or something else arrives, and the call fails: as where nothing is atomic."""
        if way not in ("cut", "garbled") or self._name == HOME:
            return None
        short, garble = (3, False) if way == "cut" else (None, True)
        if method == "write":
            self._torn = True
            return Fault(method, short=short, garble=garble)
        if method == "put_many":
            broke_off = UnavailableError(path, "broke off")
            return Fault(method, short=short, garble=garble, error_after=broke_off)
        return None
