"""The watch of a store's directory: real ones, and whatever this system has to watch them."""

from queue import Queue

import pytest
from tests.doubles.still_clock import StillClock
from tests.unit.engine.live.linked_store import FOLDER_ID, LAYOUT, event_name

from firnline.engine.live.store_watch import StoreWatch
from firnline.engine.system import SystemClock
from firnline.stores.directory import DirectoryStore
from firnline.stores.layout import FolderId, FolderLayout
from firnline.watch.hints import EVERYTHING, Hints

OTHER = FolderLayout("other", FolderId("o" * 16))
PATIENCE = 20


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path, connection="c" * 16, clock=SystemClock())


@pytest.fixture
def told():
    return Queue()


@pytest.fixture
def watch(tmp_path, store, told):
    store.put_many([(LAYOUT.event(event_name(letter="1")), b"")])
    watch = StoreWatch(tmp_path, {FOLDER_ID}, SystemClock(), told.put)
    watch.start()
    assert watch.works
    yield watch
    watch.close()


def test_an_event_is_told_by_its_name(store, watch, told):
    """As another device puts it there; nothing else that stands in a store is told."""
    store.put_many([("connections/" + "b" * 16 + "/priority", b"50")])
    store.put_many([(OTHER.event(event_name()), b""), (LAYOUT.config, b"")])
    store.put_many([(f"{LAYOUT.root}/eventsindex/00/{'0' * 26}", b"")])
    store.put_many([(f"{LAYOUT.events_day(event_name()[:8])}/junk", b"")])
    store.put_many([(LAYOUT.event(event_name(letter="2")), b"")])
    assert told.get(timeout=PATIENCE) == {FOLDER_ID: frozenset({event_name(letter="2")})}
    watch.close()
    assert told.empty()


def test_a_new_day_is_listed(store, watch, told):
    """What stood in it before it was watched is found so."""
    store.put_many([(LAYOUT.event(event_name("20261123080000000000")), b"")])
    while told.get(timeout=PATIENCE)[FOLDER_ID] is not None:
        pass
    store.put_many([(LAYOUT.event(event_name("20261123090000000000")), b"")])
    while event_name("20261123090000000000") not in (told.get(timeout=PATIENCE)[FOLDER_ID] or ()):
        pass


def test_a_folder_that_the_store_did_not_have_is_seen(tmp_path, store, told):
    """Its directory comes with its first event."""
    watch = StoreWatch(tmp_path, {FOLDER_ID}, SystemClock(), told.put)
    watch.start()
    store.put_many([(LAYOUT.event(event_name()), b"")])
    while None not in told.get(timeout=PATIENCE).values():
        pass
    watch.close()


def test_hints_become_news(tmp_path, told):
    """Whatever else a watcher tells: names where there are names, and a listing elsewhere."""
    watch = StoreWatch(tmp_path, {FOLDER_ID, OTHER.folder_id}, StillClock(), told.put)
    day, name = LAYOUT.events_day("20261122"), event_name()
    cases: list[tuple[Hints, dict[str, frozenset[str] | None]]] = [
        (EVERYTHING, {FOLDER_ID: None, OTHER.folder_id: None}),
        (Hints(frozenset({""})), {FOLDER_ID: None, OTHER.folder_id: None}),
        (Hints(frozenset({day})), {FOLDER_ID: None}),
        (Hints(frozenset({f"{day}/{name}"})), {FOLDER_ID: frozenset({name})}),
        (Hints(frozenset({f"{day}/{name}", OTHER.root})), {FOLDER_ID: frozenset({name})}),
        (Hints(frozenset({f"{day}/{name}", LAYOUT.events})), {FOLDER_ID: None}),
    ]
    for hints, news in cases:
        watch._hear(hints)
        got = told.get_nowait()
        assert {key: got[key] for key in news} == news
    assert told.empty()
