"""What is long dead is removed, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.doubles.faulty_store import Fault
from tests.doubles.still_clock import StillClock
from tests.unit.sync.beating import Device, TimedDirectory, beats_of, mount

from firnline.stores.errors import DeniedError, UnavailableError
from firnline.stores.layout import ConnectionLayout
from firnline.sync.sweeping import sweep

DEAD, ALIVE = "d" * 16, "e" * 16
START = datetime(2027, 11, 22, 8, 26, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)


class KilledError(BaseException):
    """The program was killed."""


@pytest.fixture
def world():
    return StillClock(START)


@pytest.fixture
def base(tmp_path, world):
    """A store in which one connection beat last 31 days ago, and left a file behind."""
    base = mount(tmp_path / "nas")
    leave_dead(base, world)
    return base


def leave_dead(base, world):
    now = world.moment
    world.moment -= timedelta(days=31)
    device = Device(base, world, DEAD)
    device.heart.begin()
    (base / ConnectionLayout(DEAD).tmp / "half").write_text("half")
    device.store.put_many([(ConnectionLayout(DEAD).late(world.moment), b"")])
    world.moment = now
    device.store.put_many([(ConnectionLayout(DEAD).late(world.moment), b"")])


def files_of(base, connection):
    directory = base / ConnectionLayout(connection).directory
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


def watch(device, world, seconds=600):
    """The lead looks on for so long."""
    device.heart.begin()
    device.heart.look()
    for _ in range(int(seconds / 60)):
        world.sleep(60)
        device.heart.beat()
        device.heart.look()


def show(device, clock):
    """The store has another clock from now on."""
    assert isinstance(device.store.inner, TimedDirectory)
    device.store.inner.shown = clock


def sweep_as(device):
    return sweep(device.store, device.heart.sightings.values(), device.clock, 60.0)


def test_the_long_dead_go_with_what_they_left(base, world):
    """Their `tmp/` first and their beat last; a hint of this month stays, whoever wrote it."""
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    assert sweep_as(lead) == [DEAD]
    assert files_of(base, DEAD) == ["late_20271122082600000000"]
    assert list(beats_of(base, ALIVE).values()) == ["r" * 16]
    lead.heart.look()
    assert sweep_as(lead) == []


def test_it_is_watched_before_it_is_buried(base, world):
    """A run that has just begun removes no connection."""
    lead = Device(base, world, ALIVE)
    watch(lead, world, 180)
    assert sweep_as(lead) == []
    assert "half" in files_of(base, DEAD)


def test_who_was_silent_for_a_week_stays(base, world):
    """A laptop that was in a drawer."""
    world.moment -= timedelta(days=10)
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    assert sweep_as(lead) == []


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_clock_that_jumps_buries_nobody(base, world, jump):
    """This device's, or the store's: only both together count."""
    other = Device(base, world, DEAD)
    other.heart.begin()
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    lead.clock.off = jump
    assert sweep_as(lead) == []
    server = Device(base, world).clock
    lead.clock.off = timedelta()
    show(lead, server)
    server.off = jump
    assert sweep_as(lead) == []


def test_both_clocks_jump_and_nobody_who_beats_is_buried(base, world):
    """A disk of this computer has its clock: whoever lives was seen to beat."""
    lead, other = Device(base, world, ALIVE), Device(base, world, DEAD)
    other.heart.begin()
    watch(lead, world, 6000)
    other.heart.beat()
    lead.heart.look()
    server = Device(base, world, store_clock=None).clock
    show(lead, server)
    lead.clock.off = server.off = YEARS
    assert sweep_as(lead) == []


def test_a_store_without_a_clock_keeps_everything(base, world):
    """One clock alone does not say that something is old."""
    lead = Device(base, world, ALIVE, store_clock=None)
    watch(lead, world)
    assert sweep_as(lead) == []
    assert len(files_of(base, DEAD)) == 5


def test_who_comes_back_in_that_moment_stays(base, world):
    """It is looked at again right before."""
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    Device(base, world, DEAD).heart.begin()
    assert sweep_as(lead) == []


def test_a_name_that_nobody_can_ask_for_stays(base, world):
    """Somebody put it there by hand; the rest goes."""
    (base / ConnectionLayout(DEAD).tmp / "a\\b").write_text("")
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    assert sweep_as(lead) == [DEAD]
    assert files_of(base, DEAD) == ["a\\b", "late_20271122082600000000"]


def test_a_store_that_refuses_keeps_it(base, world):
    """Nobody is bothered."""
    lead = Device(base, world, ALIVE)
    watch(lead, world)
    lead.store.add(Fault("delete", error=DeniedError("", "read-only")))
    assert sweep_as(lead) == []


@pytest.mark.parametrize("error", [KilledError(), UnavailableError("", "gone")])
def test_stopped_at_any_step_it_is_done_by_the_next(tmp_path, error):
    """Killed, or a store that went: the beat is still there, so the next sweep finds it."""
    stops, stopped = 0, True
    while stopped:
        world, base = StillClock(START), mount(tmp_path / f"nas{stops}")
        leave_dead(base, world)
        stopped = is_stopped(
            Device(base, world, ALIVE), world, Fault("delete", error=error, skip=stops)
        )
        world.sleep(1)
        lead = Device(base, world, ALIVE)
        watch(lead, world)
        sweep_as(lead)
        assert files_of(base, DEAD) == ["late_20271122082600000000"]
        stops += stopped
    assert stops == 4


def is_stopped(lead, world, fault):
    """Whether a sweep came to the call that fails."""
    watch(lead, world)
    lead.store.add(fault)
    try:
        sweep_as(lead)
    except (KilledError, UnavailableError):
        return True
    return False
