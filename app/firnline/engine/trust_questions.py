"""Questions about servers that show another key or certificate than before.

What a pass noted (`engine.trust_notes`) is asked. *Accept* writes the new fingerprint into the
store's settings; *reject* keeps refusing this key without asking again. Nothing is sent to the
server before that.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from firnline.config import edits
from firnline.config.settings import StoreSettings
from firnline.core.hashing import PLAIN
from firnline.engine.open_folder import state_file
from firnline.engine.runtime import Engine
from firnline.engine.store_commands import folders_of
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.trust_notes import Note, read_notes, write_notes
from firnline.engine.waiting import Waiting
from firnline.history.moments import format_time_of
from firnline.state.folder_state import FolderState

CHANGED = "changed key"
"""The kind of these questions."""
ACCEPT, REJECT = "accept", "reject"
_CHOICES = {
    ACCEPT: "it is the right server, which got another key: trust this one from now on",
    REJECT: "send nothing there",
}
_ID_LENGTH = 8


def trust_questions(engine: Engine) -> Iterator[Waiting]:
    """What waits, one question for each store. Raises DatabaseError."""
    noted = _noted(engine)
    for store in engine.settings.stores:
        note = noted.get(store.store_id)
        if note is None or note.rejected or note.seen == store.options.get("fingerprint"):
            continue
        yield _waiting(engine, store, note)


def _states(engine: Engine) -> Iterator[FolderState]:
    for folder in engine.settings.folders:
        path = state_file(engine, folder.folder_id)
        if path.exists():
            with closing(FolderState(path, steps=engine.outside.steps)) as state:
                yield state


def _noted(engine: Engine) -> dict[str, Note]:
    """By STOREHASH, the oldest note of each."""
    found: dict[str, Note] = {}
    for state in _states(engine):
        for note in read_notes(state):
            known = found.setdefault(note.store_id, note)
            found[note.store_id] = min(known, note, key=lambda each: each.since)
    return found


def _waiting(engine: Engine, store: StoreSettings, note: Note) -> Waiting:
    folders = folders_of(engine, store.name)
    facts = repr((note.store_id, note.seen, note.known))
    details: Mapping[str, Any] = {
        "store": store.name,
        "location": store.location,
        "host": note.host,
        "seen": note.seen,
        "known": note.known,
        "folders": list(folders),
    }
    return Waiting(
        PLAIN.data(facts.encode())[:_ID_LENGTH],
        folders[0] if len(folders) == 1 else None,
        CHANGED,
        f"store {store.name}: {_words(note)}; nothing was sent there",
        _CHOICES,
        format_time_of(note.since),
        details,
        lambda choice: _decide(engine, store, note, choice),
    )


def _words(note: Note) -> str:
    if note.known is None:
        return f"{note.host} shows a key that is not known here, {note.seen}"
    return f"{note.host} shows another key than before, {note.seen} and not {note.known}"


def _decide(engine: Engine, store: StoreSettings, note: Note, choice: str) -> list[FolderOutcome]:
    if choice == ACCEPT:
        after = store._replace(options={**store.options, "fingerprint": note.seen})
        steps = engine.outside.steps
        engine.settings = edits.edit_store(engine.places.config_file, after, steps)
    _take_answer(engine, note, rejected=choice == REJECT)
    engine.ask_again(store.name)
    folders = folders_of(engine, store.name)
    return list(sync_folders(engine, folders)) if folders else []


def _take_answer(engine: Engine, note: Note, *, rejected: bool) -> None:
    """In every folder of the store: a rejected key stays noted, an accepted one is forgotten."""
    facts = note[:4]
    for state in _states(engine):
        before = read_notes(state)
        left = [each for each in before if each[:4] != facts]
        if rejected:
            left += [each._replace(rejected=True) for each in before if each[:4] == facts]
        with state.transaction("answer"):
            write_notes(state, left)
