"""The whole of what runs, on a real loop with its threads; stores hang and clocks jump as told."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

import pytest
from tests.doubles.profile import Profile

from firnline.core import pace
from firnline.engine.folder_commands import create_folder, pause_folder
from firnline.engine.live import service as live
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.runtime import Engine
from firnline.engine.store_questions import store_questions
from firnline.engine.sync_command import FolderOutcome
from firnline.engine.system import SystemClock
from firnline.sync.connection import Expected, Opener, Peer, ReplacedError, connect
from firnline.sync.context import Connected, FolderContext
from firnline.sync.folder_pass import PassReport, run_pass
from firnline.sync.scope import Scope

PATIENCE = 20.0


class Story:
    """A service that runs, and what it did."""

    def __init__(self, engine: Engine) -> None:
        self.passes: list[FolderOutcome] = []
        self._news = asyncio.Event()
        gate = LoopGate(asyncio.get_running_loop(), engine.outside.clock)
        self.service = Service(engine, gate, self._hear)

    def _hear(self, outcome: FolderOutcome) -> None:
        self.passes.append(outcome)
        self._news.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """After any pass."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await self._news.wait()
                self._news.clear()

    def written(self, name: str) -> int:
        return sum(each.report.written for each in self.passes if each.name == name)

    def count(self, name: str) -> int:
        return sum(each.name == name for each in self.passes)


def play(engine: Engine, tell: Callable[[Story], Awaitable[None]]) -> None:
    async def run() -> None:
        story = Story(engine)
        async with asyncio.TaskGroup() as group:
            group.create_task(story.service.run())
            try:
                await tell(story)
            finally:
                story.service.stop()

    asyncio.run(run())


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    return tmp_path / "usb"


@pytest.fixture
def more(anna: Profile) -> Path:
    place = anna.base / "More"
    place.mkdir()
    return place


@pytest.fixture
def engine(anna: Profile, nas: Path, usb: Path, more: Path) -> Iterator[Engine]:
    """Two folders, each in a store of its own."""
    anna.add_store("nas", nas)
    anna.add_store("usb", usb)
    with anna.engine() as engine:
        create_folder(engine, str(anna.folder), "docs", ["nas"])
        create_folder(engine, str(more), "more", ["usb"])
        yield engine


def test_all_folders_are_kept(engine: Engine, anna: Profile, more: Path) -> None:
    """What was there is written, then each save."""

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs") and story.count("more"))
        anna.write("a.txt", "a")
        (more / "b.txt").write_text("b")
        await story.until(lambda: story.written("docs") == story.written("more") == 1)

    play(engine, tell)


def test_paused_folder_is_left_alone(engine: Engine, anna: Profile) -> None:
    """Nothing is done there, whatever happens."""
    anna.write("a.txt", "a")
    pause_folder(engine, "docs", paused=True)

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("more"))
        assert story.count("docs") == 0

    play(engine, tell)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """What hangs in this test goes on when it is set; at the end at the latest."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def impatient() -> Iterator[None]:
    """What is waited for in seconds is given up after a moment."""
    with patch.object(live, "STOP_WITHIN", 0.2), patch.object(live, "FIRST_ANSWER", 0.2):
        yield


@pytest.mark.usefixtures("impatient")
def test_job_that_hangs_holds_nobody_up(
    engine: Engine, anna: Profile, let_go: threading.Event
) -> None:
    """The other folder goes on, and the program can be stopped."""
    hanging = threading.Event()

    def job(context: FolderContext, scope: Scope) -> PassReport:
        if context.name == "more":
            hanging.set()
            let_go.wait(PATIENCE)
        hanging.wait(PATIENCE)
        return run_pass(context, scope)

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs"))
        anna.write("a.txt", "a")
        await story.until(lambda: story.written("docs"))
        assert story.count("more") == 0

    with patch("firnline.engine.live.kept_folder.run_pass", job):
        play(engine, tell)
    assert not let_go.is_set()


def test_database_that_fails_holds_nobody_up(engine: Engine, anna: Profile, more: Path) -> None:
    """The other folder goes on; this one says why it does not, and goes on when it can."""
    fails = threading.Event()

    def job(context: FolderContext, scope: Scope) -> PassReport:
        if context.name == "more" and fails.is_set():
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        return run_pass(context, scope)

    def trouble(story: Story) -> list[str]:
        found = {each.name: story.service.now().folders[each.folder_id] for each in settings}
        return [name for name, now in found.items() if "disk I/O error" in now.trouble]

    settings = engine.settings.folders

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs") and story.count("more"))
        fails.set()
        (more / "b.txt").write_text("b")
        await story.until(lambda: trouble(story) == ["more"])
        anna.write("a.txt", "a")
        await story.until(lambda: story.written("docs"))
        assert trouble(story) == ["more"]
        fails.clear()
        await story.until(lambda: story.written("more"))
        assert trouble(story) == []

    with (
        patch.object(pace, "RETRY", 0.1),
        patch("firnline.engine.live.kept_folder.run_pass", job),
    ):
        play(engine, tell)


@pytest.mark.usefixtures("impatient")
def test_store_that_does_not_answer_is_not_waited_for(
    engine: Engine, anna: Profile, more: Path, let_go: threading.Event
) -> None:
    """Its folder begins without it after a while, and gets it when it answers."""

    def connecting(opener: Opener, expected: Expected, peer: Peer) -> Connected:
        if expected.name == "usb":
            let_go.wait(PATIENCE)
        return connect(opener, expected, peer)

    async def tell(story: Story) -> None:
        anna.write("a.txt", "a")
        (more / "b.txt").write_text("b")
        await story.until(lambda: story.written("docs") == story.written("more") == 1)
        (outcome,) = [each for each in story.passes if each.name == "more"]
        assert [each.name for each in outcome.unreached] == ["usb"]
        let_go.set()
        await story.until(lambda: story.passes[-1].report.copied)

    with patch("firnline.engine.live.links.connect", connecting):
        play(engine, tell)


def unplug(store: Path) -> None:
    store.rename(store.with_name("away"))


def put_a_directory(place: Path) -> None:
    place.mkdir()


def test_store_that_becomes_another_is_noted_though_nobody_saves(
    engine: Engine, anna: Profile, nas: Path
) -> None:
    """Away first, then an empty directory in its place: each is told at once and not by some later
    job, and the second becomes a question."""

    def whys(story: Story) -> list[type[Exception]]:
        return [type(each.why) for outcome in story.passes for each in outcome.unreached]

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs") and story.count("more"))
        unplug(nas)
        await story.until(lambda: whys(story))
        put_a_directory(nas)
        await story.until(lambda: whys(story)[-1] is ReplacedError)

    with patch.object(pace, "RETRY", pace.SLOWEST_RETRY):
        play(engine, tell)
    with anna.engine(lock=False) as another:
        assert [each.kind for each in store_questions(another)] == ["wiped store"]


def test_sleep_is_answered_by_a_look_at_everything(engine: Engine) -> None:
    """Of every folder, and at every store."""
    clock = JumpingClock()
    engine.outside = engine.outside._replace(clock=clock)
    scopes: list[Scope] = []

    def job(context: FolderContext, scope: Scope) -> PassReport:
        scopes.append(scope)
        return run_pass(context, scope)

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("docs") and story.count("more"))
        before = sum(each.is_whole for each in scopes)
        clock.slept = timedelta(hours=8)
        await story.until(lambda: sum(each.is_whole for each in scopes) >= before + 2)

    with (
        patch.object(live, "BETWEEN_LOOKS", 0.05),
        patch("firnline.engine.live.kept_folder.run_pass", job),
    ):
        play(engine, tell)


def test_directory_above_a_folder_is_renamed_and_back(engine: Engine, anna: Profile) -> None:
    """The folder is away at once, and there again at once, without a look now and then."""
    place = anna.base / "above" / "between"
    place.mkdir(parents=True)
    folder = place / "Deep"
    folder.mkdir()
    create_folder(engine, str(folder), "deep", ["nas"])
    errors: list[object] = []

    async def tell(story: Story) -> None:
        await story.until(lambda: story.count("deep"))
        moved = (anna.base / "above").rename(anna.base / "elsewhere")
        await story.until(lambda: any(each.error for each in story.passes))
        errors.extend(each.name for each in story.passes if each.error)
        moved.rename(anna.base / "above")
        (folder / "a.txt").write_text("a")
        await story.until(lambda: story.written("deep") == 1)

    play(engine, tell)
    assert set(errors) == {"deep"}


class JumpingClock(SystemClock):
    """The wall clock goes on while the computer sleeps."""

    slept = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.slept


@pytest.mark.parametrize("source", ["MountWatch", "NetworkWatch"])
def test_disk_or_network_brings_back_what_was_away(
    engine: Engine, anna: Profile, nas: Path, source: str
) -> None:
    """Stores and folders; the test says when something was mounted, or when there is a network."""
    away = [place.rename(place.with_name(f"{place.name} away")) for place in (nas, anna.folder)]

    async def tell(story: Story) -> None:
        await story.until(lambda: any(each.error for each in story.passes))
        for place in away:
            place.rename(place.with_name(place.name.removesuffix(" away")))
        (anna.folder / "a.txt").write_text("a")
        PlayedSource.made[-1].tell()
        await story.until(lambda: story.written("docs") and not story.passes[-1].unreached)

    with patch.object(live, source, PlayedSource), patch.object(live, "Returns", NoReturns):
        play(engine, tell)


class PlayedSource:
    """The test says when something happens."""

    made: ClassVar[list["PlayedSource"]] = []
    """The last one is the one that counts."""

    def __init__(self, tell: Callable[[], None], *_: object) -> None:
        self.tell = tell
        self.made.append(self)

    def start(self) -> None: ...

    def close(self) -> None: ...


class NoReturns:
    """Nobody watches the places of stores."""

    def __init__(self, *_: object) -> None: ...

    def missing(self, *_: object) -> None: ...

    def found(self, *_: object) -> None: ...

    def close(self) -> None: ...
