"""The service takes commands: what it does before, during and after one."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.doubles.profile import Profile
from tests.unit.engine.control.callers import REQUEST, Heard, asked, until

from firnline.config import edits
from firnline.engine.control.protocol import Request
from firnline.engine.control.server import Caller
from firnline.engine.folder_commands import create_folder
from firnline.engine.live import commanded
from firnline.engine.live.commanded import Commanded
from firnline.engine.live.loop_gate import LoopGate
from firnline.engine.live.service import Service
from firnline.engine.runtime import Engine, Surroundings
from firnline.engine.sync_command import FolderOutcome, sync_folders
from firnline.engine.system import SystemClock

if not hasattr(socket, "AF_UNIX"):
    pytest.skip("this system has no such sockets", allow_module_level=True)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """With a folder, in the home store only."""
    profile = Profile(tmp_path)
    with profile.engine() as engine:
        create_folder(engine, str(profile.folder), "docs", [])
    return profile


class Play:
    """A service that runs, with its folders' passes and what commands do."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.outcomes: list[FolderOutcome] = []
        self.seen: list[Service | None] = []
        self.work: Callable[[Caller], int] = lambda caller: 0

    def carry_out(self, request: Request, caller: Caller) -> int:
        assert threading.current_thread().name == "command"
        self.seen.append(self.running._service)
        return self.work(caller)

    def during(self, use: Callable[[], Awaitable[None]]) -> None:
        async def play() -> None:
            with self.profile.engine() as engine:
                gate = LoopGate(asyncio.get_running_loop(), engine.outside.clock)
                self.running = Commanded(engine, gate, self.outcomes.append, self.carry_out)
                begun = asyncio.Event()
                async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                    group.create_task(self.running.run(begun.set))
                    await begun.wait()
                    await use()
                    self.running.stop()

        asyncio.run(play())

    async def ask(self) -> tuple[int, Heard]:
        return await asyncio.to_thread(asked, self.profile.places.control, REQUEST)

    async def next_outcome(self) -> FolderOutcome:
        """Of a pass that came to its end."""
        count = len(self.outcomes)
        await until(lambda: any(each.error is None for each in self.outcomes[count:]))
        return self.outcomes[-1]


@pytest.fixture
def play(profile: Profile) -> Play:
    return Play(profile)


def test_folders_are_closed_for_a_command_and_go_on_afterwards(play, profile):
    """A command may sync by itself; what it leaves is looked at."""
    done: list[FolderOutcome] = []

    def sync(caller: Caller) -> int:
        profile.write("a.txt", "a")
        outside = Surroundings(SystemClock(), os.urandom)
        with Engine.open(profile.places, outside, lock=True, held=True) as engine:
            done.extend(sync_folders(engine, []))
        profile.write("b.txt", "b")
        return 7

    async def use() -> None:
        play.work = sync
        following = asyncio.gather(play.next_outcome())
        assert (await play.ask())[0] == 7
        await following

    play.during(use)
    assert [each.error for each in done] == [None]
    assert done[0].report.written == 1
    assert profile.sync()[0].complete
    assert not play.running.is_cloned


def test_changed_settings_are_those_of_a_new_service(play, profile):
    """And commands are taken by that one from then on."""

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", "another")
        return 0

    async def use() -> None:
        play.work = rename
        await play.ask()
        play.work = lambda caller: 5
        assert (await play.ask())[0] == 5
        assert (await play.ask())[0] == 5

    play.during(use)
    first, second, third = play.seen
    assert first is not None
    assert first is not second
    assert second is third
    assert second is not None
    assert second._engine.settings.device_name == "another"


def test_a_command_right_after_changed_settings_waits_for_the_new_service(play, profile):
    """What it changes is heard of as well: not the service that ends is told of it."""
    names = iter(["first", "second", "third"])

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", next(names))
        return 0

    async def use() -> None:
        play.work = rename
        await asyncio.gather(play.ask(), play.ask(), play.ask())
        settled = play.running
        await until(lambda: settled._service._engine.settings.device_name == "third")

    play.during(use)
    assert len({id(service) for service in play.seen}) == 3


def test_the_new_service_beats_as_the_one_before(play, profile, tmp_path):
    """A link that hung when it was closed may beat once more: that is no clone of this device."""
    profile.add_store("nas", tmp_path / "nas")

    def body() -> str:
        beats = (tmp_path / "nas").glob("connections/*/idle_*")
        return "".join(beat.read_text() for beat in beats)

    def rename(caller: Caller) -> int:
        edits.set_option(profile.places.config_file, "device.name", "another")
        return 0

    async def use() -> None:
        await until(lambda: bool(body()))
        before = body()
        play.work = rename
        await play.ask()
        (beat,) = (tmp_path / "nas").glob("connections/*/idle_*")
        await until(lambda: not beat.exists())
        await until(lambda: bool(body()))
        assert body() == before

    play.during(use)


def test_a_folder_that_does_not_come_to_rest_is_not_waited_for(play, monkeypatch):
    """The caller is told to try again, and the command is not carried out."""

    @asynccontextmanager
    async def never(service: Service) -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    monkeypatch.setattr(commanded, "REST_WITHIN", 0.05)
    monkeypatch.setattr(Service, "at_rest", never)

    async def use() -> None:
        code, [(_, said)] = await play.ask()
        assert code == 1
        assert "did not come to rest" in said

    play.during(use)
    assert play.seen == []


def test_a_command_that_comes_too_late_is_told_so(play):
    """It is not carried out by a service that has ended."""
    said: list[str] = []

    class Late(Caller):
        def __init__(self) -> None:
            pass

        def say(self, kind: object, text: str) -> None:
            said.append(text)

    async def use() -> None:
        pass

    play.during(use)
    assert asyncio.run(play.running._command(REQUEST, Late())) == 1
    assert "just ending" in said[0]
    assert play.seen == []
