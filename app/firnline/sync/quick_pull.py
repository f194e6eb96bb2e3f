"""Learning of events whose names somebody saw appear: most quick passes list no store."""

from collections.abc import Mapping

from firnline.state.journal import EventRow, EventState
from firnline.stores.errors import StoreError
from firnline.sync.context import FolderContext, Problem
from firnline.sync.event_writer import drop_store
from firnline.sync.listing import book_names, list_stores
from firnline.sync.puller import Pulled, pull, understand

_AGAIN = 50
"""Events that could not be read before and are tried again: the rest is left to whole passes."""


def pull_news(context: FolderContext, news: Mapping[str, frozenset[str] | None] | None) -> Pulled:
    """As `pull`, with what is said to be new in each store (`Scope.news`).

    A store that fails is dropped for the rest of the pass.
    """
    if news is None:
        return pull(context)
    if not news:
        return Pulled(0, [])
    problems: list[Problem] = []
    waiting: dict[int, EventRow] = {}
    for connected in list(context.stores):
        names = news.get(connected.store_id, frozenset())
        if names is None:
            problems += list_stores(context, [connected])
            continue
        try:
            waiting.update((row.id, row) for row in book_names(context, connected, names))
        except StoreError as error:
            drop_store(context, connected, error)
    named = context.state.journal.in_state
    listed = any(names is None for names in news.values())
    waiting.update((r.id, r) for r in named(EventState.NAMED, limit=-1 if listed else _AGAIN))
    return Pulled(understand(context, list(waiting.values())), problems)
