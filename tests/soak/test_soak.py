"""The soak in short, and whether it sees what it is there to see: faults are planted by hand."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.scenario.store_contents import event_files
from tests.soak import checks, run
from tests.soak.device import Device, Pass
from tests.soak.diary import Diary
from tests.soak.shelf import Shelf
from tests.soak.trees import look
from tests.soak.world import Habits, World

SECONDS = 4.0
SEED = 20261122
BUSY = Habits(between_acts=0.05, between_passes=0.3, store_stays=2.0, store_away=0.5)

pytestmark = [
    # 12 seconds on a quiet machine, most of them in processes of others.
    pytest.mark.timeout(300),
    # One process for all of them where there are several: the world is made once.
    pytest.mark.xdist_group("soak"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """After some seconds of turmoil, and a rest at which all was well."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path_factory.mktemp("soak")
    with tempfile.TemporaryDirectory(prefix="firnline-soak-", dir=memory) as place:
        world = World(Path(place), SEED, Diary(Path(place) / "diary.jsonl"), BUSY)
        world.begin()
        world.turmoil(SECONDS)
        run.rest(world, last=True, samples=4)
        yield world
        world.diary.close()


@pytest.fixture
def findings(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[World], object]], list[str]]:
    """What a check finds."""

    def found(check: Callable[[World], object]) -> list[str]:
        monkeypatch.setattr(world, "diary", diary := Diary(tmp_path / "diary.jsonl"))
        check(world)
        diary.close()
        return diary.findings

    return found


Findings = Callable[[Callable[[World], object]], list[str]]


def _largest_event(shelf: Shelf) -> Path:
    """One that brings many contents."""
    files = event_files(shelf.path)
    return max(files.values(), key=lambda path: path.stat().st_size)


def _stores(world: World) -> object:
    return checks.check_stores(world, {})


def test_nothing_is_wrong(world: World) -> None:
    """Real processes, kills and vanishing stores leave nothing to find."""
    assert world.diary.findings == []
    assert world.ledger.taken()
    assert world.diary.counts["pass"] >= len(world.devices)


def test_lost_event_is_found(world: World, findings: Findings) -> None:
    """An event file that is gone from every store, the home stores included."""
    name = _largest_event(world.shelves["s1"]).name
    moved = {path: path.read_bytes() for path in world.place.rglob(name)}
    for path in moved:
        path.unlink()
    found = findings(_stores)
    for path, body in moved.items():
        path.write_bytes(body)
    assert all(any(f"{s}: lacks" in text for text in found) for s in world.shelves)
    assert findings(_stores) == []


def test_lost_in_one_store_is_found(world: World, findings: Findings) -> None:
    """An event file that one store lacks, and the contents that it had there."""
    path = _largest_event(world.shelves["s2"])
    body = path.read_bytes()
    path.unlink()
    found = findings(_stores)
    path.write_bytes(body)
    assert {text.split(":")[0] for text in found} == {"s2"}


def test_damage_in_a_store_is_found(world: World, findings: Findings) -> None:
    """Contents that are not what their hashes say, in a file of the same size."""
    path = _largest_event(world.shelves["s3"])
    body = path.read_bytes()
    half = len(body) // 2
    path.write_bytes(body[:half] + body[half:][::-1])
    found = findings(_stores)
    path.write_bytes(body)
    assert any("s3: lacks" in text and "contents" in text for text in found)
    assert {text.split(":")[0] for text in found} == {"s3"}


def _own_file(device: Device) -> Path:
    return next(p for p in sorted((device.folder / "a").rglob("*")) if p.is_file())


def test_changed_byte_in_a_folder_is_found(world: World, findings: Findings) -> None:
    """One that neither size nor time of modification tells."""
    path = _own_file(world.devices[1])
    status, body = path.stat(), path.read_bytes()
    path.write_bytes(b"\0" + body[1:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = findings(checks.check_folders)
    path.write_bytes(body)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(found) == 2
    assert all(text.startswith("b, compared with") for text in found)


def test_another_time_of_modification_is_found(world: World, findings: Findings) -> None:
    """One that the file never had, here or as a copy elsewhere."""
    path = _own_file(world.devices[1])
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, 10**17))
    found = findings(checks.check_folders)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert len(found) == 2


def test_the_time_of_an_equal_file_is_no_fault(world: World, findings: Findings) -> None:
    """A file was moved onto one of equal content: a changed time alone is no event."""
    device = world.devices[1]
    path = _own_file(device)
    status, body = path.stat(), path.read_bytes()
    node = look(path)
    device.standing.put("a copy that was moved", node._replace(mtime=10**12))
    os.utime(path, ns=(status.st_atime_ns, 10**18))
    found = findings(checks.check_folders)
    path.write_bytes(body)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    device.standing.lift("a copy that was moved")
    assert found == []


def test_phantom_deletion_is_found(world: World, findings: Findings) -> None:
    """A file that nobody deleted is gone everywhere, so that all are equal."""
    moved = [
        (path := _own_file(device), path.stat(), path.read_bytes()) for device in world.devices
    ]
    for path, _, _ in moved:
        path.unlink()
    found = findings(checks.check_folders)
    for path, status, body in moved:
        path.write_bytes(body)
        path.chmod(status.st_mode)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [text.split(":")[0] for text in found] == [
        f"{name}, compared with what people did" for name in "abc"
    ]
    assert findings(checks.check_folders) == []


def test_resurrection_is_found(world: World, findings: Findings) -> None:
    """What was deleted for ever is there again, on all devices."""
    world.graves.deleted.add("graves/1")
    for device in world.devices:
        (device.folder / "graves").mkdir()
        (device.folder / "graves/1").write_text("back")
    found = findings(checks.check_folders)
    for device in world.devices:
        (device.folder / "graves/1").unlink()
        (device.folder / "graves").rmdir()
    assert sum("deleted for ever, and there" in text for text in found) == 3


def test_writing_at_rest_is_found(
    world: World, findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass that writes when all should be at rest, were it only into one home store."""
    late = world.devices[2].profile / "home" / "late"
    with monkeypatch.context() as patch:
        patch.setattr(world, "sync", lambda device, at_rest: late.touch())
        found = findings(lambda there: checks.check_rest(there, passes=1))
    late.unlink()
    assert len(found) == 1
    assert "written at rest" in found[0]
    assert str(late) in found[0]


@pytest.mark.parametrize("place", ["b/folder/.firnline/stage", "c/profile/home/connections/x/tmp"])
def test_left_over_file_is_found(world: World, findings: Findings, place: str) -> None:
    """A temporary file that nobody needs any more."""
    left = world.place / place / "left"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    found = findings(checks.check_left_over)
    left.unlink()
    assert found == [f"all: 1 temporary files are left: {left}"]


def test_write_into_a_mount_point_is_found(tmp_path: Path) -> None:
    """A store's place is empty while it is away; what was written there does not hide it."""
    diary = Diary(tmp_path / "diary.jsonl")
    shelf = Shelf(tmp_path / "s1", diary)
    shelf.path.mkdir()
    (shelf.path / "kept").touch()
    shelf.leave(mount_point=True)
    assert shelf.away
    (shelf.path / "stray").touch()
    shelf.come_back()
    diary.close()
    assert not shelf.away
    assert [path.name for path in shelf.path.iterdir()] == ["kept"]
    assert diary.findings == ["s1: written where the store is not: ['stray']"]


def test_store_is_set_back(tmp_path: Path) -> None:
    """A store that comes back as its backup has what it had then; without one it is as it went."""
    diary = Diary(tmp_path / "diary.jsonl")
    shelf = Shelf(tmp_path / "s1", diary)
    shelf.path.mkdir()
    (shelf.path / "old").touch()
    shelf.keep()
    (shelf.path / "new").touch()
    for there in (["old"], ["newer", "old"]):
        shelf.leave(mount_point=False)
        shelf.come_back(older=True)
        assert sorted(path.name for path in shelf.path.iterdir()) == there
        assert shelf.set_back
        (shelf.path / "newer").touch()
    shelf.drop_backup()
    assert not shelf.set_back
    diary.close()


GONE = "store s1 cannot be reached (gone). Mount it.\n"
NOWHERE = "Work, store s2: NAME: no store in reach has it. Connect it.\n"
CHANGED = "Work:a/1: it changed while it was read.\n"
FIRST_READING = (
    "Work, store s1: it went while it was read for the first time; nothing is told or changed"
    " before. This folder waits for it: the next sync tries it again.\n"
)


@pytest.mark.parametrize(
    ("code", "errors", "at_rest", "empty", "found"),
    [
        (0, "", True, False, 0),
        (1, GONE, True, False, 0),
        (1, "store s2 cannot be reached (gone). Mount it.\n", False, False, 1),
        (1, CHANGED, False, False, 0),
        (1, CHANGED, True, False, 1),
        (1, NOWHERE, False, False, 0),
        (1, NOWHERE, True, False, 1),
        (1, "", False, False, 1),
        (3, GONE, True, True, 0),
        (3, GONE, True, False, 1),
        (4, "firnline: another Firnline holds this profile\n", False, False, 2),
        (1, "firnline: a mistake in the program (KeyError: 1)\n", False, False, 2),
        (-9, "", False, False, 1),
    ],
)
def test_complaints_of_a_pass(
    tmp_path: Path, code: int, errors: str, at_rest: bool, empty: bool, found: int
) -> None:
    """Only a store that was away, or a path that somebody works on, excuses a pass; only a place
    that stands empty excuses a question."""
    diary = Diary(tmp_path / "diary.jsonl")
    shelves = [Shelf(tmp_path / name, diary) for name in ("s1", "s2")]
    for shelf in shelves:
        shelf.path.mkdir()
    device = Device(tmp_path, "a", shelves, diary)
    shelves[0].leave(mount_point=empty)
    done = Pass(code, "", errors, started=0.0, ended=float("inf"), peak=0)
    assert len(device.complaints(done, at_rest=at_rest)) == found
    diary.close()


@pytest.mark.parametrize(
    ("errors", "took"),
    [
        ("", True),
        (GONE, True),
        (CHANGED, False),
        (FIRST_READING + GONE, False),
    ],
)
def test_a_pass_that_looked_at_nothing_took_nothing_in(
    tmp_path: Path, errors: str, took: bool
) -> None:
    """A store that was away excuses a line, not that the folder was not read."""
    diary = Diary(tmp_path / "diary.jsonl")
    shelf = Shelf(tmp_path / "s1", diary)
    shelf.path.mkdir()
    device = Device(tmp_path, "a", [shelf], diary)
    shelf.leave(mount_point=False)
    done = Pass(1, "", errors, started=0.0, ended=float("inf"), peak=0)
    assert device.took_all(done) is took
    diary.close()
