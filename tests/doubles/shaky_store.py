"""A store whose line breaks again and again: of eleven calls one goes nowhere, and the answer of
another one is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from tests.doubles.faulty_store import Fault, FaultyStore

from firnline.stores.errors import UnavailableError

UNHARMED = frozenset({"upload", "clone", "read_back", "close"})
"""What is not repeated."""
DOUBTFUL = frozenset({"create", "rename"})
"""Where one went nowhere, nobody can say that what stands there, just as it should, is not ours."""


@dataclass
class ShakyStore(FaultyStore):
    """See `FaultyStore`."""

    turns: Iterator[int] = field(default_factory=count)

    def _next(self, method: str, path: str) -> Fault:
        error = UnavailableError(path, "the line broke")
        if method in UNHARMED:
            return Fault(method)
        turn = next(self.turns) % 11
        if turn == 0 and method not in DOUBTFUL:
            return Fault(method, error=error)
        if turn == 5 and method == "list":
            return Fault(method, error_midway=error)
        return Fault(method, error_after=error) if turn == 5 else Fault(method)
