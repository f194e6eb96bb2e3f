"""What a disk may show after the power was cut: a model that watches a real directory.

Every change of a pass is announced by a step (`test_crash.test_every_change_is_announced`), so
looking at all files at each step and at each sync tells what changed, in order. Nothing is sure but
what was synced:

- the content of a file: by fsync of the file; else it may be what it was, empty, cut, zeros of the
  right length, or whole, each with the old or the new time;
- the names of a directory: by fsync of that directory; else any of its changes since may be there
  or not, in any order. A rename is one change of two directories: all of it or nothing, as on every
  file system with a journal (docs/decisions/0010-power-loss.md says what is left out, and why);
- all of a file system: by `syncfs`. Folder, home store and each store are one each.

SQLite's files are taken as they are: with `synchronous=FULL` a commit is synced when it returns
(`state.database`), and a pass looks at nothing in between.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

from firnline.folder.handles import Handles
from firnline.stores import durability

Names = dict[int, dict[str, int]]
"""Inode of a directory → its names → their inodes."""


class Node(NamedTuple):
    """A file, link or directory, by its inode."""

    mode: int
    mtime_ns: int
    data: bytes
    """A file's content, a link's text."""


class Change(NamedTuple):
    """One rename, link, unlink, creation or removal: (directory, name, what it leads to now)."""

    area: Path
    entries: tuple[tuple[int, str, int | None], ...]


class Remains(NamedTuple):
    """What is found after the power came back."""

    roots: dict[Path, int]
    names: Names
    nodes: dict[int, Node]

    def restore(self) -> dict[int, int]:
        """Make it so, where nothing stands; old inode → new one."""
        inodes: dict[int, int] = {}
        for area, root in self.roots.items():
            area.mkdir(parents=True, exist_ok=True)
            self._fill(str(area), root, inodes)
        return inodes

    def _fill(self, directory: str, inode: int, inodes: dict[int, int]) -> None:
        for name, child in self.names.get(inode, {}).items():
            path, node = f"{directory}/{name}", self.nodes[child]
            if stat.S_ISDIR(node.mode):
                os.mkdir(path)
                self._fill(path, child, inodes)
                os.chmod(path, stat.S_IMODE(node.mode))
                continue
            if stat.S_ISLNK(node.mode):
                os.symlink(node.data, path)
            else:
                Path(path).write_bytes(node.data)
                os.chmod(path, stat.S_IMODE(node.mode))
            os.utime(path, ns=(node.mtime_ns, node.mtime_ns), follow_symlinks=False)
            inodes[child] = os.lstat(path).st_ino


class Disk:
    """The directories `areas`, each a file system of its own, and what is sure of them."""

    def __init__(self, areas: Sequence[Path]) -> None:
        """All that stands there now is sure."""
        for area in areas:
            area.mkdir(parents=True, exist_ok=True)
        self._roots = {area: os.lstat(area).st_ino for area in areas}
        self._names: Names = {}
        self._nodes: dict[int, Node] = {}
        self._stamps: dict[int, tuple[int, ...]] = {}
        self._pending: list[Change] = []
        self._names, self._areas = self._look()
        self._sure_names: Names = {inode: dict(names) for inode, names in self._names.items()}
        self._sure_nodes = dict(self._nodes)

    # --- watching ---------------------------------------------------------------------------------

    def observe(self) -> None:
        """Note what changed since the last look."""
        names, areas = self._look()
        changed: dict[Path, list[tuple[int, str, int | None]]] = {}
        for directory in sorted(self._names.keys() | names.keys()):
            old, new = self._names.get(directory, {}), names.get(directory, {})
            area = areas[directory] if directory in areas else self._areas[directory]
            for name in sorted(old.keys() | new.keys()):
                if old.get(name) != new.get(name):
                    changed.setdefault(area, []).append((directory, name, new.get(name)))
        self._pending += [Change(area, tuple(e)) for area, e in changed.items()]
        self._names = names
        self._areas = areas

    def _look(self) -> tuple[Names, dict[int, Path]]:
        names: Names = {}
        areas: dict[int, Path] = {}
        for area, root in self._roots.items():
            for directory, entries in self._walk(str(area), root):
                names[directory] = entries
                areas[directory] = area
        return names, areas

    def _walk(self, path: str, inode: int) -> Iterator[tuple[int, dict[str, int]]]:
        entries: dict[str, int] = {}
        with os.scandir(path) as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                entries[entry.name] = status.st_ino
                self._note(entry.path, status)
                if stat.S_ISDIR(status.st_mode):
                    yield from self._walk(entry.path, status.st_ino)
        yield inode, entries

    def _note(self, path: str, status: os.stat_result) -> None:
        stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_mode)
        if self._stamps.get(status.st_ino) == stamp:
            return
        self._stamps[status.st_ino] = stamp
        data = b""
        if stat.S_ISREG(status.st_mode):
            data = Path(path).read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            data = os.readlink(path).encode()
        self._nodes[status.st_ino] = Node(status.st_mode, status.st_mtime_ns, data)

    # --- barriers ---------------------------------------------------------------------------------

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Barriers of this process reach the model, and nothing else."""
        with ExitStack() as stack:
            for name in ("fsync", "fdatasync"):
                stack.enter_context(mock.patch.object(os, name, self._sync))
            everything = mock.patch.object(durability, "sync_filesystem", self._sync_all)
            stack.enter_context(everything)
            stack.enter_context(
                mock.patch.object(Handles, "sync_all", lambda access: self._sync_area(access._path))
            )
            yield

    def _sync(self, descriptor: int) -> None:
        self.observe()
        inode = os.fstat(descriptor).st_ino
        if inode in self._names:
            self._settle(lambda change: any(d == inode for d, _, _ in change.entries))
        elif inode in self._nodes:
            self._sure_nodes[inode] = self._nodes[inode]

    def _sync_all(self, descriptor: int) -> bool:
        return self._sync_area(os.readlink(f"/proc/self/fd/{descriptor}"))

    def _sync_area(self, path: str) -> bool:
        self.observe()
        (area,) = [area for area in self._roots if f"{path}/".startswith(f"{area}/")]
        self._settle(lambda change: change.area == area)
        for directory, names in self._names.items():
            if self._areas[directory] == area:
                self._sure_nodes.update({inode: self._nodes[inode] for inode in names.values()})
        return True

    def _settle(self, is_sure: Callable[[Change], bool]) -> None:
        for change in self._pending:
            if is_sure(change):
                _carry_out(change, self._sure_names)
        self._pending = [change for change in self._pending if not is_sure(change)]

    # --- the power goes ---------------------------------------------------------------------------

    @property
    def open_changes(self) -> int:
        """Changes of names that are not sure."""
        return len(self._pending)

    def remains(self, chance: Random) -> Remains:
        """One of the many things that may be found."""
        names: Names = {inode: dict(entries) for inode, entries in self._sure_names.items()}
        for change in self._survivors(chance):
            _carry_out(change, names)
        nodes = {inode: self._content(inode, node, chance) for inode, node in self._nodes.items()}
        return Remains(self._roots, names, nodes)

    def _survivors(self, chance: Random) -> list[Change]:
        """In order up to some moment, or any of them; none without the directory it is in."""
        if chance.random() < 0.3:
            return self._pending[: chance.randrange(len(self._pending) + 1)]
        likely = chance.choice((0.0, 0.3, 0.7, 1.0))
        chosen: set[int] = set()
        for number in reversed(range(len(self._pending))):
            if number in chosen or chance.random() < likely:
                chosen |= {number, *self._needed(number)}
        return [change for number, change in enumerate(self._pending) if number in chosen]

    def _needed(self, number: int) -> set[int]:
        """Earlier changes without which this one cannot be: the making of a directory in which it
        puts a name, and the emptying of one that it removes."""
        needed: set[int] = set()
        for directory, name, inode in self._pending[number].entries:
            for before in range(number):
                for other, other_name, other_inode in self._pending[before].entries:
                    makes = other_inode == directory
                    empties = inode is None and other == self._leads_to(directory, name)
                    same = inode is not None and (other, other_name) == (directory, name)
                    if makes or empties or same:
                        needed |= {before, *self._needed(before)}
        return needed

    def _leads_to(self, directory: int, name: str) -> int | None:
        return self._sure_names.get(directory, {}).get(name)

    def _content(self, inode: int, node: Node, chance: Random) -> Node:
        sure = self._sure_nodes.get(inode)
        if sure == node or not stat.S_ISREG(node.mode):
            return node
        if sure is not None and sure.data == node.data:
            return chance.choice((node, sure))
        old = sure or node._replace(data=b"")
        cut = chance.randrange(len(node.data) + 1)
        data = chance.choice((old.data, b"", node.data[:cut], bytes(len(node.data)), node.data))
        # Content of another time under the old time cannot be told from the old content.
        return chance.choice((node, old) if data == old.data else (node,))._replace(data=data)


def _carry_out(change: Change, names: Names) -> None:
    for directory, name, inode in change.entries:
        entries = names.setdefault(directory, {})
        if inode is None:
            entries.pop(name, None)
        else:
            entries[name] = inode
