"""Dropping bodies from the home store once they are safe elsewhere (docs/design.md section 4)."""

from firnline.stores.errors import StoreError
from firnline.sync.context import Connected, FolderContext
from firnline.sync.named_at_home import drop_named, unsafe_events

RELEASED = "release home"
"""The transaction that books what is gone from the home store."""


def release_home(context: FolderContext) -> None:
    """With two lasting stores or more: what two of them have, seen in this pass. With one, or for
    what was written while none was in reach: what every lasting store has.

    May run beside a pass. Raises StoreError when the home store fails, and CancelledError.
    """
    lasting = [s for s in context.stores if not s.minor]
    away = any(not s.minor for s in context.unreached)
    if context.keep_all or not lasting or (away and len(lasting) < 2):
        return
    released: list[int] = []
    held = context.state.stores.held()
    unsafe = unsafe_events(context, lasting) if held else set()
    try:
        for event, name, whole in held:
            if (whole and away) or event in unsafe:
                continue
            having = sum(_stands(context, s, event, name) for s in lasting)
            # A store may have taken minutes to answer, and what was decided may hold no more.
            context.check_cancelled()
            if having == len(lasting) or (not whole and having >= 2):
                context.home.store.delete(context.layout.event(name))
                released.append(event)
    finally:
        _book(context, released)
    if released:
        drop_named(context)


def _book(context: FolderContext, released: list[int]) -> None:
    """After the files: one that is gone is missed by nobody, one that nobody knows of stays."""
    if released:
        with context.state.transaction(RELEASED):
            for event in released:
                context.state.stores.release(event)


def _stands(context: FolderContext, connected: Connected, event: int, name: str) -> bool:
    """Looked up in the store itself, not in the table; with another size it counts as absent.

    A part is written again (docs/design.md section 2, *Writing*), though listings show its name.
    What is longer may be a batch with more of its bodies than this device has, and stays.
    """
    state = context.state
    if state.stores.lacks(connected.store_id, event):
        return False
    try:
        found = connected.store.size(context.layout.event(name))
    except StoreError:
        return False
    row = state.journal.by_id(event)
    if found == row.size:
        return True
    part = found is not None and found < row.size
    with state.transaction("event lost"):
        state.stores.lost(connected.store_id, event, wrong=part)
    return False
