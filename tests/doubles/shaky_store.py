"""A store whose line breaks again and again: of eleven calls one goes nowhere, and the answer of
another one is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from tests.doubles.faulty_store import Fault, FaultyStore, FaultyUpload

from firnline.stores.errors import UnavailableError

UNHARMED = frozenset({"upload", "clone", "read_back", "close"})
"""What is not repeated."""
DOUBTFUL = frozenset({"create", "rename"})
"""Where one went nowhere, nobody can say that what stands there, just as it should, is not ours."""


@dataclass
class ShakyStore(FaultyStore):
    """See `FaultyStore`."""

    turns: Iterator[int] = field(default_factory=count)
    broke: int = 0

    @contextmanager
    def upload(self) -> Iterator[FaultyUpload]:
        with super().upload() as upload:
            yield SentUpload(self, upload._inner)

    def _next(self, method: str, path: str) -> Fault:
        error = UnavailableError(path, "the line broke")
        if method in UNHARMED:
            return Fault(method)
        turn = next(self.turns) % 11
        self.broke += turn in (0, 5)
        if turn == 0 and method not in DOUBTFUL:
            return Fault(method, error=error)
        if turn == 5 and method == "list":
            return Fault(method, error_midway=error)
        return Fault(method, error_after=error) if turn == 5 else Fault(method)


class SentUpload(FaultyUpload):
    """Over a line no blocks are shared."""

    def clone(self, descriptor: int) -> bool:
        return False
