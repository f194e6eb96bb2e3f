"""Which servers of a folder's stores showed a key or certificate that is not trusted.

Kept as a fact of the folder's state, with what the user said to it.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from firnline.core.clock import DateTime, format_time
from firnline.state.folder_state import FolderState
from firnline.stores.errors import UntrustedError
from firnline.sync.context import FolderContext

_FACT = "untrusted stores"


class Note(NamedTuple):
    """A server that was not what it should be."""

    store_id: str
    """The STOREHASH of the store that should be there."""
    host: str
    """As people write it."""
    seen: str
    """The fingerprint that it showed."""
    known: str | None
    """The one that was trusted until then."""
    since: DateTime
    rejected: bool = False
    """The user does not want this one."""


def note_untrusted(context: FolderContext) -> None:
    """Remember what was found when the folder's stores were connected."""
    before = read_notes(context.state)
    if not before and not any(isinstance(each.why, UntrustedError) for each in context.unreached):
        return
    answered = {(note.store_id, note.seen, note.known): note for note in before}
    now = format_time(context.clock.now())
    found = [
        answered.get((each.store_id, each.why.seen, each.why.known))
        or Note(each.store_id, each.why.host, each.why.seen, each.why.known, now)
        for each in context.unreached
        if isinstance(each.why, UntrustedError)
    ]
    if found != before:
        with context.state.transaction("note untrusted stores"):
            write_notes(context.state, found)


def read_notes(state: FolderState) -> list[Note]:
    """What was noted last."""
    return [Note(*fields) for fields in json.loads(state.fact(_FACT) or "[]")]


def write_notes(state: FolderState, notes: Sequence[Note]) -> None:
    """Inside the caller's transaction."""
    state.set_fact(_FACT, json.dumps(notes))


def is_asked(state: FolderState) -> bool:
    """The user has to say whether a key is the right one."""
    return any(not note.rejected for note in read_notes(state))
