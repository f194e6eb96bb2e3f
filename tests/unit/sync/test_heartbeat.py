"""The heartbeat of a connection, in real directories, with clocks and faults of the test's own."""

from contextlib import suppress
from datetime import timedelta

import pytest
from tests.doubles.faulty_store import ANY, Fault
from tests.doubles.still_clock import StillClock
from tests.unit.sync.beating import Device, beats_of, mount

from firnline.core.lead import DEFAULT_PRIORITY
from firnline.stores.directory import DirectoryStore
from firnline.stores.errors import UnavailableError
from firnline.stores.layout import ConnectionLayout
from firnline.sync.connection import ReplacedError
from firnline.sync.heartbeat import ClonedError, look_once, new_run, read_beats

A, B = "a" * 16, "b" * 16
YEARS = timedelta(days=5 * 365)
OFF = [timedelta(), YEARS, -YEARS, timedelta(hours=20), timedelta(hours=-20)]


class KilledError(BaseException):
    """The program was killed."""


class KillAt:
    """Ends the program at its n-th step."""

    def __init__(self, number):
        self.number = number
        self.names = []

    def __call__(self, name):
        if len(self.names) == self.number:
            raise KilledError
        self.names.append(name)


@pytest.fixture
def world():
    return StillClock()


@pytest.fixture
def base(tmp_path):
    return mount(tmp_path / "nas")


def test_one_file_is_renamed(base, world):
    """The name says when, the body which run; `priority` is there to be edited."""
    device = Device(base, world)
    device.heart.begin()
    assert beats_of(base) == {"idle_20261122082600000000": "r" * 16}
    world.sleep(60)
    device.heart.beat()
    assert beats_of(base) == {"idle_20261122082700000000": "r" * 16}
    assert (base / ConnectionLayout("c" * 16).priority).read_text() == str(DEFAULT_PRIORITY)


def test_two_beats_in_one_moment_have_two_names(base, world):
    """A clock that stands still looks alive all the same."""
    device = Device(base, world)
    device.heart.begin()
    seen = set(beats_of(base))
    for _ in range(3):
        device.heart.beat()
        assert len(beats_of(base)) == 1
        assert seen != (seen := set(beats_of(base)))


def test_a_run_has_a_body_of_its_own():
    """16 random characters."""
    assert new_run(lambda count: b"\0" * count) == "0" * 16


def test_the_next_run_takes_the_place_of_the_last(base, world):
    """What a killed run left is removed by the next one."""
    Device(base, world, run="x" * 16).heart.begin()
    world.sleep(5)
    Device(base, world).heart.begin()
    assert list(beats_of(base).values()) == ["r" * 16]


def test_a_priority_that_was_set_stays(base, world):
    """The user's number is neither overwritten nor passed over."""
    for connection, priority in ((A, "10"), (B, "90\n")):
        place = base / ConnectionLayout(connection).priority
        place.parent.mkdir(parents=True)
        place.write_text(priority)
    one, two = Device(base, world, A), Device(base, world, B)
    one.heart.begin()
    two.heart.begin()
    assert two.leads
    assert not one.leads


@pytest.mark.parametrize("body", ["", "101", "-1", "1e1", "many", "9" * 17, "٣", "\0"])
def test_a_priority_that_is_none_counts_as_the_default(base, world, body):
    """Anybody can write there."""
    place = base / ConnectionLayout(A).priority
    place.parent.mkdir(parents=True)
    place.write_text(body)
    device = Device(base, world, A)
    device.heart.begin()
    assert [beat.priority for beat in read_beats(device.store)] == [DEFAULT_PRIORITY]


def test_what_is_no_connection_is_passed_over(base, world):
    """Files, other names and connections that never beat are no connections that live."""
    (base / "connections" / "junk").mkdir(parents=True)
    (base / "connections" / B).mkdir()
    (base / "connections" / B / "idle_junk").touch()
    (base / "connections" / B / "idle_20261122082600000000").mkdir()
    device = Device(base, world, A)
    device.heart.begin()
    assert device.heart.look() == (A, (A,))


@pytest.mark.parametrize("work", ["begin", "beat"])
def test_killed_at_any_step(tmp_path, work):
    """The next run beats with one file, whatever a killed one left; nobody takes it for a clone."""
    number, killed = 0, True
    while killed:
        world, base = StillClock(), mount(tmp_path / f"{work}{number}")
        Device(base, world, run="x" * 16).heart.begin()
        world.sleep(60)
        steps = KillAt(number)
        killed = is_killed(Device(base, world, steps=steps), world, steps, work)
        world.sleep(5)
        after = Device(base, world, run="n" * 16)
        after.heart.begin()
        assert list(beats_of(base).values()) == ["n" * 16]
        world.sleep(60)
        after.heart.beat()
        assert list(beats_of(base).values()) == ["n" * 16]
        number += 1
    assert number > 3


def is_killed(device, world, steps, work):
    """Does that work, up to the step that is the last; False when it came to its end."""
    if work == "beat":
        number, steps.number = steps.number, None
        device.heart.begin()
        steps.number = len(steps.names) + number
        world.sleep(60)
    try:
        getattr(device.heart, work)()
    except KilledError:
        return True
    return False


@pytest.mark.parametrize("method", ["rename", "put_many", "list", "server_time", "delete"])
@pytest.mark.parametrize("when", ["error", "error_after"])
def test_an_answer_that_is_lost(base, world, method, when):
    """The store failed before or after the effect: the next beat goes on, and nobody is cloned."""
    device = Device(base, world)
    device.heart.begin()
    (base / ConnectionLayout("c" * 16).idle(world.now() - timedelta(1))).write_text("x" * 16)
    world.sleep(60)
    setattr(device.store.add(Fault(method)), when, UnavailableError("", "broke off"))
    with suppress(UnavailableError):
        device.heart.beat()
    for _ in range(2):
        world.sleep(60)
        device.heart.beat()
    assert beats_of(base) == {f"idle_2026112208290{0:07}": "r" * 16}


def test_a_store_that_vanishes_between_two_calls(base, world, tmp_path):
    """Wherever it goes, nothing is written in the empty directory that it leaves."""
    for number in range(30):
        device = Device(base, world)
        device.heart.begin()
        world.sleep(60)

        def unmount():
            base.rename(tmp_path / "unmounted")
            base.mkdir()

        fault = device.store.add(Fault(ANY, callback=unmount, skip=number))
        with suppress(ReplacedError, UnavailableError):
            device.heart.beat()
        if not fault.hits:
            return
        with pytest.raises(ReplacedError):
            device.heart.beat()
        base.rename(tmp_path / f"empty{number}")
        (tmp_path / "unmounted").rename(base)
        world.sleep(1)
    raise AssertionError("a beat has fewer calls")


def test_a_beat_that_somebody_removed_is_made_again(base, world):
    """Cleaning up by hand costs nothing."""
    device = Device(base, world)
    device.heart.begin()
    for path in base.glob("connections/*/idle_*"):
        path.unlink()
    world.sleep(60)
    device.heart.beat()
    assert list(beats_of(base).values()) == ["r" * 16]


# --- clones -------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", OFF)
def test_of_two_clones_one_is_told(base, world, off):
    """Whatever the clone's clock says: one of the two gives up, the other one goes on."""
    device, clone = Device(base, world), Device(base, world, run="x" * 16, off=off)
    device.heart.begin()
    world.sleep(25)
    clone.heart.begin()
    hearts, told = [device.heart, clone.heart], 0
    for number in range(12):
        world.sleep(30)
        try:
            hearts[number % len(hearts)].beat()
        except ClonedError:
            told += 1
            del hearts[number % len(hearts)]
    assert told == 1


def test_a_clone_that_was_killed_in_the_middle_is_found(base, world):
    """Its beat stands beside this one's: it is newer than the last of this run."""
    device = Device(base, world)
    device.heart.begin()
    world.sleep(20)
    (base / ConnectionLayout("c" * 16).idle(world.now())).write_text("x" * 16)
    world.sleep(40)
    with pytest.raises(ClonedError):
        device.heart.beat()


def test_a_store_that_was_set_back_makes_no_clone(base, world):
    """An older beat of an earlier run came back with it: it is removed."""
    device = Device(base, world)
    device.heart.begin()
    world.sleep(60)
    for path in base.glob("connections/*/idle_*"):
        path.unlink()
    (base / ConnectionLayout("c" * 16).idle(world.now() - timedelta(days=7))).write_text("x" * 16)
    device.heart.beat()
    assert list(beats_of(base).values()) == ["r" * 16]


def test_a_beat_that_cannot_be_read_is_a_foreign_one(base, world):
    """No device of ours writes such a body."""
    device = Device(base, world)
    device.heart.begin()
    (base / ConnectionLayout("c" * 16).idle(world.now() + timedelta(1))).write_text("x" * 99)
    with pytest.raises(ClonedError):
        device.heart.beat()


# --- the lead -----------------------------------------------------------------------------------


@pytest.mark.parametrize("off_one", OFF)
@pytest.mark.parametrize("off_two", OFF)
def test_clocks_that_are_wrong_by_years(base, world, off_one, off_two):
    """Two devices whose clocks are wrong agree on the lead as long as both beat; when the lead
    stops the other one takes over: within minutes, or by as much later as a clock is off that is
    still believed."""
    one, two = Device(base, world, A, off=off_one), Device(base, world, B, off=off_two)
    one.heart.begin()
    two.heart.begin()
    for _ in range(5):
        assert (one.leads, two.leads) == (True, False)
        world.sleep(60)
        one.heart.beat()
        two.heart.beat()
    leads = []
    for seconds in [60] * 6 + [40 * 3600] + [60] * 4:
        world.sleep(seconds)
        two.heart.beat()
        leads.append(two.leads)
    believed = all(abs(off) != timedelta(hours=20) for off in (off_one, off_two))
    assert leads[:6] == [False] * 4 + [True] * 2 or not believed
    assert leads[-1]
    assert not leads[0]


@pytest.mark.parametrize("jump", [YEARS, -YEARS])
def test_a_clock_that_jumps_while_they_run(base, world, jump):
    """The lead's clock, the other's clock, and the store's: two leads at most for a while."""
    for jumping in ("one", "two", "store"):
        server = Device(base, world).clock
        one = Device(base, world, A, store_clock=server)
        two = Device(base, world, B, store_clock=server)
        one.heart.begin()
        two.heart.begin()
        assert (one.leads, two.leads) == (True, False)
        {"one": one.clock, "two": two.clock, "store": server}[jumping].off = jump
        for _ in range(5):
            world.sleep(60)
            one.heart.beat()
            two.heart.beat()
            one.heart.look()
            two.heart.look()
        assert (one.leads, two.leads) == (True, False)


def test_a_stale_listing_makes_two_leads_that_become_one(base, world):
    """Who does not see the lead leads as well; the next look mends it."""
    one, two = Device(base, world, A), Device(base, world, B)
    two.heart.begin()
    two.heart.look()
    one.heart.begin()
    two.store.add(Fault("list", "connections", stale=True))
    assert (one.leads, two.leads) == (True, True)
    two.store.verify()
    assert (one.leads, two.leads) == (True, False)


def test_one_look_tells_who_is_there(base, world):
    """For `status`, which does not beat: whoever beat within three minutes."""
    Device(base, world, A).heart.begin()
    world.sleep(175)
    device = Device(base, world, B)
    device.heart.begin()
    assert look_once(device.store, device.clock) == (A, (A, B))
    world.sleep(10)
    assert look_once(device.store, device.clock) == (B, (B,))


def test_it_beats_seldom_where_requests_cost_money(base, world, monkeypatch):
    """Every ten minutes on S3, and nobody there is taken for dead before thirty."""
    monkeypatch.setattr(DirectoryStore, "kind", "s3")
    device = Device(base, world, A)
    device.heart.begin()
    assert device.heart.interval == 600
    world.sleep(29 * 60)
    assert look_once(device.store, device.clock) == (A, (A,))
    world.sleep(2 * 60)
    assert look_once(device.store, device.clock).living == ()


def test_a_computer_without_a_clock_beats(base, world):
    """Neither its clock nor the store's can be right: it is there all the same."""
    device = Device(base, world, off=-60 * YEARS / 5, store_clock=None)
    device.heart.begin()
    world.sleep(60)
    device.heart.beat()
    assert list(beats_of(base)) == ["idle_20261101000000000001"]
    assert device.leads
