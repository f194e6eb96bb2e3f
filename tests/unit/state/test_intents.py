"""Intents before effects, and saves that slipped in."""

from firnline.core.event import Kind
from firnline.state.folder_state import FolderState
from firnline.state.intents import Intent, Rescued


def test_intents_come_back_in_their_order(state: FolderState) -> None:
    """As they were, until they are settled."""
    intents = [
        Intent("remove", "b", None, Kind.NOTHING, "", "-", "0"),
        Intent("place", "a", None, Kind.FILE, "hash", "x", "0123456789"),
        Intent("move", "c", "d", Kind.LINK, "", "-", "0123456789"),
    ]
    with state.transaction("test"):
        state.intents.add(intents[:2])
        state.intents.add(intents[2:])
    assert state.intents.all() == intents
    with state.transaction("test"):
        state.intents.clear()
    assert state.intents.all() == []


def test_rescued_saves(state: FolderState) -> None:
    """One for each kept file; what it stands on may change until it is dropped."""
    with state.transaction("test"):
        state.intents.rescue(Rescued("k2", "b", "0"))
        state.intents.rescue(Rescued("k1", "a", "0"))
        state.intents.rescue(Rescued("k1", "a", "0123456789"))
    assert state.intents.rescued() == [
        Rescued("k1", "a", "0123456789"),
        Rescued("k2", "b", "0"),
    ]
    with state.transaction("test"):
        state.intents.drop_rescued("k1")
    assert state.intents.rescued() == [Rescued("k2", "b", "0")]
