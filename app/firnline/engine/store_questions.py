"""Questions about stores that were wiped or replaced: what is asked, and what becomes of an answer.

What a pass noted is looked at again before it is asked, so a disk that was mounted meanwhile asks
nothing. An answer is carried out at once, and the folders of the store are synced then.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from firnline.config.settings import StoreSettings
from firnline.core.hashing import PLAIN
from firnline.engine.open_folder import state_file
from firnline.engine.replaced_notes import Note, read_notes
from firnline.engine.replaced_stores import ANSWERS
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import folders_of
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.waiting import Waiting
from firnline.history.moments import format_time_of
from firnline.state.folder_state import FolderState
from firnline.stores.errors import StoreError
from firnline.sync.connection import ReplacedError

WIPED, REPLACED = "wiped store", "replaced store"
"""The kinds of these questions."""

_CHOICES = {
    "refill": "it is the same store: fill it again from the other places",
    "new": "it is another store: take it in the old one's place",
    "detach": "no longer use it; what is there stays as it is",
}
_ID_LENGTH = 8


def store_questions(engine: Engine) -> Iterator[Waiting]:
    """What waits, one question for each store. Raises DatabaseError."""
    notes = _noted(engine)
    for store in engine.settings.stores:
        note = notes.get(store.store_id)
        if note is not None and _still(engine, store, note):
            yield _waiting(engine, store, note)


def _noted(engine: Engine) -> dict[str, Note]:
    """By STOREHASH, the oldest note of each."""
    found: dict[str, Note] = {}
    for folder in engine.settings.folders:
        path = state_file(engine, folder.folder_id)
        if path.exists():
            state = FolderState(path, steps=engine.outside.steps)
            try:
                notes = read_notes(state)
            finally:
                state.close()
            for note in notes:
                known = found.setdefault(note.store_id, note)
                found[note.store_id] = min(known, note, key=lambda each: each.since)
    return found


def _still(engine: Engine, store: StoreSettings, note: Note) -> bool:
    """False when the right store stands there again, and while nobody can tell."""
    try:
        engine.connected(store.name)
    except ReplacedError:
        return True
    except StoreError:
        return False
    # Which generation the tables know is for the next pass to compare.
    return note.refilled


def _waiting(engine: Engine, store: StoreSettings, note: Note) -> Waiting:
    folders = folders_of(engine, store.name)
    facts = repr((store.store_id, note.found, note.refilled, note.since))
    details: Mapping[str, Any] = {
        "store": store.name,
        "location": store.location,
        "found": note.found,
        "folders": list(folders),
    }
    return Waiting(
        PLAIN.data(facts.encode())[:_ID_LENGTH],
        folders[0] if len(folders) == 1 else None,
        WIPED if note.found is None else REPLACED,
        f"store {store.name} ({store.location}): {_words(note)}; nothing is written there",
        _CHOICES,
        format_time_of(note.since),
        details,
        lambda choice: _decide(engine, store.name, choice),
    )


def _words(note: Note) -> str:
    if note.refilled:
        return "it was filled again by another device, or set back"
    if note.found is None:
        return "nothing there says that it is this store; it was wiped, or is not mounted"
    return "another store stands in its place"


def _decide(engine: Engine, name: str, choice: str) -> list[FolderOutcome]:
    folders = folders_of(engine, name)
    ANSWERS[choice](engine, name)
    return list(sync_folders(engine, folders)) if folders else []
