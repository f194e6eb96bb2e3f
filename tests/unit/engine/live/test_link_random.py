"""A link through weeks of bad luck: what holds whatever happens, and in whatever order."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doubles.faulty_store import ANY, Fault
from tests.doubles.still_clock import StillClock
from tests.unit.engine.live.linked_store import (
    FOLDER_ID,
    STORE_ID,
    LinkedDevice,
    Shelf,
    WatchMaker,
    event_name,
)

from firnline.core.clock import format_time
from firnline.core.connection_state import ConnectionState
from firnline.stores.errors import CorruptError, DeniedError, FullError, UnavailableError
from firnline.stores.layout import is_current
from firnline.sync.context import Connected, Unreached

HAPPENINGS = st.one_of(
    st.tuples(st.just("sleep"), st.integers(0, 4000)),
    st.tuples(st.just("fault"), st.integers(0, 12)),
    st.tuples(st.sampled_from(["gone", "back", "wiped", "mounted"]), st.just(0)),
    st.tuples(st.sampled_from(["wake", "failed", "active", "event", "blind"]), st.just(0)),
)
ERRORS = [UnavailableError, DeniedError, FullError, CorruptError]


class Luck:
    """One device and its store; things happen to both."""

    def __init__(self, *, watched):
        self.shelf = Shelf(StillClock())
        self.watches = WatchMaker()
        self.device = LinkedDevice(self.shelf, make_watch=self.watches if watched else None)
        self.body = self.shelf.disk.files[is_current(STORE_ID)]
        self.put = {}
        """Event names, and how much had been told when each was put there."""
        self.told = []

    def happen(self, kind, number):
        getattr(self, f"do_{kind}")(number)
        self.told += self.device.heard.take()

    def do_sleep(self, seconds):
        self.device.run_for(seconds)

    def do_fault(self, skip):
        error = ERRORS[skip % len(ERRORS)]("", "bad luck")
        self.device.faults.append(Fault(ANY, skip=skip, error=error))

    def do_gone(self, _):
        self.shelf.disk.available = False

    def do_back(self, _):
        self.shelf.disk.available = True

    def do_wiped(self, _):
        self.shelf.disk.files.pop(is_current(STORE_ID), None)

    def do_mounted(self, _):
        self.shelf.disk.files[is_current(STORE_ID)] = self.body

    def do_wake(self, _):
        self.device.link.wake()

    def do_active(self, _):
        self.device.link.active()

    def do_failed(self, _):
        reached = self.device.link.standing.reached
        if isinstance(reached, Connected):
            self.device.link.failed(reached, UnavailableError("", "a job failed"))

    def do_event(self, _):
        name = event_name(
            format_time(self.shelf.clock.now() + timedelta(microseconds=len(self.put)))
        )
        if self.shelf.disk.available:
            self.shelf.put(name)
            self.put[name] = len(self.told)
            for watch in self.watches.made:
                if watch.works:
                    watch.tell({FOLDER_ID: frozenset({name})})

    def do_blind(self, _):
        for watch in self.watches.made:
            if watch.works:
                watch.end()


@settings(max_examples=60)
@given(st.booleans(), st.lists(HAPPENINGS, max_size=25))
def test_whatever_happens(watched, happenings):
    """It connects again whenever it can; who listens hears of each change once, and of every event
    by its name or by being told to list the store."""
    luck = Luck(watched=watched)
    for kind, number in happenings:
        luck.happen(kind, number)
    luck.device.faults.clear()
    luck.do_back(0)
    luck.do_mounted(0)
    luck.happen("sleep", 4000)
    assert luck.device.link.standing.state is ConnectionState.CONNECTED
    assert luck.device.link.standing.leads
    connected = False
    for told in luck.told:
        if isinstance(told, Connected):
            assert not connected
            connected = True
        elif isinstance(told, Unreached):
            connected = False
        else:
            assert connected
    for name, since in luck.put.items():
        assert any(is_news_of(told, name) for told in luck.told[since:])


def is_news_of(told, name):
    """Whether somebody who hears it learns of the event."""
    if isinstance(told, tuple) and len(told) == 2 and told[0] == STORE_ID:
        names = told[1][FOLDER_ID]
        return names is None or name in names
    return isinstance(told, Connected)
