"""Abilities that only some kinds of stores have, and that the user should know of."""

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from firnline.stores.base import Store

Remark = tuple[str, str, Callable[[], str | None]]
"""An ability, what it means that it is missing, and how to try it: a trial returns what is wrong,
or None, and may raise StoreError."""


@runtime_checkable
class Remarkable(Protocol):
    """A store with abilities of its own."""

    def remarks(self) -> Iterator[Remark]: ...


def remarks_of(store: Store) -> Iterator[Remark]:
    """Those of a store; none of most."""
    if isinstance(store, Remarkable):
        yield from store.remarks()
