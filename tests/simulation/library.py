"""Which contents stand where, found by reading files as another program would; and where logs say.

Event files never change once they are whole, so each is read once.
"""

import os
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from tests.scenario.laptops import LAYOUT

from firnline.core.batch import BadBatchError, manifest_size, read_manifest
from firnline.core.event import EventText, Op, parse_name
from firnline.core.hashing import PLAIN, DataHash
from firnline.core.heads import state_of
from firnline.state.folder_state import FolderState

_Stamp = tuple[str, int, int]


class Library:
    """The contents of stores, under their true hashes. What is cut or garbled is no content."""

    def __init__(self) -> None:
        self._read: dict[_Stamp, frozenset[DataHash]] = {}

    def contents(self, stores: Iterable[Path]) -> set[DataHash]:
        return {found for store in stores for found in self._in_store(store)}

    def _in_store(self, store: Path) -> Iterator[DataHash]:
        for path, size, inode in _files(store / LAYOUT.events):
            stamp = (path, size, inode)
            if stamp not in self._read:
                self._read[stamp] = frozenset(_of_event(Path(path)))
            yield from self._read[stamp]
        for path, _, _ in _files(store / LAYOUT.root / "history" / "data"):
            yield PLAIN.data(Path(path).read_bytes())


def _of_event(path: Path) -> Iterator[DataHash]:
    event = parse_name(EventText(path.name))
    body = path.read_bytes()
    if event.op in (Op.PUT, Op.LNK) and PLAIN.data(body) == event.data_hash:
        yield event.data_hash
    if event.op is Op.BAT:
        try:
            header, length = manifest_size(body[:64])
            changes = read_manifest(body[header : header + length])
        except BadBatchError:
            return
        bodies = body[header + length :]
        for change in changes:
            if change.offset is not None:
                piece = bodies[change.offset : change.offset + change.size]
                if PLAIN.data(piece) == change.data_hash:
                    yield change.data_hash


def _files(directory: Path) -> Iterator[tuple[str, int, int]]:
    for place, _, names in os.walk(directory):
        for name in names:
            path = f"{place}/{name}"
            status = os.lstat(path)
            yield path, status.st_size, status.st_ino


class Standing(dict[str, tuple[DataHash, int]]):
    """A folder at one moment: path → (hash, mode), of files and links."""

    @classmethod
    def in_folder(cls, folder: Path) -> "Standing":
        found = cls()
        for place, directories, names in os.walk(folder):
            if place == str(folder):
                directories.remove(".firnline")
            links = [name for name in directories if os.path.islink(f"{place}/{name}")]
            for name in (*names, *links):
                path = f"{place}/{name}"
                found[os.path.relpath(path, folder)] = _read(path)
        return found

    @property
    def contents(self) -> set[DataHash]:
        return {data_hash for data_hash, _ in self.values()}

    def places(self) -> dict[DataHash, set[tuple[str, int]]]:
        """Where each content stands, and with which mode."""
        found: dict[DataHash, set[tuple[str, int]]] = {}
        for path, (data_hash, mode) in self.items():
            found.setdefault(data_hash, set()).add((path, mode))
        return found


def _read(path: str) -> tuple[DataHash, int]:
    if os.path.islink(path):
        return PLAIN.data(os.readlink(path).encode()), 0
    return PLAIN.data(Path(path).read_bytes()), os.stat(path).st_mode & 0o100


def kept_contents(folder: Path) -> set[DataHash]:
    """What applying holds back until it knows that no save slipped in."""
    kept = folder / ".firnline" / "kept"
    return {_read(str(path))[0] for path in kept.iterdir()} if kept.is_dir() else set()


def logged_where(table: Path, is_wanted: Callable[[str], bool]) -> set[DataHash]:
    """What a device's log ever put at such paths, whether or not it stood in a folder there."""
    with closing(FolderState(table)) as state:
        logs = [log for path, log in state.journal.logs() if is_wanted(path)]
    return {entry.data_hash for log in logs for entry in log}


def deletions_logged(table: Path, names: Container[str]) -> set[tuple[str, DataHash]]:
    """The paths that a device's log says are gone, by events of these names alone, each with all
    that it ever had."""
    with closing(FolderState(table)) as state:
        logs = [(path, [e for e in log if e.event in names]) for path, log in state.journal.logs()]
    return {
        (path, entry.data_hash)
        for path, log in logs
        if state_of(log).winner is None
        for entry in log
        if entry.puts
    }


def is_older(table: Path, folder: Path) -> bool:
    """True where the folder has heard of a later age: else nothing that it knows has changed."""
    told = folder / ".firnline" / "synced"
    with closing(FolderState(table)) as state:
        return told.exists() and state.age.value < int(told.read_text() or 0)


def flags_carried(table: Path) -> set[tuple[str, DataHash]]:
    """The paths and contents to which a device's log has a change of flags alone as `cpy`."""
    with closing(FolderState(table)) as state:
        logs = [log for _, log in state.journal.logs()]
    return {
        (entry.path, entry.data_hash)
        for log in logs
        for entry in log
        if entry.op is Op.CPY and entry.other == entry.path
    }
