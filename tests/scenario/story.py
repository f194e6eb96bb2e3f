"""What a story is made of: a beginning, edits, and passes in an order."""

from collections.abc import Callable
from typing import NamedTuple

from tests.scenario.crashes import World


def _nothing(world: World) -> None:
    pass


class Act(NamedTuple):
    """A pass of one laptop, and what happens just before it."""

    laptop: str
    before: Callable[[World], None] = _nothing

    @property
    def edits(self) -> bool:
        """Somebody does something before this pass."""
        return self.before is not _nothing


class Story(NamedTuple):
    """`start` makes the laptops, the first act's `before` the edits."""

    name: str
    start: Callable[[World], None]
    acts: tuple[Act, ...]
    expected: dict[str, list[object]]
    """By path: what stands there and in its conflict copies at the end."""
    sends: frozenset[int] = frozenset({0})
    """The passes that apply nothing."""
