"""The copier beside the passes: what each store gets, when, and what bad luck does to it.

Passes copy nothing here; rounds run over tables and folder of their own, as on a thread.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.doubles.faulty_store import Fault, FaultyStore
from tests.scenario.crashes import KillAt, Killed, KilledAfter
from tests.scenario.invariants import check_done
from tests.scenario.laptops import Laptop, event_count, store_hash
from tests.scenario.store_faults import FOREVER, FULL

from firnline.core.replication import GRACE_TIME, LARGE, Bounds
from firnline.core.steps import Steps, no_steps
from firnline.stores.base import Store
from firnline.stores.errors import UnavailableError
from firnline.sync.context import CancelledError
from firnline.sync.copy_round import FULL_AGAIN, Round, Way, copy_round, forgive_failures
from firnline.sync.home_release import release_home
from firnline.sync.scope import WHOLE

SMALL = Way(large=False, leads=True)


def make(tmp_path: Path, name: str, stores: Iterable[str]) -> Laptop:
    """A laptop whose passes copy nothing."""
    laptop = Laptop(tmp_path / name, name * 8, [tmp_path / store for store in stores])
    laptop.scope = lambda context: WHOLE._replace(copy=False)
    return laptop


def bring(laptop: Laptop, store: Path, way: Way = SMALL, steps: Steps = no_steps) -> Round:
    """One round."""
    with ExitStack() as stack:
        context = laptop.context(stack, steps)
        target = next(each for each in context.stores if each.store_id == store_hash(store))
        return copy_round(context, target, way, lambda count: bytes(count))


def bring_all(*laptops: Laptop, leads: bool = True) -> int:
    """Rounds into all stores in reach, until none has anything to do; the number of copies."""
    total = 0
    while copied := sum(_bring_each(laptops, leads=leads)):
        total += copied
    return total


def _bring_each(laptops: Iterable[Laptop], *, leads: bool) -> Iterator[int]:
    for laptop in laptops:
        for store in laptop.stores:
            for large in (False, True) if store not in laptop.away else ():
                yield bring(laptop, store, Way(large, leads)).copied


def let_go(laptop: Laptop) -> None:
    """What the home store has and is safe elsewhere."""
    with ExitStack() as stack:
        release_home(laptop.context(stack))


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    """It wrote one event, which only the first of three stores has so far."""
    laptop = make(tmp_path, "a", ["s1", "s2", "s3"])
    laptop.write("f", "text")
    laptop.sync()
    assert [event_count(store) for store in laptop.stores] == [1, 0, 0]
    return laptop


def test_own_events_go_at_once(laptop: Laptop) -> None:
    """To every store; afterwards there is nothing to do or to wait for."""
    for store in laptop.stores[1:]:
        assert bring(laptop, store) == Round(copied=1)
        assert bring(laptop, store) == Round()
    let_go(laptop)
    check_done([laptop])


def test_others_events_wait_for_grace(tmp_path: Path, laptop: Laptop) -> None:
    """Somebody who sees two stores waits for the writer, and then brings it himself."""
    other = make(tmp_path, "b", ["s1", "s2"])
    other.sync()
    other.clock.advance(days=1)
    laptop.write("g", "more")
    laptop.sync()
    other.sync()
    waits = bring(other, other.stores[1], SMALL._replace(leads=True))
    assert waits.copied == 1, "what was found at the first reading a day ago"
    assert waits.due is not None
    assert waits.due - other.clock.moment.timestamp() == pytest.approx(GRACE_TIME, abs=2)
    other.clock.advance(seconds=GRACE_TIME + 1)
    assert bring(other, other.stores[1]) == Round(copied=1)
    assert event_count(other.stores[1]) == 2


def test_grace_can_be_changed(tmp_path: Path, laptop: Laptop) -> None:
    """An hour is waited for where that was asked for, and nothing where none is."""
    other = make(tmp_path, "b", ["s1", "s2", "s3"])
    other.sync()
    hour = SMALL._replace(grace=3600)
    waits = bring(other, other.stores[1], hour)
    assert waits == Round(due=waits.due)
    assert waits.due == pytest.approx(other.clock.moment.timestamp() + 3600, abs=2)
    other.clock.advance(seconds=3500)
    assert bring(other, other.stores[1], hour).copied == 0
    other.clock.advance(seconds=101)
    assert bring(other, other.stores[1], hour).copied == 1
    laptop.write("g", "more")
    laptop.sync()
    other.sync()
    assert bring(other, other.stores[1]).copied == 0
    assert bring(other, other.stores[1], SMALL._replace(grace=0)).copied == 1


def test_first_reading_is_left_to_the_lead(tmp_path: Path, laptop: Laptop) -> None:
    """Somebody who does not lead the store brings it all the same after ten times as long."""
    other = make(tmp_path, "b", ["s1", "s2"])
    other.sync()
    follows = SMALL._replace(leads=False)
    other.clock.advance(seconds=GRACE_TIME + 1)
    assert bring(other, other.stores[1], follows).copied == 0
    other.clock.advance(seconds=9 * GRACE_TIME)
    assert bring(other, other.stores[1], follows).copied == 1
    del laptop


def test_two_leads_do_no_harm(tmp_path: Path, laptop: Laptop) -> None:
    """Both bring the same; it stands there once, and is right."""
    other = make(tmp_path, "b", ["s1", "s2", "s3"])
    other.sync()
    for each in (laptop, other):
        each.clock.advance(hours=1)
    assert bring_all(laptop) == 2
    assert bring_all(other) == 2, "it did not look again, and wrote what stands there"
    assert [event_count(store) for store in laptop.stores] == [1, 1, 1]
    for each in (laptop, other):
        each.sync()
        let_go(each)
    check_done([laptop, other])


def test_store_that_was_never_listed_gets_nothing(tmp_path: Path, laptop: Laptop) -> None:
    """It may have everything already."""
    laptop.stores.append(tmp_path / "s4")
    assert bring(laptop, laptop.stores[3]) == Round()
    laptop.sync()
    assert bring(laptop, laptop.stores[3]).copied == 1


def test_full_store_is_left_alone_and_others_go_on(laptop: Laptop) -> None:
    """Its events did nothing wrong, so they go at once when there is room."""
    laptop.wrap = lambda name, store: (
        FaultyStore(store, laptop.clock, faults=[Fault("put_many", error=FULL, repeat=FOREVER)])
        if name == "s2"
        else store
    )
    full = bring(laptop, laptop.stores[1])
    assert [(each.kind, each.store) for each in full.problems] == [("store full", "s2")]
    assert full.rest
    assert full.due == pytest.approx(laptop.clock.moment.timestamp() + FULL_AGAIN, abs=1)
    assert bring(laptop, laptop.stores[2]).copied == 1
    laptop.wrap = lambda name, store: store
    assert bring(laptop, laptop.stores[1]) == Round(copied=1)


@pytest.mark.parametrize(
    ("was_full", "seconds"), [(0, 5), (1, 10), (3, 40), (6, 300), (10_000, 300)]
)
def test_full_store_is_left_alone_for_longer_and_longer(
    laptop: Laptop, was_full: int, seconds: int
) -> None:
    """Twice as long each time, and five minutes at most."""
    full = Fault("put_many", error=FULL, repeat=FOREVER)
    laptop.wrap = lambda name, store: FaultyStore(store, laptop.clock, faults=[full])
    done = bring(laptop, laptop.stores[1], SMALL._replace(was_full=was_full))
    assert done.is_full
    assert done.due == pytest.approx(laptop.clock.moment.timestamp() + seconds, abs=1)


def test_store_that_vanishes_in_the_middle(laptop: Laptop) -> None:
    """It is told, and gets the event when it is back; so does one that came back empty after it
    was listed again."""
    laptop.write("g", "more")
    laptop.sync()

    def wrap(name: str, store: Store) -> Store:
        gone = Fault("put_many", skip=1, error_midway=UnavailableError("", "gone"))
        return FaultyStore(store, laptop.clock, faults=[gone]) if name == "s2" else store

    laptop.wrap = wrap
    failed = bring(laptop, laptop.stores[1])
    assert [each.name for each in failed.unreached] == ["s2"]
    assert not failed.more
    laptop.wrap = lambda name, store: store
    laptop.clock.advance(hours=5)
    assert bring_all(laptop) == 4
    for path in (laptop.stores[1] / "documents-01234567").rglob("*"):
        if path.is_file():
            path.unlink()
    laptop.clock.advance(days=8)
    laptop.sync()
    assert bring_all(laptop) == 2
    assert [event_count(store) for store in laptop.stores] == [2, 2, 2]


def test_nothing_but_the_store_that_has_it(tmp_path: Path, laptop: Laptop) -> None:
    """What nobody in reach can supply is tried again later and later, and at once when a store
    comes that may have it."""
    other = make(tmp_path, "b", ["s1", "s2"])
    other.sync()
    other.delete("f")
    laptop.delete("f")
    other.away = {other.stores[0]}
    other.clock.advance(hours=1)
    place = other.stores[1]
    first = bring(other, place)
    assert [each.kind for each in first.problems] == ["no source"]
    now = other.clock.moment.timestamp()
    assert first.due is not None
    assert first.due - now == pytest.approx(30, abs=2)
    assert bring(other, place) == Round(due=first.due)
    other.clock.advance(seconds=40)
    second = bring(other, place)
    assert second.due is not None
    assert second.due - other.clock.moment.timestamp() == pytest.approx(60, abs=2)
    other.away = set()
    with ExitStack() as stack:
        forgive_failures(other.context(stack))
    assert bring(other, place) == Round(copied=1)


def test_stick_between_two_devices(tmp_path: Path) -> None:
    """One reaches only one store, the other only another; a stick is carried, and all is equal."""
    a = make(tmp_path, "a", ["s1", "stick"])
    b = make(tmp_path, "b", ["s2", "stick"])
    stick = tmp_path / "stick"
    for each in (a, b):
        each.minor = {stick}
    for turn in range(3):
        for here, there in ((a, b), (b, a)):
            here.away, there.away = set(), {stick}
            for each in (here, there):
                each.write(f"{each.place.name}{turn}", f"of {each.place.name} {turn}")
                each.clock.advance(minutes=10)
                each.sync()
                bring_all(each)
                let_go(each)
    for here, there in ((a, b), (b, a), (a, b)):
        here.away, there.away = set(), {stick}
        here.clock.advance(minutes=10)
        here.sync()
        bring_all(here)
    assert a.tree() == b.tree()
    assert len(a.tree()) == 6
    counts = {event_count(place) for place in (*a.stores, *b.stores)}
    assert len(counts) == 1, counts


def test_large_events_go_their_own_way(laptop: Laptop) -> None:
    """Neither round touches what is the other's."""
    laptop.write("large", b"x" * (LARGE + 40 * 2**20))
    laptop.sync()
    store = laptop.stores[1]
    assert bring(laptop, store, Way(large=True, leads=True)).copied == 1
    assert bring(laptop, store).copied == 1
    assert event_count(store) == 2


def test_bounds_leave_more_to_do(laptop: Laptop) -> None:
    """Rounds of one event each bring all of them, children never before their parents."""
    for number in range(3):
        laptop.write("f", f"text {number}")
        laptop.sync()
    store, way = laptop.stores[1], SMALL._replace(bounds=Bounds(1))
    rounds = [bring(laptop, store, way) for _ in range(4)]
    assert [(each.copied, each.more) for each in rounds] == [(1, True)] * 3 + [(1, False)]


def test_round_that_does_not_count_books_nothing(laptop: Laptop) -> None:
    """What it wrote stands there, and the next one finds out."""

    def steps(name: str) -> None:
        if name == "commit copied events":
            raise CancelledError

    with pytest.raises(CancelledError):
        bring(laptop, laptop.stores[1], steps=steps)
    assert event_count(laptop.stores[1]) == 1
    assert bring(laptop, laptop.stores[1]) == Round(copied=1)
    assert event_count(laptop.stores[1]) == 1


def test_letting_go_that_is_ended_in_the_middle_is_booked(laptop: Laptop) -> None:
    """What is gone from the home store is not missed there, and no more goes."""
    laptop.write("g", "more")
    laptop.sync()
    bring_all(laptop)
    home = laptop.place / "home"
    with ExitStack() as stack:
        context = laptop.context(stack)
        context.cancelled = lambda: event_count(home) < 2
        with pytest.raises(CancelledError):
            release_home(context)
        held = context.state.stores.held()
    assert event_count(home) == len(held) == 1
    let_go(laptop)
    check_done([laptop])


def test_killed_at_any_step(tmp_path: Path) -> None:
    """The next round goes on where it was, and everybody can read what stands there."""
    number = 0
    while True:
        number += 1
        laptop = make(tmp_path / str(number), "a", ["s1", "s2"])
        for text in ("one", "two"):
            laptop.write("f", text)
            laptop.sync()
        kill = KillAt(number)
        try:
            bring(laptop, laptop.stores[1], steps=kill)
        except Killed:
            assert bring_all(laptop) <= 2
            other = make(tmp_path / str(number), "b", ["s2"])
            other.sync()
            assert other.tree() == {"f": "two"}, kill
            continue
        break
    assert number > 5


def test_event_that_went_nowhere_is_settled_by_a_pass_that_copies_nothing(tmp_path: Path) -> None:
    """It was taken for an event while its store could not be asked, and is in no store after all:
    others see what was saved on top of it and no conflict, and nobody goes on looking for it."""
    a, b = (make(tmp_path, name, ["s1"]) for name in ("a", "b"))
    b.clock = a.clock

    def settle() -> None:
        for each in (a, b, a, b):
            each.sync()
            bring_all(each)
            let_go(each)

    a.write("file", "first")
    settle()
    a.write("file", "second")
    with pytest.raises(Killed):
        a.sync(steps=KilledAfter("commit open event"))
    a.away = set(a.stores)
    a.write("file", "third")
    a.sync()
    a.away = set()
    settle()
    assert a.tree() == b.tree() == {"file": "third"}
    assert [each.sync().problems for each in (a, b)] == [[], []]
    check_done([a, b])
