"""What is new in a store, by listing it again and again."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doubles.faulty_store import JUNK, Fault, FaultyStore
from tests.doubles.memory_store import MemoryDisk, MemoryStore
from tests.doubles.still_clock import StillClock

from firnline.core.clock import format_time
from firnline.stores.configs import FolderConfig
from firnline.stores.errors import UnavailableError
from firnline.stores.identity import write_folder_config
from firnline.stores.layout import ConnectionLayout, FolderId, FolderLayout
from firnline.sync.news import NewsReader, is_event_of

START = datetime(2027, 6, 15, 12, 0, tzinfo=UTC)
DOCS = FolderLayout("docs", FolderId("f" * 16))
MORE = FolderLayout("more", FolderId("m" * 16))
STRANGE = FolderLayout("strange", FolderId("x" * 16))
YEARS = timedelta(days=2000)


class Store(FaultyStore):
    """A store with a clock of its own that holds two folders of this device and a third one."""

    def __init__(self):
        self.server = StillClock(START)
        super().__init__(MemoryStore(MemoryDisk(), self.server), self.server)
        for folder in (DOCS, MORE, STRANGE):
            write_folder_config(self.inner, folder, FolderConfig(folder.folder_id, folder.slug))

    def put(self, moment, letter="0", folder=DOCS):
        """An event of that time arrives; returns its name."""
        name = f"{format_time(moment)}_{letter * 32}_put_{'0' * 26}.0-devdevde-000000000--"
        self.inner.put_many([(folder.event(name), b"")])
        return name


class Reading:
    """A device that reads it."""

    def __init__(self, store=None):
        self.store = store or Store()
        self.clock = StillClock(START)
        self.reader = NewsReader(self.store, {DOCS.folder_id, MORE.folder_id}, self.clock)

    def read(self):
        return self.reader.read()

    def names(self):
        """New in the first folder; None: it is to be listed."""
        return self.read().get(DOCS.folder_id, frozenset())

    def sleep(self, **span):
        self.clock.moment += timedelta(**span)
        self.store.server.moment += timedelta(**span)


@pytest.fixture
def reading():
    return Reading()


def test_each_name_is_told_once_and_to_its_folder(reading):
    """What was there comes first, then what is new; a folder of others is not looked at."""
    first = reading.store.put(START)
    assert reading.read() == {DOCS.folder_id: {first}}
    assert reading.read() == {}
    second = reading.store.put(START, "1")
    third = reading.store.put(START, "2", MORE)
    reading.store.put(START, "3", STRANGE)
    assert reading.read() == {DOCS.folder_id: {second}, MORE.folder_id: {third}}
    assert reading.read() == {}
    assert not any(path.startswith(STRANGE.root) for _, path in reading.store.calls)


def test_only_recent_days_are_listed(reading):
    """A poll costs what is new, not what is old."""
    reading.store.put(START - timedelta(days=3))
    reading.store.put(START - timedelta(days=30))
    recent = reading.store.put(START - timedelta(days=2))
    assert reading.names() == {recent}
    reading.store.calls.clear()
    reading.names()
    listed = [path for method, path in reading.store.calls if path.startswith(f"{DOCS.events}/")]
    assert listed == [DOCS.events_day("20270613")]


def test_it_goes_on_48_hours_before_the_last_time(reading):
    """A laptop that slept for a week reads what came meanwhile."""
    reading.names()
    reading.sleep(days=7)
    came = reading.store.put(START + timedelta(days=1))
    assert reading.names() == {came}


def test_a_day_that_was_not_there_is_read_however_old_it_is(reading):
    """A device that was away for a year brings events of that time."""
    reading.store.put(START - timedelta(days=500))
    reading.names()
    late = reading.store.put(START - timedelta(days=400))
    assert reading.names() == {late}
    assert reading.names() == frozenset()


def test_a_new_hint_means_that_the_store_is_to_be_listed(reading):
    """Which names are late is in it: whoever has the tables reads it."""
    reading.names()
    hint = ConnectionLayout("c" * 16).late(START)
    reading.store.inner.put_many([(hint, b"names")])
    assert reading.read() == {DOCS.folder_id: None, MORE.folder_id: None}
    assert reading.read() == {}


def test_a_listing_that_leaves_names_out_tells_nothing_twice(reading):
    """Stale, in disorder or with junk: what was told stays told, and what is new is."""
    told = reading.store.put(START)
    reading.names()
    new = reading.store.put(START, "1")
    day = DOCS.events_day("20270615")
    reading.store.add(Fault("list", day, stale=True))
    assert reading.names() == frozenset()
    reading.store.add(Fault("list", day, disorder=True))
    assert reading.names() == {new}
    reading.store.add(Fault("list", day, short=0))
    assert reading.names() == frozenset()
    assert reading.names() == frozenset()
    reading.store.verify()
    assert told != new


def test_a_listing_that_breaks_off_is_read_again(reading):
    """What was not told comes with the next one."""
    reading.names()
    names = {reading.store.put(START, letter) for letter in "0123"}
    reading.store.add(
        Fault("list", DOCS.events_day("20270615"), error_midway=UnavailableError("", ""))
    )
    with pytest.raises(UnavailableError):
        reading.names()
    assert reading.names() == names


@pytest.mark.parametrize("device", [timedelta(), YEARS, -YEARS])
@pytest.mark.parametrize("server", [timedelta(), YEARS, -YEARS])
def test_clocks_that_are_wrong_hide_nothing(device, server):
    """The slower one of those that may be right says which days are recent."""
    reading = Reading()
    reading.clock.moment += device
    reading.store.server.moment += server
    reading.names()
    new = reading.store.put(START)
    assert new in reading.names() or min(device, server) == YEARS


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 200),
            st.integers(-60, 60),
            st.sampled_from(["plain", "stale", "short", "breaks", "jump", "jump back"]),
        ),
        max_size=12,
    )
)
def test_nothing_is_missed_whatever_happens_to_listings_and_the_devices_clock(days):
    """Events of today always come, also with late ones and jumps between them: what one listing hid
    comes with the next one."""
    reading = Reading()
    told, put = set(reading.names()), set()
    for number, (hours, late, fault) in enumerate(days):
        reading.sleep(hours=hours)
        now = reading.store.server.moment
        put.add(reading.store.put(now + timedelta(microseconds=number)))
        reading.store.put(now + timedelta(days=late, microseconds=number), "1")
        if fault.startswith("jump"):
            reading.clock.moment = now + (YEARS if fault == "jump" else -YEARS)
        elif fault == "breaks":
            error = UnavailableError("", "broke off")
            reading.store.add(Fault("list", DOCS.events, error_midway=error))
        elif fault != "plain":
            reading.store.add(
                Fault(
                    "list",
                    f"{DOCS.events}/",
                    stale=fault == "stale",
                    short=0 if fault == "short" else None,
                )
            )
        with suppress(UnavailableError):
            told |= reading.names()
        reading.store.faults.clear()
        told |= reading.names()
    assert put <= told


def test_what_is_no_event_of_that_day_is_not_told():
    """Junk, and names that stand where they do not belong."""
    name = Reading().store.put(START)
    assert is_event_of(name, "20270615")
    assert not is_event_of(name, "20270616")
    assert not any(is_event_of(each.name, each.name[:8]) for each in JUNK)
