"""Trouble that is survived while everything runs, with clocks and stores that are the test's."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.doubles.faulty_store import ANY, Fault
from tests.doubles.profile import Profile
from tests.scenario.always_on import (
    PATIENCE,
    MovableClock,
    OddStore,
    World,
    alive,
    holds,
    owners,
    the_world,
    until,
)
from tests.scenario.owners import settle, tree
from tests.scenario.store_contents import contents_in, event_files, missing_contents, operations
from tests.unit.engine.live.played_watchers import Watchers

from firnline.core.clock import Clock
from firnline.engine.live import store_session
from firnline.engine.live.loop_gate import LONGEST
from firnline.engine.sync_command import FolderOutcome
from firnline.sync.context import Connected
from firnline.sync.heartbeat import Heartbeat, Look
from firnline.watch.hints import Hints

YEAR = timedelta(days=366)
STOPS_WITHIN = 5.0


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    return tmp_path / "nas"


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    return tmp_path / "usb"


@pytest.fixture
def world() -> Iterator[World]:
    with the_world() as world:
        yield world


@pytest.fixture
def both(tmp_path: Path, nas: Path) -> tuple[Profile, Profile]:
    """Two devices with a store."""
    anna, bert = owners(tmp_path, [("anna", [nas]), ("bert", [nas])])
    anna.write("old.txt", "old")
    anna.write("gone.txt", "gone")
    settle(anna, bert)
    return anna, bert


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("years", [7, -7])
def test_clock_that_jumps_by_years(both: tuple[Profile, Profile], nas: Path, years: int) -> None:
    """There and back, on one device, while both run: each save goes both ways all the time, the
    later save on top of the earlier one, and nothing is a conflict."""
    anna, bert = both
    clock = MovableClock()
    with alive(anna, clock), alive(bert):
        for number, off in enumerate([0, years, 2 * years, 0]):
            clock.off = off * YEAR
            anna.write("a.txt", f"anna {number}")
            until(holds(bert, "a.txt", f"anna {number}"))
            bert.write("a.txt", f"bert {number}")
            until(holds(anna, "a.txt", f"bert {number}"))
    settle(anna, bert)
    assert tree(anna) == tree(bert) == {"old.txt": "old", "gone.txt": "gone", "a.txt": "bert 3"}
    assert len(event_files(nas)) == 9


def test_device_that_is_away_for_a_year(
    both: tuple[Profile, Profile], world: World, nas: Path
) -> None:
    """It comes back with edits of its own: it learns all that happened, and tells all that it did;
    its connection of then was swept, and it is there again."""
    anna, bert = both
    clock = MovableClock()
    with alive(anna, clock), alive(bert, clock):
        anna.write("both.txt", "at first")
        until(holds(bert, "both.txt", "at first"))
    clock.off = world.stores_off = YEAR / 2
    bert.write("long ago.txt", "half a year ago")
    with alive(anna, clock):
        (anna.folder / "gone.txt").unlink()
        (anna.folder / "old.txt").rename(anna.folder / "moved.txt")
        anna.write("both.txt", "anna's")
        until(lambda: {"del", "mov"} <= {done[0] for done in operations(nas)})
        until(lambda: b"anna's" in contents_in(nas).values())
    clock.off = world.stores_off = YEAR
    bert.write("both.txt", "bert's")
    with alive(anna, clock), alive(bert, clock):
        until(holds(anna, "long ago.txt", "half a year ago"))
        until(holds(bert, "moved.txt", "old"))
        until(lambda: tree(anna) == tree(bert))
        anna.write("again.txt", "again")
        until(holds(bert, "again.txt", "again"))
    texts = ["again", "anna's", "bert's", "half a year ago", "old"]
    assert sorted(tree(bert).values()) == texts
    assert missing_contents(nas) == set()


@pytest.mark.usefixtures("world")
def test_two_leads(both: tuple[Profile, Profile], nas: Path) -> None:
    """Each takes itself for the lead, all the time: both sweep, and nobody loses anything, not
    even the connection of the other one."""
    anna, bert = both
    leading: set[str] = set()

    class Leads(Heartbeat):
        def __init__(self, connected: Connected, *, run: str, clock: Clock) -> None:
            super().__init__(connected, run=run, clock=clock)
            self.connection = connected.connection

        def look(self) -> Look:
            leading.add(self.connection)
            return super().look()._replace(lead=self.connection)

    with patch.object(store_session, "Heartbeat", Leads), alive(anna), alive(bert):
        for number in range(3):
            anna.write("a.txt", f"anna {number}")
            until(holds(bert, "a.txt", f"anna {number}"))
            bert.write("b.txt", f"bert {number}")
            until(holds(anna, "b.txt", f"bert {number}"))
    assert len(leading) == 2
    assert {path.parent.name for path in nas.glob("connections/*/idle_*")} == leading


def test_listing_that_loses_half_of_the_names(tmp_path: Path, nas: Path) -> None:
    """Polls and listings that show every second event only, for a while: nothing is deleted,
    nothing written again; what was hidden is there when it is shown."""
    with the_world(watched=False) as world:
        anna, bert = owners(tmp_path, [("anna", [nas]), ("bert", [nas])])
        for number in range(9):
            anna.write(f"{number}.txt", str(number))
            settle(anna, bert)
        before = set(event_files(nas))
        world.hides_half = True
        clock = MovableClock()
        with alive(anna) as first, alive(bert, clock) as second:
            until(lambda: first.passes and second.passes)
            bert.write("new.txt", "new")
            until(lambda: len(event_files(nas)) == 10)
            looks = len(second.passes)
            clock.off = timedelta(hours=1)
            until(lambda: len(second.passes) > looks)
            world.hides_half = False
            until(holds(anna, "new.txt", "new"))
        assert tree(anna) == tree(bert)
        assert len(tree(anna)) == 10
        assert before < set(event_files(nas))
        assert len(event_files(nas)) == 10


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Calls that hang go on when it is set; at the end at the latest."""
    event = threading.Event()
    yield event
    event.set()


def test_store_that_takes_minutes_to_connect(
    tmp_path: Path, world: World, nas: Path, usb: Path, let_go: threading.Event
) -> None:
    """The folder begins without it and goes on with the other one; when it answers it gets all."""
    anna, bert = owners(tmp_path, [("anna", [nas, usb]), ("bert", [nas])])
    asked = threading.Event()

    def hang() -> None:
        asked.set()
        let_go.wait(PATIENCE)

    def before(name: str, store: OddStore) -> None:
        if name == "usb":
            store.add(Fault(ANY, callback=hang))

    world.before = before
    with patch("firnline.engine.live.service.FIRST_ANSWER", 0.3), alive(anna), alive(bert):
        for number in range(3):
            anna.write("a.txt", str(number))
            until(holds(bert, "a.txt", str(number)))
        assert asked.is_set()
        assert event_files(usb) == {}
        let_go.set()
        until(lambda: event_files(usb).keys() == event_files(nas).keys())


def test_store_that_hangs_in_a_beat(
    tmp_path: Path, world: World, nas: Path, usb: Path, let_go: threading.Event
) -> None:
    """Its connection is stuck, the folder is not; and the program ends in time all the same."""
    anna, bert = owners(tmp_path, [("anna", [nas, usb]), ("bert", [nas])])
    asked = threading.Event()

    def hang() -> None:
        asked.set()
        let_go.wait(PATIENCE)

    clock = MovableClock()
    with alive(anna, clock) as process, alive(bert):
        anna.write("a.txt", "first")
        until(holds(bert, "a.txt", "first"))
        for name, store in list(world.opened):
            if name == "usb":
                store.add(Fault("rename", path="connections", callback=hang))
        clock.off = timedelta(hours=8)
        until(asked.is_set)
        for number in range(3):
            anna.write("a.txt", str(number))
            until(holds(bert, "a.txt", str(number)))
        assert process.stop() < STOPS_WITHIN
        assert not let_go.is_set()


def test_sleep_makes_connections_beat_and_list_again(
    both: tuple[Profile, Profile], world: World
) -> None:
    """Eight hours later by the wall: every store is asked who is there and what is new."""
    anna, _ = both
    clock = MovableClock()
    with alive(anna, clock) as process:
        until(lambda: process.passes)
        (store,) = [store for _, store in world.opened]
        store.calls.clear()
        clock.off = timedelta(hours=8)
        until(lambda: {"rename", "list"} <= {method for method, _ in list(store.calls)})


@pytest.mark.usefixtures("world")
def test_watcher_that_lost_what_happened(both: tuple[Profile, Profile], nas: Path) -> None:
    """Its queue was too small for a rush: one look at everything finds all of it."""
    anna, _ = both
    watchers = Watchers()
    with alive(anna, watcher=watchers) as process:
        until(lambda: [each for each in watchers.open if each.root == anna.folder])
        until(lambda: process.passes)
        for number in range(20):
            anna.write(f"{number}/x.txt", str(number))
        before = len(event_files(nas))
        (watcher,) = [each for each in watchers.open if each.root == anna.folder]
        watcher.tell(Hints(frozenset(), everything=True))
        until(lambda: len(event_files(nas)) > before)
        until(lambda: any(outcome.report.written == 1 for outcome in process.passes))
    assert len(event_files(nas)) == before + 1
    assert {f"{number}/x.txt" for number in range(20)} <= {done[1] for done in operations(nas)}


@pytest.mark.usefixtures("world")
def test_who_holds_the_loop_is_logged(
    both: tuple[Profile, Profile], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who listens takes his time on the loop's thread: the log says how long."""
    anna, _ = both

    def take_time(outcome: FolderOutcome) -> None:
        threading.Event().wait(LONGEST * 3)

    with caplog.at_level(logging.INFO), alive(anna) as process:
        until(lambda: process.passes)
        process.told = take_time
        anna.write("a.txt", "a")
        until(lambda: "the loop was held for" in caplog.text)
