"""What will be asked of a store next, said in advance.

On a line with a long way there and back, what counts is how often somebody waits. Whoever knows
what it will ask says so with `expect`; a store that can asks for all of it at once, and the calls
that follow find their answers on the way. A store that cannot does nothing, and nothing changes:
the calls are the same, and so are their answers.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from firnline.stores.base import Store


class Questions(NamedTuple):
    """Calls that will be made soon."""

    lists: Sequence[str] = ()
    """Directories."""
    trees: Sequence[str] = ()
    """Directories, and those directly in them."""
    reads: Sequence[str] = ()
    """Small files."""
    sizes: Sequence[str] = ()
    clock: bool = False
    """The store's own time, which takes a file in the connection's `tmp/`."""


@runtime_checkable
class Foresighted(Protocol):
    """A store that can ask for many things at once, or a wrapper of any store."""

    @property
    def foresees(self) -> bool:
        """Whether `expect` does anything."""
        ...

    def expect(self, questions: Questions) -> None:
        """Ask for it, and do not wait. Each answer serves one call that is made within seconds;
        whatever this store writes makes them void. Raises nothing."""
        ...


def foresees(store: Store) -> bool:
    """Whether `expect` does anything."""
    return isinstance(store, Foresighted) and store.foresees


def expect(store: Store, questions: Questions) -> None:
    """Say what will be asked."""
    if isinstance(store, Foresighted):
        store.expect(questions)
