"""Answers that were asked for in advance (`stores.foresight`).

Each is given once, and only while it is fresh; one that failed is given to nobody, so that the call
asks for itself. Whatever is written makes all of them void.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from firnline.stores.base import Listed
from firnline.stores.errors import StoreError

FRESH = 5.0
"""Seconds."""
LIMIT = 1 << 20
"""Bytes of a small file that are read in advance."""
Key = tuple[str, str]
"""What is asked, and of which path."""
Tree = dict[str, list[Listed]]
Asking = TypeVar("Asking")


class Answer(Protocol):
    """One that is on its way."""

    def result(self, seconds: float, /) -> Any: ...


class _Asked(NamedTuple):
    answer: Answer
    since: float


class _Ready:
    """An answer that is there already."""

    def __init__(self, found: object) -> None:
        self._found = found

    def result(self, seconds: float, /) -> object:
        return self._found


class Foreseen(Generic[Asking]):
    """The answers of one store. May be used from several threads at once."""

    def __init__(
        self,
        start: Callable[[Asking], Answer],
        monotonic: Callable[[], float],
        patience: float,
    ) -> None:
        """`start` begins to ask, and does not wait; `patience`: seconds for an answer."""
        self._start = start
        self._monotonic = monotonic
        self._patience = patience
        self._lock = Lock()
        self._asked: dict[Key, _Asked] = {}

    def ask(self, key: Key, asking: Asking) -> None:
        """Begin to ask, unless that was done just now."""
        with self._lock:
            known = self._asked.get(key)
            if known is None or not self._is_fresh(known):
                self._asked[key] = _Asked(self._start(asking), self._monotonic())

    def take(self, key: Key) -> list[Any]:
        """The answer, alone in a list; an empty one when there is none."""
        with self._lock:
            asked = self._asked.pop(key, None)
        if asked is None or not self._is_fresh(asked):
            return []
        try:
            return [asked.answer.result(self._patience)]
        except (StoreError, OSError):
            return []

    def take_listing(self, directory: str) -> list[Listed] | None:
        """What stands in a directory, by itself or as part of a tree."""
        for found in self.take(("list", directory)):
            return list(found)
        parent = directory.rpartition("/")[0] if "/" in directory else directory
        for tree in self.take(("tree", parent)):
            entries: list[Listed] | None = tree.pop(directory, None)
            if tree:
                self._keep(("tree", parent), tree)
            return entries
        return None

    def _keep(self, key: Key, answer: Mapping[str, list[Listed]]) -> None:
        with self._lock:
            self._asked.setdefault(key, _Asked(_Ready(answer), self._monotonic()))

    def _is_fresh(self, asked: _Asked) -> bool:
        return self._monotonic() - asked.since < FRESH

    def forget(self) -> None:
        """They are void from now on."""
        with self._lock:
            self._asked.clear()
