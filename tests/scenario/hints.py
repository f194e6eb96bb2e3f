"""What somebody who watches everything would tell a quick pass: the right hints, no more."""

import json
from collections.abc import Iterable

from firnline.folder.ignore import Ignore
from firnline.folder.scan import scan
from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.local_names import LocalNames
from firnline.sync.scope import Scope


def right_scope(context: FolderContext) -> Scope:
    """The paths at which the folder differs from the table, and the names that are news."""
    news = {store.store_id: frozenset(_news(context, store)) for store in context.stores}
    return Scope(frozenset(_paths(context)), news)


def _paths(context: FolderContext) -> Iterable[str]:
    LocalNames(context, look=False)
    files = context.state.files
    found = scan(
        context.root,
        files.known(),
        Ignore.load(context.root),
        clock=context.clock,
        dirs=files.directories(),
        mounts=json.loads(context.state.fact("mounts") or "[]"),
    )
    yield from (seen.local or seen.path for seen in found.changed)
    for moved in found.moved:
        yield from (moved.source, moved.target)
    gone = [*found.missing, *found.hidden, *found.gone_directories]
    for path in gone:
        row = files.get(path)
        yield path if row is None else row.local or path
    for path in found.empty_directories:
        left = [*gone, *(moved.source for moved in found.moved)]
        if not any(lost.startswith(f"{path}/") for lost in left):
            yield found.local_directories.get(path, path)


def _news(context: FolderContext, connected: Connected) -> Iterable[str]:
    store, journal = connected.store, context.state.journal
    try:
        days = [each.name for each in store.list(context.layout.events) if each.is_directory]
        names = [each.name for d in days for each in store.list(f"{context.layout.events}/{d}")]
    except StoreError:
        return
    for name in names:
        row = journal.event(name)
        if row is None or context.state.stores.lacks(connected.store_id, row.id):
            yield name
