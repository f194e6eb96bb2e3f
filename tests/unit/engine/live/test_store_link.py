"""The link to one store: stepped by hand on a clock that stands still, and a few times alive."""

import threading
from datetime import timedelta

import pytest
from tests.doubles.faulty_store import ANY, Fault
from tests.doubles.still_clock import StillClock
from tests.unit.engine.live.linked_store import (
    FOLDER_ID,
    LAYOUT,
    STORE_ID,
    LinkedDevice,
    Shelf,
    WatchMaker,
    event_name,
)

from firnline.core.connection_state import ConnectionState
from firnline.core.polling import Pace
from firnline.engine.live import store_link
from firnline.stores.errors import DeniedError, FullError, FutureFormatError, UnavailableError
from firnline.stores.layout import ConnectionLayout, is_current
from firnline.sync.connection import ReplacedError
from firnline.sync.heartbeat import ClonedError

LIST_IT = {FOLDER_ID: None}


@pytest.fixture
def shelf():
    return Shelf(StillClock())


@pytest.fixture
def device(shelf):
    return LinkedDevice(shelf)


def idle_names(shelf, device):
    names = shelf.names(ConnectionLayout(device.connection).directory)
    return [name for name in names if name.startswith("idle_")]


def test_it_connects_beats_and_leads(shelf, device):
    """The first step connects; the only connection leads."""
    assert device.step() == 5
    assert device.heard.words() == ["connected"]
    assert device.link.standing.state is ConnectionState.CONNECTED
    assert device.link.standing.leads
    assert idle_names(shelf, device) == ["idle_20261122082600000000"]


def test_a_store_that_is_away_is_tried_for_ever(shelf, device):
    """After 30 s, then doubling to 300 s; told once, since nothing else is to be said."""
    shelf.disk.available = False
    waits = []
    for _ in range(7):
        waits.append(device.step())
        device.clock.moment += timedelta(seconds=waits[-1])
    assert waits == [30, 60, 120, 240, 300, 300, 300]
    assert device.heard.words() == ["lost: UnavailableError"]
    shelf.disk.available = True
    device.step()
    assert device.heard.words() == ["connected"]


def test_it_is_not_tried_before_its_time_unless_woken(shelf, device):
    """Back-off holds while nobody asks; `wake` tries at once."""
    shelf.disk.available = False
    device.step()
    shelf.disk.available = True
    assert device.step() == 30
    device.link.wake()
    device.step()
    assert device.heard.words() == ["lost: UnavailableError", "connected"]


def test_what_is_just_coming_back_is_tried_again_soon(shelf, device):
    """The network is there, and the way to the store a moment later."""
    shelf.disk.available = False
    device.step()
    for _ in range(5):
        device.clock.moment += timedelta(seconds=300)
        device.step()
    assert device.step() == 300
    device.link.wake()
    assert device.step() == 30


def test_a_command_at_work_is_not_disturbed(shelf, device):
    """While it is held nothing is opened, whoever asks; afterwards it is tried at once."""
    shelf.disk.available = False
    device.step()
    shelf.disk.available = True
    device.link.hold()
    device.clock.moment += timedelta(seconds=100)
    device.link.wake()
    assert device.step() > 300
    assert device.heard.words() == ["lost: UnavailableError"]
    device.link.go_on()
    device.step()
    assert device.heard.words() == ["connected"]


def test_a_store_that_fails_at_its_first_beat_is_closed_again(shelf, device):
    """It is no connection before all of it works."""
    device.faults.append(Fault("put_many", error=UnavailableError("", "broke off")))
    assert device.step() == 30
    assert device.heard.words() == ["lost: UnavailableError"]
    assert device.opened[0].calls[-1] == ("close", "")


def test_a_store_that_goes_is_noticed_and_comes_back(shelf, device):
    """While it is connected a failed call loses it, with its reason."""
    device.step()
    shelf.disk.available = False
    assert device.run_for(5) == 2
    assert device.heard.words() == ["connected", "lost: UnavailableError"]
    assert device.link.standing.state is ConnectionState.WAITING
    assert not device.link.standing.leads
    assert device.opened[0].calls[-1] == ("close", "")
    shelf.disk.available = True
    device.run_for(30)
    assert device.heard.words() == ["connected"]


def test_a_job_that_failed_sends_the_store_back(shelf, device):
    """What a folder could not use is connected anew, later and later while it goes on."""
    for wait in (30, 60, 120):
        device.step()
        device.link.failed(device.link.standing.reached, DeniedError("", "not allowed"))
        assert device.step() == wait
        assert device.heard.words() == ["connected", "lost: DeniedError"]
        assert device.link.standing.state is ConnectionState.REFUSED
        device.clock.moment += timedelta(seconds=wait)


@pytest.mark.parametrize(
    "why", [ReplacedError(STORE_ID, STORE_ID, refilled=True), FutureFormatError("config", "2")]
)
def test_what_one_folder_waits_for_takes_the_store_from_no_other(shelf, device, why):
    """The tables of a folder know another generation: its user is asked, and the rest goes on."""
    device.step()
    device.link.failed(device.link.standing.reached, why)
    device.run_for(100)
    assert device.heard.words() == ["connected"]


def test_a_store_that_was_filled_again_meanwhile_is_connected_anew(shelf, device):
    """Its generation is another one: whoever uses the old connection must not write there."""
    device.step()
    shelf.disk.files[is_current(STORE_ID)] = b"1" * 16
    why = ReplacedError(STORE_ID, STORE_ID, refilled=True)
    device.link.failed(device.link.standing.reached, why)
    device.step()
    assert device.heard.words() == ["connected", "lost: ReplacedError"]
    device.run_for(30)
    assert device.heard.words() == ["connected"]
    assert device.link.standing.reached.generation == "1" * 16


def test_a_job_with_an_old_connection_says_nothing_of_the_new_one(shelf, device):
    """A folder that learns late that its store went does not take away the one that came back."""
    device.step()
    old = device.link.standing.reached
    device.link.failed(old, UnavailableError("", "gone"))
    device.step()
    device.link.wake()
    device.step()
    device.link.failed(old, UnavailableError("", "gone"))
    device.step()
    assert device.link.standing.state is ConnectionState.CONNECTED


def test_another_store_in_its_place_is_told_and_not_written(shelf, device):
    """The user is asked; nothing is made there, and when the right one is back it connects."""
    body = shelf.disk.files.pop(is_current(STORE_ID))
    before = dict(shelf.disk.files)
    device.run_for(100)
    assert device.heard.words() == ["lost: ReplacedError"]
    assert device.link.standing.state is ConnectionState.REPLACED
    assert shelf.disk.files == before
    shelf.disk.files[is_current(STORE_ID)] = body
    device.link.wake()
    device.step()
    assert device.heard.words() == ["connected"]


def test_a_disk_that_is_unmounted_below_it_is_not_written(shelf, device):
    """The beat asks first whether it is still the store: an empty directory gets no files."""
    device.step()
    shelf.disk.files.clear()
    device.run_for(60)
    assert device.heard.words() == ["connected", "lost: ReplacedError"]
    assert shelf.disk.files == {}


def test_it_beats_every_minute(shelf, device):
    """One file that is renamed, with the same body."""
    device.run_for(125)
    assert idle_names(shelf, device) == ["idle_20261122082800000000"]
    path = ConnectionLayout(device.connection).directory + "/idle_20261122082800000000"
    assert shelf.disk.files[path] == b"r" * 16


def test_what_was_there_is_left_to_the_listing_and_what_comes_is_told(shelf, device):
    """Names are told once, by folder; what is no event name is not told."""
    shelf.put(event_name(letter="1"))
    device.run_for(10)
    assert device.heard.words() == ["connected"]
    shelf.put(event_name(letter="2"))
    shelf.store.put_many([(f"{LAYOUT.events_day('20261122')}/junk", b"")])
    device.run_for(300)
    assert device.heard.words() == [{FOLDER_ID: frozenset({event_name(letter="2")})}]


def test_quiet_stores_cost_little(shelf, device):
    """In an hour of nothing: a beat a minute, and some polls."""
    assert device.run_for(3599) <= 60 + 18
    assert device.heard.words() == ["connected"]


def test_once_an_hour_all_is_listed(shelf, device):
    """Whatever the polls may have missed."""
    device.run_for(3601)
    assert device.heard.words() == ["connected", LIST_IT]


def test_polls_come_as_often_as_the_settings_say(shelf):
    """With a longest wait of 5 s it never gets slower."""
    device = LinkedDevice(shelf, pace=Pace(5, 5))
    device.run_for(1000)
    assert device.step() <= 5


def test_waking_looks_at_once(shelf, device):
    """After sleep, or when the user asks, the folders list the store."""
    device.run_for(200)
    device.link.wake()
    assert device.step() == 5
    assert device.heard.words() == ["connected", LIST_IT]


def test_after_activity_it_is_asked_soon(shelf, device):
    """Whoever writes may be answered: the next poll comes within 5 s."""
    device.run_for(1000)
    device.link.active()
    assert device.step() <= 5


@pytest.mark.parametrize("error", [DeniedError("", "read-only"), FullError("", "no space")])
def test_a_store_that_takes_nothing_is_read_all_the_same(shelf, device, error):
    """It is connected, does not lead, and begins to beat when there is room again."""
    device.faults.append(Fault("put_many", error=error, repeat=2))
    device.run_for(59)
    assert device.heard.words() == ["connected"]
    assert not device.link.standing.leads
    device.run_for(70)
    assert device.link.standing.leads


def test_two_leads_become_one(shelf):
    """Who saw nobody leads; as soon as both see each other only one of them does."""
    devices = [LinkedDevice(shelf), LinkedDevice(shelf, "othrothr", "o" * 16)]
    first, second = sorted(devices, key=lambda each: each.connection)
    second.step()
    first.step()
    assert [first.link.standing.leads, second.link.standing.leads] == [True, True]
    second.run_for(60)
    first.run_for(0)
    assert [first.link.standing.leads, second.link.standing.leads] == [True, False]


def test_a_dead_lead_is_followed(shelf):
    """Three beats after the lead stopped the other one leads."""
    devices = [LinkedDevice(shelf), LinkedDevice(shelf, "othrothr", "o" * 16)]
    lead, other = sorted(devices, key=lambda each: each.connection)
    lead.step()
    other.run_for(179)
    assert not other.link.standing.leads
    other.run_for(70)
    assert other.link.standing.leads


def test_the_lead_sweeps_what_is_long_dead(shelf):
    """Within an hour or two; whoever does not lead leaves it alone."""
    dead = ConnectionLayout("d" * 16)
    shelf.store.put_many([(f"{dead.directory}/idle_20260922082600000000", b"x" * 16)])
    devices = [LinkedDevice(shelf), LinkedDevice(shelf, "othrothr", "o" * 16)]
    lead, other = sorted(devices, key=lambda each: each.connection)
    lead.step()
    other.run_for(179)
    other.run_for(0)
    assert shelf.names(dead.directory)
    lead.run_for(3700)
    assert not shelf.names(dead.directory)


def test_a_clone_is_told_and_ends_the_link(shelf, device):
    """Two devices with one identity: who finds the other's newer beat takes a new one."""
    clone = LinkedDevice(shelf, run="c" * 16)
    device.step()
    device.clock.moment += timedelta(seconds=30)
    clone.step()
    with pytest.raises(ClonedError):
        device.run_for(60)
    clone.run_for(600)
    assert clone.link.standing.state is ConnectionState.CONNECTED


# --- watched ------------------------------------------------------------------------------------


@pytest.fixture
def watches():
    return WatchMaker()


@pytest.fixture
def watched(shelf, watches):
    return LinkedDevice(shelf, make_watch=watches)


def test_a_watched_store_is_not_polled(shelf, watched, watches):
    """What the watch tells goes on at once; the link only beats."""
    assert watched.run_for(599) == 10
    shelf.put(event_name())
    watches.made[0].tell({FOLDER_ID: frozenset({event_name()})})
    assert watched.heard.words() == ["connected", {FOLDER_ID: frozenset({event_name()})}]
    assert not any(path == LAYOUT.events for _, path in watched.opened[0].calls)


def test_a_store_that_cannot_be_watched_is_polled(shelf, watched, watches):
    """A network file system, for example; each hour it is tried again."""
    watches.works = False
    watched.step()
    shelf.put(event_name())
    watched.run_for(5)
    assert watched.heard.words() == ["connected", {FOLDER_ID: frozenset({event_name()})}]
    assert watches.made[0].closed
    watches.works = True
    watched.run_for(3600)
    assert watched.heard.words() == [LIST_IT]
    assert watched.step() > 5


def test_a_watch_that_ends_is_followed_by_polls(shelf, watched, watches):
    """The store is looked at in the same moment, since it may be what is gone."""
    watched.step()
    watches.made[0].end()
    assert watched.step() == 5
    assert watches.made[0].closed
    assert ("rename", "connections") in [
        (method, path.split("/")[0]) for method, path in watched.opened[0].calls
    ]
    shelf.put(event_name())
    watched.run_for(5)
    assert watched.heard.words() == [
        "connected",
        LIST_IT,
        {FOLDER_ID: frozenset({event_name()})},
    ]


def test_a_watched_disk_that_is_unmounted_is_noticed_at_once(shelf, watched, watches):
    """Nobody waits for the next beat."""
    watched.step()
    shelf.disk.files.clear()
    watches.made[0].end()
    watched.step()
    assert watched.heard.words() == ["connected", LIST_IT, "lost: ReplacedError"]
    assert watches.made[0].closed


def test_what_a_watch_tells_before_the_store_is_connected_is_left_to_the_listing(shelf, watches):
    """Nobody hears of a store that nobody knows yet."""
    device = LinkedDevice(shelf, make_watch=lambda tell: telling(watches(tell)))

    def telling(watch):
        watch.tell({FOLDER_ID: None})
        return watch

    device.step()
    assert device.heard.words() == ["connected"]


# --- alive --------------------------------------------------------------------------------------


class Patience:
    """Waits as the link asks to, and lets a test wait until it waits."""

    def __init__(self):
        self.waits = 0
        self.changed = threading.Condition()

    def __call__(self, condition, seconds):
        with self.changed:
            self.waits += 1
            self.changed.notify_all()
        condition.wait(seconds)

    def until(self, waits):
        with self.changed:
            assert self.changed.wait_for(lambda: self.waits >= waits, 20)


def test_alive_it_connects_and_closes(shelf):
    """The thread does what the steps do; closing ends it, and the store is closed."""
    patience = Patience()
    device = LinkedDevice(shelf, wait=patience)
    device.link.start()
    patience.until(1)
    device.link.wake()
    patience.until(2)
    device.link.close()
    assert device.heard.words() == ["connected", LIST_IT]
    assert device.link.standing.state is ConnectionState.CLOSED
    assert device.opened[0].calls[-1] == ("close", "")


def test_alive_a_store_that_hangs_does_not_hold_the_end_up(shelf, monkeypatch):
    """Closing gives up waiting; what comes late is told to nobody."""
    monkeypatch.setattr(store_link, "CLOSING", 0.01)
    device = LinkedDevice(shelf)
    hangs, go_on = threading.Event(), threading.Event()

    def hang():
        hangs.set()
        assert go_on.wait(20)

    device.faults.append(Fault(ANY, callback=hang))
    device.link.start()
    assert hangs.wait(20)
    device.link.close()
    assert device.heard.all == []
    go_on.set()


def test_alive_a_clone_is_told(shelf):
    """The service hears of it, and nothing else from this link any more."""
    patience = Patience()
    device = LinkedDevice(shelf, wait=patience)
    device.link.start()
    patience.until(1)
    shelf.clock.moment += timedelta(seconds=1)
    LinkedDevice(shelf, run="c" * 16).step()
    device.link.wake()
    device.link._thread.join(20)
    assert device.heard.words() == ["connected", "cloned"]
    device.link.close()


@pytest.mark.logs("store nas: a mistake in the program")
def test_alive_a_mistake_costs_the_store_and_not_the_link(shelf):
    """What nobody expected is logged, and the store is tried again."""
    patience = Patience()
    device = LinkedDevice(shelf, wait=patience)
    device.faults.append(Fault("list", error=ZeroDivisionError()))
    device.link.start()
    patience.until(1)
    assert device.link.standing.state is ConnectionState.REFUSED
    device.link.wake()
    patience.until(2)
    device.link.close()
    assert device.heard.words() == ["lost: ZeroDivisionError", "connected"]


def test_a_link_that_was_closed_while_it_connected_writes_nothing(shelf, device, monkeypatch):
    """Somebody else may use the connection by then."""
    connect = device.link._connect

    def hang():
        device.link.close()
        return connect()

    monkeypatch.setattr(device.link, "_connect", hang)
    device.step()
    assert idle_names(shelf, device) == []
    assert device.heard.words() == []
