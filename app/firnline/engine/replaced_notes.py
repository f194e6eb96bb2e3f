"""Which stores of a folder were not what they should be when they were looked at last.

Kept as a fact of the folder's state, so that a question has the time since when it is one, and
`firnline questions` need not reach for every store.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from firnline.core.clock import DateTime, format_time
from firnline.state.folder_state import FolderState
from firnline.sync.connection import ReplacedError
from firnline.sync.context import FolderContext

_FACT = "replaced stores"


class Note(NamedTuple):
    """A store that was not at its place."""

    store_id: str
    """Its STOREHASH."""
    found: str | None
    """The STOREHASH that stands there; None for none."""
    refilled: bool
    since: DateTime


def note_replaced(context: FolderContext) -> None:
    """Remember what was found when the folder's stores were connected."""
    before = {note[:3]: note for note in read_notes(context.state)}
    now = format_time(context.clock.now())
    found = [
        before.get(facts) or Note(*facts, now)
        for facts in sorted(_replaced(context), key=lambda facts: facts[0])
    ]
    if found != list(before.values()):
        with context.state.transaction("note replaced stores"):
            context.state.set_fact(_FACT, json.dumps(found))


def _replaced(context: FolderContext) -> Iterator[tuple[str, str | None, bool]]:
    for unreached in context.unreached:
        if isinstance(unreached.why, ReplacedError):
            yield unreached.store_id, unreached.why.found, unreached.why.refilled


def read_notes(state: FolderState) -> list[Note]:
    """What was noted last."""
    return [Note(*fields) for fields in json.loads(state.fact(_FACT) or "[]")]


def forget_note(state: FolderState, store_id: str) -> None:
    """The user has answered. Inside the caller's transaction."""
    left = [note for note in read_notes(state) if note.store_id != store_id]
    state.set_fact(_FACT, json.dumps(left))
