"""What people wrote, and what of it must be found for ever.

A content that somebody overwrote before any pass saw it need not be kept. One that nobody on its
device touched from before a pass began until that pass ended well was taken in: from then on it
must be in a tree or in history, whatever happens.
"""

import threading
from collections.abc import Mapping

from tests.soak.trees import Node

from firnline.core.hashing import DataHash


class Left:
    """One file or link as somebody left it. Each is itself only: no two are equal."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class Standing:
    """What people left on one device and nobody there touched since, by path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, Left] = {}
        self._times: dict[DataHash, set[int]] = {}

    def lift(self, *paths: str) -> dict[str, Left]:
        """Somebody is about to touch these paths and what is below; returns what stood there."""
        tops = tuple(f"{path}/" for path in paths)
        with self._lock:
            found = {p: e for p, e in self._left.items() if p in paths or p.startswith(tops)}
            for path in found:
                del self._left[path]
        return found

    def put(self, path: str, node: Node) -> None:
        """Somebody left this there."""
        with self._lock:
            self._left[path] = Left(node)
            if node.content is not None:
                self._times.setdefault(node.content, set()).add(node.mtime)

    def now(self) -> dict[str, Left]:
        with self._lock:
            return dict(self._left)

    def times(self, content: DataHash) -> set[int]:
        """When files of this content were modified, all that were ever left here."""
        with self._lock:
            return set(self._times.get(content, ()))


class Ledger:
    """The contents that were taken in, of all devices."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: dict[DataHash, str] = {}
        """Each with the path at which it stood."""

    def take(self, who: str, before: Mapping[str, Left], after: Mapping[str, Left]) -> None:
        """A pass ended well: what stood still from `before` it until `after` it is taken in."""
        still = {path: left.node for path, left in before.items() if after.get(path) is left}
        self.add(who, still)

    def add(self, who: str, nodes: Mapping[str, Node]) -> None:
        with self._lock:
            for path, node in nodes.items():
                if node.content is not None:
                    self._taken.setdefault(node.content, f"{who}: {path!r}")

    def taken(self) -> set[DataHash]:
        with self._lock:
            return set(self._taken)

    def where(self, content: DataHash) -> str:
        """The device and path at which it stood when it was taken in first."""
        return self._taken[content]
