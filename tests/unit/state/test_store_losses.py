"""What the table of stores answers about events that a store lost, or has damaged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firnline.core.entry import Entry, entries_of_event
from firnline.core.event import EventText, parse_name, ref_of
from firnline.core.hashing import PLAIN, DataHash
from firnline.state.folder_state import FolderState
from firnline.state.journal import EventState

S1, S2, S3 = "1" * 16, "2" * 16, "3" * 16
PUT = EventText(
    f"20261122080000000000_{PLAIN.data(b'text')}_put_{PLAIN.path('f')}.0-aaaaaaaa-000000000--"
)
MOVE = EventText(
    f"20261122080001000000_{PLAIN.data(b'text')}_mov_{PLAIN.path('g')}_{PLAIN.path('f')}"
    f".{ref_of(PUT)}-aaaaaaaa-000000000--"
)


def entries(name: EventText, path: str, source: str | None = None) -> list[Entry]:
    return entries_of_event(parse_name(name), name, ref_of(name), path, source, 4)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[FolderState]:
    """A put and a move of it, in a folder with two stores that are said to lack both."""
    state = FolderState(tmp_path / "state.db")
    with state.transaction("test"):
        for name, path, source in ((PUT, "f", None), (MOVE, "g", "f")):
            event = state.journal.add(name, ref_of(name), 4, EventState.KNOWN)
            state.journal.add_entries(event, entries(name, path, source))
        for store in (S1, S2):
            state.stores.attach(store, "generation000000")
    yield state
    state.close()


def event(state: FolderState, name: str) -> int:
    row = state.journal.event(name)
    assert row is not None
    return row.id


def test_newest_event_of_a_store(state: FolderState) -> None:
    """Of those that it has; None while it has none."""
    assert state.stores.newest(S1) is None
    state.stores.has(S1, [event(state, PUT)])
    assert state.stores.newest(S1) == PUT
    state.stores.has(S1, [event(state, MOVE)])
    assert state.stores.newest(S1) == MOVE


def test_damaged_file_is_a_name(state: FolderState) -> None:
    """A store that has something under the name lacks the event, and not the name."""
    put = event(state, PUT)
    assert state.stores.lacks_name(S1, put)
    state.stores.lost(S1, put, wrong=True)
    assert state.stores.lacks(S1, put)
    assert not state.stores.lacks_name(S1, put)
    state.stores.has(S1, [put])
    assert not state.stores.lacks_name(S1, put)


def test_named_content_is_at_risk_until_two_stores_have_an_event_that_brings_it(
    state: FolderState,
) -> None:
    """Only for events in the home store, and only of stores that are asked about."""
    put, move = event(state, PUT), event(state, MOVE)
    at_risk = [(move, DataHash(PLAIN.data(b"text")), "g")]
    assert state.stores.named_at_risk([S1, S2]) == []
    assert state.stores.named_by_held() == set()
    state.stores.hold(move, whole=False)
    assert state.stores.named_by_held() == {PLAIN.data(b"text")}
    for having, expected in ((S1, at_risk), (S2, [])):
        assert state.stores.named_at_risk([S1, S2]) == at_risk
        state.stores.has(having, [put])
        assert state.stores.named_at_risk([S1, S2]) == expected
    assert state.stores.named_at_risk([S1]) == at_risk
    state.stores.release_all()
    assert state.stores.named_at_risk([S1]) == []


def test_contents_that_events_name(state: FolderState) -> None:
    """What moves and copies need somewhere; what an event brings itself is not asked for."""
    assert state.journal.named_contents() == [PLAIN.data(b"text")]


def test_store_that_is_attached_again_is_listed_anew(state: FolderState) -> None:
    """Hints that were read in its former life say nothing of the new one; what stands there and is
    wrong stays known as that."""
    put = event(state, PUT)
    state.stores.lost(S1, put, wrong=True)
    state.stores.add_hints(S1, "late", [MOVE])
    state.stores.attach(S1, "generation000001")
    assert state.stores.hints(S1) == []
    assert state.stores.hint_files(S1) == set()
    row = state.stores.get(S1)
    assert row is not None
    assert row.generation == "generation000001"
    assert not state.stores.lacks_name(S1, put)
    assert set(state.stores.absent(S1)) == {MOVE}
