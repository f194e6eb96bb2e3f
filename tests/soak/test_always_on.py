"""The soak with `firnline run` in short, and whether it sees what only it can see."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.scenario.store_contents import event_files
from tests.soak import checks, run, standstill
from tests.soak.always_on import LiveDevice, LiveHabits, LiveWorld
from tests.soak.device import Device, Pass
from tests.soak.diary import Diary
from tests.soak.patience import Patience
from tests.soak.report import report
from tests.soak.service import Service

SECONDS = 4.0
SEED = 20261122
BUSY = LiveHabits(
    between_acts=0.05,
    store_stays=2.0,
    store_away=0.5,
    lives=1.5,
    stays_down=0.3,
    thaws=0.3,
    paused=0.2,
    between_commands=1.0,
    between_sent=0.3,
    still=1.0,
    watched=2.0,
)

pytestmark = [
    # 15 seconds on a quiet machine, most of them in processes of others.
    pytest.mark.timeout(300),
    # One process for all of them where there are several: the world is made once.
    pytest.mark.xdist_group("soak always on"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorld]:
    """After some seconds of turmoil, and a rest at which all was well; nothing runs any more."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path_factory.mktemp("soak")
    with tempfile.TemporaryDirectory(prefix="firnline-soak-", dir=memory) as place:
        world = LiveWorld(Path(place), SEED, Diary(Path(place) / "diary.jsonl"), BUSY)
        try:
            world.begin()
            world.turmoil(SECONDS)
            run.rest(world, last=True, samples=2)
            world.end(well=True)
            yield world
        finally:
            world.end(well=False)
            world.diary.close()


Findings = Callable[[Callable[[LiveWorld], object]], list[str]]


@pytest.fixture
def findings(world: LiveWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Findings:
    """What a check finds where no process has to be started."""

    def found(check: Callable[[LiveWorld], object]) -> list[str]:
        monkeypatch.setattr(world, "diary", diary := Diary(tmp_path / "diary.jsonl"))
        monkeypatch.setattr(world, "all_up", lambda: None)
        check(world)
        diary.close()
        return diary.findings

    return found


def test_nothing_is_wrong(world: LiveWorld) -> None:
    """Processes that are killed and come again, and commands meanwhile, leave nothing to find."""
    assert world.diary.findings == []
    assert world.ledger.taken()
    assert world.diary.counts["kill of the service"] + world.diary.counts["stop of the service"]
    assert len(world.settled) == 1
    assert world.post.expected


def test_the_report_tells_how_it_went(world: LiveWorld) -> None:
    """In numbers, and that nothing was lost."""
    numbers = {"events": 7, "changes": 12_345, "conflicts": 1, "contents checked": 9, "files": 3}
    text = report(world, SEED, 90.0, numbers)
    for part in ("1.5 minutes", "12,345 changes", "9 contents", "nothing: "):
        assert part in text
    assert f"of {world.post.sent} arrived" in text


def test_a_report_with_findings_does_not_say_that_nothing_was_lost(
    world: LiveWorld, findings: Findings
) -> None:
    """It points to them."""
    numbers = dict.fromkeys(("events", "changes", "conflicts", "contents checked", "files"), 0)
    told: list[str] = []

    def check(world: LiveWorld) -> None:
        world.diary.find("a", "gone")
        told.append(report(world, SEED, 90.0, numbers))

    findings(check)
    assert "1 findings, see below" in told[0]
    assert "nothing: " not in told[0]


def test_a_save_that_was_followed_and_did_not_stay_is_found(
    world: LiveWorld, findings: Findings
) -> None:
    """What people saw arrive must be there at the rest, on every device."""
    path = world.devices[1].folder / min(world.post.expected)
    body, status = path.read_bytes(), path.stat()
    path.write_bytes(b"older")
    found = findings(checks.check_folders)
    path.write_bytes(body)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert any("compared with what people did" in text for text in found)


def test_what_a_store_lacks_is_left_to_do(world: LiveWorld) -> None:
    """A rest is not over before every store has every event."""
    path = min(event_files(world.shelves["s3"].path).values())
    body = path.read_bytes()
    path.unlink()
    lacking = standstill.left_to_do(world)
    path.write_bytes(body)
    assert "s3" in lacking
    assert standstill.left_to_do(world) == ""


def test_what_a_folder_lacks_is_left_to_do(world: LiveWorld) -> None:
    """A rest is not over before every folder has every file."""
    new = world.devices[1].folder / "not everywhere yet"
    new.touch()
    lacking = standstill.left_to_do(world)
    new.unlink()
    assert lacking == "the folders differ"


@pytest.mark.parametrize(
    ("pending", "problems", "away", "left"),
    [
        ({"upload": 0, "apply": 0, "download": 0}, [], False, False),
        ({"upload": 1, "apply": 0, "download": 0}, [], False, True),
        ({"upload": 1, "apply": 0, "download": 0}, ["a store is away"], True, False),
        ({"upload": 0, "apply": 1, "download": 0}, [], True, True),
        ({"upload": 0, "apply": 0, "download": 0}, ["unreadable"], False, True),
    ],
)
def test_what_a_device_says_is_left_to_do(
    world: LiveWorld,
    monkeypatch: pytest.MonkeyPatch,
    pending: dict[str, int],
    problems: list[str],
    *,
    away: bool,
    left: bool,
) -> None:
    """While a store is away, what it lacks is left over; nothing else ever is."""
    monkeypatch.setattr(
        standstill, "status_of", lambda device: {"pending": pending, "problems": problems}
    )
    if away:
        world.shelves["s1"].leave(mount_point=False)
    found = standstill.left_to_do(world)
    world.shelves["s1"].come_back()
    assert bool(found) is left


def test_a_rest_that_never_comes_is_found(
    world: LiveWorld, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is left to do for longer than anybody waits."""
    monkeypatch.setattr(world, "live", LiveHabits(still=0.0))
    for name in ("SETTLES_WITHIN", "_LOOK"):
        monkeypatch.setattr(standstill, name, 0.01)
    monkeypatch.setattr(standstill, "left_to_do", lambda world: "a good deal")
    (found,) = findings(standstill.come_to_rest)
    assert "a good deal" in found


def test_writing_and_working_at_rest_is_found(
    world: LiveWorld, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes into a home store, and the processor is not left alone."""
    late = world.devices[2].profile / "home" / "late"

    def work() -> float:
        late.touch()
        return time.monotonic() / 2

    monkeypatch.setattr(world, "live", LiveHabits(watched=0.05))
    monkeypatch.setattr(standstill, "_LOOK", 0.05)
    monkeypatch.setattr(world.services["a"], "seconds_of_work", work)
    monkeypatch.setattr(world.services["a"], "be_up", lambda: None)
    for name in "bc":
        monkeypatch.setattr(world.services[name], "be_up", lambda: None)
    found = findings(standstill.check_rest)
    late.unlink()
    assert any("of a core at rest" in text and text.startswith("a:") for text in found)
    assert any("written at rest" in text and str(late) in text for text in found)


class OtherProgram(Device):
    """Starts this text of Python in place of Firnline."""

    text = ""

    def start(self, out: Path, err: Path, *arguments: str) -> subprocess.Popen[bytes]:
        with err.open("wb") as errors:
            return subprocess.Popen([sys.executable, "-c", self.text], stderr=errors)


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    with_lines = Diary(tmp_path / "diary.jsonl")
    yield with_lines
    with_lines.close()


@pytest.fixture
def service(tmp_path: Path, diary: Diary) -> Iterator[Callable[[str], Service]]:
    """The process of a device, which is this text of Python."""
    (tmp_path / "a").mkdir()
    device = OtherProgram(tmp_path, "a", [], diary)
    made = Service(device, tmp_path, diary)

    def running(text: str) -> Service:
        device.text = f"import sys, time\n{text}"
        made.start()
        return made

    yield running
    made.kill()


UP = "print('Keeping', file=sys.stderr, flush=True)\n"


def test_a_process_that_ends_by_itself_is_found(
    service: Callable[[str], Service], diary: Diary
) -> None:
    """It has to run until it is told to end."""
    running = service("sys.exit(7)")
    while running.look():
        time.sleep(0.01)
    assert diary.findings == ["a: firnline run: ended by itself with 7: ''"]


def test_a_process_that_finds_the_profile_held_is_started_again(
    service: Callable[[str], Service], diary: Diary
) -> None:
    """A command that began while nothing ran holds it for a moment."""
    held = "another Firnline (process 1) holds this profile"
    running = service(f"print({held!r}, file=sys.stderr); sys.exit(4)")
    while running.look():
        time.sleep(0.01)
    assert diary.counts["start refused"] == 1
    assert diary.findings == []


def test_a_process_that_does_not_end_is_found(
    service: Callable[[str], Service], diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told to, and goes on."""
    monkeypatch.setattr("tests.soak.service.STOPS_WITHIN", 0.1)
    running = service("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + _SLEEPS)
    running.be_up()
    running.stop()
    assert "did not end" in diary.findings[0]


_SLEEPS = UP + "time.sleep(100)"


def test_a_mistake_that_a_process_tells_is_found_once(
    service: Callable[[str], Service], diary: Diary
) -> None:
    """Also one that it went on after."""
    running = service("print('a mistake in the program', file=sys.stderr)\n" + _SLEEPS)
    running.be_up()
    running.check_words()
    running.kill()
    assert diary.findings == ["a: firnline run: a mistake in the program"]


def test_a_frozen_process_does_nothing_and_goes_on(
    service: Callable[[str], Service], diary: Diary
) -> None:
    """It works before and afterwards, and runs on."""
    running = service("while True: pass")
    running.freeze(0.05)
    before = running.seconds_of_work()
    while not running.seconds_of_work() > before:
        assert running.is_up
        time.sleep(0.01)
    assert diary.counts["freeze of the service"] == 1
    assert diary.findings == []


def test_work_is_measured(service: Callable[[str], Service]) -> None:
    """Processor time of the process that runs now."""
    running = service("while True: pass")
    while not running.seconds_of_work() > 0.05:
        assert running.is_up
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("code", "errors", "killed_at", "found"),
    [
        (1, "firnline: the Firnline that runs ended before it was done. Again.\n", 15.0, 0),
        (1, "firnline: the Firnline that runs ended before it was done. Again.\n", 5.0, 1),
        (4, "firnline: another Firnline (process 1) holds this profile (lock): end it.\n", 5.0, 0),
        (
            4,
            "firnline: another Firnline (process 1) holds this profile (lock): end it.\n",
            -50.0,
            2,
        ),
        (1, "firnline: a folder did not come to rest in time\n", 15.0, 1),
    ],
)
def test_complaints_of_a_command(
    tmp_path: Path, diary: Diary, code: int, errors: str, killed_at: float, found: int
) -> None:
    """Who carries a command out may be killed, and may be just starting; that takes nothing in."""
    device = LiveDevice(tmp_path, "a", [], diary)
    device.service = Service(device, tmp_path, diary)
    device.service.turned.append(killed_at)
    done = Pass(code, "", errors, started=10.0, ended=20.0, peak=0)
    assert len(device.complaints(done, at_rest=False)) == found
    assert not device.took_all(done)


@pytest.mark.parametrize(("at_rest", "found"), [(False, 0), (True, 1)])
def test_a_content_may_be_on_its_way(
    tmp_path: Path, diary: Diary, found: int, *, at_rest: bool
) -> None:
    """While others bring what is in stores that come and go, but not once all are at rest."""
    device = LiveDevice(tmp_path, "a", [], diary)
    device.service = Service(device, tmp_path, diary)
    errors = "Work, store s1: NAME: no store in reach has the content of x.\n"
    done = Pass(1, "", errors, started=10.0, ended=20.0, peak=0)
    assert len(device.complaints(done, at_rest=at_rest)) == found
    assert not device.took_all(done)


def test_a_computer_that_stood_still_is_no_delay() -> None:
    """Four minutes of which nobody had anything count as the second that a wait may take."""
    now = iter([0.0, 0.5, 240.5, 241.0])
    patience = Patience(3.0, lambda: next(now))
    for _ in range(3):
        patience.wait(0.5, lambda seconds: None)
    assert patience.spent == 2.5
    assert patience.stopped == 238.5
    assert not patience.is_over
