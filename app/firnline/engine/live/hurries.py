"""How long the passes of one folder that is kept wait for its stores: a moment.

What a store was is remembered from pass to pass, as long as it is the same connection; one that was
connected anew begins anew.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from firnline.core.clock import Clock
from firnline.stores.hurried import HurriedStore, Hurry
from firnline.sync.context import Connected, GaveUp, Patience


class _Known(NamedTuple):
    connection: object
    """Tells this connection from a later one."""
    hurry: Hurry


class Hurries(Patience):
    """Of one folder."""

    def __init__(self, clock: Clock, answers_again: Callable[[str], None]) -> None:
        """`answers_again` is told, by STOREHASH, when a store that was given up has answered."""
        self._clock = clock
        self._answers_again = answers_again
        self._known: dict[str, _Known] = {}
        self._leisure = 0

    def over(self, connected: Connected) -> Connected:
        store_id, connection = connected.store_id, connected.require_current
        known = self._known.get(store_id)
        if known is None or known.connection is not connection:
            if known is not None:
                known.hurry.end()
            told = partial(self._answers_again, store_id)
            known = _Known(connection, Hurry(self._clock, told, lambda: self._leisure > 0))
            self._known[store_id] = known
        hurry = known.hurry
        return connected._replace(
            store=HurriedStore(connected.store, hurry),
            require_current=lambda: hurry.run(connection),
        )

    def is_slow(self, connected: Connected, size: int) -> bool:
        known = self._known.get(connected.store_id)
        return known is not None and known.hurry.is_slow(size)

    def require_waited(self, store_id: str) -> None:
        known = self._known.get(store_id)
        if known is not None:
            known.hurry.require_waited()

    def reads_slowly(self) -> bool:
        return any(known.hurry.reads_slowly for known in self._known.values())

    @contextmanager
    def strictly(self) -> Iterator[GaveUp]:
        hurries = [known.hurry for known in self._known.values()]
        before, gave_up = sum(hurry.gave_up for hurry in hurries), GaveUp()
        self._set_strict(hurries, True)
        try:
            yield gave_up
        finally:
            self._set_strict(hurries, False)
            gave_up.some = sum(hurry.gave_up for hurry in hurries) > before

    @staticmethod
    def _set_strict(hurries: Iterable[Hurry], strict: bool) -> None:
        for hurry in hurries:
            hurry.strict = strict

    @contextmanager
    def at_leisure(self) -> Iterator[None]:
        self._leisure += 1
        try:
            yield
        finally:
            self._leisure -= 1

    def close(self) -> None:
        """No pass follows."""
        for known in self._known.values():
            known.hurry.end()
