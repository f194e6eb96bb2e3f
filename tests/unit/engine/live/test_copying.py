"""The copier of all that runs, on a real loop with its threads and directory stores."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.doubles.profile import Profile
from tests.unit.engine.live.test_service import PATIENCE, Story, play

from firnline.core.pace import SLOWEST_RETRY
from firnline.engine.folder_commands import create_folder
from firnline.engine.live import copy_jobs, copy_lane
from firnline.engine.live.copy_jobs import CopyJobs
from firnline.engine.open_folder import Reached, open_beside
from firnline.engine.runtime import Engine
from firnline.engine.system import SystemClock
from firnline.state.database import DatabaseError, DatabaseFault
from firnline.stores.errors import FullError
from firnline.sync.connection import Expected, Opener, Peer, connect
from firnline.sync.context import CancelledError, Connected
from firnline.sync.copy_round import Round
from firnline.sync.home_release import RELEASED

FOREVER = 10**9


def events_in(store: Path) -> int:
    return len(list(store.glob("*/events/*/*")))


class Stores:
    """Three stores of one folder; what goes wrong in the middle one."""

    def __init__(self, base: Path) -> None:
        self.places = [base / name for name in ("s1", "s2", "s3")]
        self.faulty: list[FaultyStore] = []

    def connect(self, opener: Opener, expected: Expected, peer: Peer) -> Connected:
        connected = connect(opener, expected, peer)
        if expected.name != "s2":
            return connected
        self.faulty.append(FaultyStore(connected.store, SystemClock()))
        return connected._replace(store=self.faulty[-1])

    def counts(self) -> list[int]:
        return list(map(events_in, self.places))


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "stores")


@pytest.fixture
def engine(anna: Profile, stores: Stores) -> Iterator[Engine]:
    for place in stores.places:
        place.parent.mkdir(exist_ok=True)
        anna.add_store(place.name, place)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", ["s1", "s2", "s3"])
        with patch("firnline.engine.live.links.connect", stores.connect):
            yield engine


def test_saves_reach_every_store(engine: Engine, anna: Profile, stores: Stores) -> None:
    """At once; it is told, and the home store lets go of them."""

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs"))
        anna.write("a.txt", "a")
        await story.until(lambda: stores.counts() == [1, 1, 1])
        await story.until(lambda: sum(each.report.copied for each in story.passes) == 2)
        await story.until(lambda: story.passes[-1].complete)
        await story.until(lambda: events_in(engine.places.home_store) == 0)

    play(engine, tell)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """What hangs in this test goes on when it is set; at the end at the latest."""
    event = threading.Event()
    yield event
    event.set()


def test_store_that_takes_long_holds_up_nobody(
    engine: Engine, anna: Profile, stores: Stores, let_go: threading.Event
) -> None:
    """Saves go on and reach the other stores; when it answers, it gets all of them."""
    hangs = threading.Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(PATIENCE)

    def others_have(events: int) -> bool:
        return stores.counts()[::2] == [events, events]

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs"))
        stores.faulty[-1].add(Fault("put_many", callback=hang, repeat=FOREVER))
        for number in (1, 2, 3):
            anna.write(f"{number}.txt", "text")
            await story.until(partial(others_have, number))
        assert hangs.is_set()
        assert stores.counts()[1] == 0
        let_go.set()
        await story.until(lambda: stores.counts() == [3, 3, 3])

    play(engine, tell)


def test_command_does_not_wait_for_a_copy_that_hangs(
    engine: Engine, anna: Profile, stores: Stores, let_go: threading.Event
) -> None:
    """The folders rest without it, and it books nothing afterwards; the copy is made again."""
    hangs = threading.Event()

    def hang() -> None:
        hangs.set()
        let_go.wait(PATIENCE)

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs"))
        stores.faulty[-1].add(Fault("put_many", callback=hang, repeat=1))
        anna.write("a.txt", "a")
        await story.until(lambda: stores.counts()[::2] == [1, 1])
        await story.until(hangs.is_set)
        async with story.service.at_rest():
            assert stores.counts()[1] == 0
        let_go.set()
        await story.until(lambda: stores.counts() == [1, 1, 1])
        await story.until(lambda: story.passes[-1].complete)

    with patch.object(copy_lane, "REST_WITHIN", 0.1):
        play(engine, tell)


def test_full_store_is_told_and_others_go_on(engine: Engine, anna: Profile, stores: Stores) -> None:
    """Until it has room; then it gets what it lacks."""
    full = Fault("put_many", error=FullError("", "no space left"), repeat=FOREVER)

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs"))
        stores.faulty[-1].add(full)
        anna.write("a.txt", "a")
        await story.until(lambda: any(p.kind == "store full" for p in story.passes[-1].problems))
        await story.until(lambda: stores.counts() == [1, 0, 1])
        stores.faulty[-1].faults.clear()
        await story.until(lambda: stores.counts() == [1, 1, 1])
        await story.until(lambda: not story.passes[-1].problems)

    with patch("firnline.sync.copy_round.FULL_AGAIN", 0.2):
        play(engine, tell)


def test_round_that_does_not_count_books_only_what_is_gone(engine: Engine) -> None:
    """A body that went from the home store is not there, whatever else changed meanwhile."""
    (folder,) = engine.settings.folders
    with open_beside(engine, folder, Reached((), ()), lambda: True) as context:
        with pytest.raises(CancelledError), context.state.transaction("copied events"):
            pass
        with context.state.transaction(RELEASED):
            context.state.set_fact("fact", "booked")
        assert context.state.fact("fact") == "booked"


def test_tables_that_cannot_be_opened_cost_a_round(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made up for when the next pass, which makes them anew, is done."""
    (folder,) = engine.settings.folders

    def refuse(*arguments: object) -> None:
        raise DatabaseError(Path("table"), "damaged", DatabaseFault.DAMAGED)

    monkeypatch.setattr(copy_jobs, "open_beside", refuse)
    done = CopyJobs(engine).let_go(folder, Reached((), ()), lambda: False)
    assert done == Round(due=done.due)
    assert done.due == pytest.approx(SystemClock().now().timestamp() + SLOWEST_RETRY, abs=10)
