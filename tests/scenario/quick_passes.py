"""Quick passes as tests ask for them."""

from collections.abc import Iterable

from tests.scenario.hints import right_scope

from firnline.sync.context import FolderContext
from firnline.sync.folder_pass import PassReport, run_pass
from firnline.sync.scope import Scope


def quick(context: FolderContext, *hints: str, news: Iterable[str] = ()) -> PassReport:
    """A pass that looks at these local paths, and learns what is new in its stores if `news`."""
    names = frozenset(news)
    return run_pass(context, Scope(frozenset(hints), {s.store_id: names for s in context.stores}))


def told(context: FolderContext) -> PassReport:
    """A pass with all the right hints."""
    return run_pass(context, right_scope(context))


def news_for(context: FolderContext) -> frozenset[str]:
    """The names that are new in the store."""
    scope = right_scope(context)
    assert scope.news is not None
    (names,) = scope.news.values()
    assert names is not None
    return names
